"""What was decided, read from the ledger."""

from collections.abc import Sequence

from seakeeping.errors import NotFound
from seakeeping.records import (
    Alert,
    Change,
    Incident,
    JsonObject,
    Matcher,
    Objective,
    Silence,
)
from seakeeping.store.ledger import Ledger
from seakeeping.web.decided import IncidentFilter, Readings


class LedgerDecided:
    """The decisions of one ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def readings(self) -> Readings:
        """Return the objectives as last measured."""
        return Readings()

    def document(self, name: str) -> JsonObject | None:
        """Return the OpenSLO document of an objective that the API owns."""
        found = self._ledger.resource("SLO", name)
        return None if found is None else found.document

    def put_objective(self, name: str, document: JsonObject, by: str) -> Sequence[Objective]:
        """Store a document."""
        raise NotFound("objectives cannot be changed here yet")

    def delete_objective(self, name: str, by: str) -> None:
        """Remove a document."""
        if not self._ledger.delete_resource("SLO", name, by=by):
            raise NotFound(f"the API owns no objective {name!r}")

    def alerts(self) -> Sequence[Alert]:
        """Return the alerts."""
        return ()

    def acknowledge_alert(self, fingerprint: str, by: str) -> Alert:
        """Note that somebody has seen an alert."""
        raise NotFound(f"no alert {fingerprint!r}")

    def receive_alerts(self, alerts: Sequence[Alert]) -> None:
        """Take alerts of an Alertmanager."""

    def silences(self) -> Sequence[Silence]:
        """Return the silences."""
        return ()

    def silence(
        self, matchers: Sequence[Matcher], starts_at: float, ends_at: float, by: str, comment: str
    ) -> Silence:
        """Make a silence."""
        raise NotFound("no silences yet")

    def end_silence(self, silence_id: str, by: str) -> Silence:
        """End a silence now."""
        raise NotFound(f"no silence {silence_id!r}")

    def incidents(self, where: IncidentFilter, *, limit: int) -> Sequence[Incident]:
        """Return incidents, newest first."""
        return ()

    def incident(self, incident_id: str) -> Incident | None:
        """Return one incident with its timeline."""
        return None

    def is_intact(self, incident_id: str) -> bool:
        """Tell whether the hashes of an incident's timeline hold."""
        return True

    def acknowledge_incident(self, incident_id: str, by: str) -> Incident:
        """Note that somebody works on an incident."""
        raise NotFound(f"no incident {incident_id!r}")

    def resolve_incident(self, incident_id: str, by: str, reason: str) -> Incident:
        """Close an incident by hand."""
        raise NotFound(f"no incident {incident_id!r}")

    def changes(
        self, *, target: str | None, start: float, end: float, limit: int
    ) -> Sequence[Change]:
        """Return changes, newest first."""
        return ()

    def put_changes(self, changes: Sequence[Change], by: str) -> None:
        """Keep changes."""
