"""A world in which the truth is known: answers, a detector that errs, and labels that do not.

The detector's log-odds are normal with the same spread for good and bad answers, so that its area
under the ROC curve is exactly what is asked for; drift moves all of them. Scores are rounded to
1/400, so that the scores of a whole window can be drawn at once, exactly, as counts.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from seakeeping.records import Counts
from seakeeping.stats.prevalence import OperatingPoint, Population
from seakeeping.stats.sequences import LabelledValues

Floats = npt.NDArray[np.float64]

LEVELS = 400
BELIEVED = 0.3  # the share of bad answers that the scores were once calibrated for


@dataclass(frozen=True, slots=True)
class Detector:
    """Chances of each rounded score among good and among bad answers."""

    scores: Floats
    of_good: Floats
    of_bad: Floats

    @property
    def flags(self) -> npt.NDArray[np.bool_]:
        """Which scores count as a verdict."""
        return self.scores > 0.5


@dataclass(frozen=True, slots=True)
class Look:
    """What one repetition sees: a window, labels, and the detector's verdicts on both."""

    counts: Counts
    population: Population
    labels: LabelledValues
    flags: Floats


def detector(auroc: float, drift: float = 0.0) -> Detector:
    """Return a detector of that area under the ROC curve, its log-odds moved by ``drift``."""
    normal, edges = NormalDist(), np.linspace(0, 1, LEVELS + 1)
    distance = math.sqrt(2) * normal.inv_cdf(auroc)
    prior = math.log(BELIEVED / (1 - BELIEVED))
    cuts = [
        (math.log(edge / (1 - edge)) - drift - prior + distance**2 / 2) / distance
        for edge in edges[1:-1]
    ]

    def chances(mean: float) -> Floats:
        below = [0.0, *(normal.cdf(cut - mean) for cut in cuts), 1.0]
        return np.diff(np.array(below))

    return Detector((edges[1:] + edges[:-1]) / 2, chances(0.0), chances(distance))


def look(
    random: np.random.Generator, seen: Detector, share: float, answers: int, labels: int
) -> Look:
    """Draw a window of answers and labels of others from the same stream."""
    mixed = share * seen.of_bad + (1 - share) * seen.of_good
    held = random.multinomial(answers, mixed / mixed.sum())
    truths = (random.random(labels) < share).astype(float)
    scores = np.empty(labels)
    for truth, chances in ((0.0, seen.of_good), (1.0, seen.of_bad)):
        chosen = truths == truth
        scores[chosen] = random.choice(seen.scores, int(chosen.sum()), p=chances / chances.sum())
    return Look(
        counts_of(seen, held),
        Population(answers, *_moments(seen.scores, held)),
        LabelledValues.of(truths, scores),
        (scores > 0.5).astype(float),
    )


def counts_of(seen: Detector, held: npt.NDArray[np.int64]) -> Counts:
    """Return the counts of a window that holds so many answers at each score."""
    total, bad = int(held.sum()), int(held[seen.flags].sum())
    first, second = float(held @ seen.scores), float(held @ seen.scores**2)
    return Counts(total, bad, total, bad, first, second)


def calibrated(random: np.random.Generator, seen: Detector, labels: int) -> OperatingPoint:
    """Return an operating point measured once on labels, half of them bad."""
    half = labels // 2
    found = float(seen.of_bad[seen.flags].sum())
    spared = 1 - float(seen.of_good[seen.flags].sum())
    return OperatingPoint(
        random.binomial(half, found) / half, half, random.binomial(half, spared) / half, half
    )


def _moments(scores: Floats, held: npt.NDArray[np.int64]) -> tuple[float, float]:
    mean = float(held @ scores / held.sum())
    return mean, float(held @ scores**2 / held.sum()) - mean * mean
