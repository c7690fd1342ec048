"""Ourselves as a service: gauges of our own parts, held to objectives like everybody else's.

The room in the spool, whether the store answers, how far the pipeline is behind, and how long ago
the controller decided are looked at every few seconds and kept as metric points of the service
``seakeeping``. While the store is away its points wait here, a bounded number of them: afterwards
the budget knows that it was away. What does not fit is dropped from the old end and counted.
"""

import os
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from seakeeping import metrics
from seakeeping.clock import Clock
from seakeeping.errors import StoreUnavailable
from seakeeping.observe.objectives import CONTROLLER_LAG, PIPELINE_LAG, SELF, SPOOL_USED, STORE_UP
from seakeeping.records import MetricPoint

EVERY_S = 10.0
"""Seconds between two looks."""

MOST_WAITING = 3 * 8640
"""Points that wait for the store: a day of them."""


class KeepsPoints(Protocol):
    """What is asked of the store."""

    def ping(self, timeout_s: float = 3.0) -> bool:
        """Return whether it answers."""
        ...

    def insert_metric_points(self, points: Sequence[MetricPoint], token: str) -> None:
        """Keep points; raises StoreUnavailable."""
        ...


class SelfWatch:
    """Looks at the spool, the store, the pipeline and the controller.

    Args:
        store: asked whether it answers, and where the points are kept.
        spool: its folder.
        spool_limit_bytes: how much it may hold.
        lag: how far the pipeline is behind, in seconds; None where it does not say.
        behind: how many seconds ago the controller decided.
        clock: the points' time.
    """

    def __init__(
        self,
        store: KeepsPoints,
        *,
        spool: Path,
        spool_limit_bytes: int,
        lag: Callable[[], float | None],
        behind: Callable[[], float],
        clock: Clock,
    ) -> None:
        self._store = store
        self._spool = spool
        self._limit = spool_limit_bytes
        self._lag = lag
        self._behind = behind
        self._clock = clock
        self._waiting: deque[MetricPoint] = deque(maxlen=MOST_WAITING)

    def look(self) -> None:
        """Look once, and keep what can be kept now."""
        at = self._clock.now()
        is_up = self._store.ping(2.0)
        found = {
            SPOOL_USED: self._spool_used(), STORE_UP: float(is_up), PIPELINE_LAG: self._lag(),
            CONTROLLER_LAG: self._behind(),
        }  # fmt: skip
        self._remember([_point(n, value, at) for n, value in found.items() if value is not None])
        if is_up:
            self._keep()

    def _remember(self, points: Sequence[MetricPoint]) -> None:
        lost = len(self._waiting) + len(points) - MOST_WAITING
        if lost > 0:
            metrics.ERRORS.labels("selfwatch", "points_dropped").inc(lost)
        self._waiting.extend(points)

    def _keep(self) -> None:
        points = list(self._waiting)
        try:
            self._store.insert_metric_points(points, f"self-{points[0].at:.6f}-{len(points)}")
        except StoreUnavailable as error:  # they wait for the next look
            metrics.ERRORS.labels("selfwatch", error.code).inc()
            return
        self._waiting.clear()

    def _spool_used(self) -> float | None:
        try:
            with os.scandir(self._spool) as entries:
                used = sum(entry.stat().st_size for entry in entries if entry.is_file())
        except FileNotFoundError:  # no spool yet, or a segment that was deleted meanwhile
            return None
        return used / self._limit


def _point(name: str, value: float, at: float) -> MetricPoint:
    unit = "s" if name.endswith("_seconds") else "1"
    return MetricPoint(
        name=name, unit=unit, kind="gauge", at=at, service_name=SELF, resource={}, attributes={},
        value=value,
    )  # fmt: skip
