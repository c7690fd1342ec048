"""The page of alerts and silences: what fires, who is told, and what is kept quiet for a while."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from urllib.parse import urlencode

from seakeeping.errors import BadInput
from seakeeping.records import Alert, AlertState, Matcher, Silence
from seakeeping.records.silence import matcher_of
from seakeeping.web import objective_list
from seakeeping.web.examples import ExampleRow, told_examples

_ORDER = (AlertState.FIRING, AlertState.PENDING, AlertState.RESOLVED)
_LOOK = {AlertState.FIRING: "breach", AlertState.PENDING: "uncertain", AlertState.RESOLVED: "ok"}
_SHOWN_APART = ("alertname", "severity", "service", "slo")


@dataclass(frozen=True, slots=True)
class AlertRow:
    """One alert: what it says, where it leads, whether it is kept quiet."""

    alert: Alert
    css: str
    summary: str
    description: str
    slices: str
    labels: tuple[str, ...]
    href: str
    incident_href: str
    silence_href: str
    silenced_by: str
    examples: tuple[ExampleRow, ...]

    @property
    def can_be_acknowledged(self) -> bool:
        """Whether anybody may still say that they have seen it."""
        return self.alert.state is AlertState.FIRING and self.alert.acknowledged_by is None


@dataclass(frozen=True, slots=True)
class AlertGroup:
    """The alerts of one objective, as they are told together."""

    service: str
    slo: str
    rows: tuple[AlertRow, ...]


@dataclass(frozen=True, slots=True)
class SilenceRow:
    """One silence and how many alerts it keeps quiet."""

    silence: Silence
    state: str
    css: str
    matchers: tuple[str, ...]
    quiet: int


@dataclass(frozen=True, slots=True)
class AlertPage:
    """The page."""

    groups: tuple[AlertGroup, ...]
    silences: tuple[SilenceRow, ...]
    firing: int
    pending: int
    silenced: int


def build(alerts: Sequence[Alert], silences: Sequence[Silence], now: float) -> AlertPage:
    """Return the page, what fires first."""
    active = [s for s in silences if s.is_active(now)]
    ordered = sorted(alerts, key=lambda a: (_group(a), _ORDER.index(a.state), -a.starts_at))
    groups = [
        AlertGroup(*names, tuple(_row(a, active) for a in own))
        for names, own in groupby(ordered, _group)
    ]
    groups.sort(key=lambda g: (min(_ORDER.index(r.alert.state) for r in g.rows), g.service, g.slo))
    states = [a.state for a in alerts]
    return AlertPage(
        groups=tuple(groups),
        silences=tuple(_silence_row(s, alerts, now) for s in silences),
        firing=states.count(AlertState.FIRING),
        pending=states.count(AlertState.PENDING),
        silenced=sum(bool(r.silenced_by) for g in groups for r in g.rows),
    )


def _group(alert: Alert) -> tuple[str, str]:
    return alert.labels.get("service", ""), alert.labels.get("slo", "")


def _row(alert: Alert, active: Iterable[Silence]) -> AlertRow:
    quiet = next((s for s in active if s.silences(alert.labels)), None)
    return AlertRow(
        alert=alert,
        css=_LOOK[alert.state],
        summary=alert.annotations.get("summary") or alert.labels.get("alertname", ""),
        description=alert.annotations.get("description", ""),
        slices=alert.annotations.get("worst_slices", ""),
        labels=tuple(f"{k}={v}" for k, v in sorted(alert.labels.items()) if k not in _SHOWN_APART),
        href=objective_list.href(alert.objective) if alert.objective else "",
        incident_href=f"/incidents/{alert.incident_id}" if alert.incident_id else "",
        silence_href=f"/alerts?{urlencode({'silence': matchers_text(alert.labels)})}#silence",
        silenced_by=quiet.id if quiet else "",
        examples=tuple(told_examples(alert.annotations.get("examples", ""))),
    )  # fmt: skip


def _silence_row(silence: Silence, alerts: Iterable[Alert], now: float) -> SilenceRow:
    if silence.is_active(now):
        state, css = "active", "uncertain"
    elif now < silence.starts_at:
        state, css = "pending", "nodata"
    else:
        state, css = "expired", "nodata"
    firing = (a for a in alerts if a.state is not AlertState.RESOLVED)
    quiet = sum(silence.silences(a.labels) for a in firing) if state == "active" else 0
    return SilenceRow(silence, state, css, tuple(str(m) for m in silence.matchers), quiet)


_TOLD_APART = ("alertname", "service", "slo")


def matchers_text(labels: Mapping[str, str]) -> str:
    """Return the matchers that fit an alert, one a line, as the form takes them."""
    return "\n".join(str(Matcher(k, labels[k])) for k in _TOLD_APART if labels.get(k))


def read_matchers(text: str) -> tuple[Matcher, ...]:
    r"""Return the matchers of a text, one a line, spelt as Alertmanager spells them.

    >>> [str(m) for m in read_matchers('service="shop"\\nseverity!~"ticket|info"')]
    ['service="shop"', 'severity!~"ticket|info"']

    Raises BadInput.
    """
    lines = [line.strip().strip(",") for line in text.strip().strip("{}").splitlines()]
    found = tuple(matcher_of(line) for line in lines if line)
    if not found:
        raise BadInput("a silence needs a matcher", hint='e.g. service="shop"')
    check_matchers(found)
    return found


def check_matchers(matchers: Sequence[Matcher]) -> None:
    """Refuse matchers that would silence everything, or cannot be read; raises BadInput."""
    if not matchers:
        raise BadInput("a silence needs a matcher", hint='e.g. service="shop"')
    for matcher in matchers:
        matcher.check()
    if all(matcher.matches({}) for matcher in matchers):
        raise BadInput(
            "these matchers would silence alerts that have none of the labels",
            hint="at least one matcher must not match the empty value",
        )
