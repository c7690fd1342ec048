"""Logarithms of factorials and of binomial chances, against scipy."""

import math

import numpy as np
import pytest
from scipy import special, stats

from seakeeping.stats.special import log_beta, log_binomial, log_factorials, log_gamma


def test_log_gamma_equals_scipy_over_ten_decades() -> None:
    x = np.geomspace(1e-3, 1e7, 500)
    expected = special.gammaln(x)
    assert np.max(np.abs(log_gamma(x) - expected) / np.maximum(1, np.abs(expected))) < 1e-14


def test_log_gamma_of_whole_numbers_are_factorials() -> None:
    found = log_gamma(np.arange(1, 21))
    assert found == pytest.approx([math.log(math.factorial(n)) for n in range(20)], abs=1e-13)


def test_log_gamma_keeps_the_shape() -> None:
    assert log_gamma(np.ones((3, 4))).shape == (3, 4)
    assert float(log_gamma(5.0)) == pytest.approx(math.log(24))


@pytest.mark.parametrize(("a", "b"), [(0.5, 0.5), (1, 1), (3, 7), (0.5, 499.5), (1e5, 3e6)])
def test_log_beta_equals_scipy(a: float, b: float) -> None:
    assert float(log_beta(a, b)) == pytest.approx(special.betaln(a, b), rel=1e-9)


@pytest.mark.parametrize("n", [1, 9, 10, 11, 250, 1_000_000])
@pytest.mark.parametrize("p", [1e-6, 0.01, 0.5, 0.97])
def test_log_binomial_equals_scipy(n: int, p: float) -> None:
    for x in {0, 1, n // 3, round(n * p), n - 1, n}:
        expected = stats.binom.logpmf(x, n, p)
        # scipy's own logarithm cancels to nine digits at a million
        assert log_binomial(x, n, p) == pytest.approx(expected, rel=1e-11, abs=3e-9)


def test_log_binomial_keeps_its_digits_where_a_million_factorials_cancel() -> None:
    # at x = n p the deviances vanish: what is left is log sqrt(n / (2 pi x (n - x))) and 1/(12 n)s
    n, x = 1_000_000, 500_000
    stirling = 1 / (12 * n) - 2 / (12 * x) - 1 / 360 / n**3 + 2 / 360 / x**3
    expected = stirling + math.log(n / (2 * math.pi * x * (n - x))) / 2
    assert log_binomial(x, n, 0.5) == pytest.approx(expected, rel=1e-14)


def test_the_table_of_log_factorials_is_exact_at_its_far_end() -> None:
    table = log_factorials(40_000)
    assert len(table) > 40_000
    assert table[0] == 0
    assert table[1] == 0
    assert table[40_000] == pytest.approx(math.lgamma(40_001), rel=1e-15)


def test_the_table_is_shared_and_cannot_be_written() -> None:
    table = log_factorials(100)
    assert log_factorials(90) is table
    with pytest.raises(ValueError, match="read-only"):
        table[0] = 1.0
