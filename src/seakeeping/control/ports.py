"""Who holds a port. A taken port is reported with its owner, as read from ``/proc``."""

import contextlib
import os
import random
import socket
from collections.abc import Iterator
from pathlib import Path

from seakeeping.errors import PortTaken

_LISTEN = "0A"


def require_free(host: str, port: int, *, setting: str) -> None:
    """Raise PortTaken, with the owner where it can be seen, unless the port can be bound."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortTaken(
                f"{host}:{port} cannot be used: {error.strerror}{_describe(owner(port))}",
                hint=f"choose another with --{setting}",
            ) from error


def free_port(host: str = "127.0.0.1") -> int:
    """Return a port that was free a moment ago.

    It lies below those that the system hands to outgoing connections (from 32768 on), one of which
    could take it before the child that is to have it binds.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for port in random.SystemRandom().sample(_BELOW_EPHEMERAL, 50):
        with socket.socket(family, socket.SOCK_STREAM) as probe, contextlib.suppress(OSError):
            probe.bind((host, port))
            return port
    raise PortTaken(f"no free port was found on {host}", hint="name one with --port")


_BELOW_EPHEMERAL = range(15_000, 32_000)


def owner(port: int) -> tuple[int, str] | None:
    """Return ``(pid, command line)`` of the process that listens on ``port``, if we may see it."""
    inodes = set(_listening_inodes(port))
    for pid in (int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit()):
        if inodes & set(_socket_inodes(pid)):
            return pid, _command(pid)
    return None


def _describe(found: tuple[int, str] | None) -> str:
    return f", held by process {found[0]}: {found[1]}" if found else ""


def _listening_inodes(port: int) -> Iterator[str]:
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        rows = table.read_text().splitlines()[1:] if table.exists() else []
        for row in (r.split() for r in rows):
            if row[3] == _LISTEN and int(row[1].rpartition(":")[2], 16) == port:
                yield row[9]


def _socket_inodes(pid: int) -> Iterator[str]:
    try:
        entries = os.listdir(f"/proc/{pid}/fd")
    except OSError:  # gone, or somebody else's
        return
    links = (_link(f"/proc/{pid}/fd/{entry}") for entry in entries)
    yield from (link[8:-1] for link in links if link.startswith("socket:["))


def _link(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:  # closed since it was listed
        return ""


def _command(pid: int) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return "?"
    return b" ".join(words).decode(errors="replace").strip()[:120]
