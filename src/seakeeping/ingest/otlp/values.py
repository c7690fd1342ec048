"""OTLP attribute values (``AnyValue``) as plain JSON values, with bounds on depth and number.

Two thirds of the CPU time of decoding are spent here, in touching protobuf messages from Python;
hence the short cut for texts and integers, which nearly all attributes are. Two bounds keep a
hostile body harmless: values nested deeper than :data:`MAX_DEPTH` become :data:`TOO_DEEP`, and of
more than :data:`MAX_ATTRIBUTES` attributes of one item the first are kept. Both are counted, not
refused: the rest of the item is still true. Bytes become base64 text, as in OTLP/JSON.
"""

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from sys import intern
from typing import Any, TypeVar

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from seakeeping.metrics import ERRORS
from seakeeping.records import Json

MAX_DEPTH = 24
"""How deep lists and maps may nest in an attribute.

A level of maps is three messages on the wire and protobuf reads 100 in each other, so whatever is
kept can also be encoded and read again.
"""

MAX_ATTRIBUTES = 8192
"""How many attributes an item may have, and how many events a span."""

TOO_DEEP = "[nested too deep]"
"""What stands for a value nested deeper than :data:`MAX_DEPTH`."""

T = TypeVar("T")


def capped(items: Sequence[T]) -> Sequence[T]:
    """Return the first :data:`MAX_ATTRIBUTES` of ``items``; what is left out is counted."""
    if len(items) <= MAX_ATTRIBUTES:
        return items
    ERRORS.labels("otlp.decode", "too_many_attributes").inc()
    return items[:MAX_ATTRIBUTES]


def too_deep() -> str:
    """Return the marker for a value nested too deep, and count it."""
    ERRORS.labels("otlp.decode", "nested_too_deep").inc()
    return TOO_DEEP


def attributes(pairs: Sequence[KeyValue]) -> dict[str, Json]:
    """Return attributes as a mapping; of a repeated key the last value counts.

    Keys are interned: a trace in memory holds each name once, not once a span.
    """
    return {
        intern(pair.key): (value := pair.value).string_value or value.int_value or any_value(value)
        for pair in capped(pairs)
    }


def any_value(value: AnyValue, depth: int = 1) -> Json:
    """Return one value as JSON; None when it holds nothing or a kind that is not known."""
    kind = value.WhichOneof("value")
    return _READERS[kind](value, depth) if kind in _READERS else None


def _array(value: AnyValue, depth: int) -> Json:
    if depth > MAX_DEPTH:
        return too_deep()
    return [any_value(item, depth + 1) for item in value.array_value.values]


def _map(value: AnyValue, depth: int) -> Json:
    if depth > MAX_DEPTH:
        return too_deep()
    return {pair.key: any_value(pair.value, depth + 1) for pair in value.kvlist_value.values}


_READERS: Mapping[Any, Callable[[AnyValue, int], Json]] = {
    "string_value": lambda value, depth: value.string_value,
    "int_value": lambda value, depth: value.int_value,
    "double_value": lambda value, depth: value.double_value,
    "bool_value": lambda value, depth: value.bool_value,
    "array_value": _array,
    "kvlist_value": _map,
    "bytes_value": lambda value, depth: b64encode(value.bytes_value).decode("ascii"),
}
