"""A controller that starts, or goes on, while the store is away."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.contract.conftest import FakeClock

from seakeeping.config.resources import Choice, load_resources
from seakeeping.control.deciding import Deciding, Parts
from seakeeping.control.standing import InForce
from seakeeping.decide.incidents.loop import IncidentLoop
from seakeeping.decide.loop import AlertLoop
from seakeeping.errors import StoreUnavailable
from seakeeping.observe.book import Book
from seakeeping.observe.testing import Event, MemoryStore
from seakeeping.records import Alert, AlertState
from seakeeping.store.ledger import Ledger, open_at
from seakeeping.store.ledger.alerts import Alerts
from seakeeping.store.ledger.snapshots import Snapshots


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def ledger(tmp_path: Path, clock: FakeClock) -> Iterator[Ledger]:
    ledger = open_at(f"sqlite:///{tmp_path / 'ledger.db'}", clock)
    yield ledger
    ledger.close()


@pytest.fixture
def store(clock: FakeClock) -> MemoryStore:
    """Return a store with an hour of calls, of which the last ten minutes' all failed."""
    store = MemoryStore(clock.now)
    store.put(Event(f"e{n}", "shop", clock.at - n * 6, is_error=n <= 100) for n in range(1, 601))
    return store


def controller(ledger: Ledger, store: MemoryStore, clock: FakeClock) -> Deciding:
    """Return a controller as it begins, with one shipped objective."""
    in_force = InForce(ledger)
    shipped, _ = load_resources(None)
    in_force.refresh(replace(shipped, default_objectives=Choice(only=("availability",))))
    incidents = IncidentLoop(ledger, None, clock)
    deciding = Deciding(
        Parts(Book(store, clock), in_force, AlertLoop(ledger), incidents, Snapshots(ledger), clock)
    )
    deciding.begin()
    return deciding


def firing(ledger: Ledger) -> list[Alert]:
    return Alerts(ledger).find(states=[AlertState.FIRING])


def fired(ledger: Ledger, store: MemoryStore, clock: FakeClock) -> Deciding:
    """Return a controller that has seen the outage."""
    deciding = controller(ledger, store, clock)
    deciding.tick()
    assert {alert.objective for alert in firing(ledger)} == {"shop/availability"}
    return deciding


def test_a_store_that_goes_away_ends_no_alert(
    ledger: Ledger, store: MemoryStore, clock: FakeClock
) -> None:
    deciding = fired(ledger, store, clock)
    before = firing(ledger)
    store.is_away = True
    for _ in range(5):
        clock.at += 600
        with pytest.raises(StoreUnavailable):
            deciding.tick()
    assert [alert.fingerprint for alert in firing(ledger)] == [a.fingerprint for a in before]


def test_a_controller_that_starts_without_the_store_ends_no_alert(
    ledger: Ledger, store: MemoryStore, clock: FakeClock
) -> None:
    fired(ledger, store, clock)
    Snapshots(ledger).put("book", clock.at, b"of another version")
    store.is_away = True
    again = controller(ledger, store, clock)
    with pytest.raises(StoreUnavailable):
        again.tick()
    assert len(firing(ledger)) == 2
    store.is_away = False
    clock.at += 1
    again.tick()
    assert len(firing(ledger)) == 2


def test_the_end_of_an_outage_is_seen_when_the_store_is_back(
    ledger: Ledger, store: MemoryStore, clock: FakeClock
) -> None:
    deciding = fired(ledger, store, clock)
    clock.at += 3600
    store.put(Event(f"good{n}", "shop", clock.at - n * 3) for n in range(1, 1200))
    deciding.tick()
    assert [alert.severity for alert in firing(ledger)] == ["ticket"]  # two hours are still bad
