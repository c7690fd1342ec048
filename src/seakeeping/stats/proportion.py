"""How sure a share is: intervals for the rate behind ``bad`` of ``n`` events.

Three intervals, for three uses.

*Wilson* (1927), the score interval: for display of one look at fixed n. Closed form, close to its
nominal coverage on average, sensible at 0 and n.

*Clopper-Pearson* (1934): for display where few events make Wilson too narrow; never covers less
than its confidence.

*Beta-binomial mixture confidence sequence*: for decisions. A control room looks all the time, and
an interval made for one look is wrong somewhere along the way with certainty. With a Beta(a, b)
prior the likelihood ratio of the mixture against a rate p,

    M_n(p) = B(a + x, b + n - x) / B(a, b)  /  (p^x (1 - p)^(n - x)),

is a non-negative martingale with mean 1 when p is the true rate, so by Ville's inequality the
probability that it *ever* reaches 1 / alpha is at most alpha. All p with M_n(p) < 1 / alpha are
therefore an interval that covers the true rate at all n at once with probability 1 - alpha, however
often and for whatever reason one looks or stops. It needs no independence, only that each event's
probability given the past is p. (Robbins, Statistical methods related to the law of the iterated
logarithm, Ann. Math. Statist. 41, 1970; Howard, Ramdas, McAuliffe, Sekhon, Time-uniform,
nonparametric, nonasymptotic confidence sequences, Ann. Statist. 49, 2021.)
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from seakeeping.errors import BadInput
from seakeeping.stats.special import Floats, log_beta

_STEPS = 200  # bisection ends earlier, at the spacing of floats
_NEWTON_STEPS = 60  # about eight are needed
_FURTHEST = 700.0  # in log-odds; beyond it the exponential leaves the floats


@dataclass(frozen=True, slots=True)
class Interval:
    """Bounds of a rate, ``0 <= low <= high <= 1``."""

    low: float
    high: float


def wilson(x: float, n: float, confidence: float = 0.95) -> Interval:
    """Return the score interval of ``x`` in ``n`` events; (0, 1) for n = 0.

        (x + z^2/2)/(n + z^2)  -+  z/(n + z^2) sqrt(x(n - x)/n + z^2/4)

    >>> bounds = wilson(81, 263)
    >>> round(bounds.low, 4), round(bounds.high, 4)
    (0.2553, 0.3662)
    """
    _check(x, n, confidence)
    if n == 0:
        return Interval(0.0, 1.0)
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    centre = (x + z * z / 2) / (n + z * z)
    half = z / (n + z * z) * math.sqrt(x * (n - x) / n + z * z / 4)
    low = 0.0 if x == 0 else max(0.0, centre - half)
    return Interval(low, 1.0 if x == n else min(1.0, centre + half))


def clopper_pearson(x: float, n: float, confidence: float = 0.95) -> Interval:
    """Return the exact interval of ``x`` in ``n`` events; (0, 1) for n = 0.

    ``low`` is the rate at which ``x`` or more have probability (1 - confidence)/2, ``high`` that at
    which ``x`` or fewer have. Counts need not be whole: weighted events make effective ones (Korn &
    Graubard, Survey Methodology 24, 1998).
    """
    _check(x, n, confidence)
    tail = (1 - confidence) / 2
    # P(X >= x | p) = I_p(x, n - x + 1), the regularised incomplete beta function; it grows with p
    low = 0.0 if x == 0 else _root(lambda p: incomplete_beta(x, n - x + 1, p) - tail, 0.0, 1.0)
    high = (
        1.0 if x == n else _root(lambda p: incomplete_beta(x + 1, n - x, p) - (1 - tail), 0.0, 1.0)
    )
    return Interval(low, high)


def confidence_sequence(
    x: float, n: float, alpha: float = 0.05, *, prior: tuple[float, float] = (0.5, 0.5)
) -> Interval:
    """Return the rates that ``x`` in ``n`` events leave standing, right at every n at once.

    Over the whole life of the stream, the probability that the true rate is ever outside is at most
    ``alpha``. ``prior`` is the Beta(a, b) of the mixture, fixed before the data: it moves width
    between rates, never validity. ``x`` need not be whole. (0, 1) for n = 0.
    """
    _check(x, n, 1 - alpha)
    if n == 0:
        return Interval(0.0, 1.0)
    a, b = prior
    bound = _log_beta(a + x, b + n - x) - _log_beta(a, b) + math.log(alpha)
    peak = x / n

    def evidence(p: float) -> float:  # log M_n(p) - log(1/alpha), convex in p, least at x/n
        return bound - _log_likelihood(x, n, p)

    low = 0.0 if x == 0 else _root(lambda p: -evidence(p), 0.0, peak)
    high = 1.0 if x == n else _root(evidence, peak, 1.0)
    return Interval(low, high)


def confidence_sequences(
    x: npt.ArrayLike,
    n: npt.ArrayLike,
    alpha: float | npt.ArrayLike = 0.05,
    prior_a: npt.ArrayLike = 0.5,
    prior_b: npt.ArrayLike = 0.5,
) -> tuple[Floats, Floats]:
    """Return ``confidence_sequence`` of many pairs at once, as arrays of low and high.

    All arguments broadcast; a thousand pairs take about two milliseconds. In the log-odds t of the
    rate, log M_n = log B(a + x, b + n - x) - log B(a, b) - x t + n log(1 + e^t) is convex over the
    whole line, so Newton's steps from a quadratic guess converge without a bracket.

    >>> low, high = confidence_sequences([0, 5], [0, 10])
    >>> low.round(4).tolist(), high.round(4).tolist()
    ([0.0, 0.1176], [1.0, 0.8824])
    """
    x, n, alpha, a, b = np.broadcast_arrays(x, n, alpha, prior_a, prior_b)
    _check_all(x, n, alpha)
    seen = np.maximum(n, 1e-300)  # any positive number; pairs without events are put right below
    bound = log_beta(a + x, b + n - x) - log_beta(a, b) + np.log(alpha)
    low = np.where(x > 0, _log_odds_root(x, seen, bound, -1.0), 0.0)
    high = np.where(x < n, _log_odds_root(x, seen, bound, 1.0), 1.0)
    empty = n == 0
    return np.where(empty, 0.0, low), np.where(empty, 1.0, high)


def _log_odds_root(x: Floats, n: Floats, bound: Floats, side: float) -> Floats:
    """Return the rate beyond the peak, on one side, where the martingale reaches its bound."""
    peak = (x + 0.5) / (n + 1)
    t = np.log(peak) - np.log1p(-peak)
    floor = bound - x * t + n * np.logaddexp(0.0, t)
    curvature = n * peak * (1 - peak)
    # never nearer than one step, so that the first tangent is not flat
    t = t + side * np.maximum(np.sqrt(2 * np.maximum(-floor, 0.0) / curvature), 0.5 / (n + 1))
    t = np.clip(t, -_FURTHEST, _FURTHEST)
    for _ in range(_NEWTON_STEPS):
        rate = 1 / (1 + np.exp(-t))
        slope = n * rate - x
        slope = np.where(slope * side > 0, slope, side * 1e-300)
        step = (bound - x * t + n * np.logaddexp(0.0, t)) / slope
        t = np.clip(t - step, -_FURTHEST, _FURTHEST)
        if np.all((np.abs(step) <= 1e-14 * np.maximum(1.0, np.abs(t))) | (np.abs(t) == _FURTHEST)):
            break
    return np.asarray(1 / (1 + np.exp(-t)), dtype=np.float64)


def incomplete_beta(a: float, b: float, p: float) -> float:
    """Return the regularised incomplete beta function I_p(a, b), by Lentz's continued fraction.

    Relative error below 1e-12 (DLMF 8.17.22; Press et al., Numerical Recipes, 6.4).
    """
    if p <= 0.0 or p >= 1.0:
        return min(max(p, 0.0), 1.0)
    if p > (a + 1) / (a + b + 2):
        return 1.0 - incomplete_beta(b, a, 1.0 - p)
    front = math.exp(a * math.log(p) + b * math.log1p(-p) - _log_beta(a, b)) / a
    return front / beta_fraction(a, b, p)


def beta_fraction(a: float, b: float, p: float) -> float:
    """Return 1 + d1/(1 + d2/(1 + ...)), whose inverse times the front factor is I_p(a, b)."""
    tiny = 1e-300
    c, d, f = 1.0, 0.0, 1.0
    for i in range(1, 10_000):
        m, odd = divmod(i, 2)
        if odd:
            step = -(a + m) * (a + b + m) * p / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            step = m * (b - m) * p / ((a + 2 * m - 1) * (a + 2 * m))
        d = 1.0 / ((1.0 + step * d) or tiny)
        c = (1.0 + step / c) or tiny
        f *= c * d
        if abs(c * d - 1.0) < 1e-15:
            break
    return f


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def _log_likelihood(x: float, n: float, p: float) -> float:
    hit = x * math.log(p) if x and p > 0 else (-math.inf if x else 0.0)
    miss = (n - x) * math.log1p(-p) if n > x and p < 1 else (-math.inf if n > x else 0.0)
    return hit + miss


def _root(rising: Callable[[float], float], low: float, high: float) -> float:
    """Return where a function that is negative at ``low`` and grows crosses zero, by bisection."""
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if rising(middle) < 0:
            low = middle
        else:
            high = middle
    return high


def _check_all(x: Floats, n: Floats, alpha: Floats) -> None:
    if np.any((x < 0) | (x > n) | ~np.isfinite(n)):
        raise BadInput("more bad events than events, or fewer than none")
    if np.any((alpha <= 0) | (alpha >= 1)):
        raise BadInput("alpha is not between 0 and 1")


def _check(x: float, n: float, confidence: float) -> None:
    if not 0 <= x <= n:
        raise BadInput(f"{x:g} of {n:g} events is no count")
    if not 0 < confidence < 1:
        raise BadInput(f"confidence {confidence:g} is not between 0 and 1")
