"""Tails of the binomial distribution, against scipy and closed forms."""

import itertools
import math

import pytest
from scipy import stats

from seakeeping.errors import BadInput
from seakeeping.stats.binomial import log_tail


@pytest.mark.parametrize("n", [1, 7, 60, 1440, 1_000_000])
@pytest.mark.parametrize("p", [1e-6, 0.001, 0.1, 0.5, 0.9, 0.999])
def test_the_tail_equals_scipy(n: int, p: float) -> None:
    spread = math.sqrt(n * p * (1 - p))
    counts = {0, 1, n} | {round(n * p + k * spread) for k in (-3, -1, 0, 1, 5, 10)}
    for x in (x for x in counts if 0 <= x <= n):
        expected = stats.binom.logsf(x - 1, n, p)
        if expected > -700:  # below, scipy's own tail is zero
            assert log_tail(x, n, p) == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_a_tail_below_the_smallest_float_still_has_a_logarithm() -> None:
    assert log_tail(1000, 1000, 0.001) == pytest.approx(1000 * math.log(0.001), rel=1e-13)
    assert stats.binom.logsf(999, 1000, 0.001) == -math.inf


def test_what_is_certain_and_what_cannot_be() -> None:
    assert log_tail(0, 10, 0.3) == 0.0
    assert log_tail(-1, 10, 0.3) == 0.0
    assert log_tail(11, 10, 0.3) == -math.inf
    assert log_tail(3, 10, 1.0) == 0.0
    assert log_tail(3, 10, 0.0) == -math.inf
    assert log_tail(0, 0, 0.5) == 0.0


def test_one_event_has_its_closed_form() -> None:
    assert log_tail(1, 30, 0.02) == pytest.approx(math.log(-math.expm1(30 * math.log1p(-0.02))))


def test_upper_and_lower_tail_add_up_to_one() -> None:
    for n, x, p in ((50, 12, 0.2), (1000, 3, 0.01), (10_000, 9_990, 0.999)):
        # P(X >= x; p) + P(n - X >= n - x + 1; 1 - p) = 1
        both = math.exp(log_tail(x, n, p)) + math.exp(log_tail(n - x + 1, n, 1 - p))
        assert both == pytest.approx(1.0, abs=1e-12)


def test_the_tail_falls_with_the_count_and_rises_with_the_rate() -> None:
    by_count = [log_tail(x, 200, 0.1) for x in range(0, 201)]
    assert all(a >= b for a, b in itertools.pairwise(by_count))
    by_rate = [log_tail(30, 200, k / 100) for k in range(1, 100)]
    assert all(a <= b for a, b in itertools.pairwise(by_rate))


@pytest.mark.parametrize("x", [0.25, 2.5, 39.75])
@pytest.mark.parametrize("p", [0.05, 0.6])
def test_counts_that_are_not_whole_lie_between_their_neighbours(x: float, p: float) -> None:
    above, below = log_tail(math.floor(x), 40, p), log_tail(math.ceil(x), 40, p)
    assert below <= log_tail(x, 40, p) <= above


@pytest.mark.parametrize(("n", "p"), [(-1, 0.5), (5, -0.1), (5, 1.1), (5, math.nan)])
def test_no_distribution_is_refused(n: float, p: float) -> None:
    with pytest.raises(BadInput, match="no binomial distribution"):
        log_tail(1, n, p)
