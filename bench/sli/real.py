"""Real answers, people's labels, and the scores of the detector that ships.

Each file of the faithfulness data is a window of its own: its full set of labels is the truth, and
some of them, drawn without replacement as a queue draws them, are what the estimators see. They are
made for a stream, so they are a little too wide where a good part of a small file is drawn. Files
are mostly bad answers, which no service would survive; so the good and the bad answers of each file
are mixed again to windows of 20,000 at the shares of the simulation, with replacement: real scores,
chosen truth.
"""

import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.sli.cells import ANSWERS, SEED, estimators
from bench.sli.world import Floats, Look
from seakeeping.evaluate.contract import plain_call
from seakeeping.evaluate.faithfulness import Faithfulness
from seakeeping.records import Counts
from seakeeping.stats.prevalence import OperatingPoint, Population
from seakeeping.stats.sequences import LabelledValues

FILES: Mapping[str, tuple[str, ...]] = {
    "mtrag": ("mtrag_dev",),
    "lfqa": ("lfqa_dev", "lfqa_train"),
    "attributionbench": ("attributionbench_dev", "attributionbench_train"),
    "wice": ("wice_dev", "wice_train"),
    "summedits": ("summedits_dev", "summedits_train"),
    "begin (dev)": ("begin_dev",),
    "factcheckgpt (dev)": ("factcheckgpt_dev",),
}
"""Answers that the detector was not trained on."""

_SHIPPED = OperatingPoint(0.84, 31, 0.82, 191)  # the cold start: mtrag_dev, so not blind there


@dataclass(frozen=True, slots=True)
class Answers:
    """Judged answers of one source: truths, scores, verdicts."""

    name: str
    truths: Floats
    scores: Floats
    flags: Floats


@dataclass(frozen=True, slots=True)
class Line:
    """Coverage and mean width of each estimator on one source."""

    name: str
    share: float
    answers: int
    labels: int
    figures: Mapping[str, tuple[float, float]]


def sources(folder: Path) -> Iterator[Answers]:
    """Score the answers of every source."""
    for name, files in FILES.items():
        rows = [row for file in files for row in _rows(folder / f"{file}.jsonl.gz")]
        yield _judged(name, rows)


def whole(found: Answers, labels: int, repetitions: int) -> Line:
    """Draw labels from a source as it is."""
    random, size = _random(found.name, labels), len(found.truths)
    population, counts = Population.of(found.scores), _counts(found, np.arange(size))
    looks = (
        _look(found, random.choice(size, labels, replace=False), population, counts)
        for _ in range(repetitions)
    )
    return _line(found.name, float(found.truths.mean()), size, labels, looks)


def mixed(found: Answers, share: float, labels: int, repetitions: int) -> Line:
    """Draw windows and labels from a source's good and bad answers, mixed at a chosen share."""
    random = _random(found.name, round(1000 * share) + labels)
    bad, good = np.flatnonzero(found.truths > 0), np.flatnonzero(found.truths == 0)

    def draw(size: int) -> Any:
        is_bad = random.random(size) < share
        return np.where(is_bad, random.choice(bad, size), random.choice(good, size))

    def looks() -> Iterator[Look]:
        for _ in range(repetitions):
            window = draw(ANSWERS)
            population = Population.of(found.scores[window])
            yield _look(found, draw(labels), population, _counts(found, window))

    return _line(found.name, share, ANSWERS, labels, looks())


def _line(name: str, share: float, answers: int, labels: int, looks: Iterator[Look]) -> Line:
    seen: dict[str, list[tuple[bool, float]]] = {}
    for one in looks:
        for estimator, (_, low, high) in estimators(one, _SHIPPED):
            seen.setdefault(estimator, []).append((low <= share <= high, high - low))
    figures = {
        estimator: (
            float(np.mean([held for held, _ in pairs])),
            float(np.mean([width for _, width in pairs])),
        )
        for estimator, pairs in seen.items()
    }
    return Line(name, share, answers, labels, figures)


def _look(found: Answers, chosen: Any, population: Population, counts: Counts) -> Look:
    labels = LabelledValues.of(found.truths[chosen], found.scores[chosen])
    return Look(counts, population, labels, found.flags[chosen])


def _counts(found: Answers, window: Any) -> Counts:
    bad, scores = float(found.flags[window].sum()), found.scores[window]
    size = len(window)
    return Counts(size, bad, size, int(bad), float(scores.sum()), float((scores**2).sum()))


def _judged(name: str, rows: Sequence[Mapping[str, Any]]) -> Answers:
    calls = [
        plain_call(answer=r["answer"], documents=r["context"], question=r["question"], number=n)
        for n, r in enumerate(rows)
    ]
    pairs = zip(rows, Faithfulness().evaluate(calls), strict=True)
    kept = [(row, e) for row, e in pairs if e.score_value is not None]
    return Answers(
        name,
        np.array([float(row["label"]) for row, _ in kept]),
        np.array([1 - (e.score_value or 0.0) for _, e in kept]),
        np.array([float(e.score_label == "unsupported") for _, e in kept]),
    )


def _rows(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def _random(name: str, number: int) -> np.random.Generator:
    return np.random.default_rng([SEED, number, *name.encode()])
