"""Coverage and width of every estimator, cell by cell, on a simulated detector."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from bench.sli.world import Look, calibrated, detector, look
from seakeeping.stats.prevalence import (
    OperatingPoint,
    labels_only,
    ppi_mean,
    prevalence,
    rogan_gladen,
)
from seakeeping.stats.proportion import Interval, clopper_pearson, wilson

SHARES = (0.01, 0.05, 0.2)
LABELS = (50, 200, 500)
DRIFTS = (0.0, 0.5)
AUROC = 0.85
ANSWERS = 20_000
CALIBRATION = 1000
CONFIDENCE = 0.95
SEED = 20261123


@dataclass(frozen=True, slots=True)
class Figure:
    """How an estimator did in a cell: how often it held the truth, how wide, how far off."""

    coverage: float
    width: float
    bias: float


@dataclass(frozen=True, slots=True)
class Cell:
    """One line of the table."""

    share: float
    labels: int
    drift: float
    figures: Mapping[str, Figure]

    def relative_width(self, name: str) -> float:
        """Return the mean width over that of the labels' own Wilson interval."""
        return self.figures[name].width / self.figures["wilson"].width


def cell(share: float, labels: int, drift: float, repetitions: int, auroc: float = AUROC) -> Cell:
    """Run one cell."""
    random = np.random.default_rng([SEED, round(1000 * share), labels, round(10 * drift)])
    before, now = detector(auroc), detector(auroc, drift)
    seen: dict[str, list[tuple[float, float, float]]] = {}
    for _ in range(repetitions):
        point = calibrated(random, before, CALIBRATION)
        for name, triple in estimators(look(random, now, share, ANSWERS, labels), point):
            seen.setdefault(name, []).append(triple)
    return Cell(
        share, labels, drift, {name: _figure(triples, share) for name, triples in seen.items()}
    )


def estimators(
    one: Look, point: OperatingPoint
) -> Iterator[tuple[str, tuple[float, float, float]]]:
    """Yield estimate, low and high of each way to read one repetition."""
    ours = prevalence(one.labels, one.population, CONFIDENCE)
    yield "ours", (ours.estimate, ours.low, ours.high)
    peer = ppi_mean(one.labels, one.population, CONFIDENCE)
    yield "ppi++", (peer.estimate, max(0.0, peer.low), min(1.0, peer.high))
    x, n = float(one.labels.truths.sum()), len(one.labels)
    for name, bound in (("wilson", wilson), ("clopper-pearson", clopper_pearson)):
        yield name, _triple(x, n, bound)
    only = labels_only(one.labels, CONFIDENCE)
    yield "labels only", (only.estimate, only.low, only.high)
    yield "naive", _triple(one.counts.bad, one.counts.valid, wilson)
    share = one.counts.bad / one.counts.valid
    if inverted := rogan_gladen(share, one.counts.valid, point, CONFIDENCE):
        yield "rogan-gladen", (inverted.estimate, inverted.low, inverted.high)


def table(
    repetitions: int, shares: Iterable[float] = SHARES, sizes: Iterable[int] = LABELS,
    drifts: Iterable[float] = DRIFTS,
) -> list[Cell]:  # fmt: skip
    """Run all cells."""
    return [
        cell(share, labels, drift, repetitions)
        for drift in drifts for share in shares for labels in sizes
    ]  # fmt: skip


def shortfalls(cells: Iterable[Cell]) -> list[str]:
    """Return which cells miss what was promised: coverage .94, widths 1.05 and .95 times Wilson."""
    words = []
    for one in cells:
        place = f"{one.share:.0%}, {one.labels} labels, drift {one.drift:g}"
        coverage, width = one.figures["ours"].coverage, one.relative_width("ours")
        if coverage < 0.94:
            words.append(f"{place}: coverage {coverage:.4f}")
        narrow = one.labels >= 200 and one.share >= 0.2
        if width > (0.95 if narrow else 1.05):
            words.append(f"{place}: {width:.3f} times Wilson's width")
    return words


def _triple(
    x: float, n: float, bound: Callable[[float, float, float], Interval]
) -> tuple[float, float, float]:
    interval = bound(x, n, CONFIDENCE)
    return x / n, interval.low, interval.high


def _figure(triples: list[tuple[float, float, float]], share: float) -> Figure:
    estimate, low, high = np.array(triples).T
    covered = (low <= share) & (share <= high)
    return Figure(float(covered.mean()), float((high - low).mean()), float(estimate.mean() - share))
