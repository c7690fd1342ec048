"""One look of the controller at incidents: alerts open, join and end them; new ones are diagnosed.

Deciding and writing are one transaction, as with alerts: a crash leaves the look before or the look
after. A diagnosis reads the store for seconds, so it is made outside of it and attached by a step
of its own, which does nothing if somebody moved the incident meanwhile; the next look tries again.
"""

import secrets
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from types import MappingProxyType

from seakeeping.clock import Clock
from seakeeping.decide.diagnose import Diagnostician
from seakeeping.decide.evidence import Evidence
from seakeeping.decide.incidents import grouping, machine
from seakeeping.decide.incidents.grouping import REOPEN_S, is_open
from seakeeping.errors import BadInput, Unavailable
from seakeeping.metrics import ERRORS
from seakeeping.records import Alert, AlertState, Diagnosis, Incident
from seakeeping.store.ledger import Ledger
from seakeeping.store.ledger.alerts import Alerts
from seakeeping.store.ledger.incidents import OPEN_STATES, Incidents, Step

LOOKS_S = (0.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_200.0, 1_800.0, 3_600.0)
"""How old an incident is when it is diagnosed, as long as no cause is found: there are more events
each time."""

SURER_S = (120.0, 600.0)
"""How old an incident with a cause is when it is looked at again: another cause may be likelier by
then."""

RETRY_S = 30.0
"""After so long a diagnosis that could not be made is tried again."""

Diagnose = Callable[[Incident, Sequence[Alert]], Diagnosis]
"""Makes the diagnosis of an incident from its alerts; may raise Unavailable."""


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
        self._looked: dict[str, float] = {}
        self._failed: dict[str, float] = {}
        self._current: Mapping[str, Incident] = MappingProxyType({})

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
        firing = [alert for alert in standing if alert.state is AlertState.FIRING]
        changed: list[Incident] = []
        with self._ledger.transaction() as connection:
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

        A store that does not answer is asked again half a minute later. Raises LedgerUnavailable.
        """
        if self._diagnose is None:
            return []
        now = self._clock.now()
        open_now = self._incidents.find(states=OPEN_STATES)
        self._forget([incident.id for incident in open_now])
        done = []
        for incident in [it for it in open_now if self._is_due(it, now)]:
            made = self._made(self._diagnose, incident, now)
            if made is None or not _says_more(made, incident.diagnosis):
                continue
            after = self._incidents.take(machine.diagnosed(incident, made, self._clock.now()))
            if after is not None:
                done.append(after)
        return done

    def _is_due(self, incident: Incident, now: float) -> bool:
        failed_at = self._failed.get(incident.id)
        if failed_at is not None:
            return now - failed_at >= RETRY_S
        known = incident.diagnosis
        looked_at = self._looked.get(incident.id, known.at if known else float("-inf"))
        looks = SURER_S if known is not None and known.causes else LOOKS_S
        return any(looked_at < incident.opened_at + look <= now for look in looks)

    def _made(self, diagnose: Diagnose, incident: Incident, now: float) -> Diagnosis | None:
        self._looked[incident.id] = now
        self._failed.pop(incident.id, None)
        try:
            found = (self._alerts.get(fingerprint) for fingerprint in incident.alerts)
            return diagnose(incident, [alert for alert in found if alert is not None])
        except (Unavailable, BadInput) as error:
            ERRORS.labels("diagnose", type(error).__name__).inc()
            self._failed[incident.id] = now
            return None

    def _forget(self, kept: Collection[str]) -> None:
        for looks in (self._looked, self._failed):
            for incident_id in looks.keys() - set(kept):
                del looks[incident_id]


def _says_more(made: Diagnosis, known: Diagnosis | None) -> bool:
    """Tell whether a diagnosis is worth a step: the first one, or one with another first cause."""
    if known is None:
        return True
    before, after = ([(it.kind, dict(it.slice)) for it in one.causes[:1]] for one in (known, made))
    return bool(after) and before != after
