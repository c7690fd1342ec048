"""The answers that show best what is wrong, as rows that lead to their pages.

They come as JSON objects of whoever chose them (an alert, a diagnosis, the store), so what is
missing is left out and what is there is clipped.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from seakeeping.errors import BadInput
from seakeeping.records import Json, JsonObject
from seakeeping.records.codec import moment
from seakeeping.web import spell


@dataclass(frozen=True, slots=True)
class ExampleRow:
    """One answer: when, how bad, why, and under which conditions."""

    href: str
    at: float | None
    label: str
    score: float | None
    text: str
    tags: tuple[str, ...]


_TAGS = ("model", "release", "prompt_version", "service_version", "route", "tenant", "region")


def example_rows(examples: Iterable[JsonObject]) -> list[ExampleRow]:
    """Return the examples that name a call."""
    return [_row(e) for e in examples if e.get("trace_id") and e.get("span_id")]


def _row(example: JsonObject) -> ExampleRow:
    score = example.get("score")
    return ExampleRow(
        href=f"/interactions/{example['trace_id']}/{example['span_id']}",
        at=_at(example.get("started_at")),
        label=str(example.get("label") or example.get("error_type") or ""),
        score=float(score) if isinstance(score, (int, float)) else None,
        text=spell.clip(str(example.get("text") or example.get("explanation") or ""), 220),
        tags=tuple(f"{name} {example[name]}" for name in _TAGS if example.get(name)),
    )


def _at(value: Json | Mapping[str, Json]) -> float | None:
    if isinstance(value, (int, float)):
        return float(value)
    try:
        return moment(value) if isinstance(value, str) else None
    except BadInput:
        return None


_TOLD = re.compile(r"(/interactions/[^/\s?#]+/[^/\s?#]+) at (\S+?)(?: \((.*)\))?")


def told_examples(text: str) -> list[ExampleRow]:
    """Return the examples of an alert's annotation: lines that say where, when and what.

    >>> [(e.href, e.text) for e in told_examples("/interactions/t/s at 2026-11-23T15:00:00Z (429)")]
    [('/interactions/t/s', '429')]
    """
    found = (_TOLD.fullmatch(line.strip()) for line in text.split("; "))
    return [
        ExampleRow(m[1], _at(m[2]), label="", score=None, text=m[3] or "", tags=())
        for m in found
        if m is not None
    ]
