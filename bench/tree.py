"""What a process tree costs: CPU seconds, memory, instructions, and how it is killed."""

import contextlib
import signal
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

_RSS_EVERY_S = 0.25


def tree(pid: int) -> list[psutil.Process]:
    """Return the process and all its descendants that are alive."""
    with contextlib.suppress(psutil.NoSuchProcess):
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    return []


def cpu_s(pid: int) -> float:
    """Return the CPU seconds of the tree so far, with those of children that have ended."""
    total = 0.0
    for process in tree(pid):
        with contextlib.suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


def pss_bytes(pid: int) -> int:
    """Return the tree's memory, shared pages counted once (proportional set size)."""
    total = 0
    for process in tree(pid):
        with contextlib.suppress(psutil.Error, OSError):
            total += process.memory_full_info().pss
    return total


def kill(pid: int, number: signal.Signals = signal.SIGKILL) -> None:
    """Signal the whole tree at once and wait until it is gone."""
    victims = tree(pid)
    for process in victims:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(number)
    psutil.wait_procs(victims, timeout=30)


def end(root: "subprocess.Popen[bytes]") -> None:
    """Ask the root to end, and kill what is left."""
    everyone = tree(root.pid) if root.poll() is None else []
    root.terminate()
    _, left = psutil.wait_procs(everyone, timeout=20)
    for process in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    root.wait()


def disk_bytes(folder: Path) -> int:
    """Return the bytes that the folder's files take on disk."""
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            if path.is_file() and not path.is_symlink():
                total += path.stat().st_blocks * 512
    return total


class PeakMemory:
    """Watches the tree's memory while the block runs; ``bytes`` is the highest that was seen."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.bytes = 0

    def __enter__(self) -> "PeakMemory":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(_RSS_EVERY_S):
            self.bytes = max(self.bytes, pss_bytes(self._pid))


class Instructions:
    """Counts the instructions of the tree (user and kernel) where the machine counts them.

    ``count`` is None where it does not, as in many virtual machines.
    """

    def __init__(self, pid: int, target: Path) -> None:
        pids = ",".join(str(process.pid) for process in tree(pid))
        self._target = target
        self._perf: subprocess.Popen[bytes] | None = None
        self.count: int | None = None
        with contextlib.suppress(FileNotFoundError):
            self._perf = subprocess.Popen(
                ["perf", "stat", "-e", "instructions", "-x", ";", "-o", str(target), "-p", pids],
                stderr=subprocess.DEVNULL,
            )

    def __enter__(self) -> "Instructions":
        time.sleep(0.5)  # perf says nothing when it has attached
        return self

    def __exit__(self, *_: object) -> None:
        if self._perf is None:
            return
        self._perf.send_signal(signal.SIGINT)
        self._perf.wait()
        lines = self._target.read_text().splitlines() if self._target.exists() else []
        values = [line.split(";")[0] for line in lines if "instructions" in line]
        self.count = int(values[0]) if values and values[0].isdigit() else None


@dataclass(frozen=True, slots=True)
class Idle:
    """What the tree costs while nothing is asked of it, a second."""

    cpu_s: float
    instructions: float | None


def idle(pid: int, seconds: float, scratch: Path) -> Idle:
    """Measure the tree at rest for so many seconds."""
    with Instructions(pid, scratch) as counted:
        before, start = cpu_s(pid), time.monotonic()
        time.sleep(seconds)
        spent = time.monotonic() - start
        used = cpu_s(pid) - before
    return Idle(used / spent, counted.count / spent if counted.count is not None else None)
