"""The true share of bad answers, from a detector that errs and few labels that do not.

A detector sees every answer and is wrong at rates that nobody knows; people look at some answers
and are right. At a true 5 % a decent detector reports 11 to 15 %. Prediction-powered inference
(Angelopoulos, Bates, Fannjiang, Jordan, Zrnic, Science 382, 2023; PPI++: Angelopoulos, Duchi,
Zrnic, arXiv 2311.01453) takes the mean score of all N answers and corrects it by the mean error on
the n labelled ones,

    theta = t mean_N(s) + mean_n(y - t s),     Var = t^2 Var(s)/N + Var(y - t s)/n,
    t = Cov(y, s) / ((1 + n/N) Var(s)), clipped to [0, 1],

which is right whatever the detector does, and the sharper the better it is: with t = 0 it is the
labels alone. ``ppi_mean`` is that, equal to ppi-python 0.2.3.

Its normal interval covers too little where few labels are bad: at 1 % and 50 labels, 40 % instead
of 95. ``prevalence`` therefore turns the same estimate into a binomial one. The variance of theta
against that of the labels alone is the design effect

    d = [ t^2 Var(s)/N + Var(y - t s)/n + 2 (1/2)^2/n^2 ] / [ y(1 - y)/n ],   d <= 1,

so theta is as good as the share among n/d labels, and gets Wilson's interval for those. The last
term of d keeps what little was seen from sounding like much: two labels more, each missed by one
half. With fewer than five bad (or good) labels the wider of this and Clopper-Pearson on the labels
alone is taken. ``bench/sli`` shows the coverage.

Labels drawn with unequal chances pi enter with weights 1/pi, normalised (Hajek), and count as
(sum w)^2 / sum w^2 labels (the unnormalised form is that of Zrnic & Candes, Active statistical
inference, 2024; it needs one window all of whose answers had a known chance to be drawn).
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from seakeeping.errors import BadInput
from seakeeping.stats.proportion import Interval, clopper_pearson, wilson
from seakeeping.stats.sequences import LabelledValues
from seakeeping.stats.special import Floats

FEW = 5
"""With fewer bad (or fewer good) labels than this, exact counts have the last word."""

LEAST_INFORMEDNESS = 0.3
"""Sensitivity + specificity - 1 below which a detector is not inverted."""

_MISSED = 2 * 0.5**2  # the squared errors of two labels more, each missed by one half


@dataclass(frozen=True, slots=True)
class Population:
    """The scores of all answers that the rate is asked for: how many, their mean and variance."""

    n: float
    mean: float
    variance: float

    @classmethod
    def of(cls, scores: npt.ArrayLike) -> "Population":
        """Return the moments of scores; the variance divides by n."""
        values = np.asarray(scores, np.float64)
        return cls(len(values), float(values.mean()), float(values.var()))


@dataclass(frozen=True, slots=True)
class Estimated:
    """A rate with its interval for one look; ``tuning`` is the weight t of the detector."""

    estimate: float
    low: float
    high: float
    tuning: float
    variance: float


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """How a detector decided on labelled answers: shares found and spared, and of how many.

    ``sensitivity`` of ``positives`` bad answers were flagged, ``specificity`` of ``negatives`` good
    ones were not. Numbers may be effective ones, of weighted labels.
    """

    sensitivity: float
    positives: float
    specificity: float
    negatives: float

    def flagged_ratio(self, bad_ratio: float) -> float:
        """Return the share of flagged answers where ``bad_ratio`` are bad."""
        return bad_ratio * self.sensitivity + (1 - bad_ratio) * (1 - self.specificity)

    def highest_flagged_ratio(self, bad_ratio: float, confidence: float = 0.95) -> float:
        """Return a one-sided upper bound of ``flagged_ratio``, which is itself estimated.

        Wilson's bounds of both shares, combined by the squares of their distances (MOVER; Zou &
        Donner, Stat. Med. 27, 2008).
        """
        two_sided = 2 * confidence - 1
        found = _share_above(self.sensitivity, self.positives, two_sided) * bad_ratio
        alarms = _share_above(1 - self.specificity, self.negatives, two_sided) * (1 - bad_ratio)
        return min(1.0, self.flagged_ratio(bad_ratio) + math.hypot(found, alarms))


def ppi_tuning(labels: LabelledValues, population: Population) -> float:
    """Return the weight t in [0, 1] that makes the variance least, with the pooled Var(s)."""
    n, w = len(labels), labels.weights / labels.weights.mean()
    y, s, total = labels.truths, labels.scores, len(labels) + population.n
    covariance = float(np.mean(w * (y - np.mean(w * y)) * (s - np.mean(w * s))))
    mean = (n * float(np.mean(w * s)) + population.n * population.mean) / total
    squares = n * float(np.mean(w * s * s))
    squares += population.n * (population.variance + population.mean**2)
    variance = (squares - total * mean * mean) / max(total - 1, 1.0)
    if variance <= 1e-15:
        return 0.0
    return min(max(covariance / ((1 + n / population.n) * variance), 0.0), 1.0)


def ppi_mean(
    labels: LabelledValues,
    population: Population,
    confidence: float = 0.95,
    tuning: float | None = None,
) -> Estimated:
    """Return PPI++'s estimate of the mean and its normal interval, unclipped.

    Equal to ``ppi_mean_pointestimate`` and ``ppi_mean_ci`` of ppi-python 0.2.3 to 1e-9 for equal
    weights. Too narrow with few bad labels: use ``prevalence`` for shares. Raises BadInput without
    labels or without scores.
    """
    _check(labels, population)
    t = ppi_tuning(labels, population) if tuning is None else tuning
    estimate, imputed, rectified = _moments(labels, population, t)
    half = NormalDist().inv_cdf((1 + confidence) / 2) * math.sqrt(imputed + rectified)
    return Estimated(estimate, estimate - half, estimate + half, t, imputed + rectified)


def prevalence(
    labels: LabelledValues, population: Population, confidence: float = 0.95
) -> Estimated:
    """Return the share of bad answers with an interval for one look that covers at few labels too.

    ``estimate`` is PPI++'s, clipped to [0, 1].

    >>> labels = LabelledValues.of([1, 0, 0, 0] * 25, [0.9, 0.4, 0.1, 0.2] * 25)
    >>> found = prevalence(labels, Population(n=20_000, mean=0.42, variance=0.1))
    >>> round(found.estimate, 3), round(found.low, 3), round(found.high, 3)
    (0.27, 0.233, 0.311)

    Raises BadInput without labels or without scores.
    """
    _check(labels, population)
    t = ppi_tuning(labels, population)
    raw, imputed, rectified = _moments(labels, population, t)
    estimate = min(max(raw, 0.0), 1.0)
    n = effective_size(labels.weights)
    share = float(np.average(labels.truths, weights=labels.weights))
    rarer = n * min(share, 1 - share)
    alone = share * (1 - share) / n
    missed = _MISSED / (n * n)
    effect = (imputed + rectified + missed) / alone if alone else 1.0
    size = n / min(effect, 1.0)
    bounds = wilson(estimate * size, size, confidence)
    if rarer < FEW:
        exact = clopper_pearson(share * n, n, confidence)
        bounds = max(bounds, exact, key=lambda interval: interval.high - interval.low)
    low, high = min(bounds.low, estimate), max(bounds.high, estimate)
    return Estimated(estimate, low, high, t, imputed + rectified)


def labels_only(labels: LabelledValues, confidence: float = 0.95) -> Estimated:
    """Return the share among the labels, with Wilson's interval, or the exact one of few."""
    n = effective_size(labels.weights)
    share = float(np.average(labels.truths, weights=labels.weights))
    bound = clopper_pearson if n * min(share, 1 - share) < FEW else wilson
    interval: Interval = bound(share * n, n, confidence)
    return Estimated(share, interval.low, interval.high, 0.0, share * (1 - share) / n)


def rogan_gladen(
    flagged_ratio: float, n: float, point: OperatingPoint, confidence: float = 0.95
) -> Estimated | None:
    """Return the rate that a detector of known errors would have seen so; None if it sees nothing.

        theta = (q + sp - 1)/(se + sp - 1), clipped to [0, 1]
        Var = [q(1 - q)/n + theta^2 se(1 - se)/n1 + (1 - theta)^2 sp(1 - sp)/n0] / (se + sp - 1)^2

    (Rogan & Gladen, Am. J. Epidemiol. 107, 1978.) Right only while the detector errs on these
    answers as on those that ``point`` was measured on, which nothing here can tell: a start, never
    a verdict. None where se + sp - 1 < 0.3.
    """
    informedness = point.sensitivity + point.specificity - 1
    if informedness < LEAST_INFORMEDNESS or n <= 0:
        return None
    theta = min(max((flagged_ratio + point.specificity - 1) / informedness, 0.0), 1.0)
    spread = flagged_ratio * (1 - flagged_ratio) / n
    spread += theta**2 * point.sensitivity * (1 - point.sensitivity) / point.positives
    spread += (1 - theta) ** 2 * point.specificity * (1 - point.specificity) / point.negatives
    variance = spread / informedness**2
    half = NormalDist().inv_cdf((1 + confidence) / 2) * math.sqrt(variance)
    return Estimated(theta, max(0.0, theta - half), min(1.0, theta + half), math.nan, variance)


def operating_point(labels: LabelledValues, flags: npt.ArrayLike) -> OperatingPoint | None:
    """Return how a detector's flags met the labels, weighted; None without good ones.

    The sensitivity is 1 where no label is bad: of 0 ``positives``.
    """
    flagged, y, w = np.asarray(flags, np.float64), labels.truths, labels.weights
    bad, good = float(np.sum(w * y)), float(np.sum(w * (1 - y)))
    if good <= 0:
        return None
    scale = effective_size(w) / float(w.sum())
    found, spared = float(np.sum(w * y * flagged)), float(np.sum(w * (1 - y) * (1 - flagged)))
    return OperatingPoint(found / bad if bad > 0 else 1.0, bad * scale, spared / good, good * scale)


def effective_size(weights: Floats) -> float:
    """Return how many equally weighted labels know as much: (sum w)^2 / sum w^2 (Kish 1965)."""
    return float(weights.sum()) ** 2 / float((weights * weights).sum())


def _moments(
    labels: LabelledValues, population: Population, tuning: float
) -> tuple[float, float, float]:
    """Return the estimate and the variances of its two parts, all answers' and the labels'."""
    residual = labels.truths - tuning * labels.scores
    w = labels.weights / labels.weights.mean()
    correction = float(np.mean(w * residual))
    imputed = tuning**2 * population.variance / population.n
    rectified = float(np.mean((w * (residual - correction)) ** 2)) / len(labels)
    return tuning * population.mean + correction, imputed, rectified


def _share_above(share: float, n: float, confidence: float) -> float:
    """Return how far Wilson's upper bound lies above a share."""
    share = min(max(share, 0.0), 1.0)
    return wilson(share * n, n, confidence).high - share


def _check(labels: LabelledValues, population: Population) -> None:
    if not len(labels) or population.n <= 0:
        raise BadInput("no labels, or no answers whose rate is asked for")
