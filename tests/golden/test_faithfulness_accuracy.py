"""The detector against people's judgements: never below what was measured, less its noise.

Floors are the measured area under the ROC curve (docs/benchmarks.md) less about two hundredths:
retraining moves it by one.
"""

import gzip
import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from seakeeping.evaluate.contract import plain_call
from seakeeping.evaluate.faithfulness import Faithfulness
from seakeeping.evaluate.faithfulness.tokens import STOP, forms


def auroc(labels: Sequence[int], scores: Sequence[float]) -> float:
    bad = [score for score, label in zip(scores, labels, strict=True) if label]
    good = [score for score, label in zip(scores, labels, strict=True) if not label]
    wins = sum((b > g) + (b == g) / 2 for b in bad for g in good)
    return wins / (len(bad) * len(good))


def judged(rows: Sequence[Mapping[str, Any]]) -> tuple[list[int], list[float], list[float]]:
    """Return labels, scores, and the coverage of the answers that were scored; higher is worse."""
    calls = [
        plain_call(answer=r["answer"], documents=r["context"], question=r["question"], number=n)
        for n, r in enumerate(rows)
    ]
    pairs = zip(rows, Faithfulness().evaluate(calls), strict=True)
    kept = [(row, e.score_value) for row, e in pairs if e.score_value is not None]
    coverage = [uncovered(row["answer"], row["context"]) for row, _ in kept]
    return [row["label"] for row, _ in kept], [1 - score for _, score in kept], coverage


def uncovered(answer: str, context: Sequence[str]) -> float:
    held = {form for text in context for form in forms(text)}
    said = [form for form in forms(answer) if form not in STOP]
    return sum(form not in held for form in said) / max(1, len(said))


def demo_rows() -> list[dict[str, Any]]:
    """Return the human-labelled answers that come with the package."""
    folder = files("seakeeping.challenge").joinpath("data")

    def lines(name: str) -> list[dict[str, Any]]:
        text = folder.joinpath(name).read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]

    passages = {row["id"]: row["text"] for row in lines("documents.jsonl")}
    passages |= {row["id"]: row["text"] for row in lines("documents-wikipedia.jsonl")}
    return [
        {
            "answer": row["answer"],
            "context": [passages[name] for name in row["documents"]],
            "question": None,
            "label": int(not row["is_faithful"]),
        }
        for row in lines("answers.jsonl")
    ]


def test_answers_of_the_package_are_told_apart() -> None:
    rows = demo_rows()
    labels, scores, _ = judged(rows)
    assert len(labels) >= 0.95 * len(rows), "natural answers are scored, not skipped"
    assert auroc(labels, scores) >= 0.90


@pytest.mark.needs_shared
@pytest.mark.parametrize(
    ("name", "floor"),
    [
        ("mtrag_dev", 0.905), ("lfqa_dev", 0.89), ("attributionbench_dev", 0.70),
        ("begin_dev", 0.90), ("factcg_synth_dev", 0.88), ("wice_dev", 0.78),
    ],
)  # fmt: skip
def test_development_answers_are_told_apart(shared: Path, name: str, floor: float) -> None:
    with gzip.open(shared / "datasets" / "faithfulness" / f"{name}.jsonl.gz", "rt") as lines:
        labels, scores, coverage = judged([json.loads(line) for line in lines])
    found = auroc(labels, scores)
    assert found >= floor
    assert found >= auroc(labels, coverage) - 0.02, "a learned detector beats plain coverage"
