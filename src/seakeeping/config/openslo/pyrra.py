"""Pyrra's ``ServiceLevelObjective`` (``pyrra.dev/v1alpha1``): its four indicators over our points.

``ratio`` counts counters, ``latency`` and ``latencyNative`` observations of a histogram,
``bool_gauge`` points of a gauge that are 1. Its alerts come along: its own table, scaled to the
window, and an alert when the metric is absent. ``grouping`` makes one objective of every group,
which we do not have for metric points, so it is refused.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import NoReturn

from seakeeping.config.document import Problems, Section, Value
from seakeeping.config.openslo.entry import PREFIX
from seakeeping.config.openslo.indicator import counter_ratio
from seakeeping.config.openslo.link import Imported
from seakeeping.config.openslo.metrics import JobOf, read_query
from seakeeping.config.openslo.promql import Counted
from seakeeping.config.openslo.slo import DEFAULT_WINDOW, Written
from seakeeping.config.openslo.sloth import percent
from seakeeping.config.openslo.words import good_words, valid_words
from seakeeping.records import (
    Alerting,
    BurnAlert,
    Indicator,
    IndicatorSignal,
    MetricSelector,
    Objective,
)
from seakeeping.records.burn import pyrra_alerts
from seakeeping.records.objective import window_seconds

API_VERSION = "pyrra.dev/v1alpha1"
_UNITS_S = {"ms": 1e-3, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "y": 31_536_000}
_DURATION = re.compile(r"(?:\d{1,9}(?:ms|[smhdwy]))+", re.ASCII)
_PART = re.compile(r"(\d+)(ms|[smhdwy])", re.ASCII)
_LABEL_PREFIX = "pyrra.dev/"


@dataclass(frozen=True, slots=True)
class _Metadata:
    name: str
    labels: Mapping[str, str]
    service: str | None


def read_pyrra(document: Section) -> Imported:
    """Return the objective of a Pyrra document; raises BadResource."""
    problems = Problems()
    problems.tried(lambda: document.done("apiVersion", "kind", "metadata", "spec", "status"), None)
    problems.tried(lambda: document.need("kind").choice(("ServiceLevelObjective",)), None)
    read = problems.tried(lambda: _read_metadata(document.need("metadata").section()), None)
    metadata = read or _Metadata("", {}, None)
    spec = problems.tried(lambda: document.need("spec").section(), None)
    if spec is None:
        problems.end()
    assert spec is not None
    objective = _read_spec(spec, metadata, problems)
    problems.end()
    return Imported((Written(objective, str(spec.need("target").place)),))


_SPEC_KEYS = (
    "description", "target", "window", "indicator", "alerting", "partial_response_strategy",
)  # fmt: skip


def _read_spec(spec: Section, metadata: _Metadata, problems: Problems) -> Objective:
    """Return the objective of a spec, as far as it holds; faults are told to ``problems``."""
    problems.tried(lambda: spec.done(*_SPEC_KEYS), None)
    target_ratio = problems.tried(lambda: percent(spec.need("target")), 0.5)
    window = problems.tried(lambda: _window(spec.need("window")), DEFAULT_WINDOW)
    found = problems.tried(lambda: _read_indicator(spec.need("indicator"), metadata.name), None)
    alerting = problems.tried(
        lambda: _read_alerting(spec.get("alerting"), target_ratio, window), Alerting()
    )
    service, indicator = "", Indicator("", "", "")
    if found is not None:
        job, indicator = found
        service = (
            metadata.service
            or job.name
            or problems.tried(lambda: _no_service(spec.need("indicator")), "")
        )
    description = spec.get("description")
    return Objective(
        name=metadata.name,
        service=service,
        indicator=indicator,
        target_ratio=target_ratio,
        window=window,
        description=description.written() if description else "",
        labels=metadata.labels,
        owner=metadata.labels.get("team"),
        alerting=alerting,
        source=spec.whole.place.file,
    )


def _no_service(indicator: Value) -> NoReturn:
    indicator.fail(
        "nothing says which service this is about",
        f'a label job="NAME" in its metrics, or the annotation {PREFIX}service-name',
    )


def _read_metadata(metadata: Section) -> _Metadata:
    """Return what we read of Kubernetes' metadata; the rest is Kubernetes' own."""
    labels, annotations = metadata.get("labels"), metadata.get("annotations")
    texts = {k: v.written() for k, v in (labels.section().values if labels else {}).items()}
    told = annotations.section().get(f"{PREFIX}service-name") if annotations else None
    return _Metadata(
        name=metadata.need("name").text(),
        labels={
            key.removeprefix(_LABEL_PREFIX): text
            for key, text in texts.items()
            if key.startswith(_LABEL_PREFIX)
        },
        service=told.text() if told else None,
    )


def duration_s(value: Value) -> float:
    """Return a Prometheus duration (``4w``, ``1h30m``, ``500ms``) in seconds."""
    text = value.written()
    if not _DURATION.fullmatch(text):
        value.fail(f"{text!r} is no duration", "e.g. 4w, 30d, 1h30m")
    return sum(int(count) * _UNITS_S[unit] for count, unit in _PART.findall(text))


def _window(value: Value) -> str:
    """Return a window in whole units of OpenSLO."""
    length_s = duration_s(value)
    if length_s < 60 or length_s % 60:
        value.fail(f"{value.written()} is no whole number of minutes")
    for unit, unit_s in (("w", 604_800), ("d", 86_400), ("h", 3600)):
        if length_s % unit_s == 0 and value.written().endswith(unit):
            return f"{int(length_s // unit_s)}{unit}"
    days, rest = divmod(int(length_s), 86_400)
    return f"{days}d" if not rest else f"{int(length_s // 60)}m"


def _read_indicator(value: Value, name: str) -> tuple[JobOf, Indicator]:
    indicator = value.section()
    indicator.done(*_INDICATORS)
    told = [key for key in _INDICATORS if indicator.get(key) is not None]
    if len(told) != 1:
        value.fail(f"has {len(told)} indicators", f"one of {', '.join(_INDICATORS)}")
    one = indicator.need(told[0])
    return _INDICATORS[told[0]](one, name)


def _refuse_grouping(section: Section) -> None:
    if (grouping := section.get("grouping")) and grouping.items():
        grouping.fail(
            "grouping cannot be imported", "write one objective a group, with its label matched"
        )


def _one(value: Value, job: JobOf) -> MetricSelector:
    """Return the selector of ``{metric: ...}``."""
    section = value.section()
    section.done("metric")
    return _plain(section.need("metric"), job)


def _plain(metric: Value, job: JobOf) -> MetricSelector:
    counted: Counted = read_query(metric, job)
    if counted.minus is not None:
        metric.fail("is a difference", "a bare selector: NAME{LABEL=VALUE}")
    return counted.plus


def _ratio(value: Value, name: str) -> tuple[JobOf, Indicator]:
    section = value.section()
    section.done("errors", "total", "grouping")
    job, problems = JobOf(value), Problems()
    problems.tried(lambda: _refuse_grouping(section), None)
    total = problems.tried(lambda: _one(section.need("total"), job), None)
    errors = problems.tried(lambda: _one(section.need("errors"), job), None)
    problems.end()
    assert total is not None
    return job, counter_ratio(name, total, bad=errors)


def _latency(value: Value, name: str) -> tuple[JobOf, Indicator]:
    section = value.section()
    section.done("success", "total", "grouping")
    job, problems = JobOf(value), Problems()
    problems.tried(lambda: _refuse_grouping(section), None)
    total = problems.tried(lambda: _one(section.need("total"), job), None)
    success = problems.tried(lambda: _one(section.need("success"), job), None)
    problems.end()
    assert total is not None
    indicator = counter_ratio(name, total, good=success)
    if indicator.signal is not IndicatorSignal.METRIC:
        section.need("success").fail(
            "is no bucket of the total", 'NAME_bucket{le="0.5"} of NAME_count, other labels equal'
        )
    return job, indicator


def _latency_native(value: Value, name: str) -> tuple[JobOf, Indicator]:
    section = value.section()
    section.done("latency", "total", "grouping")
    _refuse_grouping(section)
    job = JobOf(value)
    total = _one(section.need("total"), job)
    return job, _metric(name, total, "lte", duration_s(section.need("latency")))


def _bool_gauge(value: Value, name: str) -> tuple[JobOf, Indicator]:
    section = value.section()
    section.done("metric", "grouping")
    _refuse_grouping(section)
    job = JobOf(value)
    return job, _metric(name, _plain(section.need("metric"), job), "gte", 1.0)


def _metric(name: str, selector: MetricSelector, op: str, threshold: float) -> Indicator:
    signal = IndicatorSignal.METRIC
    bare = Indicator(
        name, valid=valid_words(signal, selector.name, None), good="", signal=signal,
        subject=selector.name, op=op, threshold=threshold, where=selector.where,
    )  # fmt: skip
    return replace(bare, good=good_words(bare))


_INDICATORS: Mapping[str, Callable[[Value, str], tuple[JobOf, Indicator]]] = {
    "ratio": _ratio,
    "latency": _latency,
    "latencyNative": _latency_native,
    "bool_gauge": _bool_gauge,
}


def _read_alerting(value: Value | None, target_ratio: float, window: str) -> Alerting:
    told: dict[str, bool] = {}
    name: Value | None = None
    if value is not None:
        section = value.section()
        section.done("disabled", "burnrates", "absent", "name", "absentName")
        told = {
            key: one.truth()
            for key in ("disabled", "burnrates", "absent")
            if (one := section.get(key))
        }
        name = section.get("name")
    rows = pyrra_alerts(window_seconds(window))
    burns = told.get("burnrates", True) and not told.get("disabled", False)
    absent = told.get("absent", True) and not told.get("disabled", False)
    return Alerting(
        burn=rows if burns else (),
        absent_after_s=_absent_after_s(rows[0], target_ratio) if absent else None,
        alert_name=name.text() if name else None,
    )


def _absent_after_s(quickest: BurnAlert, target_ratio: float) -> float:
    """Return how long the quickest alert would take if everything failed: Pyrra waits as long."""
    return float(round(quickest.factor * (1.0 - target_ratio) * quickest.long_s + quickest.for_s))
