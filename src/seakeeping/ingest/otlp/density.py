"""Refuse bodies of many tiny messages before they are parsed.

A message on the wire may have 2 bytes and then takes 50 to 200 in memory: 64 MiB of empty spans, a
few KiB when compressed, would grow to gigabytes. So the fields are counted first, by a walk over
tags and lengths alone: in every body those of the request, its resources and scopes (a quarter of a
microsecond each), in large ones all down to the single value.
"""

from collections.abc import Mapping
from functools import cache

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from seakeeping.errors import PayloadTooLarge

MAX_ITEMS = 250_000
"""Spans, log records or metrics in one body, with the fields of their resources and scopes."""

MAX_FIELDS = 4_000_000
"""Fields of any kind in one body over 8 MiB; an attribute has four."""

MAX_OBJECTS = 2_000_000
"""Objects and lists in one JSON body over 8 MiB; an attribute has two."""

_LARGE = 8 << 20
_TO_ITEMS = 2
_TO_VALUES = 100
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def refuse_dense(kind: type[Message], body: bytes) -> None:
    """Raise PayloadTooLarge for a body of too many fields; bytes that are no protobuf pass."""
    descriptor: Descriptor = kind.DESCRIPTOR  # type: ignore[assignment]  # one class, two stubs
    if _Walk(body, MAX_ITEMS).is_over(descriptor, _TO_ITEMS):
        raise _too_many(f"{MAX_ITEMS} items")
    if len(body) > _LARGE and _Walk(body, MAX_FIELDS).is_over(descriptor, _TO_VALUES):
        raise _too_many(f"{MAX_FIELDS} fields")


def refuse_dense_json(body: bytes) -> None:
    """Raise PayloadTooLarge for a JSON body of too many objects and lists."""
    if len(body) > _LARGE and body.count(b"{") + body.count(b"[") > MAX_OBJECTS:
        raise _too_many(f"{MAX_OBJECTS} objects and lists")


def _too_many(limit: str) -> PayloadTooLarge:
    return PayloadTooLarge(f"the body has more than {limit}", hint="send less at once")


@cache
def _messages_in(descriptor: Descriptor) -> Mapping[int, Descriptor]:
    """Return the fields of a message that are messages themselves, by number."""
    return {f.number: f.message_type for f in descriptor.fields if f.message_type is not None}


class _Over(Exception):
    """More fields were met than allowed."""


class _Garbled(Exception):
    """A varint has more bytes than 64 bits need."""


class _Walk:
    """A walk over tags and lengths that counts fields down from what is allowed."""

    def __init__(self, body: bytes, allowed: int) -> None:
        self._body = body
        self._left = allowed

    def is_over(self, descriptor: Descriptor, depth: int) -> bool:
        """Return whether there are more fields than allowed within ``depth`` levels."""
        try:
            self._count(descriptor, 0, len(self._body), depth)
        except _Over:
            return True
        except (IndexError, _Garbled):  # the parser says better what is wrong
            return False
        return False

    def _count(self, descriptor: Descriptor, at: int, end: int, depth: int) -> None:
        body, messages = self._body, _messages_in(descriptor)
        while at < end:
            self._left -= 1
            if self._left < 0:
                raise _Over
            tag, at = body[at], at + 1
            if tag > 127:
                tag, at = self._varint(tag, at)
            kind = tag & 7
            if kind == _BYTES:
                length, at = body[at], at + 1
                if length > 127:
                    length, at = self._varint(length, at)
                inner = messages.get(tag >> 3) if depth else None
                if inner:
                    self._count(inner, at, at + length, depth - 1)
                at += length
            else:
                at = self._skip(kind, at)

    def _skip(self, kind: int, at: int) -> int:
        """Return where the next field begins after a value that is no message."""
        if kind == _VARINT:
            return self._varint(0x80, at)[1]
        return at + {_FIXED64: 8, _FIXED32: 4}.get(kind, 0)

    def _varint(self, first: int, at: int) -> tuple[int, int]:
        """Return a varint whose first byte was read already, and where it ends."""
        value = first & 127
        for shift in range(7, 70, 7):
            byte = self._body[at]
            value |= (byte & 127) << shift
            at += 1
            if byte < 128:
                return value, at
        raise _Garbled
