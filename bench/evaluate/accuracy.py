"""How well ``faithfulness`` tells good answers from bad ones, beside the raw coverage baseline.

    python bench/evaluate/accuracy.py FOLDER

For each development file of FOLDER: area under the ROC curve of the detector as it ships and of one
plain number, the idf-weighted share of the answer's content words that the context holds (any
learned detector has to be reported beside it), with 95 % bootstrap intervals over answers (both on
the same resamples, so their difference has one too); and what the shipped threshold does.
"""

import argparse
import gzip
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from seakeeping.evaluate.contract import plain_call
from seakeeping.evaluate.faithfulness import Faithfulness
from seakeeping.evaluate.faithfulness.features import DEFAULT_IDF
from seakeeping.evaluate.faithfulness.model import load_model
from seakeeping.evaluate.faithfulness.tokens import STOP, forms

NATURAL = ("mtrag_dev", "lfqa_dev", "attributionbench_dev")
OTHERS = (
    "begin_dev", "factcheckgpt_dev", "factcg_synth_dev", "faithdial_audit_dev", "wice_dev",
    "bump_dev", "summedits_dev",
)  # fmt: skip
RESAMPLES = 1000
SEED = 20261123

Floats = npt.NDArray[np.float64]


class Judged(NamedTuple):
    """Labels (1 is unfaithful) and scores (higher is worse) of the answers that were scored."""

    labels: Floats
    detector: Floats
    coverage: Floats
    flagged: Floats
    skipped: int


def coverage(answer: str, context: Sequence[str], idf: Mapping[str, float]) -> float:
    """Return the idf-weighted share of the answer's content words that the context holds."""
    held = {form for text in context for form in forms(text)}
    said = [form for form in forms(answer) if form not in STOP]
    weights = [idf.get(form, DEFAULT_IDF) for form in said]
    found = sum(weight for form, weight in zip(said, weights, strict=True) if form in held)
    return found / sum(weights) if said else 1.0


def judged(rows: Sequence[Mapping[str, Any]]) -> Judged:
    """Score the rows and return what the evaluator did not skip."""
    calls = [
        plain_call(answer=r["answer"], documents=r["context"], question=r["question"], number=n)
        for n, r in enumerate(rows)
    ]
    idf = load_model().idf
    pairs = zip(rows, Faithfulness().evaluate(calls), strict=True)
    kept = [(row, e) for row, e in pairs if e.score_value is not None]
    return Judged(
        np.array([float(row["label"]) for row, _ in kept]),
        np.array([1 - (e.score_value or 0.0) for _, e in kept]),
        np.array([1 - coverage(row["answer"], row["context"], idf) for row, _ in kept]),
        np.array([float(e.score_label == "unsupported") for _, e in kept]),
        len(rows) - len(kept),
    )


def auroc(labels: Floats, scores: Floats) -> float:
    """Return the chance that a random bad answer scores above a random good one, ties by half."""
    bad, good = scores[labels == 1], scores[labels == 0]
    difference = bad[:, None] - good[None, :]
    return float((difference > 0).mean() + (difference == 0).mean() / 2)


def intervals(found: Judged) -> tuple[Floats, Floats, Floats]:
    """Return bootstrap percentiles of both areas and of their difference."""
    random = np.random.default_rng(SEED)
    areas = []
    while len(areas) < RESAMPLES:
        pick = random.integers(0, len(found.labels), len(found.labels))
        labels = found.labels[pick]
        if 0 < labels.sum() < len(labels):
            detector = auroc(labels, found.detector[pick])
            areas.append((detector, auroc(labels, found.coverage[pick])))
    both = np.array(areas)
    low_high = np.percentile(both, [2.5, 97.5], axis=0)
    difference = np.percentile(both[:, 0] - both[:, 1], [2.5, 97.5])
    return low_high[:, 0], low_high[:, 1], difference


def row(name: str, found: Judged) -> str:
    """Return a line of the table."""
    detector, plain, difference = intervals(found)
    bad, good = found.flagged[found.labels == 1], found.flagged[found.labels == 0]
    return (
        f"| {name} | {len(found.labels)} ({found.skipped}) | {found.labels.mean():.2f} "
        f"| **{auroc(found.labels, found.detector):.3f}** ({detector[0]:.3f}..{detector[1]:.3f}) "
        f"| {auroc(found.labels, found.coverage):.3f} ({plain[0]:.3f}..{plain[1]:.3f}) "
        f"| {difference[0]:+.3f}..{difference[1]:+.3f} "
        f"| {(bad.mean() + 1 - good.mean()) / 2:.3f} | {bad.mean():.2f} | {good.mean():.2f} |"
    )


def read(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a gzipped JSONL file."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="folder of the faithfulness data")
    folder = parser.parse_args().folder
    print(
        "| set | scored (skipped) | unfaithful | AUROC detector | AUROC coverage | difference "
        "| balanced accuracy | found | false alarms |\n|---|---|---|---|---|---|---|---|---|"
    )
    for name in (*NATURAL, *OTHERS):
        print(row(name, judged(read(folder / f"{name}.jsonl.gz"))))


if __name__ == "__main__":
    main()
