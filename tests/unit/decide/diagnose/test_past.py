"""What is expected of a slice: its prediction, its own past where that departs, with its worth."""

import numpy as np
import pytest

from seakeeping.decide.diagnose.lattice import Cells
from seakeeping.decide.diagnose.past import LITTLE, departures, null_of


def cells(*rows: tuple[float, float, float, float, float, float]) -> Cells:
    """Return slices of (n0, x0, e0, n1, x1, e1), each of two values."""
    columns = [np.array(column, np.float64) for column in zip(*rows, strict=True)]
    count = np.arange(len(rows), dtype=np.intp)
    return Cells(count, count, np.full(len(rows), 2, np.intp), *columns)


def chance(rates: np.ndarray[tuple[int], np.dtype[np.float64]], seed: int = 1) -> Cells:
    source = np.random.default_rng(seed)
    return cells(*[
        (400.0, float(source.binomial(400, rate)), 400 * 0.05, 400.0, 20.0, 20.0) for rate in rates
    ])  # fmt: skip


def test_a_past_as_predicted_leaves_the_prediction() -> None:
    null = null_of(cells((500, 25, 25, 500, 60, 25)), 1e5)
    assert null.ratio[0] == pytest.approx(0.05, rel=1e-3)
    assert not null.is_departed[0]
    assert null.worth[0] == pytest.approx(1e5 + 500)


def test_a_past_that_departs_is_believed_alone() -> None:
    null = null_of(cells((500, 100, 25, 500, 100, 25)), 1e5)
    assert null.is_departed[0]
    assert null.ratio[0] == pytest.approx(0.2, abs=0.01)
    assert null.worth[0] == 500 + LITTLE


def test_a_slice_without_a_past_is_expected_as_predicted() -> None:
    null = null_of(cells((0, 0, 0, 500, 60, 25)), 1e5)
    assert null.ratio[0] == pytest.approx(0.05)
    assert not null.is_departed[0]


def test_a_prediction_that_moved_carries_the_past_along() -> None:
    null = null_of(cells((500, 25, 25, 500, 60, 50)), 1e5)
    assert null.ratio[0] == pytest.approx(0.1, rel=1e-3)


def test_predictions_that_only_miss_by_chance_are_worth_much() -> None:
    concentration, apart = departures(chance(np.full(600, 0.05)))
    assert concentration > 3_000
    assert apart <= 0.03


def test_predictions_that_miss_everywhere_are_worth_as_much_as_they_are() -> None:
    source = np.random.default_rng(3)
    concentration, _ = departures(chance(source.beta(0.05 * 300, 0.95 * 300, 1_500)))
    assert 200 < concentration < 600  # the farthest are counted apart


def test_slices_that_are_far_apart_are_counted_and_not_averaged() -> None:
    rates = np.where(np.arange(1_000) % 50 == 0, 0.3, 0.05)
    concentration, apart = departures(chance(rates))
    assert concentration > 2_000
    assert apart > 0.05


def test_no_slice_with_a_past_is_no_error() -> None:
    concentration, apart = departures(cells((3, 0, 0.1, 500, 60, 25)))
    assert concentration > 1e4
    assert 0 < apart < 0.01
