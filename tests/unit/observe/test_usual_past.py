"""What is usual in a service's own past."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seakeeping.observe.past import LEAST_PAST, usual_ratio
from seakeeping.observe.tiers import BAD_ROWS, COLUMNS, VALID_ROWS, Floats
from seakeeping.stats.proportion import wilson


def slots(valid: list[int], bad: list[int]) -> Floats:
    found = np.zeros((len(valid), COLUMNS))
    found[:, VALID_ROWS], found[:, BAD_ROWS] = valid, bad
    return found


def test_a_short_past_says_nothing() -> None:
    assert usual_ratio(slots([LEAST_PAST - 1], [10])) is None
    assert usual_ratio(np.zeros((0, COLUMNS))) is None
    assert usual_ratio(slots([LEAST_PAST], [10])) is not None


def test_an_even_past_bounds_its_mean() -> None:
    usual = usual_ratio(slots([1000] * 40, [200] * 40))
    assert usual == pytest.approx(wilson(8000, 40_000, 0.90).high)


def test_a_past_that_varies_allows_what_its_days_show() -> None:
    usual = usual_ratio(slots([1000] * 40, [100, 300] * 20))
    assert usual == pytest.approx(0.3)


def test_an_incident_in_the_past_is_not_usual() -> None:
    usual = usual_ratio(slots([1000] * 40, [200] * 38 + [900] * 2))
    assert usual is not None
    assert usual < 0.25


def test_hours_of_few_answers_are_put_together() -> None:
    alone = usual_ratio(slots([1] * 200, [0, 0, 0, 0, 1] * 40))
    assert alone is not None
    assert alone < 0.35  # though every fifth hour flags all of its answers


@given(st.lists(st.tuples(st.integers(0, 500), st.floats(0, 1)), max_size=60))
def test_it_is_a_share_and_never_below_the_mean(hours: list[tuple[int, float]]) -> None:
    valid, bad = [n for n, _ in hours], [int(n * share) for n, share in hours]
    usual = usual_ratio(slots(valid, bad))
    if usual is None:
        assert sum(valid) < LEAST_PAST
        return
    assert sum(bad) / sum(valid) <= usual <= 1
