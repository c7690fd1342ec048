import random

from hypothesis import given
from hypothesis import strategies as st

from seakeeping.decide.notify.pace import (
    FIRST_S,
    LONGEST_S,
    RATES,
    Bucket,
    Rate,
    back_off_s,
    rate_of,
)
from seakeeping.records import NotificationTarget, TargetKind


@given(st.integers(1, 10_000), st.integers(0, 100))
def test_a_back_off_is_within_half_and_whole_of_its_step(failures: int, seed: int) -> None:
    whole = min(LONGEST_S, FIRST_S * 2 ** min(failures - 1, 30))
    assert whole / 2 <= back_off_s(failures, random.Random(seed)) <= whole


def test_every_kind_has_a_rate() -> None:
    assert set(RATES) == set(TargetKind)


@given(st.lists(st.floats(-50, 50), max_size=60), st.integers(1, 5))
def test_a_bucket_gives_no_more_than_its_rate_whatever_the_clock_does(
    steps: list[float], burst: int
) -> None:
    bucket = Bucket(Rate(2.0, burst), 0.0)
    now, forward_s, given_out = 0.0, 0.0, 0
    for step in steps:
        now += step
        forward_s += max(0.0, step)
        given_out += bucket.take(now)
    assert given_out <= burst + 2.0 * forward_s


def test_an_idle_bucket_fills_up_to_its_burst() -> None:
    bucket = Bucket(Rate(1.0, 3), 0.0)
    assert [bucket.take(0.0) for _ in range(4)] == [True, True, True, False]
    assert [bucket.take(100.0) for _ in range(4)] == [True, True, True, False]


def test_a_target_may_ask_for_a_rate_of_its_own() -> None:
    def asked(per_minute: str) -> Rate:
        options = {"per_minute": per_minute}
        return rate_of(NotificationTarget("it", TargetKind.SLACK, options=options))

    assert asked("120") == Rate(2.0, 3)
    assert asked("1") == Rate(1 / 60, 1)
    assert asked("0") == asked("many") == asked("") == RATES[TargetKind.SLACK]
