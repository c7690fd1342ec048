"""What the pages look at all the time, read once for everybody who looks.

Ten open walls must not cost ten times the queries: a wall is read at most every ``FRESH_S``, and
what moves slowly more rarely: a count or a series is read again after a three-hundredth of its
window, 5 to 60 s. Nothing is read while nobody looks.
"""

import asyncio
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, Protocol, TypeVar, cast

from seakeeping.clock import Clock
from seakeeping.errors import Unavailable
from seakeeping.observe import LOOK_BACKS, budget, standard_objectives
from seakeeping.records import (
    Budget,
    Counts,
    Evaluation,
    Interaction,
    MetricPoint,
    Objective,
    Span,
)
from seakeeping.store.filters import EvaluationFilter, InteractionFilter, Page
from seakeeping.store.tallies import NOTHING, Tally
from seakeeping.store.telemetry import SeriesPoint, ServiceSummary
from seakeeping.web import charts, wall
from seakeeping.web.reader import Reader
from seakeeping.web.wall import ServiceRow, Wall

Answer = TypeVar("Answer")

FRESH_S = 1.5
LEAST_S, MOST_S, SHARE = 5.0, 60.0, 300.0
_MOST_KEPT = 20_000


class Telemetry(Protocol):
    """What is asked of the store; every method may raise StoreUnavailable."""

    def services(self, now: float, window_s: float) -> Sequence[ServiceSummary]:
        """Return the services seen in the window."""
        ...

    def series(self, service: str, start: float, end: float, step_s: int) -> Sequence[SeriesPoint]:
        """Return one point a step, also for empty steps."""
        ...

    def tallies(self, starts: Sequence[float], end: float) -> Mapping[str, Sequence[Tally]]:
        """Return the events of every service since each of some moments."""
        ...

    def interactions(
        self, where: InteractionFilter, *, limit: int, cursor: str | None = None
    ) -> Page[Interaction]:
        """Return calls, newest first."""
        ...

    def interaction(self, trace_id: str, span_id: str) -> Interaction | None:
        """Return one call."""
        ...

    def evaluations(
        self, where: EvaluationFilter, *, limit: int, cursor: str | None = None
    ) -> Page[Evaluation]:
        """Return evaluations, newest first."""
        ...

    def evaluations_of(self, trace_id: str, span_id: str) -> Sequence[Evaluation]:
        """Return the evaluations of one call."""
        ...

    def trace(self, trace_id: str) -> Sequence[Span]:
        """Return the spans of a trace."""
        ...

    def metric_points(
        self, service_name: str, name: str, start: float, end: float, *, limit: int
    ) -> Sequence[MetricPoint]:
        """Return the points of one metric of one service, oldest first."""
        ...

    def erase_subject(self, user_id: str) -> int:
        """Remove what a user's calls hold; return how many calls that were."""
        ...


class Watch:
    """Reads walls and budgets, and remembers them for a moment."""

    def __init__(self, store: Telemetry, reader: Reader, clock: Clock) -> None:
        self._store = store
        self._reader = reader
        self._clock = clock
        self._walls: dict[str, Wall] = {}
        self._memo = Memo(clock)
        self._locks: dict[str, asyncio.Lock] = {}

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

    def service(self, name: str, window: str) -> ServiceRow | None:
        """Return one service; None where it was not seen. Blocks: call it in a reader's thread."""
        now = self._clock.now()
        found = [s for s in self._summaries(now, window) if s.service_name == name]
        return self._row(found[0], now, window) if found else None

    def budgets(self, service: str | None = None) -> list[Budget]:
        """Return the budgets of one or all services. Blocks."""
        now = self._clock.now()
        names = [service] if service else self._names(now)
        return [self._budget(o, now) for name in names for o in standard_objectives(name)]

    def objectives(self, service: str | None = None) -> list[Objective]:
        """Return the objectives of one or all services. Blocks."""
        names = [service] if service else self._names(self._clock.now())
        return [o for name in names for o in standard_objectives(name)]

    def _names(self, now: float) -> list[str]:
        return sorted(s.service_name for s in self._store.services(now, charts.WINDOWS["30d"][0]))

    def _read_wall(self, window: str) -> Wall:
        now = self._clock.now()
        rows = [self._row(s, now, window) for s in self._summaries(now, window)]
        return wall.build(now, window, rows)

    def _summaries(self, now: float, window: str) -> Sequence[ServiceSummary]:
        return self._store.services(now, charts.WINDOWS[window][0])

    def _row(self, summary: ServiceSummary, now: float, window: str) -> ServiceRow:
        name = summary.service_name
        points = self.series(name, now, window)
        budgets = [self._budget(objective, now) for objective in standard_objectives(name)]
        return wall.service_row(now, window, summary, budgets, points)

    def series(self, name: str, now: float, window: str) -> Sequence[SeriesPoint]:
        """Return the points of a service's charts. Blocks."""
        window_s, step_s = charts.WINDOWS[window]
        return self._memo.get(
            ("series", name, window),
            window_s,
            lambda: self._store.series(name, now - window_s, now, step_s),
        )

    def _budget(self, objective: Objective, now: float) -> Budget:
        return budget(self._count, objective, now)

    def _count(
        self,
        service: str,
        start: float,
        end: float,
        *,
        indicator: str,
        threshold_s: float | None = None,
    ) -> Counts:
        """Return the events of an indicator, from tallies that are read for all services at once.

        A look-back is found by its length, a window by its start, which stands still for a while.
        """
        length = round(end - start)
        lengths = _SHORT if length in _SHORT else _LONG
        place = length if length in lengths else start
        windows = () if length in lengths else (start,)

        def ask() -> Mapping[float, Mapping[str, Tally]]:
            starts = [*(end - known for known in lengths), *windows]
            found = self._store.tallies(starts, end)
            return {
                at: {name: tallies[n] for name, tallies in found.items()}
                for n, at in enumerate((*lengths, *windows))
            }

        read = self._memo.get(("tallies", lengths, windows), min(lengths), ask)
        return read[place].get(service, NOTHING).counts(indicator, threshold_s)


_SHORT = tuple(s for s in LOOK_BACKS.values() if s <= 21_600)
_LONG = tuple(s for s in LOOK_BACKS.values() if s > 21_600)


class Memo:
    """Remembers answers for a time that grows with the window they cover."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
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
        self._kept[key] = now + min(max(window_s / SHARE, LEAST_S), MOST_S), answer
        return answer
