"""The model of the lexical detector: sentence logits, and the score of an answer from them.

A logistic regression with signs fixed by sense, corrected by small trees that are monotone in the
same features (LightGBM, fitted by ``bench/train_faithfulness``). A sentence can therefore never
look worse because more of it stands in the evidence. NumPy walks all trees for a whole batch at
once; the package does not need LightGBM.
"""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np
import numpy.typing as npt

from seakeeping.evaluate.faithfulness.features import FEATURES

FORMAT = 1
"""Format of the model file that this code reads."""

REVISION = 3
"""Grows whenever the code makes other results of the same model file (a golden test tells)."""

THRESHOLD = 0.5
"""Probability of being unsupported from which a sentence or an answer is called so."""

WORST_SHARE = 0.3
"""Share of an answer's sentences that count as its worst."""

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Trees:
    """All trees in flat arrays: node ``i`` goes to ``left[i]`` where its feature <= threshold.

    A leaf points to itself, so that every row may take ``depth`` steps in every tree.
    """

    roots: Integers
    feature: Integers
    threshold: Floats
    left: Integers
    right: Integers
    value: Floats
    depth: int

    def sums(self, rows: Floats) -> Floats:
        """Return the sum of all trees for each row."""
        node = np.broadcast_to(self.roots, (len(rows), len(self.roots)))
        at = np.arange(len(rows))[:, None]
        for _ in range(self.depth):
            goes_left = rows[at, self.feature[node]] <= self.threshold[node]
            node = np.where(goes_left, self.left[node], self.right[node])
        total: Floats = self.value[node].sum(axis=1)
        return total


@dataclass(frozen=True, slots=True)
class Model:
    """A fitted model; logits are of being unsupported, 0 where the decision turns."""

    version: str
    idf: Mapping[str, float]
    weights: Floats
    intercept: float
    trees: Trees
    mean_weight: float
    worst_weight: float
    shift: float

    def logits(self, rows: Sequence[Sequence[float]]) -> list[float]:
        """Return a logit for each row of features."""
        if not rows:
            return []
        matrix = np.array(rows, dtype=np.float64)
        # Row by row, not by matrix product: that adds in an order that depends on the batch's size.
        linear = (matrix * self.weights).sum(axis=1)
        found: list[float] = (
            linear + self.intercept - self.shift + self.trees.sums(matrix)
        ).tolist()
        return found

    def answer_logit(self, logits: Sequence[float], sizes: Sequence[int]) -> float:
        """Return the logit of an answer: the mean of its sentences, and of its worst ones.

        Args:
            logits: one a sentence, at least one.
            sizes: words of each sentence, at least one each; they weigh the mean.
        """
        mean = sum(logit * size for logit, size in zip(logits, sizes, strict=True)) / sum(sizes)
        worst = sorted(logits)[-math.ceil(WORST_SHARE * len(logits)) :]
        return self.mean_weight * mean + self.worst_weight * sum(worst) / len(worst)


def probability(logit: float) -> float:
    """Return the logistic function of a logit."""
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, logit))))


def load_model() -> Model:
    """Return the model that comes with the package."""
    return parse(files(__package__).joinpath("lexical.json").read_bytes())


def parse(body: bytes) -> Model:
    """Return the model of a model file.

    Raises:
        ValueError: the file is of another format, or for other features.
    """
    document = json.loads(body)
    if document["format"] != FORMAT or document["features"] != [name for name, _ in FEATURES]:
        raise ValueError("the model file does not fit this code: fit it again")
    answer = document["answer"]
    return Model(
        version=f"lexical-{REVISION}.{hashlib.sha256(body).hexdigest()[:8]}",
        idf=_idf(document["idf"]),
        weights=np.array(document["linear"]["weights"]),
        intercept=document["linear"]["intercept"],
        trees=_trees(document["trees"]),
        mean_weight=answer["mean"],
        worst_weight=answer["worst"],
        shift=answer["shift"],
    )


def _idf(by_weight: Mapping[str, str]) -> dict[str, float]:
    return {form: float(value) for value, held in by_weight.items() for form in held.split(" ")}


def _trees(trees: Sequence[Mapping[str, Any]]) -> Trees:
    """Lay all trees into one array each, with node numbers counted through."""
    firsts = np.cumsum([0, *(len(tree["feature"]) for tree in trees)])
    shifts = np.repeat(firsts[:-1], np.diff(firsts))

    def laid(name: str) -> npt.NDArray[Any]:
        return np.concatenate([np.asarray(tree[name]) for tree in trees])

    return Trees(
        roots=firsts[:-1],
        feature=laid("feature"),
        threshold=laid("threshold").astype(np.float64),
        left=laid("left") + shifts,
        right=laid("right") + shifts,
        value=laid("value").astype(np.float64),
        depth=max(_depth(tree, 0) for tree in trees),
    )


def _depth(tree: Mapping[str, Any], node: int) -> int:
    left, right = tree["left"][node], tree["right"][node]
    if left == node:
        return 0
    return 1 + max(_depth(tree, left), _depth(tree, right))
