"""Start a store child for as long as a block runs: for commands on a stopped server, and tests."""

import json
import secrets
import select
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from seakeeping.errors import StoreUnavailable


@dataclass(frozen=True, slots=True)
class RunningEngine:
    """A store child that serves."""

    process: subprocess.Popen[str]
    port: int
    token: str

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def running_engine(
    path: Path,
    *,
    timeout_s: float = 60.0,
    token: str = "",
    settings: Mapping[str, object] | None = None,
) -> Iterator[RunningEngine]:
    """Run a store child on the folder. Raises StoreUnavailable when it does not come up.

    One folder serves one process: a running server's folder is refused by the engine.
    """
    engine = start_engine(path, timeout_s=timeout_s, token=token, settings=settings)
    try:
        yield engine
    finally:
        stop_engine(engine)


def start_engine(
    path: Path,
    *,
    timeout_s: float = 60.0,
    token: str = "",
    settings: Mapping[str, object] | None = None,
) -> RunningEngine:
    """Start a store child; the caller ends it with ``stop_engine``."""
    token = token or secrets.token_urlsafe(24)
    process = subprocess.Popen(
        [sys.executable, "-m", "seakeeping.store.engine"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    told = {"path": str(path), "port": 0, "token": token, **(settings or {})}
    process.stdin.write(json.dumps(told) + "\n")
    process.stdin.flush()
    try:
        return RunningEngine(process, _port(process, timeout_s), token)
    except BaseException:
        process.kill()
        process.wait()
        _close_pipes(process)
        raise


def stop_engine(engine: RunningEngine, grace_s: float = 15.0) -> None:
    """End the child: close its pipe, and kill it if it stays."""
    process = engine.process
    assert process.stdin is not None
    if process.poll() is None:
        process.stdin.close()
    try:
        process.wait(grace_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    _close_pipes(process)


def _close_pipes(process: subprocess.Popen[str]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None and not pipe.closed:
            try:
                pipe.close()
            except BrokenPipeError:
                continue  # the child is gone; the pipe is closed all the same


def _port(process: subprocess.Popen[str], timeout_s: float) -> int:
    assert process.stdout is not None
    deadline = time.monotonic() + timeout_s
    while (left := deadline - time.monotonic()) > 0:
        readable, _, _ = select.select([process.stdout], [], [], left)
        line = process.stdout.readline() if readable else ""
        if readable and not line:
            raise StoreUnavailable(f"the store child ended with code {process.wait()}")
        if line and json.loads(line).get("ready"):
            return int(json.loads(line)["port"])
    raise StoreUnavailable(f"the store child was not ready within {timeout_s:g} s")
