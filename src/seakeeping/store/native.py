"""Columns as bytes: the ClickHouse ``Native`` format, written without numpy or pandas.

A block is a row count and the columns one after the other: name, type, then all values. Writing the
few types that the tables need takes a join a column, a fraction of what row formats cost on either
side, and the server only has to copy. Types that a table refines (LowCardinality) are sent plain
and converted by the server.
"""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import nan

_SHORT = tuple(bytes([n]) if n < 128 else bytes([n & 127 | 128, n >> 7]) for n in range(16384))


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a block: its name, its ClickHouse type, its values as bytes."""

    name: str
    type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Block:
    """Rows as they are sent: the names of their columns and the Native bytes."""

    rows: int
    columns: tuple[str, ...]
    data: bytes


def block(rows: int, columns: Sequence[Column]) -> Block:
    """Return a Native block of the columns, which must all hold ``rows`` values."""
    parts = [_varint(len(columns)), _varint(rows)]
    for column in columns:
        parts += (_text(column.name), _text(column.type), column.data)
    return Block(rows, tuple(column.name for column in columns), b"".join(parts))


def strings(name: str, values: Iterable[str | None]) -> Column:
    """Return a String column; None becomes the empty string."""
    parts: list[bytes] = []
    append = parts.append
    for value in values:
        if value:
            data = value.encode("utf-8", "replace")
            size = len(data)
            append(_SHORT[size] if size < 16384 else _varint(size))
            append(data)
        else:
            append(b"\0")
    return Column(name, "String", b"".join(parts))


def blobs(name: str, values: Iterable[bytes]) -> Column:
    """Return a String column of bytes that are UTF-8 already, such as JSON."""
    parts: list[bytes] = []
    for data in values:
        size = len(data)
        parts.append(_SHORT[size] if size < 16384 else _varint(size))
        parts.append(data)
    return Column(name, "String", b"".join(parts))


def floats(name: str, values: Iterable[float]) -> Column:
    """Return a Float64 column."""
    return Column(name, "Float64", array("d", values).tobytes())


def integers(name: str, values: Iterable[int], kind: str = "Int64") -> Column:
    """Return an Int64 or UInt64 column."""
    return Column(name, kind, array("q" if kind == "Int64" else "Q", values).tobytes())


def flags(name: str, values: Iterable[bool]) -> Column:
    """Return a UInt8 column of 0 and 1."""
    return Column(name, "UInt8", bytes(values))


def times(name: str, values: Iterable[float]) -> Column:
    """Return a DateTime64(6, 'UTC') column of Unix seconds."""
    data = array("q", [micros(value) for value in values]).tobytes()
    return Column(name, "DateTime64(6, 'UTC')", data)


def seconds(name: str, values: Iterable[int]) -> Column:
    """Return a DateTime('UTC') column of whole Unix seconds."""
    return Column(name, "DateTime('UTC')", array("I", values).tobytes())


def micros(seconds: float) -> int:
    """Return Unix microseconds.

    >>> micros(1.5)
    1500000
    """
    return round(seconds * 1e6)


def optional_floats(name: str, values: Sequence[float | None]) -> Column:
    """Return a Nullable(Float64) column."""
    data = array("d", [nan if v is None else v for v in values]).tobytes()
    return Column(name, "Nullable(Float64)", _nulls(values) + data)


def optional_integers(name: str, values: Sequence[int | None]) -> Column:
    """Return a Nullable(Int64) column."""
    data = array("q", [0 if v is None else v for v in values]).tobytes()
    return Column(name, "Nullable(Int64)", _nulls(values) + data)


def optional_flags(name: str, values: Sequence[bool | None]) -> Column:
    """Return a Nullable(UInt8) column of 0 and 1."""
    return Column(name, "Nullable(UInt8)", _nulls(values) + bytes([bool(v) for v in values]))


def float_lists(name: str, values: Sequence[Sequence[float]]) -> Column:
    """Return an Array(Float64) column."""
    ends, flat = array("Q"), array("d")
    for value in values:
        flat.extend(value)
        ends.append(len(flat))
    return Column(name, "Array(Float64)", ends.tobytes() + flat.tobytes())


def _nulls(values: Sequence[object]) -> bytes:
    return bytes([v is None for v in values])


def _text(value: str) -> bytes:
    data = value.encode()
    return _varint(len(data)) + data


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)
