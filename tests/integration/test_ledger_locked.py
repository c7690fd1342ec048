"""A ledger of SQLite whose file somebody else has locked: reading goes on, writing says so."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.contract.conftest import FakeClock

from seakeeping.records import LabelKind, Matcher
from seakeeping.store.ledger import Ledger, open_at
from seakeeping.store.ledger.alerts import Alerts
from seakeeping.store.ledger.changes import Changes
from seakeeping.store.ledger.incidents import Incidents
from seakeeping.store.ledger.label_requests import LabelRequests
from seakeeping.store.ledger.ledger import LedgerUnavailable
from seakeeping.store.ledger.silences import Silences
from seakeeping.store.ledger.snapshots import Snapshots

READS: dict[str, Callable[[Ledger], object]] = {
    "keys": lambda ledger: ledger.key_scopes(),
    "names of keys": lambda ledger: ledger.key_names(),
    "list of keys": lambda ledger: ledger.list_keys(),
    "audit": lambda ledger: ledger.audit_entries(),
    "documents": lambda ledger: ledger.resources("SLO"),
    "erased users": lambda ledger: ledger.erased(),
    "lease": lambda ledger: ledger.lease("controller"),
    "backup": lambda ledger: ledger.dump(),
    "alerts": lambda ledger: Alerts(ledger).find(),
    "an alert": lambda ledger: Alerts(ledger).get("f"),
    "incidents": lambda ledger: Incidents(ledger).find(),
    "an incident": lambda ledger: Incidents(ledger).get("i"),
    "a chain": lambda ledger: Incidents(ledger).verify("i"),
    "silences": lambda ledger: Silences(ledger).all(),
    "changes": lambda ledger: Changes(ledger).find(start=0.0, end=1.0),
    "readings": lambda ledger: Snapshots(ledger).get("readings"),
    "answers to label": lambda ledger: LabelRequests(ledger).waiting(LabelKind.HUMAN),
}


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = open_at(f"sqlite:///{tmp_path / 'ledger.db'}?timeout=0.3", FakeClock())
    yield ledger
    ledger.close()


@pytest.fixture
def locked(ledger: Ledger, tmp_path: Path) -> Iterator[Ledger]:
    """Return a ledger with a little in it that a stranger has locked."""
    Snapshots(ledger).put("readings", 1.0, b"all is well")
    stranger = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
    stranger.execute("BEGIN EXCLUSIVE")
    yield ledger
    stranger.rollback()
    stranger.close()


@pytest.mark.parametrize("what", READS)
def test_what_is_there_can_be_read_without_waiting(locked: Ledger, what: str) -> None:
    began = time.monotonic()
    READS[what](locked)
    assert time.monotonic() - began < 0.3


def test_what_is_read_is_what_was_written_last(locked: Ledger) -> None:
    kept = Snapshots(locked).get("readings")
    assert kept is not None
    assert kept.body == b"all is well"


def test_writing_says_that_the_ledger_is_locked(locked: Ledger) -> None:
    with pytest.raises(LedgerUnavailable, match="locked"):
        Snapshots(locked).put("readings", 2.0, b"all is lost")
    with pytest.raises(LedgerUnavailable, match="locked"):
        Silences(locked).create([Matcher("a", "b")], ends_at=2_000_000_000.0, by="ann")
    with pytest.raises(LedgerUnavailable, match="locked"):
        locked.acquire("controller", "me", 10.0)


def test_a_reader_does_not_delay_a_writer(ledger: Ledger) -> None:
    Snapshots(ledger).put("readings", 1.0, b"before")
    with ledger.reading() as connection:
        connection.exec_driver_sql("SELECT * FROM snapshots").all()
        Snapshots(ledger).put("readings", 2.0, b"after")
        again = connection.exec_driver_sql("SELECT body FROM snapshots").scalar_one()
    assert again == b"before", "a reader sees one moment"
    after = Snapshots(ledger).get("readings")
    assert after is not None
    assert after.body == b"after"
