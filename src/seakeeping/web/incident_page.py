"""Incidents: the list, and everything the page of one shows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from seakeeping.records import (
    Alert,
    Cause,
    Change,
    Incident,
    IncidentState,
    TimelineEntry,
)
from seakeeping.web import spell
from seakeeping.web.examples import ExampleRow, example_rows
from seakeeping.web.objective_page import slice_href
from seakeeping.web.wall import Fact
from seakeeping.web.whisker import Whisker, of_lift

LOOKS: Mapping[IncidentState, str] = MappingProxyType({
    IncidentState.OPEN: "breach", IncidentState.DIAGNOSED: "breach",
    IncidentState.MITIGATING: "uncertain", IncidentState.VERIFYING: "uncertain",
    IncidentState.RESOLVED: "ok", IncidentState.ESCALATED: "breach",
})  # fmt: skip
"""The look of each state."""

_WAY = (
    IncidentState.OPEN, IncidentState.DIAGNOSED, IncidentState.MITIGATING, IncidentState.VERIFYING,
    IncidentState.RESOLVED,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class IncidentRow:
    """One incident of the list."""

    incident: Incident
    href: str
    css: str
    cause: str
    lasted_s: float


@dataclass(frozen=True, slots=True)
class StateStep:
    """One state on the way; ``place`` is before, here or after where the incident is."""

    word: str
    place: str


@dataclass(frozen=True, slots=True)
class CauseRow:
    """One cause of a diagnosis."""

    cause: Cause
    slices: tuple[tuple[str, str, str], ...]
    lift: str
    bounds: str
    whisker: Whisker
    p_value: str
    kind: str


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """A change and how long before the onset it was made."""

    change: Change
    distance: str
    is_cause: bool


@dataclass(frozen=True, slots=True)
class IncidentPage:
    """The page."""

    incident: Incident
    css: str
    way: tuple[StateStep, ...]
    facts: tuple[Fact, ...]
    causes: tuple[CauseRow, ...]
    split: str
    changes: tuple[ChangeRow, ...]
    examples: tuple[ExampleRow, ...]
    alerts: tuple[Alert, ...]
    timeline: tuple[TimelineEntry, ...]
    flaws: tuple[str, ...]

    @property
    def is_open(self) -> bool:
        """Whether it goes on."""
        return self.incident.state is not IncidentState.RESOLVED


def incident_rows(incidents: Iterable[Incident], now: float) -> list[IncidentRow]:
    """Return the rows of a list, those that go on first."""
    rows = [_row(incident, now) for incident in incidents]
    rows.sort(key=lambda r: (r.incident.resolved_at is not None, -r.incident.opened_at))
    return rows


def _row(incident: Incident, now: float) -> IncidentRow:
    diagnosis = incident.diagnosis
    return IncidentRow(
        incident=incident,
        href=f"/incidents/{incident.id}",
        css=LOOKS[incident.state],
        cause=diagnosis.summary if diagnosis else "not diagnosed yet",
        lasted_s=(incident.resolved_at or now) - incident.opened_at,
    )


def build(
    incident: Incident, alerts: Iterable[Alert], changes: Sequence[Change], now: float,
    *, flaws: Sequence[str] = (),
) -> IncidentPage:  # fmt: skip
    """Return the page of an incident; ``changes`` are those of its service around it."""
    diagnosis = incident.diagnosis
    causes = diagnosis.causes if diagnosis else ()
    onset = diagnosis.onset if diagnosis and diagnosis.onset else incident.opened_at
    named = {c.change.id for c in causes if c.change}
    widest = max((abs(x) for c in causes for x in (c.low, c.high)), default=1.0)
    return IncidentPage(
        incident=incident,
        css=LOOKS[incident.state],
        way=tuple(_way(incident)),
        facts=tuple(_facts(incident, now)),
        causes=tuple(_cause_row(c, widest, incident.service) for c in causes),
        split=_split(incident),
        changes=tuple(
            ChangeRow(c, _distance(c.at, onset), c.id in named or c.id in incident.changes)
            for c in sorted(changes, key=lambda c: abs(c.at - onset))
        ),
        examples=tuple(example_rows(diagnosis.examples if diagnosis else ())),
        alerts=tuple(a for a in alerts if a.fingerprint in incident.alerts),
        timeline=tuple(sorted(incident.timeline, key=lambda e: -e.sequence)),
        flaws=tuple(flaws),
    )


def _way(incident: Incident) -> Iterable[StateStep]:
    if incident.state is IncidentState.ESCALATED:
        yield StateStep("open", "before")
        yield StateStep("escalated", "here")
        yield StateStep("resolved", "after")
        return
    here = _WAY.index(incident.state)
    for n, state in enumerate(_WAY):
        yield StateStep(state.value, "before" if n < here else "here" if n == here else "after")


def _facts(incident: Incident, now: float) -> Iterable[Fact]:
    diagnosis, lasted = incident.diagnosis, (incident.resolved_at or now) - incident.opened_at
    yield Fact("Severity", incident.severity.value)
    yield Fact("Opened", spell.age(now - incident.opened_at), spell.utc(incident.opened_at))
    yield Fact("Lasted" if incident.resolved_at else "Lasts for", spell.seconds(lasted))
    if diagnosis and diagnosis.onset:
        early = incident.opened_at - diagnosis.onset
        yield Fact("Began", spell.utc(diagnosis.onset)[11:], f"{spell.seconds(early)} before")
    yield Fact("Acknowledged", incident.acknowledged_by or "nobody yet", _took(incident))
    yield Fact("Alerts", str(len(incident.alerts)))


def _took(incident: Incident) -> str:
    if incident.acknowledged_at is None:
        return ""
    return f"after {spell.seconds(max(0.0, incident.acknowledged_at - incident.opened_at))}"


_KINDS = {
    "worse": "worse than before", "new": "new, nothing to compare with",
    "mix": "more traffic where it always was worse", "metric": "infrastructure",
}  # fmt: skip


def _cause_row(cause: Cause, widest: float, service: str) -> CauseRow:
    return CauseRow(
        cause=cause,
        slices=tuple((k, v, slice_href(service, k, v)) for k, v in cause.slice.items()),
        lift=points(cause.lift),
        bounds=f"{points(cause.low)} to {points(cause.high)}",
        whisker=of_lift(cause.low, cause.lift, cause.high, widest),
        p_value=f"{cause.p_value:.2g}" if cause.p_value >= 1e-12 else "< 1e-12",
        kind=_KINDS.get(cause.kind, cause.kind),
    )


def points(value: float) -> str:
    """Return a difference of ratios in percentage points.

    >>> points(0.153), points(-0.004)
    ('+15.3 pp', '-0.4 pp')
    """
    return f"{round(value * 100, 1) + 0.0:+.1f} pp"


def _split(incident: Incident) -> str:
    """Return how much of the change is traffic that moved and how much is rates that rose."""
    diagnosis = incident.diagnosis
    if diagnosis is None or diagnosis.mix_effect is None or diagnosis.rate_effect is None:
        return ""
    return (
        f"rates that rose: {points(diagnosis.rate_effect)}, "
        f"traffic that moved: {points(diagnosis.mix_effect)}"
    )


def _distance(at: float, onset: float) -> str:
    away = at - onset
    if abs(away) < 1:
        return "at the onset"
    return f"{spell.seconds(abs(away))} {'before' if away < 0 else 'after'} the onset"


def chain(page: IncidentPage) -> str:
    """Return what the hashes of the timeline say."""
    if not page.timeline:
        return "no entries"
    return "hashes hold" if not page.flaws else f"not intact: {'; '.join(page.flaws)}"
