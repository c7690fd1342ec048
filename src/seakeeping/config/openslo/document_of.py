"""Objectives as OpenSLO documents: what the page shows as YAML, to copy into a file or to send.

Reading the document gives the same objective again. What OpenSLO has no word for becomes one of our
annotations, only where it differs from the default.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from seakeeping.config.openslo.entry import API_VERSION, PREFIX
from seakeeping.config.openslo.source import OURS
from seakeeping.config.openslo.words import RULE_BASED, SUBJECT_KEYS, usual_bad_labels
from seakeeping.records import (
    EVALUATION_KINDS,
    Alerting,
    BurnAlert,
    Indicator,
    IndicatorSignal,
    JsonObject,
    Match,
    MetricSelector,
    Objective,
    Severity,
)
from seakeeping.records.burn import LONG_PER_SHORT

_UNITS = (("w", 604_800), ("d", 86_400), ("h", 3600), ("m", 60), ("s", 1))
_NOT_IN_NAMES = re.compile(r"[^a-z0-9.|/\\-]+")
_SEVERITY_ANNOTATION = f"{PREFIX}severity"


def document_of(objective: Objective) -> JsonObject:
    """Return the objective as one OpenSLO v1 ``SLO`` document, its indicator and alerts inline.

    Notification targets are referred to by name: they are documents of their own. Names that
    OpenSLO does not allow are kept in an annotation.
    """
    name = _plain_name(objective.name)
    return {
        "apiVersion": API_VERSION,
        "kind": "SLO",
        "metadata": _without_nothing({
            "name": name,
            "displayName": objective.display_name,
            "labels": dict(objective.labels),
            "annotations": _annotations(objective, name),
        }),
        "spec": _without_nothing({
            "description": objective.description,
            "service": objective.service,
            "indicator": _indicator(objective.indicator),
            "timeWindow": [_time_window(objective)],
            "budgetingMethod": objective.budgeting.value,
            "objectives": [_target(objective)],
            "alertPolicies": _policies(objective.alerting),
        }),
    }  # fmt: skip


def _without_nothing(parts: Mapping[str, Any]) -> dict[str, Any]:
    return {key: part for key, part in parts.items() if part not in (None, "", {}, [])}


def _plain_name(name: str) -> str:
    return _NOT_IN_NAMES.sub("-", name.lower()).strip("-.|/\\")[:255].strip("-.|/\\") or "objective"


def _annotations(objective: Objective, name: str) -> dict[str, str]:
    alerting = objective.alerting
    is_off = alerting.burn == () and alerting.evidence is False
    found = {
        "name": objective.name if objective.name != name else None,
        "owner": objective.owner if objective.owner != objective.labels.get("owner") else None,
        "slice-by": ",".join(objective.slice_by) or None,
        "alerts": "none" if is_off else None,
        "min-events": str(alerting.min_events) if alerting.min_events else None,
        "evidence": None if alerting.evidence is None or is_off else str(alerting.evidence).lower(),
        "absent-after": duration(alerting.absent_after_s) if alerting.absent_after_s else None,
        "alert-name": alerting.alert_name,
        "alert-labels": _texts(alerting.alert_labels),
        "alert-annotations": _texts(alerting.alert_annotations),
    }
    return {f"{PREFIX}{key}": text for key, text in found.items() if text is not None}


def _texts(by_severity: Mapping[Severity, Mapping[str, str]]) -> str | None:
    if not by_severity:
        return None
    plain = {severity.value: dict(texts) for severity, texts in by_severity.items()}
    return json.dumps(plain, ensure_ascii=False)


def duration(seconds: float) -> str:
    """Return a duration in the largest whole unit: ``1d``, ``90m``, ``45s``."""
    whole = round(seconds)
    unit, unit_s = next((unit for unit in _UNITS if whole % unit[1] == 0), ("s", 1))
    return f"{whole // unit_s}{unit}" if whole else "0m"


def _time_window(objective: Objective) -> dict[str, Any]:
    if objective.calendar is None:
        return {"duration": objective.window, "isRolling": True}
    start, zone = objective.calendar.start_time, objective.calendar.time_zone
    return {
        "duration": objective.window,
        "isRolling": False,
        "calendar": {"startTime": start, "timeZone": zone},
    }


def _target(objective: Objective) -> dict[str, Any]:
    indicator = objective.indicator
    by_value = indicator.signal is not IndicatorSignal.METRIC_RATIO
    has_value = indicator.threshold is not None and by_value
    return _without_nothing({
        "target": objective.target_ratio,
        "op": indicator.op if has_value else None,
        "value": indicator.threshold if has_value else None,
        "timeSliceTarget": objective.slice_target_ratio,
        "timeSliceWindow": duration(objective.slice_window_s) if objective.slice_window_s else None,
    })  # fmt: skip


def _indicator(indicator: Indicator) -> dict[str, Any]:
    return {
        "metadata": {"name": _plain_name(indicator.name)},
        "spec": _metric(indicator),
    }


def _metric(indicator: Indicator) -> dict[str, Any]:
    if indicator.signal is IndicatorSignal.METRIC_RATIO:
        parts = {
            "good": indicator.good_of,
            "bad": indicator.bad,
            "total": indicator.total,
        }
        counters = {key: _source(_counter(part)) for key, part in parts.items() if part}
        return {"ratioMetric": {"counter": True, **counters}}
    source = _source(_signal(indicator))
    if indicator.threshold is not None:
        return {"thresholdMetric": source}
    return {"ratioMetric": {"rawType": "success", "raw": source}}


def _source(spec: Mapping[str, Any]) -> dict[str, Any]:
    return {"metricSource": {"type": OURS, "spec": dict(spec)}}


def _counter(selector: MetricSelector) -> dict[str, Any]:
    signal = IndicatorSignal.METRIC_RATIO.value
    return _without_nothing(
        {"signal": signal, "metric": selector.name, "filter": _filter(selector.where)}
    )


def _signal(indicator: Indicator) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "signal": indicator.signal.value,
        "filter": _filter(indicator.where),
    }
    if subject_key := SUBJECT_KEYS.get(indicator.signal):
        spec[subject_key] = indicator.subject
    if indicator.signal is IndicatorSignal.EVALUATION:
        spec |= _judged(indicator)
    return _without_nothing(spec)


def _judged(indicator: Indicator) -> dict[str, Any]:
    """Return what an evaluation says beyond the usual."""
    subject = indicator.subject or ""
    kind = EVALUATION_KINDS.get(subject)
    labels, usual = indicator.bad_labels, usual_bad_labels(subject)
    usual_higher = kind.higher_is_better if kind else indicator.op in ("gte", "gt")
    if kind is None and indicator.threshold is None:
        usual_higher = True
    is_usual = indicator.is_estimate == (subject not in RULE_BASED)
    higher = indicator.higher_is_better
    return {
        "evaluator": indicator.evaluator,
        "badLabels": list(labels) if labels != usual else None,
        "isEstimate": None if is_usual else indicator.is_estimate,
        "higherIsBetter": None if higher == usual_higher else higher,
    }


def _filter(where: tuple[Match, ...]) -> Any:
    """Return conditions by dimension, or a list of them where a dimension occurs twice."""
    parts = [{match.dimension: _condition_on(match)} for match in where]
    merged = {dimension: told for part in parts for dimension, told in part.items()}
    return merged if len(merged) == len(parts) else parts


def _condition_on(match: Match) -> Any:
    keys = {(False, False): "not", (True, True): "matches", (False, True): "notMatches"}
    values = match.values[0] if len(match.values) == 1 else list(match.values)
    key = keys.get((match.is_in, match.is_pattern))
    return {key: values} if key else values


def _policies(alerting: Alerting) -> list[dict[str, Any]]:
    """Return the policies that say the same; none where the standard table is all."""
    if alerting.burn == () and alerting.evidence is False:
        return []
    if alerting.burn == ():
        return [_silent(alerting)]
    if alerting.burn is None:
        is_plain = not alerting.targets and not alerting.severity_targets and alerting.when_resolved
        if is_plain and alerting.severities == tuple(Severity):
            return []
        return [_table(alerting, severity) for severity in alerting.severities]
    return [_policy(alerting, row) for row in alerting.burn if row.severity in alerting.severities]


def _silent(alerting: Alerting) -> dict[str, Any]:
    spec = _told(alerting, Severity.PAGE) | {"alertWhenBreaching": False}
    return {"kind": "AlertPolicy", "metadata": {"name": "none"}, "spec": spec}


def _table(alerting: Alerting, severity: Severity) -> dict[str, Any]:
    metadata = {"name": severity.value, "annotations": {_SEVERITY_ANNOTATION: severity.value}}
    spec = {"conditions": [], **_told(alerting, severity)}
    return {"kind": "AlertPolicy", "metadata": metadata, "spec": spec}


def _policy(alerting: Alerting, row: BurnAlert) -> dict[str, Any]:
    name = f"{row.severity.value}-{duration(row.long_s)}"
    spec = {"conditions": [_condition(name, row)], **_told(alerting, row.severity)}
    return {"kind": "AlertPolicy", "metadata": {"name": name}, "spec": spec}


def _told(alerting: Alerting, severity: Severity) -> dict[str, Any]:
    targets = alerting.severity_targets.get(severity, alerting.targets)
    return {
        "alertWhenBreaching": True,
        "alertWhenResolved": alerting.when_resolved,
        "alertWhenNoData": False,
        "notificationTargets": [{"targetRef": name} for name in targets],
    }


def _condition(name: str, row: BurnAlert) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name}
    if row.short_s != max(60, row.long_s // LONG_PER_SHORT):
        metadata["annotations"] = {f"{PREFIX}short-window": duration(row.short_s)}
    return {
        "kind": "AlertCondition",
        "metadata": metadata,
        "spec": {
            "severity": row.severity.value,
            "condition": {
                "kind": "burnrate",
                "op": "gt",
                "threshold": row.factor,
                "lookbackWindow": duration(row.long_s),
                "alertAfter": duration(row.for_s),
            },
        },
    }
