"""Bounded inflation of request bodies: gzip, deflate, zstd.

A body is inflated piece by piece into at most ``limit`` bytes, so a bomb costs no more memory than
an honest body of the same limit. A stream must be whole, and nothing may follow it but further gzip
members (RFC 1952) or zstd frames: what is left over would be telemetry that silently gets lost.
"""

from collections.abc import Callable, Generator, Iterator, Mapping

import zstandard
from isal import isal_zlib

from seakeeping.errors import BadPayload, PayloadTooLarge

CODINGS = ("gzip", "deflate", "zstd", "identity")
"""The content codings that are understood."""

_PIECE = 1 << 18
_TAKE = 1 << 16
_MOST_MEMBERS = 1000
# zstandard bounds its input, not its output: 1 KiB of run-length blocks gives at most 32 MiB.
_ZSTD_TAKE = 1 << 10
# RFC 9659: what a content coding may ask a receiver to hold.
_ZSTD_WINDOW = 1 << 23

# isal's stub declares its error class as an instance.
_ERRORS: tuple[type[Exception], ...] = (
    isal_zlib.error,  # type: ignore[assignment]
    zstandard.ZstdError,
)


def inflate(content_encoding: str, body: bytes, limit: int) -> bytes:
    """Return a body without its content coding, at most ``limit`` bytes.

    Args:
        content_encoding: the Content-Encoding header; "" or ``identity`` for none.
        body: the bytes as received.
        limit: the most bytes that may come out.

    Raises:
        PayloadTooLarge: more than ``limit`` bytes come out.
        BadPayload: the coding is unknown, or the bytes are none of it, cut off, or others follow.
    """
    coding = content_encoding.strip().lower() or "identity"
    if coding == "identity":
        return _bounded(iter((body,)), limit)
    if coding not in _READERS:
        known = ", ".join(CODINGS)
        raise BadPayload(f"Content-Encoding {coding[:40]!r} is unknown", hint=f"use one of {known}")
    try:
        return _bounded(_READERS[coding](body), limit)
    except _ERRORS as error:
        raise BadPayload(f"the body is not {coding}: {error}") from error


def _bounded(pieces: Iterator[bytes], limit: int) -> bytes:
    found, size = [], 0
    for piece in pieces:
        size += len(piece)
        if size > limit:
            raise PayloadTooLarge(f"the body has more than {limit} bytes", hint="send less at once")
        found.append(piece)
    return b"".join(found)


def _gzip(body: bytes) -> Iterator[bytes]:
    """Yield the members of a gzip body; zeros may pad its end, as gzip itself allows."""
    at = 0
    for _ in range(_MOST_MEMBERS):
        at = yield from _zlib_stream(body, at, wbits=31)
        if body.count(0, at) == len(body) - at:
            return
    raise BadPayload(f"the body has more than {_MOST_MEMBERS} gzip members")


def _deflate(body: bytes) -> Iterator[bytes]:
    """Yield a ``deflate`` body: zlib's format by the RFC, the bare stream from some clients."""
    is_zlib = len(body) > 1 and body[0] & 15 == 8 and int.from_bytes(body[:2], "big") % 31 == 0
    at = yield from _zlib_stream(body, 0, wbits=15 if is_zlib else -15)
    if at < len(body):
        raise BadPayload(f"{len(body) - at} bytes follow the end of the deflate stream")


def _zlib_stream(body: bytes, at: int, wbits: int) -> Generator[bytes, None, int]:
    """Yield the stream that begins at ``at`` in pieces, and return where it ends."""
    stream = isal_zlib.decompressobj(wbits=wbits)
    view = memoryview(body)
    while not stream.eof:
        given: bytes | memoryview = stream.unconsumed_tail
        if not given:
            given = view[at : at + _TAKE]
            at += len(given)
        piece = stream.decompress(given, _PIECE)
        if not given and not piece and not stream.eof:
            raise BadPayload("the compressed body is cut off")
        yield piece
    return at - len(stream.unused_data)


def _zstd(body: bytes) -> Iterator[bytes]:
    """Yield the frames of a zstd body."""
    decompressor = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
    view, at = memoryview(body), 0
    for _ in range(_MOST_MEMBERS):
        frame = decompressor.decompressobj()
        while not frame.eof:
            given = view[at : at + _ZSTD_TAKE]
            if not given:
                raise BadPayload("the compressed body is cut off")
            yield frame.decompress(given)
            at += len(given)
        at -= len(frame.unused_data)
        if at == len(body):
            return
    raise BadPayload(f"the body has more than {_MOST_MEMBERS} zstd frames")


_READERS: Mapping[str, Callable[[bytes], Iterator[bytes]]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "zstd": _zstd,
}
