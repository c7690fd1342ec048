"""The diagnosis of an incident: read the store once for each question, then think in arrays.

The leading alert names the indicator. Its counts by step say when it began; its facts before and
since are contrasted over all slices; changes around the onset are held against the calls exposed
to them; for latency and errors the service's metrics are ranked; and the worst answers of the first
cause are named. Everything is bounded: windows are cut to what can be read and scanned in seconds.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from seakeeping.clock import Clock
from seakeeping.decide.changes.watch import ChangeWatch
from seakeeping.decide.diagnose.causes import causes_of
from seakeeping.decide.diagnose.correlate import AFTER_S, BEFORE_S, suspects
from seakeeping.decide.diagnose.onset import onset
from seakeeping.decide.diagnose.scan import scan
from seakeeping.decide.diagnose.signals import LEAST_MINUTES, Signal, ranked
from seakeeping.decide.diagnose.windows import Floats, Whole
from seakeeping.decide.diagnose.words import of_diagnosis
from seakeeping.decide.evidence import Evidence
from seakeeping.errors import BadInput
from seakeeping.observe.snapshot import decode
from seakeeping.records import (
    Alert,
    Cause,
    Change,
    Diagnosis,
    Incident,
    IndicatorSignal,
    JsonObject,
    Objective,
    Severity,
)
from seakeeping.records.codec import to_json
from seakeeping.store.cells import TimeSpan
from seakeeping.store.facts import Facts
from seakeeping.store.ledger import Ledger
from seakeeping.store.ledger.changes import Changes
from seakeeping.store.ledger.snapshots import READINGS, Snapshots
from seakeeping.store.predicates import CALL_SIGNALS, JUDGED_SIGNALS

LOOK_BACK_S = 6 * 3600.0
BASELINE_S = (3_600.0, 24 * 3600.0)
"""How long the time before is at least and at most; between, four times the time since."""

MOST_EVENTS = 150_000
"""Of a window: what is scanned in a second."""

EXAMPLES = 5

_STEPS = 720
_MOST_SERIES = 40
SIGNALS_S = 2 * 3600.0
"""How far before and after the onset metrics are read: enough to know what is usual."""

_INFRASTRUCTURE = CALL_SIGNALS - {IndicatorSignal.COST}


@dataclass(frozen=True, slots=True)
class _Times:
    """The two windows: ``start`` to ``before_end`` is before, ``onset`` to ``end`` is during."""

    start: float
    before_end: float
    onset: float
    end: float
    is_known: bool


class Diagnostician:
    """Makes diagnoses from a store and a ledger."""

    def __init__(self, store: Evidence, ledger: Ledger, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._changes = Changes(ledger)
        self._watch = ChangeWatch(store, ledger, clock)
        self._snapshots = Snapshots(ledger)

    def diagnose(self, incident: Incident, alerts: Sequence[Alert]) -> Diagnosis:
        """Return why an incident is. Raises StoreUnavailable, LedgerUnavailable."""
        began, now = self._clock.monotonic(), self._clock.now()
        objective = self._objective(alerts)
        if objective is None:
            words = "Its alerts name no objective of ours whose calls could be compared."
            return Diagnosis(incident.id, now, None, (), words, alerts=incident.alerts)
        made = self.of_objective(incident.id, objective, incident.opened_at, now)
        took_s = round(self._clock.monotonic() - began, 3)
        return replace(made, alerts=incident.alerts, duration_s=took_s)

    def of_objective(
        self, incident_id: str, objective: Objective, opened_at: float, now: float
    ) -> Diagnosis:
        """Return why an objective burns, looking back from the moment its incident opened."""
        times = self._times(objective, min(opened_at, now), now)
        before, during = (
            self._facts(objective, *span)
            for span in ((times.start, times.before_end), (times.onset, times.end))
        )
        contrast = scan(before, during)
        around = self._changes_around(objective, times, now)
        found = suspects(around, before, during, times.onset)
        causes = causes_of(contrast, found, self._signals(objective, times))
        began = times.onset if times.is_known else None
        return Diagnosis(
            incident_id,
            now,
            began,
            causes,
            of_diagnosis(objective.name, contrast, began, causes),
            examples=self._examples(objective, times, causes),
            changes=tuple(it.change for it in found),
            slices_tested=contrast.slices_tested,
            mix_effect=contrast.mix_effect,
            rate_effect=contrast.rate_effect,
            objective=objective.name,
        )

    def _objective(self, alerts: Sequence[Alert]) -> Objective | None:
        """Return the objective of the leading alert: a page before a ticket, then the first."""
        body = self._snapshots.get(READINGS)
        if body is None:
            return None
        known = {it.budget.objective.name: it.budget.objective for it in decode(body.body).readings}
        able = [
            (alert, objective)
            for alert in alerts
            if (objective := known.get(alert.objective or "")) is not None
            and objective.indicator.signal in CALL_SIGNALS | JUDGED_SIGNALS
        ]
        able.sort(key=lambda it: (it[0].severity is not Severity.PAGE, it[0].starts_at))
        return able[0][1] if able else None

    def _times(self, objective: Objective, opened_at: float, now: float) -> _Times:
        start = opened_at - LOOK_BACK_S
        step_s = 60 if now - start <= 60 * _STEPS else 300 * -(-int(now - start) // (300 * _STEPS))
        starts, valid, bad = self._series(objective, start, now, step_s)
        found = onset(starts, valid, bad)
        since = found if found is not None else opened_at - step_s
        end = _reach(starts, valid, since, now + 1.0)
        length = min(max(4 * (end - since), BASELINE_S[0]), BASELINE_S[1])
        gap = step_s if found is not None else 0.0
        begin = _least_start(starts, valid, since - gap - length, since - gap)
        return _Times(begin, since - gap, since, end, found is not None)

    def _series(
        self, objective: Objective, start: float, end: float, step_s: int
    ) -> tuple[Whole, Floats, Floats]:
        where = TimeSpan(start, end, (objective.service,))
        cells = self._store.count_cells([objective.indicator], where, step_s)
        order = np.argsort(cells.start, kind="stable")
        counts = cells.counts[order]
        return cells.start[order].astype(np.intp), counts[:, 2], counts[:, 3]

    def _facts(self, objective: Objective, start: float, end: float) -> Facts:
        return self._store.facts(objective.indicator, objective.service, start, end)

    def _changes_around(
        self, objective: Objective, times: _Times, now: float
    ) -> Collection[Change]:
        start, end = times.onset - BEFORE_S, min(times.onset + AFTER_S, now) + 1.0
        self._watch.look_at(start, end)
        told = self._changes.find(start=start, end=end)
        return [it for it in told if it.target in (objective.service, "", "*")]

    def _signals(self, objective: Objective, times: _Times) -> list[Signal]:
        if objective.indicator.signal not in _INFRASTRUCTURE:
            return []
        since = times.onset
        start, end = max(times.start, since - SIGNALS_S), min(times.end, since + SIGNALS_S)
        moved = self._store.moved_series(
            objective.service, start, since, end, least=LEAST_MINUTES, most=_MOST_SERIES
        )
        return ranked(moved)

    def _examples(
        self, objective: Objective, times: _Times, causes: Sequence[Cause]
    ) -> tuple[JsonObject, ...]:
        of = next((it.slice for it in causes if it.kind in ("worse", "new")), {})
        span = (objective.service, times.onset, times.end)
        try:
            found = self._store.examples(objective.indicator, *span, slice=of, limit=EXAMPLES)
        except BadInput:  # of a slice that examples cannot be asked for
            found = self._store.examples(objective.indicator, *span, limit=EXAMPLES)
        return tuple(to_json(example) for example in found)


def _reach(starts: Whole, valid: Floats, since: float, end: float) -> float:
    """Return how far from ``since`` on events can be read."""
    later = starts >= since
    many = np.flatnonzero(np.cumsum(valid[later]) > MOST_EVENTS)
    return float(starts[later][many[0]]) if len(many) and many[0] > 0 else end


def _least_start(starts: Whole, valid: Floats, start: float, end: float) -> float:
    """Return from when on events before ``end`` can be read."""
    earlier = np.flatnonzero((starts >= start) & (starts < end))[::-1]
    many = np.flatnonzero(np.cumsum(valid[earlier]) > MOST_EVENTS)
    return float(starts[earlier[many[0] - 1]]) if len(many) and many[0] > 0 else start
