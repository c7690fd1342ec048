"""How the spool lies on disk: segments of records that prove themselves.

A segment is ``spool-<id>.seg``: a header (magic, format version, checksum), then records, each a
header of fixed size and a zstd body. A record header carries a marker and a checksum that is bound
to the record's place (segment and offset), and the checksum of the body. So a reader can tell
"not yet written" and "damaged" from a record, can find the next sound record after damage, and
never takes stray bytes for a record, not even bytes of another spool inside a body.
"""

import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from isal.isal_zlib import crc32

from seakeeping.errors import StoreTooNew
from seakeeping.ingest.otlp.body import Encoding
from seakeeping.records import Signal

VERSION = 1
MARKER = b"\xf7SEA"

_SEGMENT = struct.Struct("<8sHHI")  # magic, version, zero, checksum of the 12 bytes before
_RECORD = struct.Struct("<4sIIIdBBHI")  # see RecordHeader; the last is the header's checksum
_PLACE = struct.Struct("<QQ")
_MAGIC = b"SEASPOOL"
_NAME = re.compile(r"spool-(\d{12})\.seg")

SEGMENT_HEADER_BYTES = _SEGMENT.size
RECORD_HEADER_BYTES = _RECORD.size
MOST_BYTES = 2**32 - 1
"""Largest body, inflated or not, that a record can state."""

_SIGNALS = (Signal.TRACES, Signal.LOGS, Signal.METRICS)
_ENCODINGS = (Encoding.PROTOBUF, Encoding.JSON)


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place between two records: a segment's id and a byte offset into it."""

    segment: int
    offset: int


START = Position(0, 0)
"""Before every record there is or will be."""


@dataclass(frozen=True, slots=True)
class SpoolRecord:
    """One request body as it was accepted, inflated; ``received_at`` in Unix seconds UTC."""

    signal: Signal
    encoding: Encoding
    received_at: float
    body: bytes


@dataclass(frozen=True, slots=True)
class RecordHeader:
    """What stands before a stored body."""

    signal: Signal
    encoding: Encoding
    received_at: float
    stored_bytes: int
    body_bytes: int
    checksum: int


def segment_path(folder: Path, segment: int) -> Path:
    """Return where a segment lies."""
    return folder / f"spool-{segment:012d}.seg"


def segment_ids(names: list[str]) -> list[int]:
    """Return the ids of those file names that are segments, oldest first."""
    return sorted(int(match[1]) for name in names if (match := _NAME.fullmatch(name)))


def encode_segment_header() -> bytes:
    """Return the first bytes of a new segment."""
    head = _SEGMENT.pack(_MAGIC, VERSION, 0, 0)[:-4]
    return head + crc32(head).to_bytes(4, "little")


def is_segment_header(data: bytes, path: Path) -> bool:
    """Return whether these are the first bytes of a sound segment; raises StoreTooNew."""
    if len(data) < SEGMENT_HEADER_BYTES:
        return False
    magic, version, _, checksum = _SEGMENT.unpack(data)
    if magic != _MAGIC or checksum != crc32(data[:-4]):
        return False
    if version > VERSION:
        raise StoreTooNew(
            f"{path} has spool format {version}; this version reads up to {VERSION}",
            hint="start the version that wrote it, or a newer one",
        )
    return True


def encode_record(record: SpoolRecord, stored: bytes, place: Position) -> bytes:
    """Return the bytes of a record at ``place``; ``stored`` is its body, compressed."""
    head = _RECORD.pack(
        MARKER,
        len(stored),
        len(record.body),
        crc32(stored),
        record.received_at,
        _SIGNALS.index(record.signal),
        _ENCODINGS.index(record.encoding),
        0,
        0,
    )[:-4]
    return b"".join((head, _bound(head, place).to_bytes(4, "little"), stored))


def encode_records(
    records: Sequence[SpoolRecord], stored: Sequence[bytes], place: Position
) -> bytes:
    """Return the bytes of records that follow each other from ``place`` on."""
    frames, offset = [], place.offset
    for record, body in zip(records, stored, strict=True):
        frames.append(encode_record(record, body, Position(place.segment, offset)))
        offset += len(frames[-1])
    return b"".join(frames)


def decode_record(data: bytes, place: Position) -> RecordHeader | None:
    """Return the record header at ``place``, or None where these bytes are none."""
    if len(data) < RECORD_HEADER_BYTES or not data.startswith(MARKER):
        return None
    _, stored, body, checksum, at, signal, encoding, _, bound = _RECORD.unpack(data)
    if bound != _bound(data[:-4], place):
        return None
    return RecordHeader(_SIGNALS[signal], _ENCODINGS[encoding], at, stored, body, checksum)


def _bound(head: bytes, place: Position) -> int:
    return crc32(head, crc32(_PLACE.pack(place.segment, place.offset)))


def find_record(data: bytes, place: Position) -> int | None:
    """Return how far behind ``place`` the first sound record header of ``data`` begins, if any.

    ``data`` are the bytes of the segment from ``place`` on.
    """
    at = data.find(MARKER)
    while at >= 0:
        found = Position(place.segment, place.offset + at)
        if decode_record(data[at : at + RECORD_HEADER_BYTES], found):
            return at
        at = data.find(MARKER, at + 1)
    return None
