"""One worker process seen from the pool: started, asked, replaced when lost."""

import contextlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from seakeeping.errors import EvaluatorFailed
from seakeeping.evaluate.reasons import SkipReason
from seakeeping.evaluate.wire import Channel
from seakeeping.protocols import CostClass
from seakeeping.records import Evaluation, Interaction

START_S = 60.0
"""Seconds that a worker may take to import its evaluators on a busy machine."""

_ONE_THREAD = MappingProxyType(
    dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
)


@dataclass(frozen=True, slots=True)
class EvaluatorFacts:
    """What the pool knows of an evaluator without loading it."""

    name: str
    version: str
    cost_class: CostClass


class WorkerLost(Exception):
    """The worker died or ran over its time; ``reason`` is the skip reason of what it worked on."""

    def __init__(self, reason: SkipReason) -> None:
        super().__init__(str(reason))
        self.reason = reason


class WorkerLink:
    """A running worker process and the talk with it.

    Raises:
        EvaluatorFailed: the process does not start or cannot load its evaluators.
    """

    def __init__(self, *, memory_limit_mb: int, enabled: Sequence[str] | None) -> None:
        ours, theirs = socket.socketpair()
        self._channel = Channel(ours)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "seakeeping.evaluate.worker"],
                bufsize=0,  # nothing may be left to flush into a closed pipe
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env={**os.environ, **_ONE_THREAD},
            )
            settings = {
                "socket": theirs.fileno(),
                "memory_limit_mb": memory_limit_mb,
                "enabled": enabled,
            }
            self._greet(settings)
        self.evaluators = self._introduced()

    def _greet(self, settings: object) -> None:
        stdin = self._process.stdin
        assert stdin is not None  # asked for above; stays open as the sign that we live
        # where it died at once the introduction fails, and tells so
        with contextlib.suppress(BrokenPipeError):
            stdin.write(json.dumps(settings).encode() + b"\n")

    def _introduced(self) -> tuple[EvaluatorFacts, ...]:
        try:
            told = self._channel.receive(START_S)
        except (EOFError, OSError) as error:
            self.end()
            raise EvaluatorFailed(
                "an evaluation worker did not start", hint="its standard error, above, says why"
            ) from error
        if isinstance(told, str):
            self.end()
            raise EvaluatorFailed(told)
        return tuple(EvaluatorFacts(*facts) for facts in told)

    @property
    def pid(self) -> int:
        """Return the process id."""
        return self._process.pid

    def ask(
        self, names: Sequence[str], batch: Sequence[Interaction], timeout_s: float
    ) -> Iterator[tuple[list[Evaluation], float]]:
        """Yield, for each named evaluator in order, its evaluations of the batch and CPU seconds.

        Args:
            names: evaluators to run.
            batch: the calls to judge.
            timeout_s: limit for each evaluator.

        Raises:
            WorkerLost: while the next evaluator was at work; the link is of no more use.
        """
        try:
            self._channel.send((names, batch), timeout_s)
            for _ in names:
                yield self._channel.receive(timeout_s)
        except TimeoutError as error:
            raise WorkerLost(SkipReason.TIMEOUT) from error
        except (EOFError, OSError) as error:
            raise WorkerLost(SkipReason.CRASHED) from error

    def end(self) -> None:
        """End the process, whatever it does."""
        self._channel.close()
        self._process.kill()
        self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()
