"""The tail is scipy's, also where it is far smaller than a float."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from seakeeping.errors import BadInput
from seakeeping.stats.beta_binomial import log_tail


@given(
    n=st.integers(1, 400),
    share=st.floats(0, 1),
    a=st.floats(0.2, 500),
    b=st.floats(0.2, 5000),
)
def test_the_tail_equals_the_reference(n: int, share: float, a: float, b: float) -> None:
    x = round(share * n)
    expected = float(stats.betabinom.sf(x - 1, n, a, b))
    # scipy loses digits where a shape is large
    assert math.exp(log_tail(x, n, a, b)) == pytest.approx(expected, rel=1e-4, abs=1e-9)


@given(n=st.integers(1, 30), x=st.integers(0, 30), a=st.integers(1, 40), b=st.integers(1, 4_000))
def test_the_tail_equals_the_sum_of_fractions(n: int, x: int, a: int, b: int) -> None:
    def beta(left: int, right: int) -> Fraction:
        return Fraction(
            math.factorial(left - 1) * math.factorial(right - 1), math.factorial(left + right - 1)
        )

    terms = (math.comb(n, k) * beta(a + k, b + n - k) / beta(a, b) for k in range(min(x, n), n + 1))
    assert math.exp(log_tail(min(x, n), n, a, b)) == pytest.approx(float(sum(terms)), rel=1e-9)


def test_a_rate_that_is_surely_known_gives_the_binomial_tail() -> None:
    known = log_tail(30, 400, 0.04 * 1e9, 0.96 * 1e9)
    assert known == pytest.approx(stats.binom.logsf(29, 400, 0.04), rel=1e-6)


def test_a_tail_below_the_smallest_float_is_still_ordered() -> None:
    assert log_tail(20_000, 20_000, 4e6, 96e6) < log_tail(10_000, 20_000, 4e6, 96e6) < -5_000


def test_large_counts_need_no_long_sum() -> None:
    expected = float(stats.betabinom.logsf(9_000 - 1, 200_000, 40.0, 960.0))
    assert log_tail(9_000, 200_000, 40.0, 960.0) == pytest.approx(expected, rel=1e-6)


def test_what_is_certain_has_probability_one() -> None:
    assert log_tail(0, 10, 1.0, 1.0) == 0.0
    assert log_tail(1, 200_000, 5_000.0, 5.0) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(("x", "n", "a", "b"), [(3, 2, 1, 1), (-1, 2, 1, 1), (1, 2, 0, 1)])
def test_impossible_counts_are_refused(x: int, n: int, a: float, b: float) -> None:
    with pytest.raises(BadInput):
        log_tail(x, n, a, b)
