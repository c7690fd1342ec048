"""Alert policies, conditions and notification targets of OpenSLO, as our alerting.

OpenSLO allows one condition a policy, and one look-back a condition; the alerts of the field watch
two look-backs and come in tables. So a policy without a condition stands for the standard table (or
its rows of one severity), and a written condition with look-back L watches L / 12 as well, the
workbook's ratio, unless an annotation says otherwise.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from urllib.parse import parse_qs, urlsplit

from seakeeping.config.document import Problems, Section, Value, each
from seakeeping.config.openslo.entry import (
    Entry,
    chosen,
    describe,
    is_true,
    number,
    read_inline,
    seconds,
)
from seakeeping.config.openslo.shelf import Shelf
from seakeeping.config.settings import is_http_address
from seakeeping.errors import BadResource
from seakeeping.records import Alerting, BurnAlert, NotificationTarget, Severity, TargetKind
from seakeeping.records.burn import LONG_PER_SHORT, standard_alerts

SHORTEST_S = 60
"""No look-back of a written condition is shorter, in seconds."""

ABSENT_AFTER_S = 600.0
"""How long without an event ``alertWhenNoData`` waits, where no annotation says otherwise."""

SEVERITIES: Mapping[str, Severity] = MappingProxyType(
    dict.fromkeys(("page", "critical", "error", "high", "sev1", "p1"), Severity.PAGE)
    | dict.fromkeys(
        ("ticket", "warning", "medium", "low", "info", "sev2", "sev3", "sev4", "p2", "p3", "p4"),
        Severity.TICKET,
    )
)
"""The words of the field for whether somebody is woken."""

_TARGET_WORDS: Mapping[str, TargetKind] = MappingProxyType(
    {kind.value: kind for kind in TargetKind}
    | {"web-hook": TargetKind.WEBHOOK, "mail": TargetKind.EMAIL, "e-mail": TargetKind.EMAIL}
)
_NEEDS_SECRET = frozenset({TargetKind.PAGERDUTY, TargetKind.SLACK, TargetKind.APPRISE})
_SECRET_WORDS = ("key", "token", "secret", "password", "sig", "signature")


@dataclass(frozen=True, slots=True)
class Policy:
    """What one alert policy says; ``rows`` None: the standard table, of these severities."""

    rows: tuple[tuple[BurnAlert, str], ...] | None
    severities: tuple[Severity, ...]
    targets: tuple[str, ...]
    absent_after_s: float | None
    when_resolved: bool


def read_policy_reference(value: Value, shelf: Shelf, slo: str) -> Entry:
    """Return the policy that an item of ``alertPolicies`` names or holds; raises BadResource."""
    if value.is_plain():
        return shelf.follow(value, "AlertPolicy")
    if reference := value.section().get("alertPolicyRef"):
        value.section().done("alertPolicyRef")
        return shelf.follow(reference, "AlertPolicy")
    return read_inline(value, "AlertPolicy", slo)


def read_policy(entry: Entry, shelf: Shelf) -> Policy:
    """Return what an alert policy says; raises BadResource."""
    spec, own, problems = entry.spec, entry.header.own, Problems()
    problems.tried(lambda: spec.done(*_POLICY_KEYS), None)
    problems.tried(lambda: describe(spec), None)
    severity, after = own.get("severity"), own.get("absent-after")
    breaching, absent, resolved = (
        problems.tried(partial(_flag, spec, key, default=default), default)
        for key, default in _FLAGS.items()
    )
    rows = problems.tried(lambda: _rows(entry, shelf), None)
    severities = problems.tried(
        lambda: (_severity(severity),) if severity else tuple(Severity), tuple(Severity)
    )
    after_s = problems.tried(
        lambda: seconds(after, low=SHORTEST_S) if after else ABSENT_AFTER_S, ABSENT_AFTER_S
    )
    targets = problems.tried(lambda: _targets(entry, shelf), ())
    problems.end()
    return Policy(
        rows=rows if breaching else (),
        severities=severities,
        targets=targets,
        absent_after_s=after_s if absent else None,
        when_resolved=resolved,
    )


_FLAGS: Mapping[str, bool] = {
    "alertWhenBreaching": True, "alertWhenNoData": False, "alertWhenResolved": True,
}  # fmt: skip
_POLICY_KEYS = (*_FLAGS, "description", "conditions", "notificationTargets")


def _flag(spec: Section, key: str, *, default: bool) -> bool:
    value = spec.get(key)
    return default if value is None else value.truth()


def _rows(entry: Entry, shelf: Shelf) -> tuple[tuple[BurnAlert, str], ...] | None:
    value = entry.spec.get("conditions")
    items = value.items() if value else []
    if len(items) > 1:
        items[1].fail("a policy has one condition (OpenSLO)", "write a policy for each")
    for item in items:
        reference = item.section().get("conditionRef")
        if reference is not None:
            item.section().done("conditionRef")
        found = (
            shelf.follow(reference, "AlertCondition")
            if reference
            else read_inline(item, "AlertCondition", entry.header.name)
        )
        return (read_condition(found),)
    return None


def read_condition(entry: Entry) -> tuple[BurnAlert, str]:
    """Return a condition as a burn alert, and the place of its threshold; raises BadResource."""
    problems, own = Problems(), entry.header.own
    problems.tried(lambda: entry.spec.done("description", "severity", "condition"), None)
    problems.tried(lambda: describe(entry.spec), None)
    severity = problems.tried(
        lambda: _severity(own.get("severity") or entry.spec.need("severity")), Severity.PAGE
    )
    condition = problems.tried(lambda: entry.spec.need("condition").section(), None)
    if condition is None:
        problems.end()
    assert condition is not None
    alert = _read_burn(condition, severity, own.get("short-window"), problems)
    problems.end()
    return alert, str(condition.need("threshold").place)


def _read_burn(
    condition: Section, severity: Severity, short: Value | None, problems: Problems
) -> BurnAlert:
    """Return the alert of a condition, as far as it holds; faults are told to ``problems``."""
    problems.tried(
        lambda: condition.done("kind", "op", "threshold", "lookbackWindow", "alertAfter"), None
    )
    problems.tried(lambda: _check_kind(condition), None)
    after = condition.get("alertAfter")
    long_s = problems.tried(
        lambda: int(seconds(condition.need("lookbackWindow"), low=SHORTEST_S)), None
    )
    return BurnAlert(
        severity=severity,
        long_s=long_s or SHORTEST_S,
        short_s=problems.tried(lambda: _short(short, long_s), SHORTEST_S) if long_s else SHORTEST_S,
        factor=problems.tried(lambda: _factor(condition.need("threshold")), 1.0),
        for_s=problems.tried(lambda: seconds(after), 0.0) if after else 0.0,
    )


def _check_kind(condition: Section) -> None:
    kind, op = condition.get("kind"), condition.get("op")
    if kind is not None:
        chosen(kind, ("burnrate",))
    if op is not None and op.choice(("lte", "lt", "gte", "gt")) in ("lte", "lt"):
        op.fail("a burn alert fires above its threshold", "gt")


def _factor(value: Value) -> float:
    factor = value.number()
    return factor if factor > 0 else value.fail("a burn rate above 0 is always there")


def _short(value: Value | None, long_s: int) -> int:
    if value is None:
        return max(SHORTEST_S, long_s // LONG_PER_SHORT)
    short_s = int(seconds(value, low=1.0))
    return short_s if short_s <= long_s else value.fail("is longer than the lookbackWindow")


def _severity(value: Value) -> Severity:
    return SEVERITIES[chosen(value, tuple(SEVERITIES))]


def _targets(entry: Entry, shelf: Shelf) -> tuple[str, ...]:
    """Return the names of a policy's targets; one within it must be written by itself too."""
    value = entry.spec.get("notificationTargets")
    items = value.items() if value else []
    return tuple(dict.fromkeys(each(items, lambda item: _target(item, entry, shelf))))


def _target(item: Value, entry: Entry, shelf: Shelf) -> str:
    part = item.section()
    if reference := part.get("targetRef"):
        part.done("targetRef")
        return shelf.follow(reference, "AlertNotificationTarget").header.name
    return read_target(read_inline(item, "AlertNotificationTarget", entry.header.name)).name


def inline_targets(entry: Entry) -> list[NotificationTarget]:
    """Return the targets that stand within a policy; raises BadResource."""
    value = entry.spec.get("notificationTargets")
    return [
        read_target(read_inline(item, "AlertNotificationTarget", entry.header.name))
        for item in (value.items() if value else [])
        if item.section().get("targetRef") is None
    ]


def read_target(entry: Entry) -> NotificationTarget:
    """Return a notification target; raises BadResource, also for a secret in plain sight."""
    entry.spec.done("target", "description")
    own = entry.header.own
    target = entry.spec.need("target")
    kind = _TARGET_WORDS[chosen(target, tuple(_TARGET_WORDS))]
    url, secret = own.get("url"), own.get("secret-env")
    if url is None and secret is None:
        target.fail(
            f"nothing says where {entry.header.name} is",
            "annotation seakeeping.dev/url, or seakeeping.dev/secret-env where the address itself "
            "is secret",
        )
    if secret is None and kind in _NEEDS_SECRET:
        target.fail(f"{kind} needs a secret", "annotation seakeeping.dev/secret-env")
    if url and kind is TargetKind.APPRISE:
        url.fail("addresses of Apprise hold secrets", "put them into the variable of secret-env")
    if secret and not secret.text().isidentifier():
        secret.fail(f"{secret.text()!r} is no name of an environment variable")
    return NotificationTarget(
        name=entry.header.name,
        kind=kind,
        url=_address(url, kind) if url else None,
        secret_env=secret.text() if secret else None,
        options=_options(own.get("options")),
        description=describe(entry.spec),
    )


def _address(value: Value, kind: TargetKind) -> str:
    url = value.text()
    if kind is not TargetKind.EMAIL and not is_http_address(url):
        value.fail(f"{url!r} is not an http address")
    try:
        parts = urlsplit(url)
        holds_secret = (
            parts.password is not None
            or (parts.hostname or "") == "hooks.slack.com"
            or any(key.lower() in _SECRET_WORDS for key in parse_qs(parts.query))
        )
    except ValueError:
        value.fail(f"{url!r} is no address")
    if holds_secret:
        value.fail(
            "holds a secret", "put the whole address into an environment variable: secret-env"
        )
    return url


def _options(value: Value | None) -> dict[str, str]:
    """Return ``channel=#alerts, user=me`` as a mapping."""
    found: dict[str, str] = {}
    for part in value.written().split(",") if value else []:
        key, sign, word = part.partition("=")
        if not sign or not key.strip():
            assert value is not None
            value.fail(f"{part.strip()!r} is no option", "KEY=VALUE, KEY=VALUE")
        found[key.strip()] = word.strip()
    return found


def combine(
    policies: Sequence[Policy], own: Mapping[str, Value], window_s: int
) -> tuple[Alerting, dict[BurnAlert, str]]:
    """Return the alerting of an objective, and where its written alerts stand.

    Args:
        policies: of the SLO; none: the standard table.
        own: our annotations on the SLO.
        window_s: seconds of its window, which the standard table depends on.
    """
    places = {row: place for policy in policies for row, place in policy.rows or ()}
    alerting = Alerting()
    if policies:
        alerting = Alerting(
            burn=_burn(policies, window_s),
            severities=_all_severities(policies),
            targets=_union(policies),
            severity_targets=_by_severity(policies, window_s),
            absent_after_s=max(p.absent_after_s or 0.0 for p in policies) or None,
            when_resolved=any(policy.when_resolved for policy in policies),
        )
    return _annotated(alerting, own), places


def _burn(policies: Sequence[Policy], window_s: int) -> tuple[BurnAlert, ...] | None:
    if all(policy.rows is None for policy in policies):
        return None
    rows = [row for policy in policies for row in _rows_of(policy, window_s)]
    return tuple(dict.fromkeys(rows))


def _rows_of(policy: Policy, window_s: int) -> list[BurnAlert]:
    if policy.rows is not None:
        return [row for row, _ in policy.rows]
    return [row for row in standard_alerts(window_s) if row.severity in policy.severities]


def _all_severities(policies: Sequence[Policy]) -> tuple[Severity, ...]:
    if any(policy.rows is not None for policy in policies):
        return tuple(Severity)
    return tuple(s for s in Severity if any(s in policy.severities for policy in policies))


def _union(policies: Sequence[Policy]) -> tuple[str, ...]:
    if any(not policy.targets for policy in policies):
        return ()
    return tuple(dict.fromkeys(name for policy in policies for name in policy.targets))


def _by_severity(policies: Sequence[Policy], window_s: int) -> dict[Severity, tuple[str, ...]]:
    """Return the targets of each severity, where they differ from those of all."""
    found: dict[Severity, tuple[str, ...]] = {}
    for severity in Severity:
        own = [
            policy
            for policy in policies
            if any(row.severity is severity for row in _rows_of(policy, window_s))
        ]
        if own and _union(own) != _union(policies):
            found[severity] = _union(own)
    return found


def _annotated(alerting: Alerting, own: Mapping[str, Value]) -> Alerting:
    """Return the alerting with what annotations of the SLO add."""
    if alerts := own.get("alerts"):
        chosen(alerts, ("none",))
        alerting = replace(alerting, burn=(), evidence=False)
    if events := own.get("min-events"):
        alerting = replace(alerting, min_events=int(number(events, 0, 1e9)))
    if evidence := own.get("evidence"):
        alerting = replace(alerting, evidence=is_true(evidence))
    if after := own.get("absent-after"):
        alerting = replace(alerting, absent_after_s=seconds(after, low=SHORTEST_S))
    if name := own.get("alert-name"):
        alerting = replace(alerting, alert_name=name.text())
    return replace(
        alerting,
        alert_labels=_texts_by_severity(own.get("alert-labels")),
        alert_annotations=_texts_by_severity(own.get("alert-annotations")),
    )


def _texts_by_severity(value: Value | None) -> dict[Severity, dict[str, str]]:
    """Return ``{page: {key: text}}``, which an annotation holds as YAML or JSON text."""
    if value is None:
        return {}
    try:
        section = value.within().section()
        section.done(*Severity)
        return {
            Severity(severity): {key: v.written() for key, v in texts.section().values.items()}
            for severity, texts in section.values.items()
        }
    except BadResource as error:
        value.fail(f"holds no texts by severity: {error.message}", '{"page": {"key": "text"}}')
