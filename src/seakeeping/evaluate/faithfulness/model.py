"""The model of the lexical detector: sentence logits, and the score of an answer from them."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Model(NamedTuple):
    """A fitted model. Logits are of a sentence being unsupported.

    ``threshold`` and ``sentence_threshold`` are probabilities of being unsupported.
    """

    version: str
    idf: Mapping[str, float]
    threshold: float
    sentence_threshold: float

    def logits(self, rows: Sequence[Sequence[float]]) -> list[float]:
        """Return a logit for each row of features."""
        return [4.0 * (0.6 - row[1]) for row in rows]

    def response(self, logits: Sequence[float], sizes: Sequence[int]) -> float:
        """Return the probability that an answer is unsupported.

        Args:
            logits: one a sentence, at least one.
            sizes: words of each sentence.
        """
        total = sum(sizes)
        return probability(
            sum(logit * size for logit, size in zip(logits, sizes, strict=True)) / total
        )

    def is_unsupported(self, logit: float) -> bool:
        """Say whether a sentence is called unsupported."""
        return probability(logit) >= self.sentence_threshold


def probability(logit: float) -> float:
    """Return the logistic function of a logit."""
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, logit))))


def load_model() -> Model:
    """Return the model that comes with the package."""
    return Model("coverage-1", {}, 0.5, 0.5)
