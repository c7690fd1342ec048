"""Objectives as code: any document becomes findings, and every objective reads back the same."""

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from seakeeping.config import document_of, inspect, objectives_of
from seakeeping.config.openslo.entry import ANNOTATIONS, PREFIX
from seakeeping.observe.objectives import default_objectives
from seakeeping.records import (
    DIMENSIONS,
    Alerting,
    Budgeting,
    BurnAlert,
    Calendar,
    Indicator,
    IndicatorSignal,
    Match,
    MetricSelector,
    Objective,
    Severity,
)
from seakeeping.stats.burn import alert_doubts, alerts_in_force

KEYS = st.sampled_from(
    ["apiVersion", "kind", "metadata", "spec", "name", "service", "indicator", "indicatorRef",
     "timeWindow", "duration", "isRolling", "calendar", "startTime", "timeZone", "budgetingMethod",
     "objectives", "target", "targetPercent", "op", "value", "timeSliceTarget", "timeSliceWindow",
     "alertPolicies", "alertPolicyRef", "conditions", "conditionRef", "condition", "threshold",
     "lookbackWindow", "alertAfter", "severity", "notificationTargets", "targetRef", "annotations",
     "thresholdMetric", "ratioMetric", "metricSource", "metricSourceRef", "type", "raw", "rawType",
     "good", "bad", "total", "signal", "filter", "evaluation", "metric", "query", "slos", "sli",
     "events", "error_query", "total_query", "alerting", "page_alert", "ratio", "errors", "latency",
     "success", "bool_gauge", "window", "labels", "description", "model", "matches", "version",
     *[f"{PREFIX}{own}" for owns in ANNOTATIONS.values() for own in owns]]
)  # fmt: skip
WORDS = st.sampled_from(
    ["openslo/v1", "pyrra.dev/v1alpha1", "prometheus/v1", "ServiceLevelObjective", "seakeeping",
     "Prometheus", "Occurrences", "Timeslices", "30d", "1M", "5m", "page", "burnrate", "success",
     "lte", "gt", "faithfulness", 'sum(rate(x{a="b"}[{{.window}}]))', "x - y", "slack",
     *ANNOTATIONS, *[signal.value for signal in IndicatorSignal]]
)  # fmt: skip
VALUES = st.recursive(
    WORDS | st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=25,
)
METADATA = st.fixed_dictionaries({"name": st.sampled_from(["a", "b"])}) | VALUES
DOCUMENTS = st.one_of(
    st.fixed_dictionaries(
        {"apiVersion": st.just("openslo/v1"), "kind": st.sampled_from(list(ANNOTATIONS)),
         "metadata": METADATA, "spec": st.dictionaries(KEYS, VALUES, max_size=8)}
    ),
    st.fixed_dictionaries(
        {"apiVersion": st.just("pyrra.dev/v1alpha1"), "kind": st.just("ServiceLevelObjective"),
         "metadata": METADATA, "spec": st.dictionaries(KEYS, VALUES, max_size=8)}
    ),
    st.fixed_dictionaries(
        {"version": st.just("prometheus/v1"), "service": VALUES, "slos": st.lists(VALUES)}
    ),
    VALUES,
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(DOCUMENTS, max_size=4))
def test_any_documents_are_read_or_complained_about(documents: list[object]) -> None:
    with tempfile.TemporaryDirectory() as root:
        path = Path(root) / "a.yaml"
        path.write_text(yaml.safe_dump_all(documents, allow_unicode=True), encoding="utf-8")
        linked, findings = inspect([path])
    assert all(finding.place.startswith(str(path)) for finding in findings)
    for one in linked.written:
        alert_doubts(one.objective)


@settings(max_examples=200, deadline=None)
@given(DOCUMENTS.filter(lambda document: isinstance(document, dict)))
def test_any_json_is_read_or_complained_about(document: dict[str, Any]) -> None:
    owned = objectives_of([document])
    assert owned.objectives or owned.targets or owned.findings or document.get("kind") != "SLO"


NAMES = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)
TEXTS = st.text(alphabet=st.characters(codec="utf-8", categories=["L", "N", "P", "Zs"]), min_size=1)
SHARES = st.floats(0.001, 0.9999)
VALUE_SETS = st.lists(TEXTS, min_size=1, max_size=3, unique=True).map(tuple)
PATTERNS = st.sampled_from(["a.*", "5..", "x|y.", "[a-c]+"]).map(lambda text: (text,))


def wheres(names: st.SearchStrategy[str]) -> st.SearchStrategy[tuple[Match, ...]]:
    match = st.builds(Match, names, VALUE_SETS, st.booleans()) | st.builds(
        Match, names, PATTERNS, st.booleans(), st.just(True)
    )
    return st.lists(match, max_size=3).map(tuple)


DIMENSION = st.sampled_from([*DIMENSIONS, "group.plan"])
SELECTORS = st.builds(MetricSelector, NAMES, wheres(NAMES))
OPS = st.sampled_from(["lte", "lt", "gte", "gt"])
WORDLESS = st.fixed_dictionaries({"name": NAMES, "valid": st.just(""), "good": st.just("")})


@st.composite
def indicators(draw: st.DrawFn) -> Indicator:
    signal = draw(st.sampled_from(list(IndicatorSignal)))
    bare = Indicator(draw(NAMES), "", "", signal, where=draw(wheres(DIMENSION)))
    match signal:
        case IndicatorSignal.AVAILABILITY | IndicatorSignal.COVERAGE:
            return bare
        case IndicatorSignal.METRIC_RATIO:
            part = draw(st.sampled_from(["bad", "good_of"]))
            total, counted = draw(SELECTORS), draw(SELECTORS)
            ratio = replace(bare, where=(), total=total)
            return replace(ratio, bad=counted) if part == "bad" else replace(ratio, good_of=counted)
        case IndicatorSignal.EVALUATION:
            judged = replace(
                bare,
                subject=draw(st.sampled_from(["faithfulness", "response_validity", "tone"])),
                evaluator=draw(st.none() | NAMES),
                is_estimate=draw(st.booleans()),
                higher_is_better=draw(st.booleans()),
            )
            if draw(st.booleans()):
                return replace(judged, bad_labels=draw(VALUE_SETS))
            return replace(judged, op=draw(OPS), threshold=draw(st.floats(0, 1)))
        case _:
            subject = None
            if signal in (IndicatorSignal.MEASUREMENT, IndicatorSignal.METRIC):
                subject = draw(NAMES)
            value = draw(st.floats(-1e6, 1e6))
            return replace(bare, op=draw(OPS), threshold=value, subject=subject)


ROWS = st.builds(
    BurnAlert,
    st.sampled_from(list(Severity)),
    st.sampled_from([3600, 3840, 21_600, 86_400, 259_200]),
    st.sampled_from([60, 300, 320, 1800]),
    st.floats(0.1, 20),
    st.sampled_from([0.0, 60.0, 900.0, 90.0]),
)
BY_SEVERITY = st.dictionaries(
    st.sampled_from(list(Severity)),
    st.dictionaries(NAMES, TEXTS, min_size=1, max_size=2),
    max_size=2,
)
ALERTINGS = st.builds(
    Alerting,
    burn=st.none() | st.lists(ROWS, max_size=3, unique=True).map(tuple),
    min_events=st.integers(0, 1000),
    evidence=st.none() | st.booleans(),
    absent_after_s=st.none() | st.sampled_from([60.0, 90.0, 600.0, 86_400.0]),
    when_resolved=st.just(True),
    alert_name=st.none() | NAMES,
    alert_labels=BY_SEVERITY,
    alert_annotations=BY_SEVERITY,
)


@st.composite
def objectives(draw: st.DrawFn) -> Objective:
    method = draw(st.sampled_from(list(Budgeting)))
    calendars = st.just(Calendar("2024-02-29 12:00:00", "America/New_York"))
    return Objective(
        name=draw(NAMES | TEXTS),
        service=draw(NAMES | TEXTS),
        indicator=draw(indicators()),
        target_ratio=draw(SHARES),
        window=draw(st.sampled_from(["1h", "7d", "28d", "30d", "4w", "1M", "1Y"])),
        description=draw(st.just("") | TEXTS),
        owner=draw(st.none() | TEXTS),
        display_name=draw(st.none() | TEXTS),
        calendar=draw(st.none() | calendars),
        budgeting=method,
        slice_target_ratio=draw(SHARES) if method is Budgeting.TIMESLICES else None,
        slice_window_s=None if method is Budgeting.OCCURRENCES else draw(
            st.sampled_from([60, 300, 3600])
        ),
        slice_by=draw(st.lists(DIMENSION, max_size=2, unique=True).map(tuple)),
        labels=draw(st.dictionaries(NAMES, TEXTS, max_size=2)),
        alerting=draw(ALERTINGS),
        source="api",
    )  # fmt: skip


def comparable(objective: Objective) -> Objective:
    """Return the objective without its words, and its alerts as those that are in force."""
    quiet = replace(objective.indicator, valid="", good="")
    alerting = replace(objective.alerting, burn=alerts_in_force(objective))
    if objective.alerting.burn == () and objective.alerting.evidence is False:
        alerting = replace(alerting, severities=())
    return replace(objective, indicator=quiet, alerting=alerting)


@settings(max_examples=300, deadline=None)
@given(objectives())
def test_every_objective_reads_back_the_same(objective: Objective) -> None:
    owned = objectives_of([document_of(objective)])
    assert [finding for finding in owned.findings if not finding.is_warning] == []
    (again,) = owned.objectives
    assert comparable(again) == comparable(objective)
    assert document_of(again) == document_of(objective)


def test_the_shipped_objectives_read_back_the_same() -> None:
    for objective in default_objectives():
        (again,) = objectives_of([document_of(objective)]).objectives
        quiet = replace(again.indicator, valid="", good="")
        assert quiet == replace(objective.indicator, valid="", good="", name=quiet.name)
        assert replace(again, indicator=objective.indicator, source="default") == objective
