"""What is new in the telemetry is a change, kept once; a new service is none."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from tests.contract.conftest import FakeClock

from seakeeping.decide.changes.watch import LOOK_BACK_S, ChangeWatch, change_of
from seakeeping.records import ChangeKind
from seakeeping.store.ledger import Ledger, open_at
from seakeeping.store.ledger.changes import Changes
from seakeeping.store.novelty import FINGERPRINT, FirstSeen

SEEN = FirstSeen("chat", "release", "v2", 1_789_999_000.0, "v1")


class Seen:
    """A store that shows these."""

    def __init__(self, *seen: FirstSeen) -> None:
        self.seen = seen
        self.asked: list[tuple[float, float]] = []

    def first_seen(self, start: float, end: float) -> Sequence[FirstSeen]:
        self.asked.append((start, end))
        return self.seen


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def ledger(tmp_path: Path, clock: FakeClock) -> Iterator[Ledger]:
    ledger = open_at(f"sqlite:///{tmp_path / 'ledger.db'}", clock)
    yield ledger
    ledger.close()


def test_a_new_release_is_a_deploy_of_the_calls_that_show_it(
    ledger: Ledger, clock: FakeClock
) -> None:
    store = Seen(SEEN)
    watch = ChangeWatch(store, ledger, clock)
    (change,) = watch.look()
    assert (change.kind, change.target, change.at) == (ChangeKind.DEPLOY, "chat", SEEN.at)
    assert (change.before, change.after, change.dimension) == ("v1", "v2", "release")
    assert change.by == "telemetry"
    assert store.asked == [(clock.at - LOOK_BACK_S, clock.at)]


def test_looking_again_keeps_it_once(ledger: Ledger, clock: FakeClock) -> None:
    watch = ChangeWatch(Seen(SEEN), ledger, clock)
    assert len(watch.look()) == 1
    assert watch.look() == []
    assert len(Changes(ledger).find(start=0, end=clock.at)) == 1


@pytest.mark.parametrize(
    ("dimension", "kind"),
    [
        ("service_version", ChangeKind.DEPLOY),
        ("model", ChangeKind.MODEL),
        ("prompt_version", ChangeKind.PROMPT),
        (FINGERPRINT, ChangeKind.MODEL),
    ],
)
def test_each_dimension_tells_its_kind(dimension: str, kind: ChangeKind) -> None:
    change = change_of(replace(SEEN, dimension=dimension))
    assert change is not None
    assert change.kind is kind
    assert change.dimension == (None if dimension == FINGERPRINT else dimension)


def test_a_service_that_is_new_altogether_did_not_change() -> None:
    assert change_of(replace(SEEN, previous=None)) is None
    assert change_of(replace(SEEN, value="")) is None
    first = change_of(replace(SEEN, previous=""))
    assert first is not None
    assert first.before is None
