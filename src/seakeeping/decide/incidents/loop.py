"""One look of the controller at incidents: alerts open, join and end them; they are diagnosed.

Deciding and writing are one transaction, as with alerts: a crash leaves the look before or the look
after. A diagnosis reads the store for seconds, so it is made outside of it and attached by a step
of its own, which does nothing if somebody moved the incident meanwhile; the next look tries again.
It is made anew whenever the incident has other alerts than those it was made from.
"""

import secrets
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

from seakeeping.clock import Clock
from seakeeping.decide.diagnose.diagnostician import Diagnostician
from seakeeping.decide.evidence import Evidence
from seakeeping.decide.incidents import foreign, grouping, machine
from seakeeping.decide.incidents.grouping import REOPEN_S, is_open
from seakeeping.faults import Faults
from seakeeping.records import (
    Alert,
    AlertState,
    Diagnosis,
    Incident,
    IncidentState,
    Routing,
)
from seakeeping.store.ledger import Ledger
from seakeeping.store.ledger.alerts import Alerts
from seakeeping.store.ledger.incidents import OPEN_STATES, Incidents, Step

LOOKS_S = (0.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_200.0, 1_800.0, 3_600.0)
"""How long after its opening, or after the last of its alerts began, an incident is diagnosed, as
long as no cause is found: there are more events each time."""

SURER_S = (120.0, 600.0)
"""How long after it one with a cause is looked at again: another cause may be likelier by then."""

AGAIN_S = 5.0
"""Least seconds between two diagnoses of one incident, however often alerts join it."""

RETRY_S = 30.0
"""After so long a diagnosis that could not be made is tried again."""

Diagnose = Callable[[Incident, Sequence[Alert]], Diagnosis]
"""Makes the diagnosis of an incident from its alerts; may raise Unavailable."""


@dataclass(frozen=True, slots=True)
class _Look:
    """When an incident was diagnosed last, and the alerts that it had."""

    at: float
    alerts: frozenset[str]


class IncidentLoop:
    """Decides about incidents; held by whoever holds the controller's lease.

    ``store`` is None where nothing is to be diagnosed.
    """

    def __init__(
        self,
        ledger: Ledger,
        store: Evidence | None,
        clock: Clock,
        *,
        diagnose: Diagnose | None = None,
        new_id: Callable[[], str] = lambda: f"inc-{secrets.token_hex(6)}",
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._incidents = Incidents(ledger)
        self._alerts = Alerts(ledger)
        self._diagnose = diagnose
        if diagnose is None and store is not None:
            self._diagnose = Diagnostician(store, ledger, clock).diagnose
        self._new_id = new_id
        self._looked: dict[str, _Look] = {}
        self._failed: dict[str, float] = {}
        self._current: Mapping[str, Incident] = MappingProxyType({})
        self._last_start: Mapping[str, float] = MappingProxyType({})
        self._resolve_timeout_s = Routing().resolve_timeout_s
        self._faults = Faults("diagnose", passing=())

    def follow(self, routing: Routing) -> None:
        """Wait so long for others to tell of their alerts again from the next step on."""
        self._resolve_timeout_s = routing.resolve_timeout_s

    def by_id(self) -> Mapping[str, Incident]:
        """Return what is open, and what ended not long ago, as of the last step."""
        return self._current

    def step(
        self, standing: Iterable[Alert], now: float, *, ended: Iterable[Alert] = ()
    ) -> list[Incident]:
        """Open, join, reopen and end incidents as these alerts ask for; return those that changed.

        ``standing`` are all alerts that are pending or firing, those of others among them,
        ``ended`` those that ended just now. Raises LedgerUnavailable; then nothing has happened.
        """
        known = list(standing)
        changed: list[Incident] = []
        with self._ledger.transaction() as connection:
            if any(foreign.is_expired(it, now, self._resolve_timeout_s) for it in known):
                known = foreign.expire(self._alerts, connection, now, self._resolve_timeout_s)
            firing = [alert for alert in known if alert.state is AlertState.FIRING]
            incidents = self._incidents.current(connection, now - REOPEN_S)
            resolved = partial(self._alerts.resolved, connection)
            for step in self._steps(firing, incidents, now, resolved):
                incident = self._incidents.take_within(connection, step)
                if incident is not None:
                    changed.append(incident)
                    if is_open(incident):
                        self._alerts.attach(connection, incident.alerts, incident.id)
            for step in grouping.withdrawn(ended, [*incidents, *changed], now):
                if (incident := self._incidents.take_within(connection, step)) is not None:
                    changed.append(incident)
        self._current = MappingProxyType({it.id: it for it in (*incidents, *changed)})
        starts = {it.fingerprint: it.starts_at for it in firing if it.starts_at <= now}
        self._last_start = MappingProxyType({
            incident.id: max((starts.get(it, 0.0) for it in incident.alerts), default=0.0)
            for incident in self._current.values()
        })  # fmt: skip
        return changed

    def _steps(
        self,
        firing: Sequence[Alert],
        incidents: Sequence[Incident],
        now: float,
        resolved: Callable[[Collection[str]], Sequence[Alert]],
    ) -> Iterable[Step]:
        by_fingerprint = {alert.fingerprint: alert for alert in firing}
        starts = {alert.fingerprint: alert.starts_at for alert in firing}
        touched = set()
        for group in grouping.grouped(firing, incidents, now, starts=starts):
            step = grouping.step_of(group, self._new_id(), now)
            touched.add(step.incident.id)
            yield step
        for older, younger in grouping.same_cause(incidents):
            if not {older.id, younger.id} & touched:
                touched |= {older.id, younger.id}
                alerts = [by_fingerprint[it] for it in younger.alerts if it in by_fingerprint]
                yield from grouping.merged(older, younger, alerts, now)
        for incident in filter(is_open, incidents):
            if incident.id not in touched and not by_fingerprint.keys() & set(incident.alerts):
                yield machine.ended(incident, resolved(incident.alerts), now)

    def diagnose_due(self) -> list[Incident]:
        """Diagnose the open incidents that wait for it; return those that got a diagnosis.

        What could not be diagnosed, because the store does not answer or for a fault of ours, is
        tried again half a minute later. Raises LedgerUnavailable.
        """
        if self._diagnose is None:
            return []
        now = self._clock.now()
        open_now = self._incidents.find(states=OPEN_STATES)
        self._forget([incident.id for incident in open_now])
        done = []
        for incident in [it for it in open_now if self._is_due(it, now)]:
            made = self._made(self._diagnose, incident, now)
            if made is None or not _says_more(made, incident):
                continue
            after = self._incidents.take(machine.diagnosed(incident, made, self._clock.now()))
            if after is None:  # somebody moved it meanwhile
                del self._looked[incident.id]
            else:
                done.append(after)
        return done

    def _is_due(self, incident: Incident, now: float) -> bool:
        failed_at = self._failed.get(incident.id)
        if failed_at is not None:
            return now - failed_at >= RETRY_S
        last = self._looked.get(incident.id) or _look_of(incident.diagnosis)
        if now - last.at < AGAIN_S:
            return False
        if last.alerts != frozenset(incident.alerts):
            return True
        since = max(incident.opened_at, self._last_start.get(incident.id, 0.0))
        has_cause = incident.diagnosis is not None and bool(incident.diagnosis.causes)
        looks = (0.0, *SURER_S) if has_cause else LOOKS_S
        return any(last.at < since + look <= now for look in looks)

    def _made(self, diagnose: Diagnose, incident: Incident, now: float) -> Diagnosis | None:
        self._looked[incident.id] = _Look(now, frozenset(incident.alerts))
        self._failed.pop(incident.id, None)
        with self._faults.of(incident.id):  # one that cannot be diagnosed must not hide the others
            found = (self._alerts.get(fingerprint) for fingerprint in incident.alerts)
            return diagnose(incident, [alert for alert in found if alert is not None])
        self._failed[incident.id] = now
        return None

    def _forget(self, kept: Collection[str]) -> None:
        for incident_id in self._looked.keys() - set(kept):
            del self._looked[incident_id]
        for incident_id in self._failed.keys() - set(kept):
            del self._failed[incident_id]


def _look_of(known: Diagnosis | None) -> _Look:
    if known is None:
        return _Look(float("-inf"), frozenset())
    return _Look(known.at, frozenset(known.alerts))


def _says_more(made: Diagnosis, incident: Incident) -> bool:
    """Tell whether a diagnosis is worth a step.

    The first one is, also of an incident that was opened again; so is one of another objective,
    with another first cause, or with an onset where none was. But one that found no cause takes the
    place of none that did.
    """
    known = incident.diagnosis
    if known is None or incident.state is IncidentState.OPEN:
        return True
    if known.causes and not made.causes:
        return False
    return _gist(made) != _gist(known)


def _gist(diagnosis: Diagnosis) -> tuple[object, ...]:
    first = [(it.kind, dict(it.slice)) for it in diagnosis.causes[:1]]
    return diagnosis.objective, diagnosis.onset is None, first
