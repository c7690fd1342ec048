"""Readings as bytes: how they get from the controller, through the ledger, to who shows them.

JSON of the records as they are, compressed: times stay Unix seconds. Only the same version of
Seakeeping reads it, so an unknown shape is no reading rather than a wrong one. Objectives rarely
change, so their JSON is made once, and goes as one text that need not be read again.
"""

import functools
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import orjson
import zstandard

from seakeeping.errors import BadInput
from seakeeping.records import (
    Budget,
    BudgetState,
    Counts,
    EstimateMethod,
    Evidence,
    Objective,
    Reading,
)

FORMAT = 1
"""Of the bytes; another one is refused."""

_LEVEL = 1  # a tick a second: quick before small
_MOST_BYTES = 256 * 1024 * 1024
_MOST_KNOWN = 20_000  # objectives that a decoder remembers
_BUDGET = tuple(one.name for one in fields(Budget) if one.name != "objective")

Record = TypeVar("Record")


@dataclass(frozen=True, slots=True)
class Readings:
    """All readings of one moment (Unix seconds)."""

    at: float
    readings: Sequence[Reading]


class Encoder:
    """Makes the bytes, and remembers the JSON of the objectives of the last time."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Objective, str]] = {}

    def encode(self, readings: Sequence[Reading], at: float) -> bytes:
        """Return readings of the moment ``at`` as bytes."""
        objectives = {id(one.budget.objective): one.budget.objective for one in readings}
        self._known = {key: self._spelt(key, one) for key, one in objectives.items()}
        document = {
            "format": FORMAT,
            "at": at,
            "readings": [self._reading(reading) for reading in readings],
        }
        body = orjson.dumps(document)
        return zstandard.ZstdCompressor(_LEVEL).compress(body)

    def _spelt(self, key: int, objective: Objective) -> tuple[Objective, str]:
        known = self._known.get(key)
        if known is not None and known[0] is objective:
            return known
        return objective, orjson.dumps(objective).decode()

    def _reading(self, reading: Reading) -> dict[str, Any]:
        budget = reading.budget
        return {
            "objective": self._known[id(budget.objective)][1],
            "budget": [getattr(budget, name) for name in _BUDGET],
            "looks": [
                (
                    seconds, one.valid, one.bad, one.valid_rows, one.bad_rows, one.score_sum,
                    one.score_squares,
                )
                for seconds, one in reading.looks.items()
            ],
            "evidence": reading.evidence,
            "valid_seen": reading.valid_seen,
            "bad_seen": reading.bad_seen,
            "bad_trace_id": reading.bad_trace_id,
        }  # fmt: skip


def encode(readings: Sequence[Reading], at: float) -> bytes:
    """Return readings of the moment ``at`` as bytes."""
    return Encoder().encode(readings, at)


class Decoder:
    """Reads the bytes; an objective that has not changed stays the same object."""

    def __init__(self) -> None:
        self._known: dict[str, Objective] = {}

    def decode(self, body: bytes) -> Readings:
        """Return the readings of ``encode``. Raises BadInput for anything else."""
        try:
            raw = zstandard.ZstdDecompressor().decompress(body, max_output_size=_MOST_BYTES)
            document = orjson.loads(raw)
            if document["format"] != FORMAT:
                raise ValueError(f"format {document['format']}, not {FORMAT}")
            found = [self._reading(one) for one in document["readings"]]
            return Readings(float(document["at"]), found)
        except (zstandard.ZstdError, KeyError, TypeError, ValueError) as error:
            raise BadInput(f"no readings: {error}", hint=_HINT) from None

    def _reading(self, one: Mapping[str, Any]) -> Reading:
        evidence, values = one["evidence"], dict(zip(_BUDGET, one["budget"], strict=True))
        values |= {
            "state": BudgetState(values["state"]),
            "method": EstimateMethod(values["method"]),
        }
        return Reading(
            budget=Budget(objective=self._objective(one["objective"]), **values),
            looks={look[0]: Counts(*look[1:]) for look in one["looks"]},
            evidence=None if evidence is None else Evidence(**evidence),
            valid_seen=one["valid_seen"],
            bad_seen=one["bad_seen"],
            bad_trace_id=one["bad_trace_id"],
        )

    def _objective(self, spelt: str) -> Objective:
        known = self._known.get(spelt)
        if known is None:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            known = self._known[spelt] = made(Objective, orjson.loads(spelt))
        return known


def decode(body: bytes) -> Readings:
    """Return the readings of ``encode``. Raises BadInput for anything else."""
    return Decoder().decode(body)


_HINT = "another version made them; the next tick makes new ones"


# -- records from the plain values of JSON, by their type hints ---------------------------------


def made(kind: type[Record], document: Mapping[str, Any]) -> Record:
    """Return a record of plain values; raises KeyError, TypeError or ValueError."""
    makers = _fields(cast(Hashable, kind))
    return kind(**{name: makers[name](value) for name, value in document.items()})


@functools.cache
def _fields(kind: Any) -> Mapping[str, Callable[[Any], Any]]:
    hints = get_type_hints(kind)
    return {one.name: _maker(hints[one.name]) for one in fields(kind)}


@functools.cache
def _maker(hint: Any) -> Callable[[Any], Any]:
    """Return how a value of that type is made from plain ones."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (UnionType, Union):
        one = _maker(next(part for part in inner if part is not NoneType))
        return lambda value: None if value is None else one(value)
    if origin is tuple:
        item = _maker(inner[0])
        return lambda value: tuple(item(part) for part in value)
    if origin in (Mapping, dict):
        name, item = _maker(inner[0]), _maker(inner[1])
        return lambda value: {name(key): item(part) for key, part in value.items()}
    if is_dataclass(hint):
        record = cast(type, hint)
        return lambda value: made(record, value)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint
    return lambda value: value
