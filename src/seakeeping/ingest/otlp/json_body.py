"""OTLP/JSON to and from protobuf messages, following the messages' own descriptors.

OTLP/JSON is the JSON mapping of protobuf with three differences: trace and span ids are hexadecimal
(in any case), enums are integers only, and field names are lowerCamelCase only. Unknown fields are
ignored, 64-bit integers may be strings, ``null`` means absent. The library's own ``json_format``
knows none of the differences and takes many times as long as orjson and the table walk below.
"""

import binascii
import math
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple, TypeVar

import orjson
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from seakeeping.errors import BadPayload
from seakeeping.ingest.otlp.values import MAX_DEPTH

Request = TypeVar("Request", bound=Message)
Read = Callable[[Any, int], Any]

_IDS = frozenset({"trace_id", "span_id", "parent_span_id"})
_NO_ID = b"?"
_INTEGER = re.compile(r"-?[0-9]{1,20}")
_WORDS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_KEY_VALUE = "opentelemetry.proto.common.v1.KeyValue"
_ANY_VALUE = "opentelemetry.proto.common.v1.AnyValue"


class _Misfit(Exception):
    """A value that does not fit its field; ``path`` grows from the inside out."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.path: list[str] = []


class _Field(NamedTuple):
    """How a field is called in the message, and what its JSON value becomes there."""

    name: str
    read: Read


def from_json(kind: type[Request], body: bytes) -> Request:
    """Return an OTLP/JSON body as a message; BadPayload says where it does not fit."""
    try:
        return kind(**_message(kind.DESCRIPTOR)(orjson.loads(body), 0))
    except orjson.JSONDecodeError as error:
        raise BadPayload(f"the body is not JSON: {error}") from error
    except _Misfit as misfit:
        place = "".join(reversed(misfit.path)).lstrip(".")
        raise BadPayload(str(misfit), place=place) from misfit


def to_json(message: Message) -> dict[str, Any]:
    """Return a message in OTLP/JSON form, ready to be dumped."""
    return {
        field.json_name: (
            [_write(field, item) for item in value] if field.is_repeated else _write(field, value)
        )
        for field, value in message.ListFields()
    }


@cache
def _message(descriptor: Descriptor) -> Read:
    """Return the reader of a kind of message: JSON object to constructor arguments."""
    fields: Mapping[str, _Field] | None = None
    deeper = int(descriptor.full_name == _ANY_VALUE)

    def read(value: Any, depth: int) -> dict[str, Any]:
        nonlocal fields
        if fields is None:  # not before the first use: AnyValue contains itself
            fields = {field.json_name: _field(field) for field in descriptor.fields}
        if not isinstance(value, dict):
            raise _Misfit("expected an object")
        depth += deeper
        return _arguments(fields, value, depth) if depth <= MAX_DEPTH + 1 else {}

    return read


def _arguments(fields: Mapping[str, _Field], value: dict[str, Any], depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, item in value.items():
        field = fields.get(key)
        if field is None or item is None:
            continue
        try:
            found[field.name] = field.read(item, depth)
        except _Misfit as misfit:
            misfit.path.append(f".{key}")
            raise
    return found


def _field(field: FieldDescriptor) -> _Field:
    read = _one(field)
    return _Field(field.name, _many(read) if field.is_repeated else read)


def _one(field: FieldDescriptor) -> Read:
    """Return the reader of one value of a field."""
    if field.message_type is not None:
        read = _message(field.message_type)
        return _pair(read) if field.message_type.full_name == _KEY_VALUE else read
    if field.name in _IDS:
        return _read_id
    return _SCALARS.get(field.type) or _integers(*_RANGES[field.type])


def _pair(read: Read) -> Read:
    """Return the reader of an attribute, given the general one: nearly all are short cuts."""

    def read_pair(value: Any, depth: int) -> Any:
        if type(value) is dict and len(value) == 2 and depth < MAX_DEPTH:
            key, inner = value.get("key"), value.get("value")
            if type(key) is str and type(inner) is dict and len(inner) == 1:
                text = inner.get("stringValue")
                if type(text) is str:
                    return {"key": key, "value": {"string_value": text}}
        return read(value, depth)

    return read_pair


def _many(read: Read) -> Read:
    """Return the reader of a list, given that of its items."""

    def read_all(value: Any, depth: int) -> list[Any]:
        if not isinstance(value, list):
            raise _Misfit("expected a list")
        found: list[Any] = []
        for item in value:
            try:
                found.append(read(item, depth))
            except _Misfit as misfit:
                misfit.path.append(f"[{len(found)}]")
                raise
        return found

    return read_all


def _integers(low: int, high: int) -> Read:
    """Return the reader of integers from ``low`` to ``high``, given as number or string."""

    def read(value: Any, depth: int) -> int:
        if isinstance(value, str) and _INTEGER.fullmatch(value):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value // 1:
            raise _Misfit("expected an integer")
        if not low <= value <= high:
            raise _Misfit("the integer is out of range")
        return int(value)

    return read


def _read_text(value: Any, depth: int) -> str:
    if isinstance(value, str):
        return value
    raise _Misfit("expected a string")


def _read_flag(value: Any, depth: int) -> bool:
    if isinstance(value, bool):
        return value
    raise _Misfit("expected true or false")


def _read_double(value: Any, depth: int) -> float:
    if isinstance(value, str):
        try:
            return _WORDS[value] if value in _WORDS else float(value)
        except ValueError:
            raise _Misfit("expected a number") from None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _Misfit("expected a number")
    return float(value)


def _read_bytes(value: Any, depth: int) -> bytes:
    text = _read_text(value, depth).translate({ord("-"): "+", ord("_"): "/"})
    try:
        return b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise _Misfit("expected base64") from None


def _read_id(value: Any, depth: int) -> bytes:
    """Return an id; one that is no hexadecimal becomes one of wrong length: its item is refused."""
    try:
        return binascii.unhexlify(_read_text(value, depth))
    except (binascii.Error, ValueError):
        return _NO_ID


def _write(field: FieldDescriptor, value: Any) -> Any:
    """Return one value of a field in OTLP/JSON form."""
    if isinstance(value, Message):
        return to_json(value)
    if isinstance(value, bytes):
        return value.hex() if field.name in _IDS else b64encode(value).decode("ascii")
    if field.type in _LONG:
        return str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


_SCALARS: Mapping[int, Read] = {
    FieldDescriptor.TYPE_STRING: _read_text,
    FieldDescriptor.TYPE_BOOL: _read_flag,
    FieldDescriptor.TYPE_DOUBLE: _read_double,
    FieldDescriptor.TYPE_BYTES: _read_bytes,
}

_LONG = frozenset(
    {
        FieldDescriptor.TYPE_INT64,
        FieldDescriptor.TYPE_UINT64,
        FieldDescriptor.TYPE_SFIXED64,
        FieldDescriptor.TYPE_FIXED64,
    }
)

_RANGES: Mapping[int, tuple[int, int]] = {
    FieldDescriptor.TYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_SINT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_ENUM: (-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.TYPE_FIXED32: (0, 2**32 - 1),
    FieldDescriptor.TYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_SFIXED64: (-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_UINT64: (0, 2**64 - 1),
    FieldDescriptor.TYPE_FIXED64: (0, 2**64 - 1),
}
