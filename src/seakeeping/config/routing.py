"""Routing of alerts as a resource: Alertmanager's keys, as its own file has them.

Whoever knows ``group_wait`` knows it here. Durations are Prometheus' (``30s``, ``1h30m``), matchers
Alertmanager's (``severity="page"``). A label that no alert here has is no error, because objectives
of the API have labels too; but it is doubtful, and told.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from seakeeping.config.document import Section, Value, near
from seakeeping.config.finding import Finding
from seakeeping.errors import BadInput
from seakeeping.records import DIMENSIONS, InhibitRule, Matcher, Objective, Routing
from seakeeping.records.routing import BY_ALL
from seakeeping.records.silence import matcher_of

LONGEST_S = 366 * 86_400.0
"""No interval is longer."""

OWN_LABELS = ("alertname", "severity", "service", "slo")
"""Labels that every alert of ours has."""

_UNITS_S = {"y": 365 * 86_400.0, "w": 604_800.0, "d": 86_400.0, "h": 3600.0, "m": 60.0, "s": 1.0,
            "ms": 0.001}  # fmt: skip
_DURATION = re.compile("".join(rf"(?:(?P<{unit}>\d{{1,9}}){unit})?" for unit in _UNITS_S), re.ASCII)
_RULE_KEYS = ("source_matchers", "target_matchers", "equal")


@dataclass(frozen=True, slots=True)
class RoutingChoice:
    """The routing of a document, and where it names which label."""

    routing: Routing
    named: tuple[tuple[str, Value], ...] = field(default=(), compare=False)


def read_routing(document: Section) -> RoutingChoice:
    """Return what an ``AlertRouting`` document says; raises BadResource."""
    document.done(
        "kind", "version", "name", "group_by", "group_wait", "group_interval", "repeat_interval",
        "inhibit_rules", "resolve_timeout",
    )  # fmt: skip
    usual, labels = Routing(), document.get("group_by")
    rules = document.get("inhibit_rules")
    read = [_rule(item.section()) for item in rules.items()] if rules else []
    named = [(name, place) for _, names in read for name, place in names]
    if labels:
        named += _each(labels)
    return RoutingChoice(
        routing=Routing(
            group_by=_group_by(labels) if labels else usual.group_by,
            group_wait_s=_seconds(document, "group_wait", usual.group_wait_s, least_s=0.0),
            group_interval_s=_seconds(document, "group_interval", usual.group_interval_s),
            repeat_interval_s=_seconds(document, "repeat_interval", usual.repeat_interval_s),
            inhibit=tuple(rule for rule, _ in read) if rules else usual.inhibit,
            resolve_timeout_s=_seconds(document, "resolve_timeout", usual.resolve_timeout_s),
        ),
        named=tuple(named),
    )


def routing_doubts(
    choices: Iterable[RoutingChoice], objectives: Iterable[Objective]
) -> Iterator[Finding]:
    """Yield a warning for every label that no alert of these objectives has."""
    known = labels_of_alerts(objectives)
    for choice in choices:
        for name, value in choice.named:
            if name not in known and name != BY_ALL:
                hint = near(name, sorted(known))
                text = f"no alert of these files has the label {name}"
                yield Finding(str(value.place), text, hint, is_warning=True)


def labels_of_alerts(objectives: Iterable[Objective]) -> Collection[str]:
    """Return the names of the labels that alerts of these objectives may have."""
    known = {*OWN_LABELS, *DIMENSIONS}
    for objective in objectives:
        known |= objective.labels.keys() | set(objective.slice_by)
        for labels in objective.alerting.alert_labels.values():
            known |= labels.keys()
    return known


def _group_by(value: Value) -> tuple[str, ...]:
    names = value.texts()
    if len(set(names)) < len(names):
        value.fail("names a label twice")
    if BY_ALL in names and len(names) > 1:
        value.fail(f"{BY_ALL} stands for all labels", "write it alone")
    return names


def _seconds(document: Section, key: str, usual: float, *, least_s: float = 1.0) -> float:
    """Return a duration of Prometheus in seconds."""
    value = document.get(key)
    if value is None:
        return usual
    found = _DURATION.fullmatch(text := value.written())
    if not text or (found is None and text != "0"):
        value.fail(f"{text!r} is no duration", "a number and s, m, h or d, e.g. 30s, 5m, 1h30m")
    parts = found.groupdict() if found else {}
    length = sum(int(count) * _UNITS_S[unit] for unit, count in parts.items() if count)
    if not least_s <= length <= LONGEST_S:
        value.fail(f"{text} is not within {least_s:g} s and a year")
    return length


def _rule(section: Section) -> tuple[InhibitRule, list[tuple[str, Value]]]:
    """Return a rule, and the labels that it names with their places."""
    section.done(*_RULE_KEYS)
    source, target = (_matchers(section.need(key)) for key in _RULE_KEYS[:2])
    equal = section.get("equal")
    named = [(matcher.name, place) for matcher, place in (*source, *target)]
    rule = InhibitRule(
        source=tuple(matcher for matcher, _ in source),
        target=tuple(matcher for matcher, _ in target),
        equal=equal.texts() if equal else (),
    )
    return rule, named + (_each(equal) if equal else [])


def _matchers(value: Value) -> list[tuple[Matcher, Value]]:
    items = [value] if value.is_plain() else value.items()
    if not items:
        value.fail("has no matcher", "every alert would meet it; name at least one label")
    return [(_matcher(item), item) for item in items]


def _matcher(value: Value) -> Matcher:
    try:
        return matcher_of(value.text())
    except BadInput as error:
        value.fail(error.message, error.hint)


def _each(value: Value) -> list[tuple[str, Value]]:
    items = [value] if value.is_plain() else value.items()
    return [(item.text(), item) for item in items]
