"""Means of bounded values, bounded at every look at once.

*Betting* (Waudby-Smith & Ramdas, J. R. Statist. Soc. B 86:1, 2024). Somebody who claims that the
mean of z in [0, 1] is m must accept the bet that multiplies a stake by

    1 + f (z/m - 1)  for "it is more",      1 + f ((1 - z)/(1 - m) - 1)  for "it is less",

0 <= f < 1: fair if the claim is right. Wealth from such bets reaches 1/alpha, ever, with chance at
most alpha (Ville), so all means that nobody has yet grown rich against form a confidence sequence.
It holds for every number of values, for any distribution, and also where chances change with the
past as long as the mean does not. Wealth is averaged over a grid of f, so none has to be guessed.

*Prediction-powered*. With a detector's score s of every answer and labels y of some, the residual
y - t s has mean theta - t mu, where mu is the mean score of all answers. For each t of a grid the
wealth against the claim theta is the wealth against that mean, rescaled to [0, 1]; the average over
t is a fair bet as well. So t need not be fitted to the labels it is used on, t = 0 is the labels
alone, and a useless detector costs little more than the logarithm of the size of the grid.

*Asymptotic* (Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas, arXiv 2103.06476). For means of many
values, e.g. of all scores, the mean -+ sigma sqrt(2 (n r^2 + 1)/(n^2 r^2) log(sqrt(n r^2 + 1)/a)).

*Importance weights*. Where an answer was drawn for labelling with chance pi, a bet whose stake is
scaled by w in proportion to 1/pi, w <= 1, is fair for all answers and not only for those drawn.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seakeeping.errors import BadInput
from seakeeping.stats.proportion import Interval
from seakeeping.stats.special import Floats

TUNINGS = (0.0, 0.35, 0.7, 1.0)
"""The weights t of the detector's score that are bet on side by side."""

_STAKES = 0.9 * 0.5 ** np.arange(8)
_ROOT_STEPS = 60  # the secant ends after about eight
_CLOSE = 1e-5  # of a bound, far below what a share is shown with


@dataclass(frozen=True, slots=True)
class LabelledValues:
    """Labels beside scores of the same answers, all in [0, 1], and how much each one speaks for.

    ``weights`` are positive, in proportion to one over the chance of being drawn.
    """

    truths: Floats
    scores: Floats
    weights: Floats

    def __post_init__(self) -> None:
        parts = (self.truths, self.scores, self.weights)
        if len({len(part) for part in parts}) > 1:
            raise BadInput("labels, scores and weights differ in number")
        if any(np.any((part < 0) | (part > 1)) for part in parts[:2]):
            raise BadInput("labels and scores lie between 0 and 1")
        if np.any(~(self.weights > 0)):
            raise BadInput("a weight of a label is positive")

    @classmethod
    def of(
        cls, truths: npt.ArrayLike, scores: npt.ArrayLike, weights: npt.ArrayLike | None = None
    ) -> "LabelledValues":
        """Return the labels as arrays; equal weights where none are given."""
        y, s = np.asarray(truths, np.float64), np.asarray(scores, np.float64)
        w = np.ones(len(y)) if weights is None else np.asarray(weights, np.float64)
        return cls(y, s, w)

    def __len__(self) -> int:
        return len(self.truths)


def mean_sequence(
    values: npt.ArrayLike, alpha: float = 0.05, weights: npt.ArrayLike | None = None
) -> Interval:
    """Return the means that values in [0, 1] leave standing, right at every number of them at once.

    >>> bounds = mean_sequence([0.0] * 90 + [1.0] * 10)
    >>> round(bounds.low, 3), round(bounds.high, 3)
    (0.03, 0.234)
    """
    z = np.asarray(values, np.float64)
    labels = LabelledValues.of(z, np.zeros(len(z)), weights)
    return ppi_sequence(labels, Interval(0.0, 0.0), alpha, tunings=(0.0,))


def ppi_sequence(
    labels: LabelledValues,
    mean_score: Interval,
    alpha: float = 0.05,
    tunings: tuple[float, ...] = TUNINGS,
) -> Interval:
    """Return the rates of bad answers that labels and scores leave standing, at every look at once.

    ``mean_score`` bounds the mean score of all answers, over which the rate is asked; what those
    bounds may miss is not in ``alpha``. (0, 1) without labels. Where labels and scores contradict
    each other, because the labels are not from those answers, no rate is left: then everything
    between the labels' own share and what the scores say is returned. Raises BadInput.
    """
    if not 0 < alpha < 1:
        raise BadInput(f"alpha {alpha:g} is not between 0 and 1")
    if not len(labels):
        return Interval(0.0, 1.0)
    limit = math.log(2 / alpha)  # two one-sided sequences, half of alpha each
    stakes = labels.weights / labels.weights.max()
    above = _wealth(labels, stakes, mean_score.low, tunings, is_above=True)
    below = _wealth(labels, stakes, mean_score.high, tunings, is_above=False)
    share = min(max(float(np.average(labels.truths, weights=labels.weights)), 0.0), 1.0)
    low = _crossing(lambda rate: above(rate) - limit, share)
    high = 1 - _crossing(lambda rate: below(1 - rate) - limit, 1 - share)
    if low > high:
        low, high = min(high, share), max(low, share)
    return Interval(low, high)


def asymptotic_half_width(variance: float, n: float, alpha: float, tuned_for: float) -> float:
    """Return half the width of the asymptotic confidence sequence of a mean of ``n`` values.

    It is sharpest at ``tuned_for`` values. Infinite for n = 0.
    """
    if n <= 0:
        return math.inf
    rate = (2 * math.log(1 / alpha) + math.log(2 * math.log(1 / alpha) + 1)) / max(tuned_for, 1.0)
    grown = n * rate + 1
    return math.sqrt(variance * 2 * grown / (n * n * rate) * math.log(math.sqrt(grown) / alpha))


def _wealth(
    labels: LabelledValues, stakes: Floats, mean_score: float, tunings: tuple[float, ...],
    *, is_above: bool,
) -> Callable[[float], float]:  # fmt: skip
    """Return the log-wealth of those who bet that the rate is above a claim, or below it."""
    t = np.asarray(tunings)[:, None]
    z = (labels.truths[None, :] - t * labels.scores[None, :] + t) / (1 + t)
    values = z if is_above else 1 - z

    def at(rate: float) -> float:
        claimed = (rate - t[:, 0] * mean_score + t[:, 0]) / (1 + t[:, 0])
        means = claimed if is_above else 1 - claimed
        payoff = stakes[None, :] * (values / np.maximum(means, 1e-12)[:, None] - 1)
        logs = np.log1p(_STAKES[:, None, None] * payoff[None, :, :]).sum(axis=2)
        top = logs.max()
        return float(top + math.log(np.exp(logs - top).mean()))

    return at


def _crossing(falling: Callable[[float], float], near: float) -> float:
    """Return where a function that falls over (0, 1) reaches zero: 0 or 1 where it never does.

    ``near`` is where it should be below zero. Regula falsi with Anderson and Bjorck's weights; what
    is returned is on the safe side, at which the function is still above zero.
    """
    a, b, at_a, at_b = 0.0, near, falling(0.0), falling(near)
    if at_a <= 0:
        return 0.0
    if at_b > 0:
        a, at_a, b, at_b = b, at_b, 1.0, falling(1.0)
        if at_b > 0:
            return 1.0
    for _ in range(_ROOT_STEPS):
        if b - a <= _CLOSE * max(b, 1e-4):
            break
        c = b - at_b * (b - a) / (at_b - at_a)
        if not a < c < b:
            c = (a + b) / 2
        at_c = falling(c)
        if at_c > 0:
            at_b *= max(1 - at_c / at_a, 0.5)
            a, at_a = c, at_c
        else:
            at_a *= max(1 - at_c / at_b, 0.5) if at_b else 0.5
            b, at_b = c, at_c
    return a
