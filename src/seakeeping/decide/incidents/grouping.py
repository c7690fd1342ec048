"""Which alerts are one incident.

Alerts of one service that begin within hours of each other have one cause until the opposite is
shown: an outage burns availability, latency and quality at once, and nobody wants three incidents.
Alerts of others that name no service are one incident with those of the same name.
So an alert joins the open incident of its service; after a long time only if the incident knows its
objective already. An alert that comes back within half an hour of the end opens the same incident
again. And where two diagnoses name the same release, model or prompt as the cause, whatever the
services, they are one incident: the younger ends as a part of the older.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from seakeeping.decide.alerts.board import CLEARED
from seakeeping.decide.incidents import machine
from seakeeping.records import Alert, Cause, Incident, IncidentState
from seakeeping.store.ledger.incidents import Step

JOIN_S = 6 * 3600.0
"""How long after an incident began, or last got an alert, any alert of its service joins it."""

REOPEN_S = 30 * 60.0
"""How long after its end an incident is opened again rather than a new one made."""

SHARED = ("release", "prompt_version", "model", "service_version", "provider", "region")
"""Dimensions whose values mean the same in different services."""

_SAME_TIME_S = 2 * 3600.0


@dataclass(frozen=True, slots=True)
class Group:
    """Alerts that belong together: ``incident`` is None where there is none for them yet."""

    service: str
    alerts: tuple[Alert, ...]
    incident: Incident | None


def service_of(alert: Alert) -> str:
    """Return the service an alert is about: a foreign one may name it ``job``, or none ("")."""
    labels = alert.labels
    return labels.get("service") or labels.get("service_name") or labels.get("job", "")


def grouped(
    alerts: Iterable[Alert], incidents: Sequence[Incident], now: float, *,
    starts: Mapping[str, float],
) -> list[Group]:  # fmt: skip
    """Return what is to be done with firing alerts that no incident holds yet.

    One that still fires although somebody closed its incident stays closed; it begins anew, and
    belongs to none, once it has ended.

    ``incidents`` are those that are open or ended within ``REOPEN_S``; ``starts`` tell when an
    alert, by fingerprint, began.
    """
    held = {it for incident in incidents if is_open(incident) for it in incident.alerts}
    loose: dict[_Subject, list[Alert]] = {}
    for alert in alerts:
        if alert.fingerprint not in held and alert.incident_id is None:
            loose.setdefault(_subject_of(alert), []).append(alert)
    return [
        Group(about[0], tuple(some), _incident_for(about, some, incidents, now, starts))
        for about, some in sorted(loose.items())
    ]


def is_open(incident: Incident) -> bool:
    """Tell whether an incident has not ended."""
    return incident.state is not IncidentState.RESOLVED


def step_of(group: Group, incident_id: str, now: float) -> Step:
    """Return the step that a group asks for; ``incident_id`` is for one that has to be opened."""
    if group.incident is None:
        return machine.opened(incident_id, group.alerts, group.service, now)
    if is_open(group.incident):
        where = f"also at {group.service}" if group.service else "the same alert"
        return machine.joined(group.incident, group.alerts, where, now)
    return machine.reopened(group.incident, group.alerts, now)


_Subject = tuple[str, str]
"""The service, or, where none is known, what the alerts are called: these are one incident."""


def _subject_of(alert: Alert) -> _Subject:
    service = service_of(alert)
    return service, "" if service else machine.title_of(alert)


def _subject_of_incident(incident: Incident) -> _Subject:
    return incident.service, "" if incident.service else incident.title


def _incident_for(
    about: _Subject, alerts: Sequence[Alert], incidents: Sequence[Incident], now: float,
    starts: Mapping[str, float],
) -> Incident | None:  # fmt: skip
    own = [it for it in incidents if _subject_of_incident(it) == about]
    for incident in sorted(filter(is_open, own), key=lambda it: it.opened_at):
        last = max([incident.opened_at, *(starts.get(it, 0.0) for it in incident.alerts)])
        if now - last <= JOIN_S or any(it.fingerprint in incident.alerts for it in alerts):
            return incident
    ended = [it for it in own if not is_open(it) and now - (it.resolved_at or 0.0) <= REOPEN_S]
    back = [it for it in ended if any(alert.fingerprint in it.alerts for alert in alerts)]
    return max(back, key=lambda it: it.resolved_at or 0.0, default=None)


def same_cause(incidents: Sequence[Incident]) -> list[tuple[Incident, Incident]]:
    """Return pairs of open incidents with one cause: (the older, the one that is a part of it)."""
    known: list[Incident] = []
    pairs = []
    for incident in sorted(filter(is_open, incidents), key=lambda it: (it.opened_at, it.id)):
        older = next((it for it in known if _is_same_cause(it, incident)), None)
        if older is None:
            known.append(incident)
        else:
            pairs.append((older, incident))
    return pairs


def merged(
    older: Incident, younger: Incident, alerts: Sequence[Alert], now: float
) -> tuple[Step, Step]:
    """Return the steps that make a younger incident a part of an older one."""
    shared = ", ".join(
        f"{name}={value}" for name, value in sorted(_shared(older) & _shared(younger))
    )
    reason = f"the same cause: {shared}"
    part = machine.resolved(
        younger, machine.CONTROLLER, f"part of {older.id}, {reason}", now, {"part_of": older.id}
    )
    whole = machine.joined(older, alerts, f"{younger.id} has {reason}", now)
    every = tuple(dict.fromkeys((*whole.incident.alerts, *younger.alerts)))
    return replace(whole, incident=replace(whole.incident, alerts=every)), part


def withdrawn(ended: Iterable[Alert], incidents: Iterable[Incident], now: float) -> list[Step]:
    """Return the steps that tell why alerts of incidents that go on ended, though all is not well.

    That their condition holds no more is no news before that is true of all. ``incidents`` may hold
    an incident more than once: the last one is how it is now.
    """
    known = {incident.id: incident for incident in incidents}
    gone: dict[str, list[Alert]] = {}
    for alert in ended:
        incident = known.get(alert.incident_id or "")
        is_told = alert.evidence.get("ended") not in (None, CLEARED)
        if incident is not None and is_open(incident) and is_told:
            gone.setdefault(incident.id, []).append(alert)
    return [machine.withdrawn(known[it], alerts, now) for it, alerts in gone.items()]


def _is_same_cause(one: Incident, other: Incident) -> bool:
    near = abs(one.opened_at - other.opened_at) <= _SAME_TIME_S
    return near and bool(_shared(one) & _shared(other))


def _shared(incident: Incident) -> set[tuple[str, str]]:
    causes: tuple[Cause, ...] = incident.diagnosis.causes if incident.diagnosis else ()
    return {
        (name, value)
        for cause in causes[:1]
        for name, value in cause.slice.items()
        if name in SHARED and value and cause.kind in ("worse", "new")
    }
