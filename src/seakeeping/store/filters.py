"""What a list of the store can be asked for, and one page of the answer."""

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Generic, TypeVar

from seakeeping.errors import BadInput
from seakeeping.store.native import micros

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """Some items, newest first, and the cursor of the rest; None at the end."""

    items: Sequence[Item]
    next: str | None


@dataclass(frozen=True, slots=True)
class InteractionFilter:
    """Which interactions; None asks for any.

    ``start`` (inclusive) and ``end`` (exclusive) are Unix seconds of ``started_at``. ``label`` asks
    for those that an evaluation gave this label, of the evaluation ``evaluation`` if named.
    """

    start: float | None = None
    end: float | None = None
    service_name: str | None = None
    environment: str | None = None
    provider: str | None = None
    request_model: str | None = None
    operation: str | None = None
    release: str | None = None
    prompt_version: str | None = None
    route: str | None = None
    tenant: str | None = None
    traffic: str | None = None
    conversation_id: str | None = None
    user_id: str | None = None
    trace_id: str | None = None
    error_type: str | None = None
    is_answer: bool | None = None
    has_error: bool | None = None
    label: str | None = None
    evaluation: str | None = None


@dataclass(frozen=True, slots=True)
class EvaluationFilter:
    """Which evaluations; None asks for any.

    ``start`` and ``end`` bound the start of the interaction that was judged, in Unix seconds.
    """

    start: float | None = None
    end: float | None = None
    service_name: str | None = None
    name: str | None = None
    evaluator: str | None = None
    score_label: str | None = None
    trace_id: str | None = None
    is_scored: bool | None = None
    skipped_reason: str | None = None


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """The place of an item in a list: its time in microseconds, then its identity."""

    at: int
    key: tuple[str, ...]

    def spell(self) -> str:
        """Return the mark as an opaque cursor."""
        text = "\n".join((str(self.at), *self.key))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(cursor: str, parts: int) -> Mark:
    """Return the mark in a cursor whose key has ``parts`` parts. Raises BadInput."""
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        at, *key = text.split("\n")
        if len(key) != parts:
            raise ValueError
        return Mark(int(at), tuple(key))
    except (ValueError, binascii.Error, UnicodeError):
        raise BadInput("not a cursor of this list", place="cursor") from None


@dataclass(frozen=True, slots=True)
class Clause:
    """Conditions joined by AND, and the parameters they name."""

    conditions: tuple[str, ...]
    params: Mapping[str, object]

    @property
    def sql(self) -> str:
        """The conditions as one expression."""
        return " AND ".join(self.conditions) if self.conditions else "1"


def clause_of(where: InteractionFilter | EvaluationFilter) -> Clause:
    """Return the conditions of a filter on the columns of its own table."""
    found = list(_conditions(where))
    return Clause(
        tuple(condition for condition, _, _ in found), {name: value for _, name, value in found}
    )


_OF_EVALUATIONS = ("label", "evaluation")
_TIMES = {"start": ">=", "end": "<"}
_CLAIMS = {"has_error": "(error_type != '')", "is_scored": "(skipped_reason = '')"}


def _conditions(where: InteractionFilter | EvaluationFilter) -> Iterator[tuple[str, str, object]]:
    for field in fields(where):
        name, value = field.name, getattr(where, field.name)
        if value is None:
            continue
        if name in _OF_EVALUATIONS:
            yield "1", name, value  # lists ask for these by a condition of their own
        elif name in _TIMES:
            at = f"fromUnixTimestamp64Micro({{{name}:Int64}}, 'UTC')"
            yield f"started_at {_TIMES[name]} {at}", name, micros(value)
        elif isinstance(value, bool):
            yield f"{_CLAIMS.get(name, name)} = {{{name}:UInt8}}", name, int(value)
        else:
            yield f"{name} = {{{name}:String}}", name, value
