"""Which conditions of an objective are watched, from the objective alone.

Three kinds, after what each can know:

*Burn* (``ErrorBudgetBurn``): the budget is spent too fast over a long and a short look-back at
once. One alert a severity: the rows of the multi-window table that belong to it are joined by "or",
as Sloth joins them, so that a page is one page however many of its rows hold.

*Evidence* (``QualityEvidence``): for quality, where no burn rate can be high (a budget of 10 % can
burn at most ten times too fast) and every event is a detector's opinion. A sequential test looks at
each answer once and may be looked at always (``stats.edetector``).

*Absence* (``SLOMetricAbsent``): events came once and come no more. Without events no other alert
can speak, and none of them ends.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from seakeeping.records import BurnAlert, Objective, Severity
from seakeeping.records.codec import to_json
from seakeeping.records.incident import fingerprint_of
from seakeeping.stats.burn import alerts_in_force

GUARD_LOOKS: tuple[int, ...] = (300, 1800, 3600, 7200, 21_600, 86_400, 259_200)
"""Look-backs in seconds that the guard of a burn alert may use: 5m 30m 1h 2h 6h 1d 3d."""


class RuleKind(StrEnum):
    """What a rule watches; the value is the alert's name."""

    BURN = "ErrorBudgetBurn"
    EVIDENCE = "QualityEvidence"
    ABSENCE = "SLOMetricAbsent"


@dataclass(frozen=True, slots=True)
class Rule:
    """One alert that an objective can raise.

    ``burns`` are the rows of the burn table that belong to it, lowered to what the target can
    reach. ``absent_after_s`` belongs to an absence. ``fingerprint`` follows from ``labels``.
    """

    kind: RuleKind
    severity: Severity
    labels: Mapping[str, str]
    burns: tuple[BurnAlert, ...] = ()
    absent_after_s: float | None = None
    fingerprint: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "fingerprint", fingerprint_of(self.labels))


def rules_of(objective: Objective) -> tuple[Rule, ...]:
    """Return the alerts that an objective can raise, pages first."""
    alerting = objective.alerting
    table = alerts_in_force(objective)
    rules = [
        _rule(objective, RuleKind.BURN, severity, burns=burns)
        for severity in Severity
        if (burns := tuple(alert for alert in table if alert.severity is severity))
    ]
    if not alerting.severities:
        return tuple(rules)
    gravest = min(alerting.severities, key=list(Severity).index)
    if objective.indicator.is_estimate if alerting.evidence is None else alerting.evidence:
        rules.append(_rule(objective, RuleKind.EVIDENCE, gravest))
    if alerting.absent_after_s is not None:
        after = alerting.absent_after_s
        rules.append(_rule(objective, RuleKind.ABSENCE, gravest, absent_after_s=after))
    return tuple(rules)


def guard_looks(burn: BurnAlert) -> tuple[int, ...]:
    """Return the look-backs whose counts may prove that a burn is real, ascending.

    All that lie between its short and its long one: a burst proves itself in a short one, a slow
    leak only in the long one.
    """
    between = {look for look in GUARD_LOOKS if burn.short_s <= look <= burn.long_s}
    return tuple(sorted(between | {burn.short_s, burn.long_s}))


def looks_of(objectives: Iterable[Objective]) -> tuple[int, ...]:
    """Return every look-back in seconds that alerts of these objectives need, ascending."""
    burns = {burn for objective in objectives for burn in alerts_in_force(objective)}
    return tuple(sorted({look for burn in burns for look in guard_looks(burn)}))


def definition_of(objective: Objective) -> str:
    """Return what the objective's alerts are decided by, as 16 hexadecimal digits.

    Words, owner and where it is written down do not matter: changing those changes no alert. Nor
    do labels, which are an alert's identity instead.
    """
    alerting = objective.alerting
    decided = {
        "indicator": objective.indicator.key, "target": objective.target_ratio,
        "window": objective.window, "budgeting": objective.budgeting.value,
        "calendar": None if objective.calendar is None else to_json(objective.calendar),
        "slice_target": objective.slice_target_ratio, "slice_window": objective.slice_window_s,
        "burn": [to_json(burn) for burn in alerts_in_force(objective)],
        "min_events": alerting.min_events, "absent_after_s": alerting.absent_after_s,
    }  # fmt: skip
    return hashlib.sha256(json.dumps(decided, sort_keys=True).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Ruled:
    """An objective with its rules and its definition, made once."""

    objective: Objective
    rules: tuple[Rule, ...]
    definition: str


class Rulebook:
    """The rules of all objectives, made anew only for an objective that changed."""

    def __init__(self) -> None:
        self._ruled: dict[str, Ruled] = {}

    def of(self, objective: Objective) -> Ruled:
        """Return the objective's rules."""
        known = self._ruled.get(objective.name)
        if known is None or known.objective is not objective:
            same = known is not None and known.objective == objective
            known = known if known is not None and same else _ruled(objective)
            self._ruled[objective.name] = known
        return known

    def keep(self, names: Iterable[str]) -> None:
        """Forget all but these objectives."""
        wanted = set(names)
        self._ruled = {name: ruled for name, ruled in self._ruled.items() if name in wanted}


def _ruled(objective: Objective) -> Ruled:
    return Ruled(objective, rules_of(objective), definition_of(objective))


def _rule(
    objective: Objective,
    kind: RuleKind,
    severity: Severity,
    *,
    burns: tuple[BurnAlert, ...] = (),
    absent_after_s: float | None = None,
) -> Rule:
    return Rule(kind, severity, labels_of(objective, kind, severity), burns, absent_after_s)


def labels_of(objective: Objective, kind: RuleKind, severity: Severity) -> dict[str, str]:
    """Return an alert's identity.

    The objective's labels, those that somebody wrote for alerts of this severity (which may rename
    the severity for a router that knows other words), and the names of the alert, service and SLO.
    """
    alerting = objective.alerting
    name = alerting.alert_name if kind is RuleKind.BURN else None
    labels = {
        **objective.labels, "severity": severity.value, **alerting.alert_labels.get(severity, {}),
        "alertname": name or kind.value, "service": objective.service, "slo": objective.name,
    }  # fmt: skip
    return {name: value for name, value in labels.items() if value}
