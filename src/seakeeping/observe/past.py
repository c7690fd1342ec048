"""What a detector used to flag of a service's own answers: what a cold start is held to.

Without labels nobody knows how a detector errs on a service. One that flags nearly half of the good
answers there would page for ever when held to how it decided elsewhere. What can be told without
labels is a *change*: more flags than the service's own past makes usual.

Traffic is not the same every day, so the bound is not the mean of the past but what its worst
stretches show. The past is cut into up to forty stretches of about as many answers each; the worst
twentieth of them is left out, because a past may hold an incident.
"""

import numpy as np

from seakeeping.observe.tiers import BAD_ROWS, VALID_ROWS, Floats
from seakeeping.stats.proportion import wilson

LEAST_PAST = 100
"""Judged answers that a past must hold before anything is compared with it."""

_STRETCHES = 40
_LEAST_OF_STRETCH = 50
_USUAL = 0.95  # of the stretches flag no more


def usual_ratio(slots: Floats) -> float | None:
    """Return the share of flagged answers, in 0..1, above which a service is not as it was.

    ``slots`` are counts of the past, slots in order of time by the columns of ``observe.tiers``.
    At least the upper bound at 95 % (one-sided, Wilson) of the past as a whole. None where
    the past is too short.
    """
    valid, bad = slots[:, VALID_ROWS], slots[:, BAD_ROWS]
    total = float(valid.sum())
    if total < LEAST_PAST:
        return None
    whole = wilson(float(bad.sum()), total, 0.90).high
    return max(whole, _usual(valid, bad, max(total / _STRETCHES, _LEAST_OF_STRETCH)))


def _usual(valid: Floats, bad: Floats, size: float) -> float:
    """Return what all but the worst twentieth of the stretches flag at most."""
    middle = np.cumsum(valid) - valid / 2
    stretch = (middle // size).astype(np.int64)
    answers, flagged = np.bincount(stretch, valid), np.bincount(stretch, bad)
    is_whole = answers >= size / 2
    rates = np.sort(flagged[is_whole] / answers[is_whole])
    return float(rates[int(np.ceil(_USUAL * len(rates))) - 1])
