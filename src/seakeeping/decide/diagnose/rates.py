"""Rates of calls that something happened to: shifts of odds, and how surprising counts are."""

import math

import numpy as np

from seakeeping.decide.diagnose.windows import Floats

_FARTHEST, _HALVINGS = 20.0, 40  # of a logarithm of odds, found by bisection
_RARE = 1e-6


def within(ratio: Floats) -> Floats:
    """Return rates kept off 0 and 1, where no odds are."""
    return np.clip(ratio, _RARE, 1 - _RARE)


def logit(ratio: Floats) -> Floats:
    """Return the logarithm of the odds of rates within 0..1."""
    return np.log(ratio / (1 - ratio))


def risen(rates: Floats, events: Floats, bad: Floats) -> Floats:
    """Return the rates of calls that something hit, so that their sum is what was seen.

    Either everybody failed with one more chance (an outage), or everybody's odds rose by one factor
    (worse answers): whichever makes the calls likelier.
    """
    total, seen, expected = float(events.sum()), float(bad.sum()), float((events * rates).sum())
    more = within(rates + (1.0 - rates) * (seen - expected) / (total - expected))
    odds = shifted(rates, odds_factor(rates, events, seen))
    return max(
        (more, odds), key=lambda it: float(bad @ np.log(it) + (events - bad) @ np.log1p(-it))
    )


def odds_factor(rates: Floats, events: Floats, seen: float) -> float:
    """Return the logarithm of the factor on all odds that makes so many bad, by bisection."""
    logits, low, high = logit(rates), -_FARTHEST, _FARTHEST
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if float(events @ (1.0 / (1.0 + np.exp(-logits - middle)))) < seen:
            low = middle
        else:
            high = middle
    return high


def shifted(rates: Floats, factor: float) -> Floats:
    """Return rates whose odds are all changed by one factor, given by its logarithm."""
    return within(1.0 / (1.0 + np.exp(-logit(rates) - factor)))


def surprise(x: Floats, n: Floats, expected: Floats) -> Floats:
    """Return the log likelihood ratio of x bad ones of n against what was expected."""
    with np.errstate(divide="ignore", invalid="ignore"):
        bad = np.where(x > 0, x * np.log(x / expected), 0.0)
        good = np.where(n > x, (n - x) * np.log((n - x) / (n - expected)), 0.0)
    return np.asarray(bad + good)


def moved_rate(own: float, predicted: float, now: float) -> float:
    """Return a rate of the past carried over by as much as the prediction moved, in logits."""
    logits = [math.log(it / (1 - it)) for it in (own, predicted, now)]
    return 1.0 / (1.0 + math.exp(-(logits[0] + logits[2] - logits[1])))
