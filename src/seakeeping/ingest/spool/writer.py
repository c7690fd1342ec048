"""The writing end of the spool: what was appended is on disk before anybody is told so.

One write and one fdatasync make a group of records durable. A new segment is begun at every start,
after every failure and when nothing comes for a while, never an old one continued: what a failed
write left behind is truncated away if the disk allows and otherwise is a torn tail that readers
skip. Segment ids only grow, and begin at the Unix time, so that a position names the same records
for ever, even when the folder was emptied in between: positions are the deduplication tokens of the
store.
"""

import contextlib
import errno
import fcntl
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import zstandard

from seakeeping.clock import Clock, SystemClock
from seakeeping.errors import SpoolBroken, SpoolFull, SpoolTaken
from seakeeping.ingest.spool.cursor import load_cursor, sync_folder
from seakeeping.ingest.spool.format import (
    RECORD_HEADER_BYTES,
    SEGMENT_HEADER_BYTES,
    Position,
    SpoolRecord,
    encode_records,
    encode_segment_header,
    is_segment_header,
    segment_ids,
    segment_path,
)
from seakeeping.metrics import ERRORS

SEGMENT_BYTES = 64 * 2**20
"""Size at which a segment is closed and the next one begun."""

RECOUNT_S = 1.0
"""Seconds after which the folder is counted again, since the reader deletes segments."""

_LEVEL = 1  # zstd: 1,322 bytes a span; level 3 saves 5 % for 70 % more CPU


@dataclass(slots=True)
class _Segment:
    """The segment being written."""

    id: int
    fd: int
    size: int


class SpoolWriter:
    """The one writer of a spool folder. Not thread-safe: one thread appends."""

    def __init__(
        self,
        folder: Path,
        *,
        limit_bytes: int,
        segment_bytes: int = SEGMENT_BYTES,
        clock: Clock | None = None,
    ) -> None:
        """Take the folder, made owner-only if it is not there.

        Args:
            folder: where the segments lie.
            limit_bytes: most that all segments together may take.
            segment_bytes: size at which a segment is closed; at most a quarter of the limit.
            clock: where ids and counting intervals come from.

        Raises:
            SpoolTaken: another process writes there.
            StoreTooNew: a newer version wrote there.
        """
        self._folder = folder
        self._limit = limit_bytes
        self._segment_bytes = min(segment_bytes, limit_bytes // 4)
        self._clock = clock or SystemClock()
        self._compressor = zstandard.ZstdCompressor(level=_LEVEL)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        self._lock = _take(folder)
        ids = segment_ids(os.listdir(folder))
        for segment in ids:
            _refuse_newer(segment_path(folder, segment))
        self._last_id = max([*ids, load_cursor(folder).position.segment])
        self._segment: _Segment | None = None
        self._used = _bytes_in(folder)
        self._counted_at = self._clock.monotonic()
        if ids:
            with contextlib.suppress(OSError):  # the first append tries again, and says so
                self._segment = self._begin_segment()

    def append(self, records: Sequence[SpoolRecord]) -> Position:
        """Make the records durable, in order, all or none; return the place behind the last.

        Raises:
            SpoolFull: no room until the reader is further on.
            SpoolBroken: the disk refused.
        """
        stored = [self._compressor.compress(record.body) for record in records]
        size = sum(map(len, stored)) + len(records) * RECORD_HEADER_BYTES
        self._make_room(size)
        try:
            segment = self._segment_for(size)
            place = Position(segment.id, segment.size)
            _write(segment.fd, encode_records(records, stored, place))
            os.fdatasync(segment.fd)
        except OSError as error:
            self._abandon()
            ERRORS.labels("spool", errno.errorcode.get(error.errno or 0, "OSError")).inc()
            raise SpoolBroken(
                f"the spool in {self._folder} cannot be written: {error.strerror}",
                hint="free disk space; clients keep their data and retry",
            ) from error
        segment.size += size
        self._used += size
        return Position(segment.id, segment.size)

    def rest(self) -> None:
        """Leave the segment for a new one, so that the reader can delete it once it is done.

        Call it when nothing has come for a while: what was stored should not lie here as well.
        Does nothing where the disk refuses.
        """
        if self._segment and self._segment.size > SEGMENT_HEADER_BYTES:
            self._close_segment()
            with contextlib.suppress(OSError):
                self._segment = self._begin_segment()

    def close(self) -> None:
        """Close the segment and give the folder back."""
        self._close_segment()
        os.close(self._lock)

    def _make_room(self, size: int) -> None:
        now = self._clock.monotonic()
        needed = size + SEGMENT_HEADER_BYTES
        if self._used + needed > self._limit or now - self._counted_at >= RECOUNT_S:
            self._used, self._counted_at = _bytes_in(self._folder), now
        if self._used + needed > self._limit:
            raise SpoolFull(
                f"the spool holds {self._used} of at most {self._limit} bytes",
                hint="it empties as spans are stored and scored",
            )

    def _segment_for(self, size: int) -> _Segment:
        segment = self._segment
        if segment and segment.size + size > self._segment_bytes:
            self._close_segment()
        self._segment = self._segment or self._begin_segment()
        return self._segment

    def _begin_segment(self) -> _Segment:
        self._last_id = max(self._last_id + 1, int(self._clock.now()))
        path = segment_path(self._folder, self._last_id)
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            _write(fd, encode_segment_header())
            sync_folder(self._folder)
        except OSError:
            os.close(fd)
            path.unlink(missing_ok=True)
            raise
        self._used += SEGMENT_HEADER_BYTES
        return _Segment(self._last_id, fd, SEGMENT_HEADER_BYTES)

    def _abandon(self) -> None:
        """Take back what a failed write left; the next append begins a new segment."""
        if self._segment:
            with contextlib.suppress(OSError):  # a torn tail is skipped by readers as well
                os.ftruncate(self._segment.fd, self._segment.size)
            self._close_segment()

    def _close_segment(self) -> None:
        if self._segment:
            os.close(self._segment.fd)
            self._segment = None


def _take(folder: Path) -> int:
    """Lock the folder for one writer, until the process ends or closes it."""
    lock = os.open(folder / "writer.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.pread(lock, 20, 0).decode("ascii", "replace").strip()
        os.close(lock)
        raise SpoolTaken(
            f"the spool in {folder} is being written by process {holder or 'unknown'}",
            hint="stop that process, or name another --data folder",
        ) from error
    os.ftruncate(lock, 0)
    os.pwrite(lock, str(os.getpid()).encode(), 0)
    return lock


def _refuse_newer(path: Path) -> None:
    with path.open("rb") as file:
        is_segment_header(file.read(SEGMENT_HEADER_BYTES), path)


def _bytes_in(folder: Path) -> int:
    """Count the segments; one that the reader deletes meanwhile counts nothing."""
    total = 0
    with os.scandir(folder) as files:
        for file in files:
            if file.name.endswith(".seg"):
                with contextlib.suppress(FileNotFoundError):
                    total += file.stat().st_size
    return total


def _write(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
