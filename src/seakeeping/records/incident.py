"""What goes wrong, who is told, why it is so, and what was done: alerts, changes, incidents."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from seakeeping.records.objective import Severity
from seakeeping.records.values import JsonObject


class AlertState(StrEnum):
    """Where an alert stands (Prometheus' words)."""

    PENDING = "pending"
    FIRING = "firing"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Alert:
    """One condition of one objective that holds (Alertmanager's data model).

    ``labels`` are its identity, with ``alertname``, ``severity``, ``service`` and ``slo`` always
    among them; ``annotations`` say what it means (``summary``, ``description``). ``objective`` is
    None for an alert that came from an Alertmanager. ``ends_at`` is None while it lasts.
    ``evidence`` is what it was decided from. ``targets`` name who is told (empty: all of them), and
    ``when_resolved`` whether they are told of its end.
    """

    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    starts_at: float
    severity: Severity = Severity.PAGE
    objective: str | None = None
    state: AlertState = AlertState.FIRING
    ends_at: float | None = None
    evidence: JsonObject = field(default_factory=dict)
    acknowledged_by: str | None = None
    acknowledged_at: float | None = None
    incident_id: str | None = None
    updated_at: float = 0.0
    targets: tuple[str, ...] = ()
    when_resolved: bool = True

    @property
    def fingerprint(self) -> str:
        """The identity: 16 hexadecimal digits of the sorted labels."""
        return fingerprint_of(self.labels)


def fingerprint_of(labels: Mapping[str, str]) -> str:
    """Return the identity of a set of labels."""
    spelt = "\xff".join(f"{name}\xfe{labels[name]}" for name in sorted(labels))
    return hashlib.sha256(spelt.encode()).hexdigest()[:16]


class ChangeKind(StrEnum):
    """What was changed."""

    MODEL = "model"
    PROMPT = "prompt"
    CONFIG = "config"
    DATA = "data"
    DEPLOY = "deploy"
    TRAFFIC = "traffic"
    ACTION = "action"


@dataclass(frozen=True, slots=True)
class Change:
    """Something that was changed at ``at``.

    ``target`` is the service. ``dimension`` and ``after`` say which calls are exposed to it (calls
    whose ``dimension`` has the value ``after``); empty where nothing tells them apart. ``by`` is
    who did it, or ``telemetry`` where it was seen in the traffic itself. ``id`` is the caller's, or
    follows from the rest, so that telling a change twice is telling it once.
    """

    id: str
    kind: ChangeKind
    target: str
    at: float
    before: str | None = None
    after: str | None = None
    dimension: str | None = None
    by: str = ""
    description: str = ""


class IncidentState(StrEnum):
    """How far an incident has come."""

    OPEN = "open"
    DIAGNOSED = "diagnosed"
    MITIGATING = "mitigating"
    VERIFYING = "verifying"
    RESOLVED = "resolved"
    ESCALATED = "escalated"


@dataclass(frozen=True, slots=True)
class Cause:
    """One explanation of an incident.

    ``slice`` maps dimensions to values (empty for a change or a metric that concerns all calls).
    ``kind`` is ``worse`` (its rate rose), ``new`` (it did not exist before), ``mix`` (traffic moved
    to where it always was worse), ``metric`` (a signal of the infrastructure). ``lift`` is the rise
    of the bad rate in ratio points with its bounds. ``share_explained`` is the part of the excess
    that it explains. ``p_value`` is exact and corrected for all slices looked at.
    """

    kind: str
    slice: Mapping[str, str]
    lift: float
    low: float
    high: float
    share_explained: float
    p_value: float
    before_ratio: float | None = None
    during_ratio: float | None = None
    events: int = 0
    change: Change | None = None
    summary: str = ""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Why an incident is; no ``causes`` means that none was found, and ``summary`` says so.

    ``objective`` is whose calls were compared, None where no alert named one that has calls;
    ``alerts`` are the fingerprints of the alerts that the incident had.
    """

    incident_id: str
    at: float
    onset: float | None
    causes: tuple[Cause, ...]
    summary: str
    examples: tuple[JsonObject, ...] = ()
    changes: tuple[Change, ...] = ()
    slices_tested: int = 0
    mix_effect: float | None = None
    rate_effect: float | None = None
    duration_s: float = 0.0
    objective: str | None = None
    alerts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One step of an incident, never changed; ``hash`` covers it and the hash before it."""

    sequence: int
    at: float
    actor: str
    action: str
    reason: str
    before: str | None
    after: str | None
    evidence: JsonObject = field(default_factory=dict)
    previous_hash: str = ""
    hash: str = ""


@dataclass(frozen=True, slots=True)
class Incident:
    """Alerts that share a cause, from the first of them until all is well.

    ``service`` is empty where its alerts, of others, name none.
    """

    id: str
    title: str
    service: str
    state: IncidentState
    severity: Severity
    opened_at: float
    alerts: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    acknowledged_by: str | None = None
    acknowledged_at: float | None = None
    mitigated_at: float | None = None
    resolved_at: float | None = None
    diagnosis: Diagnosis | None = None
    version: int = 1
    timeline: tuple[TimelineEntry, ...] = ()
