"""Content encodings of the protocol: identity, gzip, deflate, zstd and lz4 frames, both ways.

Bodies are bounded after inflation: a client that holds the token may be wrong, but it does not get
to fill the memory of the store.
"""

import zlib
from collections.abc import Callable

import lz4.frame
import zstandard

PREFERENCE = ("lz4", "zstd", "gzip", "deflate")
"""What a response is encoded with, first match with ``Accept-Encoding``."""


class BadEncoding(Exception):
    """The body does not decode, or its encoding is not one of ours."""


class BodyTooLarge(Exception):
    """The body is over the limit once inflated."""


def inflate(encoding: str, body: bytes, limit: int) -> bytes:
    """Return the decoded body of at most ``limit`` bytes. Raises BadEncoding, BodyTooLarge."""
    plain = body if encoding in ("", "identity") else _inflate(encoding, body, limit)
    if len(plain) > limit:
        raise BodyTooLarge(f"over {limit} bytes")
    return plain


def _inflate(encoding: str, body: bytes, limit: int) -> bytes:
    try:
        match encoding:
            case "gzip":
                return _all(zlib.decompressobj(zlib.MAX_WBITS | 16), body, limit)
            case "deflate":
                return _all(zlib.decompressobj(), body, limit)
            case "zstd":
                return _zstd(body, limit)
            case "lz4":
                return _lz4(body, limit)
    except (zlib.error, zstandard.ZstdError, RuntimeError, EOFError) as error:
        raise BadEncoding(f"broken {encoding} body: {error}") from error
    raise BadEncoding(f"unknown Content-Encoding {encoding!r}")


def _all(inflater: "zlib._Decompress", body: bytes, limit: int) -> bytes:
    plain = inflater.decompress(body, limit + 1)
    if len(plain) <= limit and not inflater.eof:
        raise BadEncoding("the compressed body is cut off")
    return plain


_STEP = 4096
"""Bytes of zstd taken at once: what one step can inflate to is bounded by it."""


def _zstd(body: bytes, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while body and size <= limit:
        frame = zstandard.ZstdDecompressor().decompressobj()
        taken = 0
        while taken < len(body) and size <= limit and not frame.eof:
            parts.append(frame.decompress(body[taken : taken + _STEP]))
            size += len(parts[-1])
            taken += _STEP
        if size <= limit and not frame.eof:
            raise BadEncoding("the compressed body is cut off")
        body = frame.unused_data + body[taken:]
    return b"".join(parts)


def _lz4(body: bytes, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while body and size <= limit:
        frame = lz4.frame.LZ4FrameDecompressor()
        parts.append(frame.decompress(body, max_length=limit + 1 - size))
        size += len(parts[-1])
        if size <= limit and not frame.eof:
            raise BadEncoding("the compressed body is cut off")
        body = frame.unused_data or b""
    return b"".join(parts)


def negotiate(accept: str) -> str:
    """Return the response encoding for an ``Accept-Encoding`` header; empty for none.

    >>> negotiate("gzip, zstd;q=0.5")
    'zstd'
    """
    offered = {part.split(";")[0].strip().lower() for part in accept.split(",")}
    return next((name for name in PREFERENCE if name in offered), "")


class Deflater:
    """Compresses a response, block by block."""

    def __init__(self, encoding: str) -> None:
        self._head = b""
        self._compress: Callable[[bytes], bytes]
        self._finish: Callable[[], bytes]
        match encoding:
            case "gzip" | "deflate":
                bits = zlib.MAX_WBITS | 16 if encoding == "gzip" else zlib.MAX_WBITS
                deflater = zlib.compressobj(3, zlib.DEFLATED, bits)
                self._compress, self._finish = deflater.compress, deflater.flush
            case "zstd":
                zstd = zstandard.ZstdCompressor(level=1).compressobj()
                self._compress, self._finish = zstd.compress, zstd.flush
            case "lz4":
                frame = lz4.frame.LZ4FrameCompressor()
                self._head = frame.begin()
                self._compress, self._finish = frame.compress, frame.flush
            case _:
                self._compress, self._finish = lambda block: block, lambda: b""

    def block(self, plain: bytes) -> bytes:
        """Return what to send for one more block; may be empty."""
        head, self._head = self._head, b""
        return head + self._compress(plain)

    def end(self) -> bytes:
        """Return what closes the encoded body."""
        head, self._head = self._head, b""
        return head + self._finish()
