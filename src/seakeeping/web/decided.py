"""What the control loop decided, as the pages and the API ask for it, and what a person may do.

The loop writes to the ledger; nothing is decided here. ``Decided`` says what is asked, whoever
answers: the ledger at work, plain lists in tests. Every method may block, and may raise Unavailable
while the ledger is away.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from seakeeping.config.openslo import Owned
from seakeeping.records import (
    Alert,
    Change,
    Incident,
    JsonObject,
    Matcher,
    Reading,
    Silence,
)


@dataclass(frozen=True, slots=True)
class Readings:
    """All objectives as last measured at ``at``; None where nothing was measured yet."""

    at: float | None = None
    readings: tuple[Reading, ...] = ()


@dataclass(frozen=True, slots=True)
class IncidentFilter:
    """Which incidents; None asks for any. ``is_open`` False asks for resolved ones."""

    service: str | None = None
    is_open: bool | None = None


class Decided(Protocol):
    """The ledger's side of the pages."""

    def readings(self) -> Readings:
        """Return the objectives as last measured."""
        ...

    def document(self, name: str) -> JsonObject | None:
        """Return the OpenSLO document of an objective that the API owns."""
        ...

    def put_objective(self, name: str, document: JsonObject, by: str) -> Owned:
        """Store a document; return its objectives, and what is doubtful in it.

        Raises BadInput, Refused for a file's name.
        """
        ...

    def delete_objective(self, name: str, by: str) -> None:
        """Remove a document. Raises NotFound, Refused for one that a file holds."""
        ...

    def alerts(self) -> Sequence[Alert]:
        """Return the alerts that are pending, firing, or resolved not long ago."""
        ...

    def acknowledge_alert(self, fingerprint: str, by: str) -> Alert:
        """Note that somebody has seen an alert; raises NotFound. Twice is once."""
        ...

    def receive_alerts(self, alerts: Sequence[Alert]) -> None:
        """Take alerts of an Alertmanager; telling one twice is telling it once."""
        ...

    def silences(self) -> Sequence[Silence]:
        """Return the silences in force, to come, and ended not long ago, newest first."""
        ...

    def silence(
        self, matchers: Sequence[Matcher], starts_at: float, ends_at: float, by: str, comment: str
    ) -> Silence:
        """Make a silence."""
        ...

    def end_silence(self, silence_id: str, by: str) -> Silence:
        """End a silence now; raises NotFound. Twice is once."""
        ...

    def incidents(self, where: IncidentFilter, *, limit: int) -> Sequence[Incident]:
        """Return incidents, newest first, without their timelines."""
        ...

    def incident(self, incident_id: str) -> Incident | None:
        """Return one incident with its timeline."""
        ...

    def flaws(self, incident_id: str) -> Sequence[str]:
        """Return what of an incident's timeline does not hold; nothing where it was not changed."""
        ...

    def acknowledge_incident(self, incident_id: str, by: str) -> Incident:
        """Note that somebody works on an incident; raises NotFound. Twice is once."""
        ...

    def resolve_incident(self, incident_id: str, by: str, reason: str) -> Incident:
        """Close an incident by hand; raises NotFound. Twice is once."""
        ...

    def changes(
        self, *, target: str | None, start: float, end: float, limit: int
    ) -> Sequence[Change]:
        """Return changes, newest first."""
        ...

    def put_changes(self, changes: Sequence[Change], by: str) -> None:
        """Keep changes; one whose id is known is kept as it was."""
        ...
