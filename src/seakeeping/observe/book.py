"""The book of budgets: every objective's counts, kept current, and the readings made from them.

A tick is ``refresh``, then ``readings``. Refreshing asks the store what changed, recounts just that
and puts it in the place of what was counted before (``filling``, ``history``); reading sums, bounds
and divides (``readout``, ``budget``). Readings are of the moment of the last refresh that
succeeded: while the store is away they stand still and say so, so that an absence of news is
neither taken for an absence of traffic nor for an end of trouble.

Objectives may change at any time. Those that count the same share a row; what a new one needs is
counted back in steps over the next ticks, and its readings say how far.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import orjson

from seakeeping.clock import Clock
from seakeeping.faults import Faults
from seakeeping.observe.arrivals import Arrivals
from seakeeping.observe.budget import UNKNOWN, Counted, Estimated, all_counts_of, measure_all
from seakeeping.observe.counting import SliStore
from seakeeping.observe.evidence import RECENT_S
from seakeeping.observe.exemplars import Exemplars
from seakeeping.observe.expansion import expanded
from seakeeping.observe.filling import Filling
from seakeeping.observe.history import AHEAD_S, History, Reach, reach_of
from seakeeping.observe.quality import Quality, is_tested
from seakeeping.observe.readout import Readout, reaches_of
from seakeeping.observe.rows import Rows, Source, row_of
from seakeeping.observe.tiers import VALID, Ints
from seakeeping.observe.windows import (
    COARSE_S,
    MIDDLE_REACH_S,
    look_name,
    looks_of,
    period_start,
    step_of,
)
from seakeeping.records import Budget, Counts, Evidence, Objective, Reading

VALUES_FRESH_S = 60.0
"""How long the values of a dimension are believed, in seconds."""

STALE_S = 30.0
"""Readings that are older than this, in seconds, say so."""

_DAY_S = 86_400.0
_MONTH_S = 31 * _DAY_S


class Book:
    """The objectives of one node, measured; for one thread.

    Args:
        store: what is counted.
        clock: for durations, and for the start.
    """

    def __init__(self, store: SliStore, clock: Clock) -> None:
        self._store = store
        self._rows = Rows()
        self._history = History(clock.now())
        self._arrivals = Arrivals(self._history)
        self._filling = Filling(store, self._rows, self._history, clock, self._arrivals.heard)
        self._quality = Quality(store)
        self._exemplars = Exemplars(store)
        self._faults = Faults("book")
        self._undrawn: dict[str, float] = {}
        self._seen: dict[str, list[float]] = {}
        self._written: tuple[Objective, ...] = ()
        self._objectives: list[Objective] = []
        self._numbers: list[int] = []
        self._tested: list[str] = []
        self._readout = Readout([], np.zeros(0, np.int64))
        self._services: set[str] = set()
        self._values: dict[tuple[str, str], tuple[float, list[str]]] = {}
        self._metrics: list[str] = []
        self._version = self._worked_off = 0
        self._is_filling = True
        self._is_watch_due = False
        self._restored: bytes | None = None
        self.at = clock.now()

    # -- objectives -----------------------------------------------------------------------------

    @property
    def objectives(self) -> Sequence[Objective]:
        """What is measured: one for each service and slice that the written ones stand for."""
        return self._objectives

    def hold(self, objectives: Iterable[Objective]) -> None:
        """Measure these objectives from now on, and no others."""
        written = tuple(objectives)
        if written != self._written:
            self._written = written
            asked = [row_of(objective) for objective in written]
            self._metrics = sorted(
                {name for row in asked if row.source is Source.METRICS for name in row.names}
            )
            self._expand()

    def _expand(self) -> None:
        found = expanded(self._written, self._services, self._values_of)
        if found == self._objectives:
            return
        self._objectives = found
        rows = [row_of(objective) for objective in found]
        new, gone = self._rows.hold(rows)
        self._filling.forget(gone)
        self._arrivals.forget(gone)
        for number in gone:
            self._history.dismiss(number)
        self._numbers = [self._rows.numbers[row.key] for row in rows]
        self._tested = [f"{one.name} {row.counted}" for one, row in zip(found, rows, strict=True)]
        self._readout = Readout(found, self._row_numbers())
        self._admit(set(new))
        self._watch()
        self._exemplars.hold(objective.name for objective in found)
        self._is_filling = True

    def _row_numbers(self) -> Ints:
        return np.array(self._numbers, dtype=np.int64)

    def _admit(self, new: set[int]) -> None:
        """Hold rows in the tiers that their windows need; what a tier lacks is filled anew."""
        wanted: dict[int, set[Reach]] = {}
        for objective, number in zip(self._objectives, self._numbers, strict=True):
            wanted.setdefault(number, set()).update(reaches_of(objective))
        for number, reaches in wanted.items():
            if number not in new and not all(self._history.holds(number, r) for r in reaches):
                self._filling.refill([number])
            self._history.admit(number, reaches)

    def _values_of(self, service: str, dimension: str) -> Sequence[str]:
        """Return the values known; a new dimension is asked for in the next ``refresh``."""
        return self._values.setdefault((service, dimension), (-_DAY_S, []))[1]

    def _watch(self) -> None:
        """Set up the sequential tests of the objectives that have one."""
        nulls: dict[str, float] = {}
        names: dict[int, list[str]] = {}
        tested = list(zip(self._objectives, self._numbers, self._tested, strict=True))
        for objective, number, name in tested:
            if (null_ratio := self._held_to(objective, number, name)) is not None:
                nulls[name] = null_ratio
                names.setdefault(number, []).append(name)
        self._arrivals.hold(names, nulls)
        self._undrawn = {
            objective.name: self._share_before(objective, number)
            for objective, number, _ in tested
            if objective.indicator.is_estimate
        }
        self._is_watch_due = False

    def _share_before(self, objective: Objective, number: int) -> float:
        """Return the share of the window's answers from before the oldest label."""
        begin, since = period_start(objective, self.at), self._quality.labelled_since(objective)
        if not begin < since < self.at:
            return 0.0
        reach = reach_of(objective.window_s, step_of(objective))
        weights = self._history.slots(number, reach, begin, self.at)[:, VALID]
        before = self._history.slots(number, reach, begin, since)[:, VALID]
        total = float(weights.sum())
        return float(before.sum()) / total if total > 0 else 0.0

    def _held_to(self, objective: Objective, number: int, name: str) -> float | None:
        """Return the null of a test; the one that stands where it cannot be worked out."""
        with self._faults.of(f"test of {objective.name}"):
            return self._null_ratio(objective, number, name)
        known = self._arrivals.tests.of(name)
        return known.null_ratio if known else None

    def _null_ratio(self, objective: Objective, number: int, name: str) -> float | None:
        """Return what a test is held to.

        What was learnt from the past stands while the past is counted anew, and during an alarm,
        which would otherwise become usual.
        """
        if not is_tested(objective):
            return None
        known = self._arrivals.tests.of(name)
        is_settled = self._is_counted(objective, number) and not (known and known.is_alarm)
        if known is not None and self._quality.is_cold(objective) and not is_settled:
            return known.null_ratio
        reach, start = reach_of(objective.window_s, step_of(objective)), self.at - RECENT_S
        past = self._history.slots(number, reach, period_start(objective, self.at), start)
        return self._quality.null_ratio(objective, past)

    # -- a tick ---------------------------------------------------------------------------------

    def refresh(self, now: float) -> None:
        """Count what changed until ``now``. Raises StoreUnavailable, and then goes on next time."""
        self._look(now)  # first: without the store everything stays as it is
        if now - self.at > COARSE_S or not self._history.move(now):
            self._begin_anew(now)
        if self._is_filling:
            self._filling.fill(needed := self._needed(now))
            self._is_filling = not all(self._filling.is_filled(*one) for one in needed.items())
            self._is_watch_due = True  # there is more of a past to compare with
        self._filling.recount()
        self._count_seen(now)
        self._worked_off = self._version
        self._restored = None
        self.at = now
        if self._is_watch_due:
            self._watch()

    def _begin_anew(self, now: float) -> None:
        """Lay everything out for a time that is not the one that follows: a clock that jumped.

        Events that bore a time of the future then may be of the past now, so what lies between is
        counted; the rest was kept.
        """
        self._filling.keeper.keep(max(now, self.at) + COARSE_S)
        self._arrivals.remember(np.unique(self._row_numbers()))
        self._history.clear(now)
        self._filling.rebuild(min(now, self.at))
        self._is_filling = True

    def _count_seen(self, now: float) -> None:
        seen = self._arrivals.seen(self._row_numbers()).tolist()
        names = [objective.name for objective in self._objectives]
        self._seen = dict(zip(names, seen, strict=True))
        self._exemplars.refresh(self._objectives, (bad for _, bad in seen), now)

    def _look(self, now: float) -> None:
        """Ask what changed, and take in services, values and labels that are new."""
        services = set[str]()
        if self._version == 0:
            services = {one.service_name for one in self._store.services(now, _MONTH_S)}
        touched = self._store.touched(self._version, self._metrics)
        services |= {service for service, _ in touched.calls}
        services |= {service for service, *_ in (*touched.metrics, *touched.measurements)}
        self._meet(services, now)
        self._filling.changed(self._rows.concerned(touched))
        self._version = touched.version
        if self._quality.refresh(self._objectives, now, has_new_labels=touched.labels):
            self._is_watch_due = True

    def _meet(self, services: set[str], now: float) -> None:
        is_news = not services <= self._services
        self._services |= services
        for (service, dimension), (at, known) in list(self._values.items()):
            if 0 <= now - at < VALUES_FRESH_S:
                continue
            found = self._store.dimension_values(service, dimension, now - _DAY_S, now + AHEAD_S)
            values = [*known, *(value for value in found if value not in known)]
            self._values[service, dimension] = (now, values)
            is_news = is_news or values != known
        if is_news:
            self._expand()

    def _needed(self, now: float) -> dict[int, float]:
        """Return how far back each row must be counted, in Unix seconds."""
        needed: dict[int, float] = {}
        for objective, number in zip(self._objectives, self._numbers, strict=True):
            longest = max(*looks_of([objective]), MIDDLE_REACH_S)
            since = min(period_start(objective, now), now - longest)
            needed[number] = min(since, needed.get(number, since))
        return needed

    # -- readings -------------------------------------------------------------------------------

    def readings(self, now: float) -> list[Reading]:
        """Return what is known of every objective, as of the last refresh.

        A shipped objective that never had an event is left out.
        """
        counted = self._counted(now)
        shown = [n for n, one in enumerate(counted) if _is_shown(one)]
        lengths = self._readout.lengths
        looks = self._readout.looks(self._history, self.at)[shown]
        self._history.settle(self._readout.windows)
        budgets = measure_all([counted[n] for n in shown], self.at, lengths, looks)
        counts = iter(all_counts_of(looks))
        return [
            self._reading(n, budget, dict(zip(lengths, counts, strict=False)))
            for n, budget in zip(shown, budgets, strict=True)
        ]

    def _reading(self, place: int, budget: Budget, looks: dict[int, Counts]) -> Reading:
        name = budget.objective.name
        if (own := self._readout.own(place)) is not None:
            looks = {seconds: looks[seconds] for seconds in own}
            names = {*map(look_name, own), budget.objective.window}
            rates = {name: rate for name, rate in budget.burn_rates.items() if name in names}
            budget = replace(budget, burn_rates=rates)
        valid_seen, bad_seen = self._seen.get(name, (0.0, 0.0))
        return Reading(
            budget,
            looks,
            self._evidence(place, budget.objective),
            valid_seen,
            bad_seen,
            self._exemplars.traces.get(name),
        )

    def _evidence(self, place: int, objective: Objective) -> Evidence | None:
        found = self._arrivals.tests.of(self._tested[place])
        if found is None or not self._quality.is_cold(objective):
            return found
        return replace(found, is_cold=True)

    def _counted(self, now: float) -> list[Counted]:
        periods, starts = self._readout.periods(self._history, self.at)
        stale = "" if 0 <= now - self.at < STALE_S else f"Not counted since {_spelt(self.at)}."
        together = zip(
            self._objectives, self._numbers, periods.tolist(), starts.tolist(), strict=True
        )
        return [
            Counted(
                objective, period, start, self._history.last_event_at(number),
                self._estimated(objective, period),
                stale or self._note(objective, number),
            )
            for objective, number, period, start in together
        ]  # fmt: skip

    def _estimated(self, objective: Objective, period: Sequence[float]) -> Estimated | None:
        with self._faults.of(f"estimate of {objective.name}"):
            undrawn = self._undrawn.get(objective.name, 0.0)
            return self._quality.estimated(objective, period, undrawn)
        return UNKNOWN

    def _note(self, objective: Objective, number: int) -> str:
        """Return how much of an objective's window is counted, "" where all of it is."""
        if not self._is_filling:
            return ""
        since = self._filling.filled_from.get(number)
        if since is None:
            return "Not counted yet."
        if self._is_counted(objective, number):
            return ""
        return f"Counted back to {_spelt(since)} so far."

    def _is_counted(self, objective: Objective, number: int) -> bool:
        return self._filling.is_filled(number, period_start(objective, self.at))

    # -- across restarts ------------------------------------------------------------------------

    def checkpoint(self, now: float) -> bytes:
        """Keep what was counted, and return what ``restore`` goes on from.

        Raises StoreUnavailable; nothing is lost then.
        """
        if self._restored is not None:  # not a look since: nothing to add
            return self._restored
        self._filling.keeper.keep(now)
        return orjson.dumps({
            "version": self._worked_off,
            "at": self.at,
            "open_since": self._filling.keeper.open_since,
            "rows": [
                [*key, self._filling.filled_from[number]]
                for key, number in self._rows.numbers.items()
                if number in self._filling.filled_from
            ],
            "later": sorted(self._filling.later),
            "services": sorted(self._services),
            "values": [[*place, known] for place, (_, known) in self._values.items()],
            "tests": self._arrivals.tests.save(),
        })  # fmt: skip

    def restore(self, checkpoint: bytes) -> None:
        """Go on from a checkpoint; call it after ``hold`` and before the first ``refresh``."""
        saved: dict[str, Any] = orjson.loads(checkpoint)
        self._restored = checkpoint
        self._version = self._worked_off = int(saved["version"])
        self._services |= set(saved["services"])
        for service, dimension, known in saved["values"]:
            self._values[service, dimension] = (-_DAY_S, known)
        self._expand()
        kept = {(key, service): float(since) for key, service, since in saved["rows"]}
        self._filling.resume(kept, saved["open_since"] or float(saved["at"]), saved["later"])
        self._arrivals.tests.restore(saved["tests"])
        self._watch()


def _is_shown(one: Counted) -> bool:
    return one.objective.source != "default" or one.period[VALID] > 0


def _spelt(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
