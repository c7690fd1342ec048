"""Notices when the engine may hold a part that was never written, and asks for a fresh start.

A merge that runs while the disk fills up can leave a part of empty files in the place of its
sources, without an error (seen with chDB 26.5). The sources lie on disk for ``old_parts_lifetime``
more, and an engine that starts puts a broken part aside and takes its sources back. So the engine
has to start anew as soon as its disk is full, and whenever a part cannot be read. A disk that is
full already at the start breaks nothing more: merges do not begin without room.
"""

import os
import threading
from collections.abc import Callable
from pathlib import Path

FULL_BELOW_BYTES = 16 * 1024 * 1024
"""With less room than this, writes of the engine may have failed."""

ROOM_BYTES = 64 * 1024 * 1024
"""With this much room again, the next time that the disk is full is another one."""

SETTLED_S = 10.0
"""An engine that found damage sooner after its start would find it again after the next one."""

FULL_CODES = frozenset({75, 243, 1001})
"""CANNOT_WRITE_TO_FILE_DESCRIPTOR, NOT_ENOUGH_SPACE, errors of the file system."""

BROKEN_CODES = frozenset({40, 107, 226, 246})
"""CHECKSUM_DOESNT_MATCH, FILE_DOESNT_EXIST, NO_FILE_IN_DATA_PART, CORRUPTED_DATA."""


def free_bytes(folder: Path) -> int:
    """Return the bytes that an ordinary user can still write to the folder's disk."""
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize


class Damage:
    """What was noticed since the engine's start; may be told from many threads.

    Args:
        free: bytes that are left on the engine's disk.
        monotonic: seconds that never go back.
    """

    def __init__(self, free: Callable[[], int], monotonic: Callable[[], float]) -> None:
        self._free = free
        self._monotonic = monotonic
        self._started = monotonic()
        self._lock = threading.Lock()
        self._had_room = free() >= FULL_BELOW_BYTES
        self._is_full = self._is_broken = False

    def note(self, code: int) -> None:
        """Take notice of the code of a failed statement."""
        with self._lock:
            self._is_full |= code in FULL_CODES and self._had_room
            self._is_broken |= code in BROKEN_CODES

    def reason_to_start_anew(self) -> str | None:
        """Look at the disk; return why the engine should start anew now, or None."""
        free = self._free()
        with self._lock:
            self._is_full |= free < FULL_BELOW_BYTES and self._had_room
            self._had_room |= free >= ROOM_BYTES
            if self._monotonic() - self._started < SETTLED_S:
                return None
            if self._is_broken:
                return "a part cannot be read"
            return "the disk is full" if self._is_full else None
