"""The steps an incident can take: functions from an incident to a ``Step``.

    open -> diagnosed -> mitigating -> verifying -> resolved -> (open again, within half an hour)
      any open state -> escalated (a person has to) ; any open state -> resolved (it passed)

A step that a state does not allow is refused. What joins, is acknowledged or learned is a step too,
though it leaves the state as it was: the timeline tells everything that happened, by whom and why.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from seakeeping.errors import BadInput
from seakeeping.records import Alert, Diagnosis, Incident, IncidentState, JsonObject, Severity
from seakeeping.records.codec import to_json
from seakeeping.store.ledger.incidents import Step

CONTROLLER = "controller"
"""Who takes the steps that nobody asked for."""

ALLOWED: Mapping[IncidentState, frozenset[IncidentState]] = MappingProxyType({
    IncidentState.OPEN: frozenset({
        IncidentState.DIAGNOSED, IncidentState.MITIGATING, IncidentState.ESCALATED,
        IncidentState.RESOLVED,
    }),
    IncidentState.DIAGNOSED: frozenset({
        IncidentState.MITIGATING, IncidentState.ESCALATED, IncidentState.RESOLVED,
    }),
    IncidentState.MITIGATING: frozenset({
        IncidentState.VERIFYING, IncidentState.DIAGNOSED, IncidentState.ESCALATED,
        IncidentState.RESOLVED,
    }),
    IncidentState.VERIFYING: frozenset({
        IncidentState.MITIGATING, IncidentState.ESCALATED, IncidentState.RESOLVED,
    }),
    IncidentState.ESCALATED: frozenset({IncidentState.MITIGATING, IncidentState.RESOLVED}),
    IncidentState.RESOLVED: frozenset({IncidentState.OPEN}),
})  # fmt: skip
"""To which states each state may go."""


def title_of(alert: Alert) -> str:
    """Return what an alert is called: its name, and the objective where it names one."""
    name = alert.labels.get("alertname", "Alert")
    what = alert.objective or alert.labels.get("slo", "")
    return f"{name}: {what}" if what else name


def opened(incident_id: str, alerts: Sequence[Alert], service: str, now: float) -> Step:
    """Open an incident for these alerts, the most severe of which names it."""
    first = min(alerts, key=lambda alert: (alert.severity is not Severity.PAGE, alert.starts_at))
    incident = Incident(
        id=incident_id,
        title=title_of(first),
        service=service,
        state=IncidentState.OPEN,
        severity=first.severity,
        opened_at=now,
        alerts=tuple(dict.fromkeys(alert.fingerprint for alert in alerts)),
        version=0,
    )
    reason = first.annotations.get("summary", "") or incident.title
    return Step(incident, "opened", CONTROLLER, reason, now, None, _told(alerts))


def joined(incident: Incident, alerts: Sequence[Alert], reason: str, now: float) -> Step:
    """Add alerts to an incident; it becomes a page where one of them is."""
    known = (*incident.alerts, *(alert.fingerprint for alert in alerts))
    severities = {incident.severity, *(alert.severity for alert in alerts)}
    severity = Severity.PAGE if Severity.PAGE in severities else Severity.TICKET
    after = replace(incident, alerts=tuple(dict.fromkeys(known)), severity=severity)
    return _step(incident, after, "joined", CONTROLLER, reason, now, _told(alerts))


def reopened(incident: Incident, alerts: Sequence[Alert], now: float) -> Step:
    """Open an incident again whose alerts came back."""
    after = joined(incident, alerts, "", now).incident
    after = replace(
        _moved(after, IncidentState.OPEN), resolved_at=None, mitigated_at=None,
        acknowledged_by=None, acknowledged_at=None,
    )  # fmt: skip
    reason = f"{_names(alerts)} came back {_minutes(now - (incident.resolved_at or now))} later"
    return _step(incident, after, "reopened", CONTROLLER, reason, now, _told(alerts))


def diagnosed(incident: Incident, diagnosis: Diagnosis, now: float) -> Step:
    """Attach a diagnosis, also one that found no cause, or a better one later."""
    is_first = incident.state is IncidentState.OPEN
    after = replace(
        _moved(incident, IncidentState.DIAGNOSED) if is_first else incident,
        diagnosis=diagnosis,
        changes=tuple(change.id for change in diagnosis.changes),
    )
    evidence = to_json(diagnosis)
    return _step(incident, after, "diagnosed", CONTROLLER, diagnosis.summary, now, evidence)


def acknowledged(incident: Incident, by: str, now: float) -> Step:
    """Note who works on it."""
    after = replace(incident, acknowledged_by=by, acknowledged_at=now)
    return _step(incident, after, "acknowledged", by, "somebody works on it", now, {})


def moved(
    incident: Incident, to: IncidentState, actor: str, reason: str, now: float,
    evidence: JsonObject | None = None,
) -> Step:  # fmt: skip
    """Go to another state. Raises BadInput where the state before does not allow it."""
    after = _moved(incident, to)
    if to is IncidentState.VERIFYING:
        after = replace(after, mitigated_at=now)
    return _step(incident, after, to.value, actor, reason, now, evidence or {})


def resolved(
    incident: Incident, actor: str, reason: str, now: float, evidence: JsonObject | None = None
) -> Step:
    """Close an incident: its alerts ended, it was another's, or somebody says so."""
    after = replace(_moved(incident, IncidentState.RESOLVED), resolved_at=now)
    return _step(incident, after, "resolved", actor, reason, now, evidence or {})


def ended(incident: Incident, alerts: Sequence[Alert], now: float) -> Step:
    """Close an incident whose alerts ended: the reason says why they did, as far as they tell."""
    why = _why(alerts)
    reason = f"all its alerts ended: {why}" if why else "all its alerts ended"
    return resolved(incident, CONTROLLER, reason, now, _ends(alerts))


def withdrawn(incident: Incident, alerts: Sequence[Alert], now: float) -> Step:
    """Tell that alerts of an incident that goes on ended although nothing became better."""
    what = ", ".join(dict.fromkeys(alert.objective or _names([alert]) for alert in alerts))
    reason = f"{what}: {_why(alerts)}"
    return _step(incident, incident, "withdrawn", CONTROLLER, reason, now, _ends(alerts))


def _why(alerts: Sequence[Alert]) -> str:
    reasons = (str(alert.evidence.get("ended", "")) for alert in alerts)
    return "; ".join(dict.fromkeys(filter(None, reasons)))


def _ends(alerts: Sequence[Alert]) -> JsonObject:
    told = [alert for alert in alerts if alert.evidence.get("ended")]
    return {
        "alerts": [
            {"labels": dict(it.labels), "ends_at": it.ends_at, "ended": it.evidence["ended"]}
            for it in told
        ]
    }


def _moved(incident: Incident, to: IncidentState) -> Incident:
    if to not in ALLOWED[incident.state]:
        raise BadInput(
            f"an incident that is {incident.state} cannot become {to}",
            place=incident.id,
            hint=f"from there: {', '.join(sorted(ALLOWED[incident.state]))}",
        )
    return replace(incident, state=to)


def _step(
    before: Incident, after: Incident, action: str, actor: str, reason: str, now: float,
    evidence: JsonObject,
) -> Step:  # fmt: skip
    return Step(after, action, actor, reason, now, before.state, evidence)


def _told(alerts: Collection[Alert]) -> JsonObject:
    return {"alerts": [{"labels": dict(it.labels), "starts_at": it.starts_at} for it in alerts]}


def _names(alerts: Collection[Alert]) -> str:
    return ", ".join(sorted({alert.labels.get("alertname", "an alert") for alert in alerts}))


def _minutes(seconds: float) -> str:
    return f"{max(0.0, seconds) / 60:.0f} min"
