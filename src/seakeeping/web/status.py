"""How Seakeeping itself is doing: the parts of the process tree, the spool, and readiness.

The supervisor rewrites ``run/status.json`` every second; a file that is older than a few beats
means that the supervisor is gone, and what it says of its children is no longer known.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

STALE_S = 10.0
"""Age at which the status file says nothing any more."""

_WORDS = {"running": ("ok", "running"), "stopped": ("nodata", "stopped")}


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the process tree: ``css`` is the name of the state's look."""

    name: str
    word: str
    css: str
    restarts: int

    @property
    def is_running(self) -> bool:
        """Whether it works."""
        return self.css == "ok"


@dataclass(frozen=True, slots=True)
class System:
    """The process tree, and the spool in bytes."""

    parts: tuple[Part, ...]
    spool_bytes: int
    spool_limit_bytes: int


def read_parts(status_file: Path, now: float) -> tuple[Part, ...]:
    """Return the parts that the supervisor reports; none where it does not report."""
    try:
        document = orjson.loads(status_file.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return ()
    roles = document.get("roles") if isinstance(document, dict) else None
    if not isinstance(roles, dict):
        return ()
    is_stale = now - float(document.get("at", now)) > STALE_S
    return tuple(_part(name, role, is_stale) for name, role in roles.items())


def _part(name: str, role: dict[str, Any], is_stale: bool) -> Part:
    state = str(role.get("state", "unknown"))
    css, word = _WORDS.get(state, ("uncertain", state))
    if is_stale:
        css, word = "nodata", "no report"
    return Part(name, word, css, int(role.get("restarts") or 0))


def folder_bytes(folder: Path) -> int:
    """Return the size of the files in a folder; 0 where there is none."""
    try:
        with os.scandir(folder) as entries:
            return sum(_size(entry) for entry in entries)
    except OSError:
        return 0


def _size(entry: "os.DirEntry[str]") -> int:
    try:
        return entry.stat().st_size if entry.is_file() else 0
    except OSError:  # deleted by the reader of the spool in between
        return 0


def is_writable(folder: Path) -> bool:
    """Tell whether files can be made in a folder, and its disk has room."""
    try:
        room = os.statvfs(folder)
    except OSError:
        return False
    return os.access(folder, os.W_OK) and room.f_bavail * room.f_frsize > 1 << 20
