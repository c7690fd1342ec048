"""Metric sources: where the events of an indicator come from.

Two types are read. ``seakeeping`` names what is counted of the telemetry we store, in its own
words. ``Prometheus`` is a query over plain counters, which we count from the points that reach us;
nothing is asked of a Prometheus server.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType

from seakeeping.config.document import Problems, Section, Value, near
from seakeeping.config.openslo.entry import words
from seakeeping.config.openslo.metrics import JobOf, read_query
from seakeeping.config.openslo.promql import Counted, NotPlain, read_pattern
from seakeeping.config.openslo.shelf import Shelf
from seakeeping.config.openslo.words import OPS, SUBJECT_KEYS
from seakeeping.records import DIMENSIONS, IndicatorSignal, Match, MetricSelector

OURS, PROMETHEUS = "seakeeping", "prometheus"
GROUP = "group."
_KEYS = (
    "signal", "filter", "threshold", "op", "evaluation", "evaluator", "badLabels", "isEstimate",
    "higherIsBetter", "measurement", "metric",
)  # fmt: skip
_OF_METRICS = frozenset({IndicatorSignal.METRIC, IndicatorSignal.METRIC_RATIO})
_JUDGED_KEYS = ("evaluator", "badLabels", "isEstimate", "higherIsBetter")
_CONDITIONS: Mapping[str, tuple[bool, bool]] = MappingProxyType(
    {"not": (False, False), "matches": (True, True), "notMatches": (False, True)}
)
"""What a filter may say of a value beside naming it: (is it among, is it a pattern)."""


@dataclass(frozen=True, slots=True)
class Source:
    """A metric source of either type; ``counted`` belongs to ``Prometheus`` alone."""

    at: Value
    signal: IndicatorSignal
    where: tuple[Match, ...] = ()
    subject: str | None = None
    threshold: float | None = None
    op: str | None = None
    evaluator: str | None = None
    bad_labels: tuple[str, ...] = ()
    is_estimate: bool | None = None
    higher_is_better: bool | None = None
    counted: Counted | None = None


def read_source(metric: Value, shelf: Shelf) -> Source:
    """Return the source of ``{metricSource: ...}``; raises BadResource."""
    outer = metric.section()
    outer.done("metricSource")
    source = outer.need("metricSource").section()
    source.done("metricSourceRef", "type", "spec")
    kind = _type_of(source, shelf)
    spec = source.need("spec")
    return _read_query(spec) if kind == PROMETHEUS else _read_ours(spec)


def _type_of(source: Section, shelf: Shelf) -> str:
    """Return the type that stands here, or in the data source referred to."""
    told, reference = source.get("type"), source.get("metricSourceRef")
    if reference is not None:
        entry = shelf.follow(reference, "DataSource")
        told = told or entry.spec.need("type")
    if told is None:
        source.whole.fail("has neither a type nor a metricSourceRef")
    kind = told.written().lower()
    if kind not in (OURS, PROMETHEUS):
        told.fail(
            f"sources of type {told.written()} are not read",
            f"{OURS}, or Prometheus with a query over plain counters",
        )
    return kind


def _read_query(spec: Value) -> Source:
    section = spec.section()
    section.done("query")
    query = section.need("query")
    # The SLO names the service itself; which job its Prometheus called it does not matter.
    return Source(spec, IndicatorSignal.METRIC_RATIO, counted=read_query(query, JobOf(query)))


def _read_ours(value: Value) -> Source:
    spec, problems = value.section(), Problems()
    problems.tried(lambda: spec.done(*_KEYS), None)
    signals = [s.value for s in IndicatorSignal]
    name = problems.tried(lambda: spec.need("signal").choice(signals), None)
    if name is None:  # what belongs beside it is not known
        problems.end()
    assert name is not None
    signal = IndicatorSignal(name)
    source = _read_signal(Source(value, signal), spec, problems)
    problems.end()
    return source


def _read_signal(bare: Source, spec: Section, problems: Problems) -> Source:
    """Return the source of a signal, as far as it holds; faults are told to ``problems``."""
    signal = bare.signal
    where = problems.tried(lambda: read_filter(spec.get("filter"), signal), ())
    is_judged = signal is IndicatorSignal.EVALUATION
    if not is_judged:
        for key in _JUDGED_KEYS:
            if odd := spec.get(key):
                problems.tried(partial(odd.fail, f"{key} belongs to evaluations only"), None)
    subject = problems.tried(lambda: _subject(spec, signal), None)
    if signal is IndicatorSignal.METRIC_RATIO:
        metric = problems.tried(lambda: spec.need("metric").text(), "")
        return replace(bare, counted=Counted(MetricSelector(metric, where)))

    read = replace(
        bare, where=where, subject=subject,
        threshold=spec.told("threshold", problems, Value.number, None),
        op=spec.told("op", problems, lambda op: op.choice(tuple(OPS)), None),
    )  # fmt: skip
    return _read_judged(read, spec, problems) if is_judged else read


def _read_judged(source: Source, spec: Section, problems: Problems) -> Source:
    return replace(
        source,
        evaluator=spec.told("evaluator", problems, Value.text, None),
        bad_labels=spec.told("badLabels", problems, words, ()),
        is_estimate=spec.told("isEstimate", problems, Value.truth, None),
        higher_is_better=spec.told("higherIsBetter", problems, Value.truth, None),
    )


def _subject(spec: Section, signal: IndicatorSignal) -> str | None:
    """Return what a signal is about; keys of another signal's subject are errors."""
    own = SUBJECT_KEYS.get(signal)
    for key in SUBJECT_KEYS.values():
        is_counter = key == "metric" and signal is IndicatorSignal.METRIC_RATIO
        if (odd := spec.get(key)) and key != own and not is_counter:
            odd.fail(f"{key} does not belong to the signal {signal.value}")
    return spec.need(own).text() if own else None


def read_filter(value: Value | None, signal: IndicatorSignal) -> tuple[Match, ...]:
    """Return the conditions of a filter: on dimensions of calls, or attributes of metric points.

    It is a mapping, or a list of mappings where one name needs several; all conditions must hold.
    """
    if value is None:
        return ()
    parts, problems = [value] if value.is_mapping() else value.items(), Problems()
    found: list[Match] = []
    for name, one in (pair for part in parts for pair in part.section().values.items()):
        if signal not in _OF_METRICS:
            problems.tried(partial(check_dimension, name, one), None)
        found += problems.tried(partial(_conditions, name, one), [])
    problems.end()
    return tuple(found)


def check_dimension(name: str, at: Value) -> None:
    """Refuse what is no dimension of calls; raises BadResource."""
    if name in DIMENSIONS or (name.startswith(GROUP) and name != GROUP):
        return
    at.fail(f"unknown dimension {name}", near(name, [*DIMENSIONS, f"{GROUP}NAME"]))


def _conditions(name: str, value: Value) -> list[Match]:
    if value.is_plain() or not value.is_mapping():
        return [Match(name, _some(words(value), value))]
    section = value.section()
    section.done(*_CONDITIONS)
    if not section.values:
        value.fail("says nothing", f"one of {', '.join(_CONDITIONS)}")
    return [_condition(name, key, one) for key, one in section.values.items()]


def _condition(name: str, key: str, value: Value) -> Match:
    is_in, is_pattern = _CONDITIONS[key]
    texts = _some(words(value), value)
    if is_pattern:
        try:
            texts = tuple(read_pattern(text) for text in texts)
        except NotPlain as refused:
            value.fail(str(refused))
    return Match(name, texts, is_in, is_pattern)


def _some(texts: tuple[str, ...], value: Value) -> tuple[str, ...]:
    return texts or value.fail("names no value")
