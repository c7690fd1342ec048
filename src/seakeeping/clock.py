"""Time as an argument: what needs the time is handed a clock, so tests never sleep."""

import time
from typing import Protocol


class Clock(Protocol):
    """Where the time comes from."""

    def now(self) -> float:
        """Return Unix seconds, UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never go back, for durations and deadlines."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> float:
        """Return Unix seconds, UTC."""
        return time.time()

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return time.monotonic()
