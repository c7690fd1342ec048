"""Ways to hurt a running server, and what must be true afterwards.

Each fault is a function of a running server and how long to hold it; the repository's tests use the
same functions as the benchmark. Disk-full is a real full file system where the folder is a mount of
its own (``run.py --mount``), else a file-size limit on the process that writes, which needs no
rights.
"""

import contextlib
import itertools
import json
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from bench import corpus, tree
from bench.ingest import servers
from bench.ingest.ours import Seakeeping
from bench.send import Sent, send

SERVING_LIMIT_S = 60.0
_BALLAST = "ballast"


@dataclass
class Running:
    """A server that runs, and the process of its supervisor."""

    server: Seakeeping
    process: subprocess.Popen[bytes]

    def pid(self, role: str) -> int:
        """Return the process of a role; waits until it has one."""
        status = self.server.data / "run" / "status.json"
        deadline = time.monotonic() + SERVING_LIMIT_S
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError, ValueError, KeyError):
                pid = json.loads(status.read_text())["roles"][role]["pid"]
                if pid and psutil.pid_exists(pid):
                    return int(pid)
            time.sleep(0.05)
        raise RuntimeError(f"{role} has no process")

    def revive(self) -> None:
        """Start the server again if its supervisor is gone, as an init system would."""
        if self.process.poll() is not None:
            self.process = servers.start(self.server)


Fault = Callable[[Running, float], None]


def kill_supervisor(running: Running, hold_s: float) -> None:
    """SIGKILL the supervisor; its children end by themselves."""
    running.process.kill()
    running.process.wait()


def kill_all(running: Running, hold_s: float) -> None:
    """SIGKILL every process of the tree at once."""
    tree.kill(running.process.pid)
    running.process.wait()


def _kill(role: str) -> Fault:
    def fault(running: Running, hold_s: float) -> None:
        psutil.Process(running.pid(role)).kill()

    fault.__doc__ = f"SIGKILL the {role} process."
    return fault


def kill_worker(running: Running, hold_s: float) -> None:
    """SIGKILL one evaluation worker."""
    workers = psutil.Process(running.pid("pipeline")).children(recursive=True)
    if workers:
        workers[0].kill()


def stop_store(running: Running, hold_s: float) -> None:
    """SIGSTOP the store for a while: it neither answers nor dies."""
    with contextlib.suppress(psutil.NoSuchProcess):
        store = psutil.Process(running.pid("store"))
        store.send_signal(signal.SIGSTOP)
        time.sleep(hold_s)
        store.send_signal(signal.SIGCONT)


def spool_disk_full(running: Running, hold_s: float) -> None:
    """Let the spool's disk be full for a while."""
    _fill(running, "edge", running.server.data / "spool", hold_s)


def store_disk_full(running: Running, hold_s: float) -> None:
    """Let the store's disk be full for a while."""
    _fill(running, "store", running.server.data / "store", hold_s)


def _fill(running: Running, role: str, folder: Path, hold_s: float) -> None:
    if folder.is_mount():
        ballast = folder / _BALLAST
        with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
            while True:
                file.write(b"\0" * 65_536)
        time.sleep(hold_s)
        ballast.unlink()
        return
    process = psutil.Process(running.pid(role))
    soft, hard = process.rlimit(psutil.RLIMIT_FSIZE)
    process.rlimit(psutil.RLIMIT_FSIZE, (0, hard))
    time.sleep(hold_s)
    with contextlib.suppress(psutil.NoSuchProcess):
        process.rlimit(psutil.RLIMIT_FSIZE, (soft, hard))


FAULTS: Mapping[str, Fault] = {
    "kill supervisor": kill_supervisor,
    "kill edge": _kill("edge"),
    "kill pipeline": _kill("pipeline"),
    "kill store": _kill("store"),
    "kill worker": kill_worker,
    "kill all": kill_all,
    "stop store": stop_store,
    "spool disk full": spool_disk_full,
    "store disk full": store_disk_full,
}
"""Every fault by name."""


@dataclass
class Load:
    """Posts bodies at a pace, each until it is acknowledged, until it is told to end."""

    url: str
    seed: int
    pace_s: float = 0.1
    sent: Sent = field(default_factory=Sent)
    _enough: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to post."""
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def end(self) -> Sent:
        """Post no new body, wait until every old one is acknowledged, return the sums."""
        self._enough.set()
        assert self._thread is not None
        self._thread.join()
        return self.sent

    def _run(self) -> None:
        self.sent = send(self._bodies(), self.url, senders=2)

    def _bodies(self) -> Iterator[corpus.Body]:
        endless = corpus.bodies(1 << 40, seed=self.seed)
        return itertools.takewhile(lambda _: not self._enough.wait(self.pace_s), endless)


@dataclass(frozen=True)
class Books:
    """What was acknowledged, and what the server holds and counts."""

    spans_sent: int
    spans_stored: int
    calls_sent: int
    calls_counted: int
    evaluations_expected: int
    evaluations: int

    @property
    def lost(self) -> int:
        """Acknowledged spans, calls and scores that are not there or not counted."""
        missing = max(0, self.spans_sent - self.spans_stored)
        missing += max(0, self.calls_sent - self.calls_counted)
        return missing + max(0, self.evaluations_expected - self.evaluations)

    @property
    def doubled(self) -> int:
        """Calls and spans that were counted more than once."""
        twice = max(0, self.calls_counted - self.calls_sent)
        return twice + max(0, self.spans_stored - self.spans_sent)


def serving_after(running: Running, seed: int) -> float:
    """Return the seconds until a body is acknowledged; the body counts as sent by nobody's load.

    Raises:
        RuntimeError: nothing was acknowledged within a minute.
    """
    start = time.monotonic()
    (probe,) = corpus.bodies(corpus.SPANS_A_BODY, model_call_share=0.0, seed=seed)
    sent = send([probe], running.server.url, senders=1, attempts=int(SERVING_LIMIT_S * 4))
    if not sent.requests:
        raise RuntimeError("not serving again")
    return time.monotonic() - start


def settled_books(server: Seakeeping, spans: int, calls: int, limit_s: float) -> Books:
    """Return the books once they are even, or as they are when the time is over."""
    deadline = time.monotonic() + limit_s
    while True:
        books = Books(
            spans_sent=spans,
            spans_stored=server.stored(),
            calls_sent=calls,
            calls_counted=server.counted(),
            evaluations_expected=calls * server.evaluators,
            evaluations=server.scored(),
        )
        if not books.lost or time.monotonic() > deadline:
            return books
        time.sleep(0.5)
