"""The reading end of the spool: follows a live writer in another process, without locks.

The segments are listed before they are read. So where a segment is not the last of that list, its
writer had left it already, and whatever is incomplete at its end is a torn tail that nobody was
told is safe: it is skipped and counted. In the last segment the same bytes may still be growing:
the reader waits. Damage between sound records is skipped to the next sound one and counted.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import zstandard
from isal.isal_zlib import crc32

from seakeeping.errors import SpoolBroken
from seakeeping.ingest.spool.cursor import CursorFile, Range
from seakeeping.ingest.spool.format import (
    RECORD_HEADER_BYTES,
    SEGMENT_HEADER_BYTES,
    Position,
    RecordHeader,
    SpoolRecord,
    decode_record,
    find_record,
    is_segment_header,
    segment_ids,
    segment_path,
)
from seakeeping.metrics import ERRORS

READ_BYTES = 16 * 2**20
READ_RECORDS = 512


@dataclass(frozen=True, slots=True)
class Entry:
    """A record and its place: reading on ``after=end`` gives what follows it."""

    record: SpoolRecord
    start: Position
    end: Position


@dataclass(frozen=True, slots=True)
class _Segment:
    """A segment opened for reading; a closed one will not grow."""

    id: int
    fd: int
    is_closed: bool

    def read(self, offset: int, size: int) -> bytes:
        return os.pread(self.fd, size, offset)

    @property
    def size(self) -> int:
        return os.fstat(self.fd).st_size


class SpoolReader:
    """The one reader that moves the spool's cursor. Not thread-safe."""

    def __init__(self, folder: Path) -> None:
        """Open the spool in ``folder``, made owner-only if it is not there yet.

        Raises:
            StoreTooNew: a newer version wrote the cursor (segments are checked when read).
            SpoolBroken: the cursor cannot be made.
        """
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._decompressor = zstandard.ZstdDecompressor()
        self._damaged: set[Position] = set()
        try:
            self._cursor = CursorFile(folder)
        except OSError as error:
            raise SpoolBroken(f"the cursor of {folder} cannot be made: {error.strerror}") from error
        self._delete_done()

    def read(
        self,
        after: Position,
        *,
        max_bytes: int = READ_BYTES,
        max_records: int = READ_RECORDS,
    ) -> list[Entry]:
        """Return the complete records behind ``after``, in order; empty when there are none yet.

        Stops before the body that would pass ``max_bytes`` (inflated), but returns at least one
        record if there is one. Raises StoreTooNew where a newer version wrote the segment.
        """
        entries: list[Entry] = []
        size = 0
        for segment, offset in self._segments(after):
            for header, start, end, stored in self._frames(segment, offset):
                size += header.body_bytes
                if entries and (size > max_bytes or len(entries) >= max_records):
                    return entries
                entries.append(Entry(self._record(header, stored), start, end))
        if not entries and after == self.cursor():
            self._delete_done()
        return entries

    def read_range(self, batch: Range) -> list[Entry]:
        """Return the records of a batch that `mark` named, for its replay."""
        entries: list[Entry] = []
        for segment, offset in self._segments(batch.start):
            for header, start, end, stored in self._frames(segment, offset):
                if end > batch.end:
                    return entries
                entries.append(Entry(self._record(header, stored), start, end))
        return entries

    def cursor(self) -> Position:
        """Return the place before which everything is done."""
        return self._cursor.state.position

    def pending(self) -> Range | None:
        """Return the batch that was begun and not yet done, or None."""
        return self._cursor.state.pending

    def mark(self, start: Position, end: Position) -> None:
        """Remember durably that the batch between two positions is about to be stored.

        A replay after a crash then cuts the same batch, which has the same deduplication token.
        """
        self._cursor.store(self.cursor(), Range(start, end))

    def advance(self, position: Position) -> None:
        """Declare everything before ``position`` done, durably, and delete what lies behind it.

        Raises:
            ValueError: the cursor is further on already.
            SpoolBroken: the disk refused; the cursor is where it was.
        """
        if position < self.cursor():
            raise ValueError(f"the cursor at {self.cursor()} never goes back to {position}")
        self._cursor.store(position, None)
        self._damaged = {place for place in self._damaged if place >= position}
        self._delete_done()

    def backlog_bytes(self) -> int:
        """Return how many stored bytes lie behind the cursor."""
        cursor = self.cursor()
        sizes = (
            segment.size - (offset if segment.id == cursor.segment else 0)
            for segment, offset in self._segments(cursor)
        )
        return sum(size for size in sizes if size > 0)

    def close(self) -> None:
        """Close the cursor file."""
        self._cursor.close()

    def _segments(self, after: Position) -> Iterator[tuple[_Segment, int]]:
        """Yield the segments from ``after`` on, each opened, with where to begin in it."""
        ids = segment_ids(os.listdir(self._folder))
        for segment in ids:
            if segment < after.segment:
                continue
            path = segment_path(self._folder, segment)
            try:
                fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:  # a full disk: its writer took the new segment back
                continue
            try:
                opened = _Segment(segment, fd, is_closed=segment != ids[-1])
                self._check_header(opened, path)
                begin = after.offset if segment == after.segment else 0
                yield opened, max(begin, SEGMENT_HEADER_BYTES)
            finally:
                os.close(fd)

    def _check_header(self, segment: _Segment, path: Path) -> None:
        head = segment.read(0, SEGMENT_HEADER_BYTES)
        is_written = segment.is_closed or len(head) == SEGMENT_HEADER_BYTES
        if not is_segment_header(head, path) and is_written:
            self._count_damage(Position(segment.id, 0), "segment_header_damaged")

    def _frames(
        self, segment: _Segment, offset: int
    ) -> Iterator[tuple[RecordHeader, Position, Position, bytes]]:
        """Yield every sound record of a segment from ``offset`` on, its body still compressed."""
        while True:
            start = Position(segment.id, offset)
            header = decode_record(segment.read(offset, RECORD_HEADER_BYTES), start)
            if header is None:
                skip = self._next_record(segment, start)
                if skip is None:
                    return
                offset += skip
                continue
            body_at = offset + RECORD_HEADER_BYTES
            stored = segment.read(body_at, header.stored_bytes)
            if len(stored) < header.stored_bytes:
                self._leave_tail(segment, start)
                return
            offset = body_at + header.stored_bytes
            if crc32(stored) == header.checksum:
                yield header, start, Position(segment.id, offset), stored
            else:
                self._count_damage(start, "record_damaged")

    def _next_record(self, segment: _Segment, place: Position) -> int | None:
        """Return how far behind ``place``, where none was to be read, the next sound one begins.

        That is 0 where the writer has come to write it just now: no damage.
        """
        size = segment.size
        if size <= place.offset:
            return None
        skip = find_record(segment.read(place.offset, size - place.offset), place)
        if skip is None:
            self._leave_tail(segment, place)
        elif skip:
            self._count_damage(place, "record_damaged")
        return skip

    def _leave_tail(self, segment: _Segment, place: Position) -> None:
        if segment.is_closed:
            self._count_damage(place, "torn_tail")

    def _count_damage(self, place: Position, what: str) -> None:
        """Count damage once, however often it is read over."""
        if place not in self._damaged:
            self._damaged.add(place)
            ERRORS.labels("spool", what).inc()

    def _record(self, header: RecordHeader, stored: bytes) -> SpoolRecord:
        body = self._decompressor.decompress(stored, max_output_size=header.body_bytes)
        return SpoolRecord(header.signal, header.encoding, header.received_at, body)

    def _delete_done(self) -> None:
        """Delete what lies behind the cursor, its own segment too once the writer has left it."""
        cursor = self.cursor()
        ids = segment_ids(os.listdir(self._folder))
        for segment in ids[:-1]:
            path = segment_path(self._folder, segment)
            if segment < cursor.segment or (
                segment == cursor.segment and path.stat().st_size <= cursor.offset
            ):
                path.unlink()
