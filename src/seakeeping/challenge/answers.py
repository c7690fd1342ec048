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

    ``turns`` end with the question; they are empty where the task is to summarise the one passage.
    ``unsupported`` are ``(start, end)`` code points of the answer, known for some.
    """

    id: str
    service: str
    turns: tuple[Turn, ...]
    passages: tuple[Passage, ...]
    text: str
    is_faithful: bool
    unsupported: tuple[tuple[int, int], ...]


def load_answers() -> tuple[LabelledAnswer, ...]:
    """Return the shipped answers, ordered by identifier.

    >>> len(load_answers())
    236
    """
    passages = {row["id"]: Passage(row["id"], row["text"]) for row in _rows("documents.jsonl")}
    return tuple(_answer(row, passages) for row in _rows("answers.jsonl"))


def _rows(name: str) -> list[dict[str, Any]]:
    text = files("seakeeping.challenge").joinpath("data", name).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.split("\n") if line]


def _answer(row: Mapping[str, Any], passages: Mapping[str, Passage]) -> LabelledAnswer:
    return LabelledAnswer(
        id=row["id"],
        service=row["service"],
        turns=tuple(Turn(turn["role"], turn["text"]) for turn in row["turns"]),
        passages=tuple(passages[key] for key in row["documents"]),
        text=row["answer"],
        is_faithful=row["is_faithful"],
        unsupported=tuple((start, end) for start, end in row["unsupported"]),
    )
