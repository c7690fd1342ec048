"""What was decided, read from the ledger; and what a person does about it, written there."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from threading import Lock
from typing import Any

from seakeeping import metrics
from seakeeping.config import Resources
from seakeeping.config.finding import Finding
from seakeeping.config.openslo import Owned, objectives_of
from seakeeping.decide.incidents import by_hand
from seakeeping.decide.incidents.foreign import receive
from seakeeping.errors import BadInput, NotFound, Refused, Unavailable
from seakeeping.observe.snapshot import Decoder
from seakeeping.records import (
    Alert,
    Change,
    Incident,
    IncidentState,
    JsonObject,
    Matcher,
    Silence,
)
from seakeeping.store.ledger import Ledger
from seakeeping.store.ledger.alerts import Alerts
from seakeeping.store.ledger.changes import Changes
from seakeeping.store.ledger.incidents import OPEN_STATES, Incidents
from seakeeping.store.ledger.silences import Silences
from seakeeping.store.ledger.snapshots import READINGS, Snapshot, Snapshots
from seakeeping.web.decided import IncidentFilter, Readings

SLO = "SLO"
"""The kind of document that objectives are kept as."""

_TRIES = 5


class LedgerDecided:
    """The decisions of one ledger.

    ``files`` returns the resources of files in force: what they hold is read-only here.
    """

    def __init__(self, ledger: Ledger, files: Callable[[], Resources]) -> None:
        self._ledger = ledger
        self._files = files
        self._alerts = Alerts(ledger)
        self._silences = Silences(ledger)
        self._incidents = Incidents(ledger)
        self._changes = Changes(ledger)
        self._snapshots = Snapshots(ledger)
        self._decoder = Decoder()
        self._readings = Readings()
        self._lock = Lock()

    def readings(self) -> Readings:
        """Return the objectives as last measured; the bytes are read only when they are new."""
        with self._lock:
            found = self._snapshots.get(READINGS, unlike=self._readings.at)
            if found is not None:
                self._readings = self._decoded(found)
            return self._readings

    def _decoded(self, found: Snapshot) -> Readings:
        try:
            known = self._decoder.decode(found.body)
        except BadInput as error:  # of another version, until its controller writes the next
            metrics.ERRORS.labels("web.readings", type(error).__name__).inc()
            return self._readings
        # with the ledger's own moment, so that the next look asks for another one than this
        return Readings(found.at, tuple(known.readings))

    # objectives

    def document(self, name: str) -> JsonObject | None:
        """Return the OpenSLO document of an objective that the API owns."""
        found = self._ledger.resource(SLO, name)
        return None if found is None else found.document

    def put_objective(self, name: str, document: JsonObject, by: str) -> Owned:
        """Store a document if it holds; the same one again changes nothing."""
        if named(document) != name:
            raise BadInput(
                f"the document is named {named(document)!r}, the address {name!r}",
                place="metadata.name",
            )
        if document.get("kind") != SLO:
            raise BadInput(f"must be {SLO!r}", place="kind")
        self._refuse_files(name)
        owned = self._checked(name, document)
        for _ in range(_TRIES):
            known = self._ledger.resource(SLO, name)
            if known is not None and known.document == document:
                return owned
            version = known.version if known else 0
            if self._ledger.put_resource(SLO, name, document, by=by, expected=version):
                return owned
        raise Unavailable(f"others change the objective {name!r} at the same time")

    def delete_objective(self, name: str, by: str) -> None:
        """Remove a document."""
        if self._ledger.delete_resource(SLO, name, by=by):
            return
        self._refuse_files(name)
        raise NotFound(f"the API owns no objective {name!r}")

    def _refuse_files(self, name: str) -> None:
        held = next((o for o in self._files().objectives if o.name == name), None)
        if held is not None:
            raise Refused(
                f"the objective {name!r} is held in {held.source}", hint="change it in its file"
            )

    def _checked(self, name: str, document: JsonObject) -> Owned:
        """Return what a document holds, among all others; raises BadInput with all its faults."""
        files = self._files()
        others = [r.document for r in self._ledger.resources(SLO) if r.name != name]
        taken = {objective.name for objective in files.objectives}
        alone = objectives_of([document], beside=files.entries, taken=taken)
        wrong = _errors(alone.findings) or _errors(
            f
            for f in objectives_of([*others, document], beside=files.entries, taken=taken).findings
            if f.place.startswith(f"api/{SLO}/{name}:")
        )
        if wrong:
            first, *rest = wrong
            message = "; ".join([first.message, *map(str, rest)])
            raise BadInput(message, place=first.place, hint=first.hint)
        return alone

    # alerts

    def alerts(self) -> Sequence[Alert]:
        """Return the alerts."""
        return self._alerts.find()

    def acknowledge_alert(self, fingerprint: str, by: str) -> Alert:
        """Note that somebody has seen an alert."""
        found = self._alerts.acknowledge(fingerprint, by=by)
        if found is None:
            raise NotFound(f"no alert {fingerprint!r} stands", hint="it may have resolved")
        return found

    def receive_alerts(self, alerts: Sequence[Alert]) -> None:
        """Take alerts of an Alertmanager."""
        receive(self._ledger, alerts)

    def silences(self) -> Sequence[Silence]:
        """Return the silences, the latest end first."""
        return self._silences.all()

    def silence(
        self, matchers: Sequence[Matcher], starts_at: float, ends_at: float, by: str, comment: str
    ) -> Silence:
        """Make a silence."""
        return self._silences.create(
            matchers, starts_at=starts_at, ends_at=ends_at, by=by, comment=comment
        )

    def end_silence(self, silence_id: str, by: str) -> Silence:
        """End a silence now."""
        self._silences.expire(silence_id, by=by)
        found = next((s for s in self._silences.all() if s.id == silence_id), None)
        if found is None:
            raise NotFound(f"no silence {silence_id!r}")
        return found

    # incidents

    def incidents(self, where: IncidentFilter, *, limit: int) -> Sequence[Incident]:
        """Return incidents, newest first."""
        states = {None: tuple(IncidentState), True: OPEN_STATES, False: (IncidentState.RESOLVED,)}
        return self._incidents.find(
            states=states[where.is_open], service=where.service, limit=limit
        )

    def incident(self, incident_id: str) -> Incident | None:
        """Return one incident with its timeline."""
        return self._incidents.get(incident_id)

    def flaws(self, incident_id: str) -> Sequence[str]:
        """Return what of an incident's timeline does not hold."""
        verdict = self._incidents.verify(incident_id)
        return verdict.flaws if verdict else ()

    def acknowledge_incident(self, incident_id: str, by: str) -> Incident:
        """Note that somebody works on an incident."""
        return by_hand.acknowledge(self._ledger, incident_id, by)

    def resolve_incident(self, incident_id: str, by: str, reason: str) -> Incident:
        """Close an incident by hand."""
        return by_hand.resolve(self._ledger, incident_id, by, reason)

    def changes(
        self, *, target: str | None, start: float, end: float, limit: int
    ) -> Sequence[Change]:
        """Return changes, newest first."""
        return self._changes.find(target=target, start=start, end=end, limit=limit)

    def put_changes(self, changes: Sequence[Change], by: str) -> None:
        """Keep changes; one whose id is known stays as it was."""
        self._changes.put(changes, by=by)


def named(document: Mapping[str, Any]) -> str | None:
    """Return the name of an OpenSLO document, None where it has none."""
    metadata = document.get("metadata")
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    return name if isinstance(name, str) else None


def _errors(findings: Iterable[Finding]) -> list[Finding]:
    return [finding for finding in findings if not finding.is_warning]
