"""Records as JSON: the one spelling that the API, export, import and the commands share.

Field names are those of the records. Times (the fields named in ``TIMES``) are ISO-8601 in UTC with
a ``Z``, to the microsecond; durations stay seconds; a missing value is null. An infinite number,
which JSON cannot hold, is the string ``"+Inf"`` or ``"-Inf"``, as in Prometheus; a NaN is null.

Reading is strict, because a misspelt key that is silently dropped is a wrong result later: an
unknown key, a wrong type and a value out of range are ``BadInput`` with their place, and an unknown
key names its nearest neighbour. What is left out takes the record's default, else null. The readers
are made once per record class from its type hints, so a new field needs no line here.
"""

import difflib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from types import MappingProxyType, NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin

from seakeeping.errors import BadInput
from seakeeping.records.evaluation import Evaluation
from seakeeping.records.interaction import Interaction, Traffic
from seakeeping.records.telemetry import Span
from seakeeping.records.values import Json, JsonObject

TIMES = frozenset({
    "started_at", "evaluated_at", "at", "received_at", "last_seen_at", "window_start", "start",
    "starts_at", "ends_at", "updated_at", "acknowledged_at", "opened_at", "mitigated_at",
    "resolved_at", "onset", "since", "last_event_at", "made_at", "due_at", "done_at",
})  # fmt: skip
"""Fields that hold a moment: Unix seconds in a record, ISO-8601 in JSON."""

Record = TypeVar("Record")
_Read = Callable[[object, str], Any]

_AT_LEAST: Mapping[str, float] = MappingProxyType({
    "sampling_weight": 1, "duration_s": 0, "time_to_first_token_s": 0, "input_tokens": 0,
    "output_tokens": 0, "cache_read_tokens": 0, "reasoning_tokens": 0, "cost_usd": 0, "count": 0,
})  # fmt: skip

_ONE_OF: Mapping[tuple[str, str], tuple[str, ...]] = MappingProxyType({
    ("Interaction", "traffic"): tuple(t.value for t in Traffic),
    ("Span", "kind"): ("unspecified", "internal", "server", "client", "producer", "consumer"),
    ("Span", "status"): ("unset", "ok", "error"),
    ("MetricPoint", "kind"): (
        "gauge", "counter", "histogram", "summary", "exponential_histogram",
    ),
})  # fmt: skip


# -- writing ------------------------------------------------------------------------------------


def iso(at: float) -> str:
    """Return a moment as ISO-8601 in UTC.

    >>> iso(1764000000.25)
    '2025-11-24T16:00:00.250000Z'
    """
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def to_json(record: object) -> dict[str, Any]:
    """Return a record as a JSON object (``dict`` of plain values that any encoder takes)."""
    if not is_dataclass(record):
        raise TypeError(f"{type(record).__name__} is not a record")
    return {
        f.name: _member(f.name, getattr(record, f.name))
        for f in fields(record)
        if not f.name.startswith("_")
    }


def _member(name: str, value: object) -> Any:
    if name in TIMES and isinstance(value, (int, float)):
        return iso(value)
    return _plain(value)


def _plain(value: object) -> Any:
    match value:
        case None | bool():
            return value
        case Enum():
            return value.value
        case str() | int():
            return value
        case float():
            return value if math.isfinite(value) else _endless(value)
        case Mapping():
            return {str(k): _plain(v) for k, v in value.items()}
        case Sequence() | set() | frozenset():
            return [_plain(v) for v in value]
    return to_json(value)


def _endless(value: float) -> str | None:
    if math.isnan(value):
        return None
    return "+Inf" if value > 0 else "-Inf"


# -- reading ------------------------------------------------------------------------------------


def interaction_from_json(obj: object, place: str = "") -> Interaction:
    """Return the model call that a JSON object describes.

    ``trace_id``, ``span_id``, ``started_at`` and ``service_name`` are required. ``operation`` is
    ``chat`` where left out, and a call with an ``answer_text`` is an answer unless it says not.
    Raises BadInput with the place of what is wrong, e.g. ``in.jsonl:3: input_tokens``.
    """
    given = _object(obj, place)
    implied: dict[str, Any] = {
        "operation": "chat", "is_answer": bool(given.get("answer_text")),
        "documents": [], "finish_reasons": [],
    }  # fmt: skip
    return from_json(Interaction, {**implied, **given}, place)


def span_from_json(obj: object, place: str = "") -> Span:
    """Return the span that a JSON object describes.

    ``trace_id``, ``span_id``, ``name``, ``started_at`` and ``service_name`` are required.
    """
    implied: dict[str, Any] = {"kind": "internal", "status": "unset", "attributes": {}}
    return from_json(Span, {**implied, **_object(obj, place)}, place)


def evaluation_from_json(obj: object, place: str = "") -> Evaluation:
    """Return the evaluation that a JSON object describes."""
    return from_json(Evaluation, {"evidence": [], **_object(obj, place)}, place)


def from_json(kind: type[Record], obj: object, place: str = "") -> Record:
    """Return the record of class ``kind`` that a JSON object describes; strict, see the module."""
    given = _object(obj, place)
    shape = _shape(kind)
    for key in given:
        if key not in shape.readers:
            raise BadInput(f"unknown key {key!r}", place=place, hint=near(key, shape.readers))
    for name in shape.readers:
        if name in shape.required and name not in given:
            raise BadInput(f"{name} is missing", place=place)
    values = {name: shape.readers[name](given[name], _at(place, name)) for name in given}
    return kind(**{**dict.fromkeys(shape.null), **values})


def near(word: str, known: Iterable[str]) -> str:
    """Return ``did you mean ...?`` for the known word closest to ``word``, else the known words."""
    words = sorted(known)
    found = difflib.get_close_matches(word, words, n=1)
    return f"did you mean {found[0]!r}?" if found else f"known: {', '.join(words)}"


def _at(place: str, name: str) -> str:
    return f"{place}: {name}" if place else name


def _object(obj: object, place: str) -> Mapping[str, Any]:
    if not isinstance(obj, Mapping):
        raise _wrong("a JSON object", obj, place)
    return obj


def _wrong(wanted: str, got: object, place: str) -> BadInput:
    shown = repr(got)
    shown = shown if len(shown) <= 60 else shown[:57] + "..."
    return BadInput(f"must be {wanted}, not {shown}", place=place)


@dataclass(frozen=True, slots=True)
class _Shape:
    """How a record class is read: a reader a field, and what a field left out means."""

    readers: Mapping[str, _Read]
    required: frozenset[str]
    null: frozenset[str]


_SHAPES: dict[type[Any], _Shape] = {}


def _shape(kind: type[Any]) -> _Shape:
    if kind not in _SHAPES:
        _SHAPES[kind] = _shape_of(kind)
    return _SHAPES[kind]


def _shape_of(kind: type[Any]) -> _Shape:
    # the annotations as they stand: resolving them would unroll the endless type ``Json``
    hints = {f.name: f.type for f in fields(kind)}
    bare = {
        f.name for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING
    }  # fmt: skip
    null = {name for name in bare if _is_optional(hints[name])}
    readers = {name: _field_reader(kind.__name__, name, hint) for name, hint in hints.items()}
    return _Shape(readers=readers, required=frozenset(bare - null), null=frozenset(null))


def _is_optional(hint: object) -> bool:
    return isinstance(hint, UnionType) and NoneType in get_args(hint)


def _enum(kind: type[Enum]) -> _Read:
    read = _one_of([str(member.value) for member in kind])
    return lambda value, place: kind(read(value, place))


def _field_reader(kind: str, name: str, hint: Any) -> _Read:
    if _is_optional(hint) and hint is not Json:
        rest = [a for a in get_args(hint) if a is not NoneType]
        inner = _field_reader(kind, name, rest[0])
        return lambda value, place: None if value is None else inner(value, place)
    if name in TIMES:
        return _moment
    if (kind, name) in _ONE_OF:
        return _one_of(_ONE_OF[kind, name])
    read = _reader(hint)
    return _at_least(read, _AT_LEAST[name]) if name in _AT_LEAST else read


def _reader(hint: Any) -> _Read:
    if hint in _SCALARS:
        return _SCALARS[hint]
    if hint == JsonObject:
        return _object
    if hint == Json:
        return lambda value, place: value
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _enum(hint)
    origin, args = get_origin(hint), get_args(hint)
    if origin is tuple:
        return _many(_reader(args[0])) if args[-1] is Ellipsis else _each([*map(_reader, args)])
    if origin is Mapping:
        return _mapping(_reader(args[1]))
    return lambda value, place: from_json(hint, value, place)


def _text(value: object, place: str) -> str:
    if not isinstance(value, str):
        raise _wrong("a string", value, place)
    return value


def _flag(value: object, place: str) -> bool:
    if not isinstance(value, bool):
        raise _wrong("true or false", value, place)
    return value


def _real(value: object, place: str) -> float:
    if value == "+Inf" or value == "-Inf":
        return math.inf if value == "+Inf" else -math.inf
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _wrong("a number", value, place)
    return float(value)


def _whole(value: object, place: str) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    raise _wrong("a whole number", value, place)


_SCALARS: dict[Any, _Read] = {str: _text, bool: _flag, float: _real, int: _whole}


def moment(value: str, place: str = "") -> float:
    """Return the Unix seconds of an ISO-8601 time with a zone; raises BadInput."""
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        raise _wrong("an ISO-8601 time such as 2026-11-23T15:04:05Z", value, place) from None
    if at.tzinfo is None:
        raise BadInput(f"{value!r} has no time zone", place=place, hint="end it with Z for UTC")
    return at.timestamp()


def _moment(value: object, place: str) -> float:
    return moment(_text(value, place), place)


def _one_of(words: Sequence[str]) -> _Read:
    def read(value: object, place: str) -> str:
        if value not in words:
            raise BadInput(f"unknown value {value!r}", place=place, hint=near(str(value), words))
        return str(value)

    return read


def _at_least(read: _Read, low: float) -> _Read:
    def checked(value: object, place: str) -> Any:
        number = read(value, place)
        if number < low:
            raise _wrong(f"at least {low:g}", value, place)
        return number

    return checked


def _many(read: _Read) -> _Read:
    def each(value: object, place: str) -> tuple[Any, ...]:
        if not isinstance(value, Sequence) or isinstance(value, str):
            raise _wrong("a list", value, place)
        return tuple(read(item, f"{place}[{i}]") for i, item in enumerate(value))

    return each


def _each(readers: Sequence[_Read]) -> _Read:
    def each(value: object, place: str) -> tuple[Any, ...]:
        if not isinstance(value, Sequence) or isinstance(value, str) or len(value) != len(readers):
            raise _wrong(f"a list of {len(readers)}", value, place)
        pairs = zip(readers, value, strict=True)
        return tuple(read(item, f"{place}[{i}]") for i, (read, item) in enumerate(pairs))

    return each


def _mapping(read: _Read) -> _Read:
    return lambda value, place: {
        k: read(v, f"{place}.{k}") for k, v in _object(value, place).items()
    }
