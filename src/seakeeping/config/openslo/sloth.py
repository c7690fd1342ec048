"""Sloth's ``version: prometheus/v1``: its SLOs over counters that reach us.

An objective is named as Sloth identifies it (``service-slo``), counts what its two queries count,
and raises its alerts, with their names, labels and annotations. The period is Sloth's usual 30
days. Queries that are no sums of plain counters, plugins and ratios computed elsewhere are refused.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from seakeeping.config.document import Problems, Section, Value, each
from seakeeping.config.finding import Finding
from seakeeping.config.openslo.entry import seconds
from seakeeping.config.openslo.indicator import counter_ratio
from seakeeping.config.openslo.link import Imported
from seakeeping.config.openslo.metrics import JobOf, read_query
from seakeeping.config.openslo.slo import DEFAULT_WINDOW, Written
from seakeeping.records import Alerting, BurnAlert, Indicator, Objective, Severity
from seakeeping.records.burn import standard_alerts
from seakeeping.records.objective import window_seconds

VERSION = "prometheus/v1"
_ALERT_KEYS: Mapping[Severity, str] = {
    Severity.PAGE: "page_alert",
    Severity.TICKET: "ticket_alert",
}


def read_sloth(document: Section) -> Imported:
    """Return the objectives of a Sloth file; raises BadResource."""
    problems, notes = Problems(), list[Finding]()
    problems.tried(
        lambda: document.done("version", "service", "labels", "slos", "slo_plugins"), None
    )
    if plugins := document.get("slo_plugins"):
        notes.append(_note(plugins, "plugins of Sloth do not run here"))
    service = problems.tried(lambda: document.need("service").text(), "")
    labels = problems.tried(lambda: _texts(document.get("labels")), {})
    slos = problems.tried(lambda: document.need("slos").items(), [])
    written = problems.tried(
        lambda: each(slos, lambda value: _read_slo(value.section(), service, labels, notes)), []
    )
    problems.end()
    return Imported(tuple(written), tuple(notes))


def _note(value: Value, message: str, hint: str = "") -> Finding:
    return Finding(str(value.place), message, hint, is_warning=True)


def _texts(value: Value | None) -> dict[str, str]:
    if value is None:
        return {}
    return {key: one.written() for key, one in value.section().values.items()}


def _read_slo(
    row: Section, service: str, labels: Mapping[str, str], notes: list[Finding]
) -> Written:
    problems = Problems()
    problems.tried(lambda: row.done(*_SLO_KEYS), None)
    if plugins := row.get("plugins"):
        notes.append(_note(plugins, "plugins of Sloth do not run here"))
    name = problems.tried(lambda: row.need("name").text(), "")
    target_ratio = problems.tried(lambda: percent(row.need("objective")), 0.5)
    sli = problems.tried(lambda: _read_sli(row.need("sli"), name), None)
    alerting = problems.tried(lambda: _read_alerting(row.need("alerting").section()), Alerting())
    problems.end()
    assert sli is not None
    (job, indicator), description = sli, row.get("description")
    if job.name and job.name != service and job.at:
        message = f"counts the points of the service {job.name!r}, which the label job names"
        notes.append(_note(job.at, message))
    own_labels = {**labels, **_texts(row.get("labels"))}
    objective = Objective(
        name=f"{service}-{name}",
        service=job.name or service,
        indicator=indicator,
        target_ratio=target_ratio,
        window=DEFAULT_WINDOW,
        description=description.written() if description else "",
        owner=own_labels.get("owner"),
        labels={**own_labels, "sloth_service": service, "sloth_slo": name},
        alerting=alerting,
        source=row.whole.place.file,
    )
    return Written(objective, str(row.need("objective").place))


_SLO_KEYS = ("name", "objective", "description", "labels", "sli", "alerting", "plugins")


def percent(value: Value) -> float:
    """Return a percentage between 0 and 100 as a ratio, without a binary rounding too many."""
    text = value.written()
    if not re.fullmatch(r"\d+(?:\.\d+)?", text, re.ASCII):
        value.fail(f"{text!r} is not a percentage", "e.g. 99.9")
    ratio = float(Decimal(text) / 100)
    if not 0 < ratio < 1:
        value.fail(f"a target of {text} % leaves no budget", "between 0 and 100, e.g. 99.9")
    return ratio


def _read_sli(value: Value, name: str) -> tuple[JobOf, Indicator]:
    sli = value.section()
    sli.done("raw", "events", "plugin")
    for key, why in (
        ("raw", "a ratio that was computed before cannot be counted"),
        ("plugin", "plugins of Sloth do not run here"),
    ):
        if odd := sli.get(key):
            odd.fail(why, "events with error_query and total_query over plain counters")
    events = sli.need("events").section()
    events.done("error_query", "total_query")
    error, total = events.need("error_query"), events.need("total_query")
    job, problems = JobOf(total), Problems()
    counted = problems.tried(lambda: read_query(error, job), None)
    whole = problems.tried(lambda: read_query(total, job), None)
    problems.end()
    assert counted is not None
    assert whole is not None
    if whole.minus is not None:
        total.fail("takes something away", "the total is one sum")
    if counted.minus is None:
        return job, counter_ratio(name, whole.plus, bad=counted.plus)
    if counted.plus != whole.plus:
        error.fail("is no difference from the total", "errors = total - good")
    return job, counter_ratio(name, whole.plus, good=counted.minus)


def _read_alerting(alerting: Section) -> Alerting:
    alerting.done("name", "labels", "annotations", *_ALERT_KEYS.values())
    name = alerting.get("name")
    labels, annotations = (_texts(alerting.get(key)) for key in ("labels", "annotations"))
    all_labels: dict[Severity, Mapping[str, str]] = {}
    all_annotations: dict[Severity, Mapping[str, str]] = {}
    waits: dict[Severity, float] = {}
    for severity, key in _ALERT_KEYS.items():
        value = alerting.get(key)
        own = value.section() if value else None
        if own is not None:
            own.done("disable", "labels", "annotations", "for")
            if (disable := own.get("disable")) and disable.truth():
                continue
            if wait := own.get("for"):
                waits[severity] = seconds(wait)
        all_labels[severity] = labels | _texts(own.get("labels") if own else None)
        all_annotations[severity] = annotations | _texts(own.get("annotations") if own else None)
    return Alerting(
        burn=_waiting(waits, tuple(all_labels)) if waits else None,
        severities=tuple(all_labels),
        alert_name=name.text() if name else None,
        alert_labels={s: texts for s, texts in all_labels.items() if texts},
        alert_annotations={s: texts for s, texts in all_annotations.items() if texts},
    )


def _waiting(
    waits: Mapping[Severity, float], severities: tuple[Severity, ...]
) -> tuple[BurnAlert, ...]:
    """Return the standard table, each severity with how long it waits before it fires."""
    return tuple(
        replace(row, for_s=waits.get(row.severity, 0.0))
        for row in standard_alerts(window_seconds(DEFAULT_WINDOW))
        if row.severity in severities
    )
