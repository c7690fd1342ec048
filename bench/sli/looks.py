"""Looking again and again: how often an interval is wrong somewhere along the way.

A stream of labels arrives, and after every ten somebody looks. The confidence sequence has to hold
the truth at all looks of all but 5 % of the streams; an interval for one look does not.
"""

from dataclasses import dataclass

import numpy as np

from bench.sli.cells import ANSWERS, AUROC, SEED
from bench.sli.world import Look, detector, look
from seakeeping.stats.prevalence import prevalence
from seakeeping.stats.proportion import Interval, confidence_sequence
from seakeeping.stats.sequences import LabelledValues, ppi_sequence

EVERY = 10
ALPHA = 0.05


@dataclass(frozen=True, slots=True)
class Streams:
    """Shares of streams that were ever wrong, and widths at the last look."""

    share: float
    sequence_wrong: float
    one_look_wrong: float
    sequence_width: float
    counted_width: float
    one_look_width: float


def streams(share: float, labels: int, repetitions: int, drift: float = 0.0) -> Streams:
    """Look at so many streams of labels."""
    random = np.random.default_rng([SEED, round(1000 * share), labels, 7])
    seen = detector(AUROC, drift)
    found = [_stream(look(random, seen, share, ANSWERS, labels), share) for _ in range(repetitions)]
    return Streams(share, *np.mean(np.array(found, dtype=float), axis=0).tolist())


def _stream(one: Look, share: float) -> tuple[bool, bool, float, float, float]:
    sequence_wrong = one_look_wrong = False
    for n in range(EVERY, len(one.labels) + 1, EVERY):
        some = LabelledValues.of(one.labels.truths[:n], one.labels.scores[:n])
        mean = Interval(one.population.mean, one.population.mean)
        sequence, once = ppi_sequence(some, mean, ALPHA), prevalence(some, one.population)
        sequence_wrong |= not sequence.low <= share <= sequence.high
        one_look_wrong |= not once.low <= share <= once.high
    bad = float(one.labels.truths.sum())
    counted = confidence_sequence(bad, len(one.labels), ALPHA)
    return (
        sequence_wrong, one_look_wrong, sequence.high - sequence.low,
        counted.high - counted.low, once.high - once.low,
    )  # fmt: skip
