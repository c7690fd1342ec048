"""How far the spool has been read: one small file that a crash leaves in one of two states.

Two slots a sector apart; each state goes, numbered and checksummed, into the slot of the older one
and is synced. A torn write spoils only the slot being written. Nothing is ever allocated after the
file was made, so the cursor moves on, and segments get deleted, even when the disk is full.
"""

import os
import struct
from dataclasses import dataclass
from pathlib import Path

from isal.isal_zlib import crc32

from seakeeping.errors import SpoolBroken, StoreTooNew
from seakeeping.ingest.spool.format import START, Position
from seakeeping.metrics import ERRORS

VERSION = 1
_STATE = struct.Struct("<8sHHQQQQQQQ")  # magic, version, pending?, sequence, three positions
_MAGIC = b"SEACURSR"
_SLOT_BYTES = 4096
_FILE_BYTES = 2 * _SLOT_BYTES


@dataclass(frozen=True, slots=True)
class Range:
    """The records of one batch: those between two positions."""

    start: Position
    end: Position


@dataclass(frozen=True, slots=True)
class CursorState:
    """All records before ``position`` are done; ``pending`` is the batch that was begun last."""

    sequence: int
    position: Position
    pending: Range | None


_NOTHING = CursorState(0, START, None)


def cursor_path(folder: Path) -> Path:
    """Return where a spool's cursor lies."""
    return folder / "cursor"


def load_cursor(folder: Path) -> CursorState:
    """Return the state of the newest sound slot, else the start of everything.

    Raises:
        StoreTooNew: a newer version wrote it.
    """
    path = cursor_path(folder)
    if not path.exists():
        return _NOTHING
    data = path.read_bytes()
    slots = (data[:_SLOT_BYTES], data[_SLOT_BYTES:_FILE_BYTES])
    sound = [state for slot in slots if (state := _decode(slot, path)) is not None]
    if not sound and any(data):
        ERRORS.labels("spool", "cursor_damaged").inc()
    return max(sound, key=lambda state: state.sequence, default=_NOTHING)


class CursorFile:
    """The cursor of the one reader that moves it."""

    def __init__(self, folder: Path) -> None:
        """Open the cursor of the spool in ``folder``, made if it is not there."""
        self.state = load_cursor(folder)
        self._path = cursor_path(folder)
        self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if os.fstat(self._fd).st_size < _FILE_BYTES:
            self._allocate(folder)

    def store(self, position: Position, pending: Range | None) -> None:
        """Make this the state, durably; raises SpoolBroken, and then the state is as it was."""
        state = CursorState(self.state.sequence + 1, position, pending)
        try:
            os.pwrite(self._fd, _encode(state), (state.sequence % 2) * _SLOT_BYTES)
            os.fdatasync(self._fd)
        except OSError as error:
            raise SpoolBroken(f"the cursor {self._path} cannot be written: {error}") from error
        self.state = state

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)

    def _allocate(self, folder: Path) -> None:
        size = os.fstat(self._fd).st_size
        os.pwrite(self._fd, bytes(_FILE_BYTES - size), size)
        os.fsync(self._fd)
        sync_folder(folder)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _encode(state: CursorState) -> bytes:
    start, end = (state.pending.start, state.pending.end) if state.pending else (START, START)
    data = _STATE.pack(
        _MAGIC,
        VERSION,
        state.pending is not None,
        state.sequence,
        state.position.segment,
        state.position.offset,
        start.segment,
        start.offset,
        end.segment,
        end.offset,
    )
    return data + crc32(data).to_bytes(4, "little")


def _decode(slot: bytes, path: Path) -> CursorState | None:
    data, checksum = slot[: _STATE.size], slot[_STATE.size : _STATE.size + 4]
    if len(checksum) < 4 or int.from_bytes(checksum, "little") != crc32(data):
        return None
    magic, version, has_pending, sequence, *places = _STATE.unpack(data)
    if magic != _MAGIC:
        return None
    if version > VERSION:
        raise StoreTooNew(
            f"{path} has cursor format {version}; this version reads up to {VERSION}",
            hint="start the version that wrote it, or a newer one",
        )
    position, start, end = (Position(*places[i : i + 2]) for i in (0, 2, 4))
    return CursorState(sequence, position, Range(start, end) if has_pending else None)
