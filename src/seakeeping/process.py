"""The contract between the supervisor and its children.

A child is ``python -m <module>``. Its first line on standard input is a JSON object, its settings.
Standard input then stays open: when it closes, the parent is gone and the child ends, so no orphan
keeps a lock. On standard output the child writes one JSON object a line: ``{"ready": true}`` once,
then ``{"beat": n}`` every second from the loop that does the work, so that a hang shows. A child
that no restart can help (a setting that cannot work, data of a newer version) says why and leaves
with an exit code of its own; the parent then ends too, instead of trying for ever.
"""

import contextlib
import json
import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from seakeeping.errors import BadResource, BadSetting, StoreTooNew

BEAT_S = 1.0
"""Seconds between two beats."""

GRACE_S = 8.0
"""Seconds that a child has to end by itself once its parent asked."""

ORPHAN_GRACE_S = 2.0
"""The same once its parent is gone: whoever starts next needs the ports and locks."""


REFUSED = 78
"""Exit code of a child that can never work as things are (EX_CONFIG of sysexits.h)."""


@contextlib.contextmanager
def refusing() -> Iterator[None]:
    """Leave with one line and :data:`REFUSED` where no restart can help."""
    try:
        yield
    except (BadSetting, BadResource, StoreTooNew) as error:
        print(f"seakeeping: {error}", file=sys.stderr, flush=True)
        raise SystemExit(REFUSED) from None


@dataclass(frozen=True)
class Child:
    """What a child process was handed: its settings, and the event that asks it to end."""

    settings: Mapping[str, Any]
    stop: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def ready(self, **facts: object) -> None:
        """Tell the parent that the work has begun."""
        self._say({"ready": True, **facts})

    def beat(self) -> None:
        """Tell the parent that the work goes on; call it from the loop that does the work."""
        self._say({"beat": 1})

    def _say(self, message: Mapping[str, object]) -> None:
        with self._lock:
            try:
                sys.stdout.write(json.dumps(message) + "\n")
                sys.stdout.flush()
            except (BrokenPipeError, ValueError):
                self.stop.set()  # nobody listens any more


def enter() -> Child:
    """Read the settings that the parent sent, and watch the pipe to it from now on.

    Standard output is kept for the contract; logs go to standard error.
    """
    line = sys.stdin.readline()
    if not line:
        raise SystemExit(0)
    child = Child(settings=json.loads(line))
    signal.signal(signal.SIGTERM, lambda *_: child.stop.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what Ctrl-C means
    threading.Thread(target=_watch_parent, args=(child.stop,), daemon=True).start()
    return child


def _watch_parent(stop: threading.Event) -> None:
    while sys.stdin.readline():
        pass
    stop.set()
    leave = threading.Timer(ORPHAN_GRACE_S, os._exit, args=(1,))
    leave.daemon = True
    leave.start()
