"""What must be done again and again beside the stream: reload, scrape, retire old data.

One thread, one chore at a time. A chore that fails is counted, said once on standard error, and
tried again at its next time; the others go on.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from seakeeping.clock import Clock
from seakeeping.faults import Faults


@dataclass(frozen=True, slots=True)
class Chore:
    """Something to do every ``every_s`` seconds, first after ``first_s``."""

    name: str
    every_s: float
    do: Callable[[], object]
    first_s: float = 0.0


class Chores:
    """Runs chores in a thread until stopped."""

    def __init__(self, chores: Sequence[Chore], clock: Clock, stop: threading.Event) -> None:
        now = clock.monotonic()
        self._due = {chore.name: now + chore.first_s for chore in chores}
        self._chores = tuple(chores)
        self._clock = clock
        self._stop = stop
        self._faults = {chore.name: Faults(chore.name, passing=()) for chore in chores}
        self._thread = threading.Thread(target=self._run, name="chores", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def join(self, timeout_s: float) -> None:
        """Wait until the chore at hand is done."""
        self._thread.join(timeout_s)

    def step(self) -> float:
        """Do what is due; return how many seconds until the next is."""
        for chore in self._chores:
            if self._due[chore.name] <= self._clock.monotonic() and not self._stop.is_set():
                self._do(chore)
                self._due[chore.name] = self._clock.monotonic() + chore.every_s
        return max(0.0, min(self._due.values(), default=1.0) - self._clock.monotonic())

    def _run(self) -> None:
        while not self._stop.wait(self.step()):
            pass

    def _do(self, chore: Chore) -> None:
        with self._faults[chore.name].of():
            chore.do()
