"""Logarithms of factorials, exact enough that differences of them keep their digits.

Probabilities of counts are quotients of enormous factorials. Subtracting ``lgamma`` of a million
from ``lgamma`` of a million loses nine digits; what is lost is Stirling's leading term, which
cancels on paper. Loader's form keeps only what does not cancel:

    log n! = n log n - n + log(2 pi n)/2 + d(n),      d(n) = 1/(12 n) - 1/(360 n^3) + ...

    log Bin(x; n, p) = d(n) - d(x) - d(n - x) - D(x; n p) - D(n - x; n (1 - p))
                       + log(n / (2 pi x (n - x))) / 2,         D(x; m) = x log(x/m) + m - x.

(C. Loader, Fast and accurate computation of binomial probabilities, 2000; DLMF 5.11.1.)
"""

import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_LOG_ROOT_2_PI = math.log(2 * math.pi) / 2
_SERIES = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360_360, 1 / 156)
_SHIFT = 10  # from here on seven terms of the series are exact to a float


def log_gamma(x: npt.ArrayLike) -> Floats:
    """Return log Gamma(x) of positive numbers, to about 1e-15 of its size.

    >>> log_gamma([1.0, 5.0]).round(12).tolist()
    [0.0, 3.178053830348]
    """
    at = np.asarray(x, dtype=np.float64)
    small = at < _SHIFT
    shifted = np.where(small, at + _SHIFT, at)
    value = (shifted - 0.5) * np.log(shifted) - shifted + _LOG_ROOT_2_PI + _series(shifted)
    if small.any():
        value = value - np.where(small, np.log(_rising(np.where(small, at, 1.0))), 0.0)
    return np.asarray(value, dtype=np.float64)


def log_beta(a: npt.ArrayLike, b: npt.ArrayLike) -> Floats:
    """Return log B(a, b) of positive numbers."""
    left, right = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    return np.asarray(log_gamma(left) + log_gamma(right) - log_gamma(left + right))


def log_binomial(x: float, n: float, p: float) -> float:
    """Return log P(X = x), X ~ Bin(n, p), for ``0 <= x <= n`` and ``0 < p < 1``.

    Relative error of the probability about 1e-14, also where n is a million.
    """
    if x == 0:
        return n * math.log1p(-p)
    if x == n:
        return n * math.log(p)
    errors = _stirling_error(n) - _stirling_error(x) - _stirling_error(n - x)
    deviance = _deviance(x, n * p) + _deviance(n - x, n * (1 - p))
    return errors - deviance - math.log(2 * math.pi * x * ((n - x) / n)) / 2


@lru_cache(maxsize=1)
def _factorials_below(size: int) -> Floats:
    # not a running sum of logarithms: its rounding errors would add up
    logs = log_gamma(np.arange(1, size + 1, dtype=np.float64))
    logs[:2] = 0.0
    logs.flags.writeable = False
    return logs


def log_factorials(largest: int) -> Floats:
    """Return log k! for k = 0 .. ``largest`` at least: a table shared by many look-ups."""
    return _factorials_below(1 << max(10, int(largest + 1).bit_length()))


def _series(x: Floats) -> Floats:
    inverse = 1.0 / x
    square = inverse * inverse
    total = np.zeros_like(x)
    for factor in reversed(_SERIES):
        total = total * square + factor
    return total * inverse


def _rising(x: Floats) -> Floats:
    """Return x (x + 1) ... (x + 9), what ten steps of the recurrence multiply."""
    product = x.copy()
    for step in range(1, _SHIFT):
        product *= x + step
    return product


def _stirling_error(n: float) -> float:
    if n < _SHIFT:
        return math.lgamma(n + 1) - (n + 0.5) * math.log(n) + n - _LOG_ROOT_2_PI
    total, square = 0.0, 1.0 / (n * n)
    for factor in reversed(_SERIES):
        total = total * square + factor
    return total / n


def _deviance(x: float, mean: float) -> float:
    """Return x log(x/mean) + mean - x without cancellation where x is close to the mean."""
    if abs(x - mean) >= 0.1 * (x + mean):
        return x * math.log(x / mean) + mean - x
    ratio = (x - mean) / (x + mean)
    total, term, square = (x - mean) * ratio, 2 * x * ratio, ratio * ratio
    for odd in range(3, 1000, 2):
        term *= square
        more = total + term / odd
        if more == total:
            break
        total = more
    return total
