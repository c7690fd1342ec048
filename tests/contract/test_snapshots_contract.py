"""Snapshots on every ledger: the newest stands, and whoever has it reads nothing."""

from seakeeping.store.ledger import Ledger
from seakeeping.store.ledger.snapshots import BOOK, READINGS, Snapshots


def test_the_newest_takes_the_place_of_the_last(ledger: Ledger) -> None:
    snapshots = Snapshots(ledger)
    assert snapshots.get(READINGS) is None
    snapshots.put(READINGS, 1.5, b"\x00first")
    snapshots.put(READINGS, 2.5, b"\xffsecond")
    snapshots.put(BOOK, 9.0, b"other")
    found = snapshots.get(READINGS)
    assert found is not None
    assert (found.at, found.body) == (2.5, b"\xffsecond")


def test_who_has_the_newest_is_told_nothing(ledger: Ledger) -> None:
    snapshots = Snapshots(ledger)
    snapshots.put(READINGS, 2.5, b"body")
    assert snapshots.get(READINGS, unlike=2.5) is None
    other = snapshots.get(READINGS, unlike=1.0)
    assert other is not None
    assert other.body == b"body"


def test_a_clock_set_back_does_not_hide_a_snapshot(ledger: Ledger) -> None:
    snapshots = Snapshots(ledger)
    snapshots.put(READINGS, 10.0, b"before")
    snapshots.put(READINGS, 5.0, b"after")
    found = snapshots.get(READINGS, unlike=10.0)
    assert found is not None
    assert found.body == b"after"


def test_a_large_body_comes_back_whole(ledger: Ledger) -> None:
    snapshots = Snapshots(ledger)
    body = bytes(range(256)) * 8192
    snapshots.put(BOOK, 1.0, body)
    found = snapshots.get(BOOK)
    assert found is not None
    assert found.body == body
