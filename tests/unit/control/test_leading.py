"""Who leads: one controller at a time, whatever happens to processes and clocks."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from seakeeping.control.leading import LEASE, LEASE_S, RENEW_S, Leadership
from seakeeping.store.ledger import Ledger, open_at
from seakeeping.store.ledger.ledger import LedgerUnavailable

DAY = 86_400.0


@dataclass
class TwoHands:
    """A clock whose wall time may jump while its steady time goes on."""

    wall: float = 1_790_000_000.0
    steady: float = 0.0

    def now(self) -> float:
        return self.wall

    def monotonic(self) -> float:
        return self.steady

    def go(self, seconds: float) -> None:
        self.wall += seconds
        self.steady += seconds


@pytest.fixture
def clock() -> TwoHands:
    return TwoHands()


@pytest.fixture
def ledger(tmp_path: Path, clock: TwoHands) -> Iterator[Ledger]:
    ledger = open_at(f"sqlite:///{tmp_path / 'ledger.db'}", clock)
    yield ledger
    ledger.close()


@pytest.fixture
def first(ledger: Ledger, tmp_path: Path, clock: TwoHands) -> Leadership:
    return Leadership(ledger, tmp_path / "first", clock)


@pytest.fixture
def second(ledger: Ledger, tmp_path: Path, clock: TwoHands) -> Leadership:
    """Return the leadership of another node."""
    return Leadership(ledger, tmp_path / "second", clock)


def gone() -> int:
    """Return the id of a process that has ended."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return ended.pid


def test_one_leads_until_it_gives_the_lease_back(first: Leadership, second: Leadership) -> None:
    assert first.take()
    assert not second.take()
    second.release()  # not its own
    assert not second.take()
    first.release()
    assert second.take()
    assert not first.take()


def test_who_leads_renews_in_time_and_asks_the_ledger_only_then(
    first: Leadership, second: Leadership, ledger: Ledger, clock: TwoHands
) -> None:
    assert first.take()
    begun = ledger.lease(LEASE)
    clock.go(RENEW_S - 0.1)
    assert first.take()
    assert ledger.lease(LEASE) == begun
    for _ in range(10):
        clock.go(RENEW_S)
        assert first.take()
        assert not second.take()
    renewed = ledger.lease(LEASE)
    assert begun is not None
    assert renewed is not None
    assert renewed.expires_at > begun.expires_at + 10 * RENEW_S - 1
    assert renewed.fence == begun.fence


def test_who_stops_renewing_is_followed(
    first: Leadership, second: Leadership, clock: TwoHands
) -> None:
    assert first.take()
    clock.go(LEASE_S - 1)
    assert not second.take()
    clock.go(2)
    assert second.take()
    assert not first.take(), "it finds out with its next renewal"


@pytest.mark.parametrize("jump", [DAY, 3600.0, LEASE_S])
def test_a_lease_from_a_clock_that_went_back_lasts_no_longer_than_others(
    first: Leadership, second: Leadership, clock: TwoHands, jump: float
) -> None:
    clock.wall += jump
    assert first.take()
    clock.wall -= jump
    assert not second.take()
    clock.go(LEASE_S - 1)
    assert not second.take()
    clock.go(1)
    assert second.take()


def test_a_leader_whose_clock_runs_ahead_is_left_alone_while_it_renews(
    ledger: Ledger, second: Leadership, tmp_path: Path, clock: TwoHands
) -> None:
    ahead = TwoHands(clock.wall + 600.0)
    theirs = open_at(f"sqlite:///{tmp_path / 'ledger.db'}", ahead)
    leader = Leadership(theirs, tmp_path / "ahead", ahead)
    for _ in range(20):
        assert leader.take()
        assert not second.take()
        clock.go(2.0)
        ahead.go(2.0)
    theirs.close()


def test_a_killed_controller_is_followed_on_its_node_at_once(
    first: Leadership, ledger: Ledger, tmp_path: Path, clock: TwoHands
) -> None:
    killed = f"{socket.gethostname()}:{gone()}:0badcafe"
    assert ledger.acquire(LEASE, killed, LEASE_S)
    assert not first.take(), "nothing says that it was ours"
    (tmp_path / "again").write_text(killed)
    again = Leadership(ledger, tmp_path / "again", clock)
    assert again.take()
    assert (tmp_path / "again").read_text() != killed


@pytest.mark.parametrize(
    "holder",
    [
        f"{socket.gethostname()}:{os.getppid()}:0badcafe",  # lives: an orphan about to end
        f"elsewhere-{socket.gethostname()}:1:0badcafe",  # a data folder that was copied
        f"{socket.gethostname()}::",
        "nonsense",
        "",
    ],
)
def test_nobody_elses_right_is_ended(
    ledger: Ledger, tmp_path: Path, clock: TwoHands, holder: str
) -> None:
    other = holder or "somebody"
    assert ledger.acquire(LEASE, other, LEASE_S)
    (tmp_path / "kept").write_text(holder)
    assert not Leadership(ledger, tmp_path / "kept", clock).take()
    held = ledger.lease(LEASE)
    assert held is not None
    assert held.holder == other


def test_a_name_that_cannot_be_left_costs_only_the_wait(
    ledger: Ledger, tmp_path: Path, clock: TwoHands
) -> None:
    leader = Leadership(ledger, tmp_path / "no such folder" / "kept", clock)
    assert leader.take()


def test_a_ledger_that_does_not_answer_changes_nothing(
    first: Leadership, second: Leadership, ledger: Ledger, tmp_path: Path, clock: TwoHands
) -> None:
    away = open_at(f"sqlite:///{tmp_path / 'ledger.db'}?timeout=0.1", clock)
    leader = Leadership(away, tmp_path / "away", clock)
    assert leader.take()
    clock.go(RENEW_S)
    with ledger.transaction(), pytest.raises(LedgerUnavailable):
        leader.take()
    assert leader.take()
    assert not second.take()
    away.close()
