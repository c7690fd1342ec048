"""What the pages look at all the time, read once for everybody who looks.

Ten open walls must not cost ten times the queries: a wall is read at most every ``FRESH_S``, and
what moves slowly more rarely: a series is read again after a three-hundredth of its window, 5 to
60 s. Nothing is read while nobody looks. Budgets are measured by the control loop and only read
here; while the ledger is away the last ones stay, with the moment they are of.
"""

import asyncio
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from seakeeping import metrics
from seakeeping.clock import Clock
from seakeeping.errors import Unavailable
from seakeeping.records import AlertState, Budget, Reading
from seakeeping.records.names import Names
from seakeeping.store.telemetry import SeriesPoint, ServiceSummary
from seakeeping.web import charts, standing, wall
from seakeeping.web.decided import Decided, IncidentFilter, Readings
from seakeeping.web.incident_page import IncidentRow, incident_rows
from seakeeping.web.objective_list import is_unused
from seakeeping.web.reader import Reader
from seakeeping.web.telemetry import Telemetry
from seakeeping.web.wall import ServiceRow, Wall

Answer = TypeVar("Answer")

FRESH_S = 1.5
READINGS_FRESH_S = 0.5
LEAST_S, MOST_S, SHARE = 5.0, 60.0, 300.0
MOST_INCIDENTS = 10
"""Open incidents on the wall, the newest."""

_MOST_KEPT = 20_000
_NAMES_S = 3600.0  # remembered for 12 s


@dataclass(frozen=True, slots=True)
class Standing:
    """What goes on now: open incidents, and how many alerts fire."""

    incidents: tuple[IncidentRow, ...] = ()
    firing: int = 0


class Watch:
    """Reads walls and readings, and remembers them for a moment."""

    def __init__(self, store: Telemetry, decided: Decided, reader: Reader, clock: Clock) -> None:
        self._store = store
        self._decided = decided
        self._reader = reader
        self._clock = clock
        self._walls: dict[str, Wall] = {}
        self._memo = Memo(clock)
        self._locks: dict[str, asyncio.Lock] = {}
        self._standing = Memo(clock, least_s=READINGS_FRESH_S)
        self._readings = Readings()
        self._read_at = float("-inf")

    async def wall(self, window: str) -> Wall:
        """Return the wall; with the trouble instead of services when the store does not answer."""
        lock = self._locks.setdefault(window, asyncio.Lock())
        async with lock:
            known = self._walls.get(window)
            if known and self._clock.now() - known.at < FRESH_S:
                return known
            try:
                fresh = await self._reader.ask(lambda: self._read_wall(window))
            except Unavailable as trouble:
                return Wall(self._clock.now(), (), window, trouble)
            self._walls[window] = fresh
            return fresh

    def readings(self) -> Readings:
        """Return the objectives as last measured. Blocks.

        While the ledger is away the last known ones, or nothing if there are none; what is old says
        so by its own time.
        """
        now = self._clock.now()
        if now - self._read_at >= READINGS_FRESH_S:
            try:
                self._readings = self._decided.readings()
            except Unavailable as error:
                metrics.ERRORS.labels("web", type(error).__name__).inc()
            self._read_at = now
        return self._readings

    def reading(self, name: str) -> Reading | None:
        """Return one objective as last measured, None where there is none of that name. Blocks."""
        return next((r for r in self.readings().readings if r.budget.objective.name == name), None)

    def standing(self) -> Standing:
        """Return what fires and which incidents go on; nothing while the ledger is away. Blocks."""
        return self._standing.get("standing", READINGS_FRESH_S * SHARE, self._read_standing)

    def _read_standing(self) -> Standing:
        try:
            incidents = self._decided.incidents(IncidentFilter(is_open=True), limit=MOST_INCIDENTS)
            firing = sum(a.state is AlertState.FIRING for a in self._decided.alerts())
        except Unavailable as error:
            metrics.ERRORS.labels("web", type(error).__name__).inc()
            return Standing()
        return Standing(tuple(incident_rows(incidents, self._clock.now())), firing)

    def budgets(self, service: str | None = None) -> list[Budget]:
        """Return the budgets of one or all services. Blocks."""
        found = (reading.budget for reading in self.readings().readings)
        return [b for b in found if service is None or b.objective.service == service]

    def service(self, name: str, window: str) -> ServiceRow | None:
        """Return one service; None where it was not seen. Blocks: call it in a reader's thread."""
        now = self._clock.now()
        found = [s for s in self._summaries(now, window) if s.service_name == name]
        return self._row(found[0], now, window) if found else None

    def series(self, name: str, now: float, window: str) -> Sequence[SeriesPoint]:
        """Return the points of a service's charts. Blocks."""
        window_s, step_s = charts.WINDOWS[window]
        return self.remembered(
            ("series", name, window),
            window_s,
            lambda: self._store.series(name, now - window_s, now, step_s),
        )

    def names(self) -> Names:
        """Return the names that telemetry showed lately. Blocks."""
        return self.remembered("names", _NAMES_S, lambda: self._store.names(self._clock.now()))

    def remembered(self, key: Hashable, window_s: float, ask: Callable[[], Answer]) -> Answer:
        """Return what is known for a key, or ask; see `Memo`. Blocks."""
        return self._memo.get(key, window_s, ask)

    def _read_wall(self, window: str) -> Wall:
        now = self._clock.now()
        rows = [self._row(s, now, window) for s in self._summaries(now, window)]
        return wall.build(now, window, rows, self.readings().at)

    def _summaries(self, now: float, window: str) -> Sequence[ServiceSummary]:
        return self._store.services(now, charts.WINDOWS[window][0])

    def _row(self, summary: ServiceSummary, now: float, window: str) -> ServiceRow:
        name = summary.service_name
        points = self.series(name, now, window)
        budgets = [b for b in self.budgets(name) if not is_unused(b)]
        is_stale = standing.is_stale(self.readings().at, now)
        return wall.service_row(now, window, summary, budgets, points, is_stale=is_stale)


class Memo:
    """Remembers answers for a time that grows with the window they cover."""

    def __init__(self, clock: Clock, *, least_s: float = LEAST_S) -> None:
        self._clock = clock
        self._least_s = least_s
        self._kept: dict[Hashable, tuple[float, Any]] = {}

    def get(self, key: Hashable, window_s: float, ask: Callable[[], Answer]) -> Answer:
        """Return the answer known for a key, or ask."""
        now = self._clock.now()
        until, known = self._kept.get(key, (0.0, None))
        if now < until:
            return cast(Answer, known)
        answer = ask()
        if len(self._kept) >= _MOST_KEPT:
            self._kept.clear()
        self._kept[key] = now + min(max(window_s / SHARE, self._least_s), MOST_S), answer
        return answer
