"""What is usual in a service's own past."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seakeeping.observe.past import LEAST_PAST, usual_ratio
from seakeeping.observe.tiers import BAD_ROWS, COLUMNS, VALID, VALID_ROWS, Floats
from seakeeping.stats.proportion import wilson

MONTH = 720
"""Hours."""


def slots(valid: list[int], bad: list[int], weight: list[float] | None = None) -> Floats:
    found = np.zeros((len(valid), COLUMNS))
    found[:, VALID_ROWS], found[:, BAD_ROWS] = valid, bad
    found[:, VALID] = found[:, VALID_ROWS] * (1 if weight is None else np.array(weight))
    return found


def month(bad_hours: int, *, denser: int = 1) -> Floats:
    """Return 30 days at 15 % flagged, with 76 % in some hours of the middle."""
    is_bad = [300 <= hour < 300 + bad_hours for hour in range(MONTH)]
    valid = [100 * denser if bad else 100 for bad in is_bad]
    flagged = [round(n * (0.76 if bad else 0.15)) for n, bad in zip(valid, is_bad, strict=True)]
    return slots(valid, flagged, [1 / denser if bad else 1 for bad in is_bad])


def test_a_short_past_says_nothing() -> None:
    assert usual_ratio(slots([LEAST_PAST - 1], [10])) is None
    assert usual_ratio(np.zeros((0, COLUMNS))) is None
    assert usual_ratio(slots([LEAST_PAST], [10])) is not None


def test_an_even_past_bounds_its_median() -> None:
    usual = usual_ratio(slots([1000] * 40, [200] * 40))
    assert usual == pytest.approx(wilson(4000, 20_000, 0.90).high)


def test_a_past_that_varies_allows_what_its_days_show() -> None:
    usual = usual_ratio(slots([1000] * 40, [100, 300] * 20))
    assert usual is not None
    assert 0.3 < usual < 0.55


@pytest.mark.parametrize("bad_hours", [0, 12, 36, 72, 240])
@pytest.mark.parametrize("denser", [1, 8])
def test_an_incident_in_the_past_is_not_usual(bad_hours: int, denser: int) -> None:
    usual = usual_ratio(month(bad_hours, denser=denser))
    assert usual is not None
    assert 0.15 < usual < 0.2


def test_hours_of_few_answers_are_put_together() -> None:
    alone = usual_ratio(slots([1] * 200, [0, 0, 0, 0, 1] * 40))
    assert alone is not None
    assert 0.2 < alone < 0.35  # though every fifth hour flags all of its answers


def test_one_hour_that_holds_everything_is_a_past() -> None:
    usual = usual_ratio(slots([1, 5000], [0, 500]))
    assert usual is not None
    assert usual > 0.05


@given(st.lists(st.tuples(st.integers(0, 500), st.floats(0, 1)), max_size=60))
def test_it_is_a_share_and_never_below_the_middle(hours: list[tuple[int, float]]) -> None:
    valid, bad = [n for n, _ in hours], [int(n * share) for n, share in hours]
    usual = usual_ratio(slots(valid, bad))
    if usual is None:
        assert sum(valid) < LEAST_PAST
        return
    lowest = min(b / n for n, b in zip(valid, bad, strict=True) if n)
    assert lowest <= usual <= 1
