"""Whether a rate rose between two samples: an exact test, and how far it rose.

*Fisher's test* (1922). Of ``n1`` events now ``x1`` are bad, of ``n0`` before ``x0`` were. If the
rate is the same, then given the total of bad events the count now is hypergeometric, whatever that
rate is:

    P(X1 = k) = C(n1, k) C(n0, K - k) / C(n1 + n0, K),        K = x1 + x0,

and P(X1 >= x1) is exact at any count. That matters when thousands of slices are searched: a
chi-square approximation is wrong just in the far tail where the search looks. The tail is summed by
the ratio of neighbours, which falls geometrically, with log factorials from a table.

*Newcombe's interval* (Stat. Med. 17:873, 1998, method 10) of the difference of two rates: Wilson's
intervals of both, combined. Sensible where one count is zero, and far closer to nominal than the
textbook's.
"""

import math
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from seakeeping.errors import BadInput
from seakeeping.stats.special import Floats, log_factorials

Whole = npt.NDArray[np.int64]

_NEGLIGIBLE = 1e-17  # of the tail's first term


def log_p_greater(
    x1: npt.ArrayLike, n1: npt.ArrayLike, x0: npt.ArrayLike, n0: npt.ArrayLike
) -> Floats:
    """Return log of the one-sided p-value for "the rate is higher now": log P(X1 >= x1).

    Whole counts, broadcast against each other; 0 where nothing speaks for a rise. Equal to
    ``scipy.stats.fisher_exact(alternative="greater")`` to about 1e-10, and finite far below the
    smallest float.

    >>> import math
    >>> round(math.exp(log_p_greater(8, 10, 1, 6)), 6)
    0.024476

    Raises BadInput on an impossible count.
    """
    x1, n1, x0, n0 = np.broadcast_arrays(*(np.asarray(each, np.int64) for each in (x1, n1, x0, n0)))
    if np.any((x1 < 0) | (x1 > n1) | (x0 < 0) | (x0 > n0)):
        raise BadInput("more bad events than events, or fewer than none")
    shape, total = x1.shape, x1 + x0
    x1, n1, n0, total = (np.ravel(each) for each in (x1, n1, n0, total))
    # sum the tail that lies away from the mean, where the terms fall; the other is its complement
    is_upper = x1 * (n1 + n0) > n1 * total
    least = np.maximum(0, total - n0)
    is_certain = x1 <= least
    start = np.maximum(np.where(is_upper, x1, x1 - 1), least)
    tail = _log_pmf(start, n1, n0, total) + np.log(_tail_sum(start, n1, n0, total, is_upper))
    complement = np.log(-np.expm1(np.minimum(tail, -1e-300)))
    log_p = np.minimum(np.where(is_upper, tail, complement), 0.0)
    return np.asarray(np.where(is_certain, 0.0, log_p), np.float64).reshape(shape)


def _log_pmf(k: Whole, n1: Whole, n0: Whole, total: Whole) -> Floats:
    """Return log P(X1 = k)."""
    table = log_factorials(int(np.max(n1 + n0, initial=0)))

    def choose(n: Whole, k: Whole) -> Floats:
        return np.asarray(table[n] - table[k] - table[n - k], np.float64)

    return choose(n1, k) + choose(n0, total - k) - choose(n1 + n0, total)


def _tail_sum(
    start: Whole, n1: Whole, n0: Whole, total: Whole, is_upper: npt.NDArray[np.bool_]
) -> Floats:
    """Return the tail from ``start`` outwards, in units of its first term."""
    sums = np.ones(len(start))
    live = np.arange(len(start))
    k, term = start.astype(np.float64), np.ones(len(start))
    a, b, t, up = n1.astype(np.float64), n0.astype(np.float64), total.astype(np.float64), is_upper
    while len(live):
        rising = (a - k) * (t - k) / ((k + 1) * np.maximum(b - t + k + 1, 1e-300))
        falling = k * (b - t + k) / np.maximum((a - k + 1) * (t - k + 1), 1e-300)
        term = term * np.where(up, rising, falling)
        going = term > _NEGLIGIBLE * sums[live]
        sums[live[going]] += term[going]
        live, term, up = live[going], term[going], up[going]
        a, b, t = a[going], b[going], t[going]
        k = k[going] + np.where(up, 1.0, -1.0)
    return sums


def newcombe(
    x1: npt.ArrayLike, n1: npt.ArrayLike, x0: npt.ArrayLike, n0: npt.ArrayLike,
    confidence: float = 0.95,
) -> tuple[Floats, Floats]:  # fmt: skip
    """Return bounds of the difference ``x1/n1 - x0/n0``, each in -1..1; broadcast.

        low = d - sqrt((p1 - l1)^2 + (u0 - p0)^2),  high = d + sqrt((u1 - p1)^2 + (p0 - l0)^2)

    with (l, u) Wilson's bounds. A side without events is bounded by (0, 1) around one half.

    >>> low, high = newcombe(56, 70, 48, 80)
    >>> round(float(low), 4), round(float(high), 4)
    (0.0524, 0.3339)
    """
    if not 0 < confidence < 1:
        raise BadInput(f"confidence {confidence:g} is not between 0 and 1")
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    p1, low1, high1 = _wilson(x1, n1, z)
    p0, low0, high0 = _wilson(x0, n0, z)
    low = p1 - p0 - np.hypot(p1 - low1, high0 - p0)
    high = p1 - p0 + np.hypot(high1 - p1, p0 - low0)
    return np.maximum(low, -1.0), np.minimum(high, 1.0)


def _wilson(x: npt.ArrayLike, n: npt.ArrayLike, z: float) -> tuple[Floats, Floats, Floats]:
    """Return the rate and Wilson's bounds, as ``proportion.wilson`` does for one pair."""
    x, n = np.broadcast_arrays(np.asarray(x, np.float64), np.asarray(n, np.float64))
    if np.any((x < 0) | (x > n)):
        raise BadInput("more bad events than events, or fewer than none")
    seen = np.maximum(n, 1e-300)
    rate = np.where(n > 0, x / seen, 0.5)
    square = z * z
    centre = (x + square / 2) / (n + square)
    half = z / (n + square) * np.sqrt(n * rate * (1 - rate) + square / 4)
    low = np.where(x == 0, 0.0, np.maximum(centre - half, 0.0))
    high = np.where(x == n, 1.0, np.minimum(centre + half, 1.0))
    return rate, low, high


def p_greater(x1: int, n1: int, x0: int, n0: int) -> float:
    """Return the one-sided p-value for "the rate is higher now" of one pair, 0..1."""
    return math.exp(float(log_p_greater(x1, n1, x0, n0)))
