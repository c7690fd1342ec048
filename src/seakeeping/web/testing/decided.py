"""What was decided, as plain lists: for tests of the pages and the API."""

from collections.abc import Sequence
from dataclasses import replace

from seakeeping.clock import Clock
from seakeeping.config.openslo import Owned, objectives_of
from seakeeping.errors import NotFound, Unavailable
from seakeeping.records import (
    Alert,
    Change,
    Incident,
    IncidentState,
    JsonObject,
    Matcher,
    Reading,
    Silence,
    TimelineEntry,
)
from seakeeping.web.decided import IncidentFilter, Readings


class MemoryDecided:
    """A ledger's decisions in lists; ``is_away`` makes every question fail."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.measured: list[Reading] = []
        self.at: float | None = None
        self.documents: dict[str, JsonObject] = {}
        self.known_alerts: dict[str, Alert] = {}
        self.known_silences: dict[str, Silence] = {}
        self.known_incidents: dict[str, Incident] = {}
        self.known_changes: dict[str, Change] = {}
        self.broken_chains: set[str] = set()
        self.is_away = False

    def _answer(self) -> None:
        if self.is_away:
            raise Unavailable("the ledger does not answer")

    def readings(self) -> Readings:
        """Return what was measured, as of ``at``, else of now."""
        self._answer()
        if not self.measured:
            return Readings()
        return Readings(self._clock.now() if self.at is None else self.at, tuple(self.measured))

    def document(self, name: str) -> JsonObject | None:
        """Return a document."""
        self._answer()
        return self.documents.get(name)

    def put_objective(self, name: str, document: JsonObject, by: str) -> Owned:
        """Keep a document, whatever is wrong with it; return what it holds."""
        self._answer()
        self.documents[name] = document
        return objectives_of([document])

    def delete_objective(self, name: str, by: str) -> None:
        """Forget a document."""
        self._answer()
        if self.documents.pop(name, None) is None:
            raise NotFound(f"no objective {name!r}")

    def alerts(self) -> Sequence[Alert]:
        """Return all alerts."""
        self._answer()
        return list(self.known_alerts.values())

    def acknowledge_alert(self, fingerprint: str, by: str) -> Alert:
        """Note who has seen an alert."""
        self._answer()
        alert = self.known_alerts.get(fingerprint)
        if alert is None:
            raise NotFound(f"no alert {fingerprint!r}")
        if alert.acknowledged_by is None:
            alert = replace(alert, acknowledged_by=by, acknowledged_at=self._clock.now())
            self.known_alerts[fingerprint] = alert
        return alert

    def receive_alerts(self, alerts: Sequence[Alert]) -> None:
        """Keep alerts."""
        self._answer()
        self.known_alerts.update((a.fingerprint, a) for a in alerts)

    def silences(self) -> Sequence[Silence]:
        """Return all silences, newest first."""
        self._answer()
        return sorted(self.known_silences.values(), key=lambda s: -s.starts_at)

    def silence(
        self, matchers: Sequence[Matcher], starts_at: float, ends_at: float, by: str, comment: str
    ) -> Silence:
        """Keep a silence."""
        self._answer()
        now = self._clock.now()
        made = Silence(
            f"silence-{len(self.known_silences) + 1}", tuple(matchers), starts_at, ends_at, by,
            comment, now,
        )  # fmt: skip
        self.known_silences[made.id] = made
        return made

    def end_silence(self, silence_id: str, by: str) -> Silence:
        """End a silence."""
        self._answer()
        found = self.known_silences.get(silence_id)
        if found is None:
            raise NotFound(f"no silence {silence_id!r}")
        now = self._clock.now()
        if found.ends_at > now:
            found = replace(found, ends_at=now, updated_at=now)
            self.known_silences[silence_id] = found
        return found

    def incidents(self, where: IncidentFilter, *, limit: int) -> Sequence[Incident]:
        """Return incidents, newest first."""
        self._answer()
        found = [
            replace(i, timeline=())
            for i in self.known_incidents.values()
            if where.service in (None, i.service)
            and where.is_open in (None, i.state is not IncidentState.RESOLVED)
        ]
        return sorted(found, key=lambda i: -i.opened_at)[:limit]

    def incident(self, incident_id: str) -> Incident | None:
        """Return an incident."""
        self._answer()
        return self.known_incidents.get(incident_id)

    def flaws(self, incident_id: str) -> Sequence[str]:
        """Return a flaw where an incident's chain was declared broken."""
        self._answer()
        return ("entry 2 was changed",) if incident_id in self.broken_chains else ()

    def acknowledge_incident(self, incident_id: str, by: str) -> Incident:
        """Note who works on an incident."""
        found = self._known(incident_id)
        if found.acknowledged_by is not None:
            return found
        now = self._clock.now()
        found = replace(found, acknowledged_by=by, acknowledged_at=now)
        return self._kept(found, by, "acknowledged", "somebody works on it", found.state)

    def resolve_incident(self, incident_id: str, by: str, reason: str) -> Incident:
        """Close an incident."""
        found = self._known(incident_id)
        if found.state is IncidentState.RESOLVED:
            return found
        before = found.state
        found = replace(found, state=IncidentState.RESOLVED, resolved_at=self._clock.now())
        return self._kept(found, by, "resolved", reason, before)

    def changes(
        self, *, target: str | None, start: float, end: float, limit: int
    ) -> Sequence[Change]:
        """Return changes, newest first."""
        self._answer()
        found = [
            c
            for c in self.known_changes.values()
            if target in (None, c.target) and start <= c.at < end
        ]
        return sorted(found, key=lambda c: -c.at)[:limit]

    def put_changes(self, changes: Sequence[Change], by: str) -> None:
        """Keep changes that are not known."""
        self._answer()
        for change in changes:
            self.known_changes.setdefault(change.id, change)

    def _known(self, incident_id: str) -> Incident:
        found = self.incident(incident_id)
        if found is None:
            raise NotFound(f"no incident {incident_id!r}")
        return found

    def _kept(
        self, incident: Incident, by: str, action: str, reason: str, before: IncidentState
    ) -> Incident:
        sequence = len(incident.timeline) + 1
        entry = TimelineEntry(
            sequence, self._clock.now(), by, action, reason, before.value, incident.state.value,
            hash=f"{sequence:064x}",
        )  # fmt: skip
        kept = replace(incident, timeline=(*incident.timeline, entry), version=incident.version + 1)
        self.known_incidents[incident.id] = kept
        return kept
