import pytest

from seakeeping.control.rollups import BUCKET_S, RollupSchedule, bucket_of
from seakeeping.errors import StoreUnavailable


class Ticks:
    """A monotonic clock that moves when told, and by ``step`` at each look."""

    def __init__(self, step: float = 0.0) -> None:
        self.at = 100.0
        self.step = step

    def __call__(self) -> float:
        self.at += self.step
        return self.at


def test_a_bucket_starts_on_a_whole_five_minutes() -> None:
    service, start = bucket_of("shop", 1_700_000_123.4)
    assert service == "shop"
    assert start % BUCKET_S == 0
    assert 0 <= 1_700_000_123.4 - start < BUCKET_S


def test_touched_buckets_are_refreshed_together_and_once() -> None:
    schedule = RollupSchedule(Ticks())
    seen: list[set[tuple[str, float]]] = []
    for at in (1.0, 2.0, 400.0):
        schedule.touch(bucket_of("a", at))
    schedule.refresh(seen.append)
    assert seen == [{("a", 0.0), ("a", 300.0)}]
    assert not schedule.is_dirty


def test_a_failed_refresh_keeps_the_buckets_touched() -> None:
    schedule = RollupSchedule(Ticks())
    schedule.touch(("a", 0.0))

    def fail(_: object) -> None:
        raise StoreUnavailable("away")

    with pytest.raises(StoreUnavailable):
        schedule.refresh(fail)
    assert schedule.is_dirty


def test_the_pause_grows_with_what_a_refresh_costs() -> None:
    ticks = Ticks()
    schedule = RollupSchedule(ticks)
    assert schedule.is_due()

    def slow(_: object) -> None:
        ticks.at += 2.0

    schedule.refresh(slow)
    ticks.at += 10.0
    assert not schedule.is_due(), "two seconds of work earn eighteen seconds of pause"
    ticks.at += 8.1
    assert schedule.is_due()


def test_a_cheap_refresh_still_pauses_half_a_second() -> None:
    ticks = Ticks()
    schedule = RollupSchedule(ticks)
    schedule.refresh(lambda _: None)
    ticks.at += 0.4
    assert not schedule.is_due()
    ticks.at += 0.2
    assert schedule.is_due()
