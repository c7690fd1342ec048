"""Prometheus rules for whoever wants Prometheus to do the arithmetic: Sloth's names and formulas.

For each objective, from our two counters of its events:

    slo:sli_error:ratio_rateW              bad / valid over the look-back W
    slo:sli_error:ratio_ratePERIOD         the mean of the 5-minute ratios over the period
    slo:current_burn_rate:ratio            ratio_rate5m / error budget
    slo:period_burn_rate:ratio             ratio_ratePERIOD / error budget
    slo:period_error_budget_remaining:ratio    1 - period burn rate

and the burn alerts in force, with the factors lowered to what the target can reach. The mean over
the period gives every five minutes the same weight, busy or not; that is how recording rules have
to do it, and it is the figure that we call ``interval_remaining_ratio``. What Prometheus cannot do
stays with us: the test against chance at low traffic, minimum events, evidence alerts.

An objective has no rules where they would say something untrue: a detector's raw verdicts are no
SLI, and a window cut by a calendar or into time slices is no mean over a rolling period.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

import yaml

from seakeeping.observe.slo_labels import BAD_TOTAL, VALID_TOTAL, own_labels, slo_labels
from seakeeping.records import Budgeting, BurnAlert, Objective, Severity
from seakeeping.stats.burn import alerts_in_force

Rule = dict[str, Any]

ALERT_NAME = "ErrorBudgetBurn"
WINDOWS_S = (300, 1800, 3600, 7200, 21_600, 86_400, 259_200)
"""Look-backs that are always recorded, in seconds; alerts may add some."""

_DAY_S = 86_400
_UNITS = (("d", _DAY_S), ("h", 3600), ("m", 60), ("s", 1))


def why_no_rules(objective: Objective) -> str | None:
    """Return why rules would say something untrue of an objective, or None."""
    if objective.service == "*":
        return "it stands for every service; each has one of its own"
    if objective.slice_by:
        values = " and ".join(objective.slice_by)
        return f"it stands for every value of {values}; each has one of its own"
    if objective.indicator.is_estimate:
        return "its events are a detector's raw verdicts, which labels have to correct"
    if objective.window_s <= WINDOWS_S[0]:
        return "its window is no longer than the shortest look-back"
    if objective.calendar is not None:
        return "its window begins at fixed moments"
    if objective.budgeting is not Budgeting.OCCURRENCES:
        return f"it counts {objective.budgeting.value}"
    return None


def prometheus_rules(objectives: Iterable[Objective]) -> dict[str, list[dict[str, Any]]]:
    """Return a Prometheus rule file as data; objectives with `why_no_rules` are left out."""
    groups = [
        group
        for objective in objectives
        if why_no_rules(objective) is None
        for group in _groups(objective)
    ]
    return {"groups": groups}


def prometheus_rules_yaml(objectives: Sequence[Objective]) -> str:
    """Return a Prometheus rule file; comments say which objectives are left out, and why."""
    told = "".join(
        f"# {_one_line(objective.name)} is left out: {why}\n"
        for objective in objectives
        if (why := why_no_rules(objective)) is not None
    )
    rules = yaml.safe_dump(prometheus_rules(objectives), sort_keys=False, width=10_000)
    return f"# Made by Seakeeping from its objectives.\n{told}{rules}"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _groups(objective: Objective) -> list[dict[str, Any]]:
    name = slo_labels(objective)["sloth_id"]
    groups = [
        {"name": f"sloth-slo-sli-recordings-{name}", "rules": _ratio_rules(objective)},
        {"name": f"sloth-slo-meta-recordings-{name}", "rules": _meta_rules(objective)},
        {"name": f"sloth-slo-alerts-{name}", "rules": _alert_rules(objective)},
    ]
    return [group for group in groups if group["rules"]]


def window_name(seconds: int) -> str:
    """Return a look-back as Prometheus and Sloth write it.

    >>> window_name(259_200), window_name(3840)
    ('3d', '64m')
    """
    unit, unit_s = next((unit for unit in _UNITS if seconds % unit[1] == 0), ("s", 1))
    return f"{seconds // unit_s}{unit}"


def ratio_metric(seconds: int) -> str:
    """Return the name of the recorded error ratio over a look-back."""
    return f"slo:sli_error:ratio_rate{window_name(seconds)}"


def selector(labels: Mapping[str, str]) -> str:
    """Return labels as a PromQL selector, safe for any text.

    >>> selector({"service": "chat", "slo": "latency"})
    '{service="chat", slo="latency"}'
    """
    told = ", ".join(f'{name}="{_escaped(text)}"' for name, text in labels.items())
    return f"{{{told}}}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _ratio_rules(objective: Objective) -> list[Rule]:
    ids = slo_labels(objective)
    here = selector(ids)
    alerts = alerts_in_force(objective)
    asked = {seconds for alert in alerts for seconds in (alert.long_s, alert.short_s)}
    rules = []
    shorter = {seconds for seconds in WINDOWS_S if seconds < objective.window_s}
    for seconds in sorted(shorter | asked - {objective.window_s}):
        window = window_name(seconds)
        bad, valid = (f"sum(rate({name}{here}[{window}]))" for name in (BAD_TOTAL, VALID_TOTAL))
        rules.append(
            _record(objective, ratio_metric(seconds), f"{bad} / {valid}", {"sloth_window": window})
        )
    return [*rules, _period_rule(objective)]


def _period_rule(objective: Objective) -> Rule:
    window = window_name(objective.window_s)
    short = f"{ratio_metric(WINDOWS_S[0])}{selector(slo_labels(objective))}[{window}]"
    mean = f"sum_over_time({short}) / ignoring(sloth_window) count_over_time({short})"
    name = ratio_metric(objective.window_s)
    return _record(objective, name, mean, {"sloth_window": window})


def _meta_rules(objective: Objective) -> list[Rule]:
    here = selector(slo_labels(objective))
    budget = f"on(sloth_id, sloth_slo, sloth_service) group_left() slo:error_budget:ratio{here}"
    current, period = ratio_metric(WINDOWS_S[0]), ratio_metric(objective.window_s)
    rules = {
        "slo:objective:ratio": f"vector({objective.target_ratio!r})",
        "slo:error_budget:ratio": f"vector(1 - {objective.target_ratio!r})",
        "slo:time_period:days": f"vector({objective.window_s / _DAY_S:.12g})",
        "slo:current_burn_rate:ratio": f"{current}{here} / {budget}",
        "slo:period_burn_rate:ratio": f"{period}{here} / {budget}",
        "slo:period_error_budget_remaining:ratio": f"1 - slo:period_burn_rate:ratio{here}",
        "sloth_slo_info": "vector(1)",
    }
    info = {"sloth_mode": "seakeeping", "sloth_spec": "openslo/v1"}
    return [
        _record(objective, name, expression, info if name == "sloth_slo_info" else {})
        for name, expression in rules.items()
    ]


def _record(objective: Objective, name: str, expression: str, more: Mapping[str, str]) -> Rule:
    labels = {**own_labels(objective), **slo_labels(objective), **more}
    return {"record": name, "expr": expression, "labels": labels}


def _alert_rules(objective: Objective) -> list[Rule]:
    """Return an alert of each severity and waiting time; its rows stand for one another."""
    alerts = sorted(alerts_in_force(objective), key=lambda a: (a.severity.value, a.for_s))
    return [
        _alert(objective, severity, wait, list(rows))
        for (severity, wait), rows in groupby(alerts, key=lambda a: (a.severity, a.for_s))
    ]


def _alert(
    objective: Objective, severity: Severity, wait_s: float, rows: Sequence[BurnAlert]
) -> Rule:
    alerting = objective.alerting
    expression = "\nor\n".join(_burns(objective, row) for row in rows)
    labels = {
        "severity": severity.value,
        "sloth_severity": severity.value,
        "service": _literal(objective.service),
        "slo": _literal(objective.name),
        **alerting.alert_labels.get(severity, {}),
    }
    slo = "{{$labels.sloth_slo}} of {{$labels.sloth_service}}"
    annotations = {
        "title": f"({severity.value}) {slo} burns its error budget too fast",
        "summary": _literal(f"{slo_labels(objective)['sloth_slo']}: {_text(objective)}"),
        **alerting.alert_annotations.get(severity, {}),
    }
    rule: Rule = {"alert": alerting.alert_name or ALERT_NAME, "expr": expression}
    if wait_s:
        rule["for"] = window_name(round(wait_s))
    return {**rule, "labels": labels, "annotations": annotations}


def _text(objective: Objective) -> str:
    text = objective.description or f"{objective.target_ratio:.6g} of {objective.indicator.valid}"
    return _one_line(text)


def _literal(text: str) -> str:
    """Return a text that Prometheus' templates leave as it is: names come with the telemetry."""
    return text.replace("{{", '{{"{{"}}')


def _burns(objective: Objective, row: BurnAlert) -> str:
    here = selector(slo_labels(objective))
    limit = f"{row.factor!r} * (1 - {objective.target_ratio!r})"
    # Without the label of the look-back the alert stays the same one whichever row holds it up.
    short, long = (
        f"max without(sloth_window) ({ratio_metric(seconds)}{here} > {limit})"
        for seconds in (row.short_s, row.long_s)
    )
    return f"({short} and {long})"
