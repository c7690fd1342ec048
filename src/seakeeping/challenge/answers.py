"""Answers that people judged, shipped with the package.

The demo has to show real successes and real hallucinations, so its texts are not written for it:
they come from public sets of human judgements whose licence and whose passages' own source allow
redistribution (``data/README.md`` names both).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, slots=True)
class Passage:
    """A text that an answer was given."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Turn:
    """A message of a conversation; ``role`` is user | assistant."""

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class LabelledAnswer:
    """An answer and the human judgement of it.

    ``turns`` end with the question; ``passages`` are what was retrieved for it.
    """

    id: str
    service: str
    turns: tuple[Turn, ...]
    passages: tuple[Passage, ...]
    text: str
    is_faithful: bool


def load_answers() -> tuple[LabelledAnswer, ...]:
    """Return the shipped answers, ordered by identifier.

    >>> len(load_answers())
    117
    """
    conversations = {row["id"]: _turns(row) for row in _rows("conversations.jsonl")}
    texts = [*_rows("documents.jsonl"), *_rows("documents-wikipedia.jsonl")]
    passages = {row["id"]: Passage(row["id"], row["text"]) for row in texts}
    return tuple(
        LabelledAnswer(
            id=row["id"],
            service=row["service"],
            turns=conversations[row["conversation"]][: row["turns"]],
            passages=tuple(passages[key] for key in row["documents"]),
            text=row["answer"],
            is_faithful=row["is_faithful"],
        )
        for row in _rows("answers.jsonl")
    )


def _rows(name: str) -> list[dict[str, Any]]:
    text = files("seakeeping.challenge").joinpath("data", name).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.split("\n") if line]


def _turns(row: Mapping[str, Any]) -> tuple[Turn, ...]:
    return tuple(Turn(turn["role"], turn["text"]) for turn in row["turns"])
