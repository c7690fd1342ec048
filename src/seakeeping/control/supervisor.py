"""Keeps the process tree alive: starts children, hears their beats, restarts the dead and the hung.

A part that dies or hangs is restarted with back-off; the others go on. That is what makes an engine
crash a pause instead of an outage: the edge keeps acknowledging into the spool, and the pipeline
catches up. The supervisor itself does nothing else, so it has no reason to die. What it knows
stands in ``run/status.json``, rewritten every second, for ``/readyz`` and the pages.
"""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from seakeeping import metrics
from seakeeping.process import GRACE_S, REFUSED

_FIRST_BACKOFF_S = 0.2
_LONGEST_BACKOFF_S = 10.0
_STABLE_S = 30.0


@dataclass(frozen=True, slots=True)
class Role:
    """One child of the tree.

    ``hang_s`` is how long it may be silent once ready, ``start_s`` how long it may take until then.
    """

    name: str
    module: str
    settings: Mapping[str, object]
    hang_s: float = 15.0
    start_s: float = 60.0


@dataclass(slots=True)
class _Part:
    role: Role
    state: str = "starting"
    process: asyncio.subprocess.Process | None = None
    started_at: float = 0.0
    ready_s: float | None = None
    restarts: int = 0
    last_exit: int | None = None
    facts: dict[str, object] = field(default_factory=dict)

    def status(self) -> dict[str, object]:
        return {
            "pid": self.process.pid if self.process and self.process.returncode is None else None,
            "state": self.state,
            "restarts": self.restarts,
            "ready_s": self.ready_s,
            "started_at": self.started_at,
            "last_exit": self.last_exit,
            **self.facts,
        }


class Supervisor:
    """Runs the roles until asked to stop, then ends them in reverse order of their start.

    ``refused`` names the role that said it can never work as things are; the tree has ended then.

    Args:
        roles: the children, in the order of their start.
        run_dir: where the status file goes.
        env: environment of the children.
    """

    def __init__(self, roles: Sequence[Role], run_dir: Path, env: Mapping[str, str]) -> None:
        self._parts = [_Part(role) for role in roles]
        self._status_file = run_dir / "status.json"
        self._env = dict(env)
        self._stopping = asyncio.Event()
        self.refused: str | None = None

    async def run(self, on_ready: asyncio.Event | None = None) -> None:
        """Keep every role running until :meth:`stop` (or SIGTERM, SIGINT)."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        keepers = [asyncio.create_task(self._keep(part)) for part in self._parts]
        reporter = asyncio.create_task(self._report(on_ready))
        await self._stopping.wait()
        await self._end_all()
        for task in (*keepers, reporter):
            task.cancel()
        await asyncio.gather(*keepers, reporter, return_exceptions=True)
        self._write_status()

    def stop(self) -> None:
        """Ask the tree to end."""
        self._stopping.set()

    def status(self) -> dict[str, dict[str, object]]:
        """Return what is known of each role."""
        return {part.role.name: part.status() for part in self._parts}

    async def _keep(self, part: _Part) -> None:
        backoff = _FIRST_BACKOFF_S
        while not self._stopping.is_set():
            await self._run_once(part)
            if self._stopping.is_set():
                return
            if part.last_exit == REFUSED:
                self.refused = part.role.name
                self.stop()
                return
            part.state = "restarting"
            part.restarts += 1
            metrics.RESTARTS.labels(part.role.name).inc()
            stable = time.time() - part.started_at > _STABLE_S
            backoff = _FIRST_BACKOFF_S if stable else min(backoff * 2, _LONGEST_BACKOFF_S)
            self._say(part, f"ended with {part.last_exit}, starting again in {backoff:.1f} s")
            await asyncio.sleep(backoff)

    async def _run_once(self, part: _Part) -> None:
        part.state, part.ready_s, part.started_at = "starting", None, time.time()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", part.role.module,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            env=self._env, start_new_session=True,
        )  # fmt: skip
        part.process = process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(part.role.settings).encode() + b"\n")
        await self._listen(part, process.stdout)
        if process.returncode is None and not self._stopping.is_set():
            _kill_group(process.pid)  # silent or without a voice: SIGKILL also ends a stopped one
        part.last_exit = await process.wait()

    async def _listen(self, part: _Part, output: asyncio.StreamReader) -> None:
        """Return when the child closed its output, or was silent for too long."""
        while True:
            patience = part.role.hang_s if part.ready_s is not None else part.role.start_s
            try:
                line = await asyncio.wait_for(output.readline(), patience)
            except TimeoutError:
                self._say(part, f"silent for {patience:.0f} s")
                return
            if not line:
                return
            self._hear(part, line)

    def _hear(self, part: _Part, line: bytes) -> None:
        try:
            message = json.loads(line)
        except ValueError:
            metrics.ERRORS.labels("supervisor", "unreadable_beat").inc()
            return
        if message.pop("ready", False):
            part.state, part.ready_s = "running", time.time() - part.started_at
        message.pop("beat", None)
        part.facts.update(message)

    async def _end_all(self) -> None:
        for part in reversed(self._parts):
            part.state = "stopping"
            await self._end(part)
            part.state = "stopped"

    async def _end(self, part: _Part) -> None:
        process = part.process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), GRACE_S)
        except TimeoutError:
            self._say(part, "did not end in time, killed")
        _kill_group(process.pid)

    async def _report(self, on_ready: asyncio.Event | None) -> None:
        while True:
            self._write_status()
            if on_ready and all(part.ready_s is not None for part in self._parts):
                on_ready.set()
            await asyncio.sleep(0.25 if on_ready and not on_ready.is_set() else 1.0)

    def _write_status(self) -> None:
        body = json.dumps({"at": time.time(), "pid": os.getpid(), "roles": self.status()})
        fresh = self._status_file.with_suffix(".new")
        try:
            fresh.write_text(body)
            fresh.replace(self._status_file)
        except OSError as error:  # a full disk must not end the tree
            metrics.ERRORS.labels("supervisor", type(error).__name__).inc()

    @staticmethod
    def _say(part: _Part, text: str) -> None:
        print(f"seakeeping: {part.role.name}: {text}", file=sys.stderr, flush=True)


def _kill_group(pid: int) -> None:
    """End a child and what it started; each child leads its own process group."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
