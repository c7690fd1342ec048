"""Whether a detector's errors are still what they were.

Two questions, both asked of drawn labels in the order of their answers' times, and both with
e-detectors (``stats.edetector``), so that they may be asked after every label.

``residual_change``: labels of one time correct the scores of another only while the mean of the
residual y - s/2 stays. It changes when the detector changes and when quality does. Labels from
before such a change may not correct a window that began after it.

``detector_change``: among good answers, or among bad ones, the detector's scores do not depend on
how many answers are bad. If they rise or fall, it is the detector itself, or the answers it is
asked about, and its sensitivity and specificity have to be learnt anew.

The older third of the labels says what was usual: not its mean, which is itself uncertain, but the
bounds that a confidence sequence leaves standing are what the newer labels are held against.
"""

from collections.abc import Sequence

import numpy as np

from seakeeping.records import LabelledScore
from seakeeping.stats.edetector import Detector
from seakeeping.stats.sequences import mean_sequence
from seakeeping.stats.special import Floats

LEAST_BASELINE = 50
"""Labels that say what was usual, before a change is looked for."""

LIMIT = 20_000.0
"""Mean number of labels to a false alarm of each single watch, at least."""

_TUNING = 0.5  # of the score in the residual; any number that does not depend on the labels


def label_weight(label: LabelledScore) -> float:
    """Return how many answers a drawn label stands for: its own weight over its chance."""
    return label.weight / (label.sampling_probability or 1.0)


def residual_change(labels: Sequence[LabelledScore]) -> float | None:
    """Return since when the residual has another mean, None where nothing says so.

    The time is that of the first answer after the change, in Unix seconds.
    """
    residual = np.array([one.truth - _TUNING * one.score for one in labels])
    return _change((residual + _TUNING) / (1 + _TUNING), labels)


def detector_change(labels: Sequence[LabelledScore]) -> float | None:
    """Return since when good, or bad, answers are scored differently; None if they are not."""
    of_good = [one for one in labels if one.truth < 0.5]
    of_bad = [one for one in labels if one.truth >= 0.5]
    changes = [_change(np.array([one.score for one in some]), some) for some in (of_good, of_bad)]
    return max((at for at in changes if at is not None), default=None)


def _change(values: Floats, labels: Sequence[LabelledScore]) -> float | None:
    first = max(LEAST_BASELINE, len(labels) // 3)
    if len(labels) <= first:
        return None
    weights = np.array([label_weight(one) for one in labels])
    usual = mean_sequence(values[:first], weights=weights[:first])
    stakes = weights[first:] / weights.max()
    times = [one.started_at for one in labels[first:]]
    higher = _rise(usual.high, values[first:], stakes, times)
    lower = _rise(1 - usual.low, 1 - values[first:], stakes, times)
    return max((at for at in (higher, lower) if at is not None), default=None)


def _rise(null: float, values: Floats, stakes: Floats, times: Sequence[float]) -> float | None:
    """Return the time of the first answer of a rise over ``null``, None without an alarm."""
    if not 0 < null < 1:
        return None
    alarm = Detector(null, LIMIT).first_alarm(values, stakes)
    return None if alarm is None else times[alarm[1]]
