"""Intervals as pictures: one axis for all budgets, and nothing drawn beyond it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seakeeping.observe.testing import standard_objectives
from seakeeping.records import Budget, BudgetState
from seakeeping.web.whisker import WORST, Whisker, of_budget, of_lift, whisker

OBJECTIVE = standard_objectives("shop")[0]
LINE = 100 * (0.0 - WORST) / (1.0 - WORST)


def budget(low: float | None, estimate: float | None, high: float | None) -> Budget:
    return Budget(OBJECTIVE, 0.0, 1000, 5, estimate, low, high, 0.0, BudgetState.UNCERTAIN)


def drawn(low: float, estimate: float, high: float) -> Whisker:
    found = of_budget(budget(low, estimate, high))
    assert found is not None
    return found


def test_the_target_lies_on_the_line_and_perfection_at_the_right_end() -> None:
    target = OBJECTIVE.target_ratio
    found = drawn(target, target, 1.0)
    assert (found.low, found.point, found.line) == pytest.approx((LINE, LINE, LINE), abs=0.01)
    assert found.high == 100


def test_objectives_of_other_targets_share_the_axis() -> None:
    # half of the budget spent is the same place, whether 0.25 % or 5 % of events are bad
    loose = replace(budget(0.94, 0.95, 0.96), objective=replace(OBJECTIVE, target_ratio=0.9))
    other = of_budget(loose)
    assert other is not None
    assert other.point == pytest.approx(drawn(0.997, 0.9975, 0.998).point, abs=0.01)


def test_what_lies_beyond_the_axis_is_cut_and_says_so() -> None:
    found = drawn(0.5, 0.9, 0.99)
    assert (found.low, found.point, found.is_cut_low, found.is_cut_high) == (0, 0, True, False)
    assert found.width >= 1


@pytest.mark.parametrize("known", [(None, None, None), (0.9, None, 1.0), (None, 0.9, 1.0)])
def test_nothing_known_is_nothing_drawn(known: tuple[float | None, ...]) -> None:
    assert of_budget(budget(*known)) is None


def test_a_lift_of_nothing_touches_its_line() -> None:
    found = of_lift(-0.01, 0.0, 0.02, 0.3)
    assert found.low < found.line < found.high
    assert found.point == found.line == pytest.approx(25)
    assert of_lift(0.0, 0.0, 0.0, 0.0).point == of_lift(0.0, 0.0, 0.0, 0.0).line


UNIT = st.floats(-10, 10)


@given(st.tuples(UNIT, UNIT, UNIT), UNIT)
def test_every_place_is_within_the_picture(values: tuple[float, ...], line: float) -> None:
    low, point, high = sorted(values)
    found = whisker(low, point, high, line, (-1.0, 1.0))
    assert 0 <= found.low <= found.point <= found.high <= 100
    assert 0 <= found.line <= 100
    assert (found.is_cut_low, found.is_cut_high) == (low < -1, high > 1)
