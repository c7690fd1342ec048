"""What a detector used to flag of a service's own answers: what a cold start is held to.

Without labels nobody knows how a detector errs on a service. One that flags nearly half of the good
answers there would page for ever when held to how it decided elsewhere. What can be told without
labels is a *change*: more flags than the service's own past makes usual.

Traffic is not the same every day, and a past may hold incidents that nobody called so. So the past
is cut into up to forty stretches of as much traffic each (by weight: traffic that was sampled more
densely lasted no longer), and usual is what the middle of them flag, and as far above it as they
spread: median + 2 deviations, where a deviation is the median distance from the median. Neither
moves while fewer than half of the stretches are bad.
"""

import numpy as np

from seakeeping.observe.tiers import BAD_ROWS, VALID, VALID_ROWS, Floats
from seakeeping.stats.proportion import wilson

LEAST_PAST = 100
"""Judged answers that a past must hold before anything is compared with it."""

_STRETCHES = 40
_LEAST_OF_STRETCH = 50  # answers, on average
_DEVIATIONS = 2.0
_MEDIAN_DISTANCE = 1.4826  # times this is the standard deviation, of normal values


def usual_ratio(slots: Floats) -> float | None:
    """Return the share of flagged answers, in 0..1, above which a service is not as it was.

    ``slots`` are counts of the past, slots in order of time by the columns of ``observe.tiers``.
    At least the upper bound at 95 % (one-sided, Wilson) of the median in half of the answers. None
    where the past is too short.
    """
    slots = slots[slots[:, VALID_ROWS] > 0]
    total = float(slots[:, VALID_ROWS].sum())
    if total < LEAST_PAST:
        return None
    rates = _rates(slots, int(min(_STRETCHES, total // _LEAST_OF_STRETCH)))
    median = float(np.median(rates))
    spread = _MEDIAN_DISTANCE * float(np.median(np.abs(rates - median)))
    sure = wilson(median * total / 2, total / 2, 0.90).high
    return min(1.0, max(sure, median + _DEVIATIONS * spread))


def _rates(slots: Floats, stretches: int) -> Floats:
    """Return the share of flagged answers in each of about so many stretches of like weight."""
    weight = slots[:, VALID]
    middle = np.cumsum(weight) - weight / 2
    stretch = np.minimum(middle * stretches / weight.sum(), stretches - 1).astype(np.int64)
    answers = np.bincount(stretch, slots[:, VALID_ROWS])
    flagged = np.bincount(stretch, slots[:, BAD_ROWS])
    rates: Floats = flagged[answers > 0] / answers[answers > 0]
    return rates
