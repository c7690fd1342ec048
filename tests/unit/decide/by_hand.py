"""Objectives, readings and alerts written by hand, for the tests of what is decided."""

from collections.abc import Mapping
from dataclasses import replace

from seakeeping.decide.alerts.rules import GUARD_LOOKS
from seakeeping.records import (
    Alert,
    Alerting,
    AlertState,
    Budget,
    BudgetState,
    Counts,
    Evidence,
    Indicator,
    IndicatorSignal,
    NotificationTarget,
    Objective,
    Reading,
    Severity,
    TargetKind,
)

NOW = 1_790_000_000.0
MINUTE_S, HOUR_S, DAY_S = 60.0, 3600.0, 86_400.0

AVAILABILITY = Indicator("availability", "all calls", "calls that ended without an error")
FAITHFULNESS = Indicator(
    "faithfulness", "answers", "answers whose claims are supported",
    signal=IndicatorSignal.EVALUATION, subject="faithfulness", is_estimate=True,
)  # fmt: skip


def objective(
    target_ratio: float = 0.999,
    *,
    name: str = "chat/availability",
    indicator: Indicator = AVAILABILITY,
    alerting: Alerting | None = None,
    labels: Mapping[str, str] | None = None,
    window: str = "30d",
) -> Objective:
    """Return an objective of the service ``chat``."""
    return Objective(
        name=name, service="chat", indicator=indicator, target_ratio=target_ratio, window=window,
        alerting=alerting or Alerting(), labels=labels or {},
    )  # fmt: skip


def counts(valid: float, bad: float, rows_per_event: float = 1.0) -> Counts:
    """Return counts of events, each of which stands for itself unless told otherwise."""
    return Counts(valid, bad, round(valid * rows_per_event), round(bad * rows_per_event))


def reading(
    of: Objective,
    looks: Mapping[int, Counts],
    *,
    at: float = NOW,
    evidence: Evidence | None = None,
    remaining_ratio: float | None = 0.5,
    last_event_at: float | None = NOW,
    state: BudgetState = BudgetState.UNCERTAIN,
) -> Reading:
    """Return what is known of an objective, from the counts of its look-backs."""
    period = looks.get(259_200, Counts())
    budget = Budget(
        objective=of, at=at, valid_total=period.valid, bad_total=period.bad, estimate=None,
        low=None, high=None, remaining_ratio=remaining_ratio, state=state,
        time_to_exhaustion_s=3 * DAY_S, last_event_at=last_event_at,
    )  # fmt: skip
    return Reading(budget, looks, evidence)


def steady(of: Objective, bad_ratio: float, per_minute: float = 600.0, **more: object) -> Reading:
    """Return a reading of an objective that has been as bad for days."""
    looks = {
        look: counts(per_minute * look / 60, round(per_minute * look / 60 * bad_ratio))
        for look in GUARD_LOOKS
    }
    return reading(of, looks, **more)  # type: ignore[arg-type]  # handed on


def silent(of: Objective, **more: object) -> Reading:
    """Return a reading of an objective without events."""
    return reading(of, {look: Counts() for look in GUARD_LOOKS}, **more)  # type: ignore[arg-type]


def evidence(value: float, *, since: float | None = None, null_ratio: float = 0.1) -> Evidence:
    """Return what a sequential test with a limit of 1,000 knows."""
    return Evidence(value, 1000.0, null_ratio, events=500, since=since)


def alert(
    slo: str = "chat/availability",
    *,
    severity: Severity = Severity.PAGE,
    starts_at: float = NOW,
    state: AlertState = AlertState.FIRING,
    name: str = "ErrorBudgetBurn",
    service: str = "chat",
) -> Alert:
    """Return an alert of an objective."""
    labels = {"alertname": name, "severity": severity.value, "service": service, "slo": slo}
    return Alert(
        labels=labels, annotations={"summary": f"{slo} burns"}, starts_at=starts_at,
        severity=severity, objective=slo, state=state, updated_at=starts_at,
    )  # fmt: skip


def ended(one: Alert, at: float) -> Alert:
    """Return an alert that ended."""
    return replace(one, state=AlertState.RESOLVED, ends_at=at)


def target(name: str = "team", kind: TargetKind = TargetKind.WEBHOOK) -> NotificationTarget:
    """Return somebody to be told."""
    return NotificationTarget(name, kind, url="http://127.0.0.1:9/")
