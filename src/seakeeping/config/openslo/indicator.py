"""SLIs: a threshold on a value, a ratio of counters, or a signal that is good or bad by itself.

OpenSLO knows ``thresholdMetric`` (the threshold stands in the objective, as ``op`` and ``value``)
and ``ratioMetric`` of counters (``good`` or ``bad`` with ``total``), or of a ratio that is
measured already (``raw``). The last is how our signals are written that need no threshold, or bring
their own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from seakeeping.config.document import Problems, Section, Value, near
from seakeeping.config.openslo.entry import Entry, describe
from seakeeping.config.openslo.shelf import Shelf
from seakeeping.config.openslo.source import Source, read_source
from seakeeping.config.openslo.words import (
    OPS,
    RULE_BASED,
    WITHOUT_THRESHOLD,
    good_words,
    usual_bad_labels,
    valid_words,
)
from seakeeping.records import EVALUATION_KINDS, Indicator, IndicatorSignal, Match, MetricSelector

RATIO = IndicatorSignal.METRIC_RATIO
_BUCKET, _COUNT = "_bucket", "_count"


@dataclass(frozen=True, slots=True)
class Threshold:
    """The ``op`` and ``value`` of an objective."""

    op: str
    value: float


def is_threshold(entry: Entry) -> bool:
    """Return whether an SLI takes its threshold from the objective."""
    return entry.spec.get("thresholdMetric") is not None


def read_indicator(entry: Entry, shelf: Shelf, threshold: Threshold | None) -> Indicator:
    """Return the indicator that an SLI describes; raises BadResource.

    Args:
        entry: the SLI.
        shelf: where its data sources are.
        threshold: what the objective says; None where nothing does, or none is looked at.
    """
    entry.spec.done("description", "thresholdMetric", "ratioMetric")
    describe(entry.spec)
    metric, ratio = entry.spec.get("thresholdMetric"), entry.spec.get("ratioMetric")
    if (metric is None) == (ratio is None):
        entry.spec.whole.fail("needs either a thresholdMetric or a ratioMetric")
    name = entry.header.name
    if metric is not None:
        return _of_threshold(name, read_source(metric, shelf), threshold)
    assert ratio is not None
    return _of_ratio(name, ratio, shelf)


def _of_threshold(name: str, source: Source, threshold: Threshold | None) -> Indicator:
    if source.signal in WITHOUT_THRESHOLD:
        source.at.fail(
            f"{source.signal.value} has no value that a threshold could divide",
            "write it as ratioMetric: {rawType: success, raw: ...}",
        )
    if source.threshold is not None or source.op is not None:
        source.at.fail("has a threshold", "that of a thresholdMetric is the objective's op, value")
    # An SLI that is checked by itself has no objective yet: any threshold will do.
    given = threshold or Threshold("lte", 0.0)
    return _signal(name, replace(source, op=given.op, threshold=given.value))


def _of_ratio(name: str, value: Value, shelf: Shelf) -> Indicator:
    ratio = value.section()
    ratio.done("counter", "good", "bad", "total", "rawType", "raw")
    if counter := ratio.get("counter"):
        counter.truth()
    if raw := ratio.get("raw"):
        return _of_raw(name, ratio, read_source(raw, shelf))
    good, bad = ratio.get("good"), ratio.get("bad")
    if (good is None) == (bad is None):
        value.fail("needs either good or bad, with total", "or raw with rawType")
    problems = Problems()
    total = problems.tried(lambda: _total(ratio.need("total"), shelf), None)
    part = problems.tried(lambda: _counters(good or bad or value, shelf), None)
    problems.end()
    assert total is not None
    assert part is not None
    if part.minus is None:
        return counter_ratio(
            name, total.plus, bad=part.plus if bad else None, good=part.plus if good else None
        )
    if bad is None or part.plus != total.plus:
        (good or bad or value).fail("is no difference from the total", "bad = total - good")
    return counter_ratio(name, total.plus, good=part.minus)


def _total(value: Value, shelf: Shelf) -> "_Counters":
    total = _counters(value, shelf)
    return value.fail("takes something away", "the total is one sum") if total.minus else total


@dataclass(frozen=True, slots=True)
class _Counters:
    plus: MetricSelector
    minus: MetricSelector | None


def _counters(value: Value, shelf: Shelf) -> _Counters:
    source = read_source(value, shelf)
    if source.counted is None:
        source.at.fail(
            f"{source.signal.value} is no counter",
            "signal: metric_ratio with metric: NAME here, or the signal as raw",
        )
    return _Counters(source.counted.plus, source.counted.minus)


def _of_raw(name: str, ratio: Section, source: Source) -> Indicator:
    for key in ("good", "bad", "total"):
        if odd := ratio.get(key):
            odd.fail(f"{key} does not stand beside raw")
    is_failure = ratio.need("rawType").choice(("success", "failure")) == "failure"
    if source.signal is RATIO:
        source.at.fail(
            "a ratio that was computed before cannot be counted", "write good or bad, and total"
        )
    return _signal(name, _opposite(source) if is_failure else source)


_OPPOSITE: Mapping[str, str] = MappingProxyType(
    {"lte": "gt", "lt": "gte", "gte": "lt", "gt": "lte"}
)


def _opposite(source: Source) -> Source:
    """Return the source with a threshold that says which events are good, not which fail.

    Bad labels are bad and errors fail, whichever of the two shares is measured.
    """
    if source.threshold is None:
        return source
    if source.op is None:
        source.at.fail("rawType: failure needs an op", "it says which values are failures")
    return replace(source, op=_OPPOSITE[source.op])


def _signal(name: str, source: Source) -> Indicator:
    """Return the indicator of a signal; raises BadResource for a threshold too many or too few."""
    if source.signal in WITHOUT_THRESHOLD:
        if source.threshold is not None or source.op is not None:
            source.at.fail(f"{source.signal.value} has no threshold")
    elif source.signal is not IndicatorSignal.EVALUATION and source.threshold is None:
        source.at.fail(f"{source.signal.value} needs a threshold")
    if source.op is not None and source.threshold is None:
        source.at.fail("has an op without a threshold")
    if source.signal is IndicatorSignal.EVALUATION:
        return _finish(_judged(name, source))
    return _finish(_plain(name, source))


def _plain(name: str, source: Source) -> Indicator:
    return Indicator(
        name=name, valid="", good="", signal=source.signal, threshold=source.threshold,
        op=source.op or "lte", subject=source.subject, where=source.where,
    )  # fmt: skip


def _judged(name: str, source: Source) -> Indicator:
    subject = source.subject or ""
    kind = EVALUATION_KINDS.get(subject)
    labels = source.bad_labels or (usual_bad_labels(subject) if source.threshold is None else ())
    if source.threshold is None and not labels:
        source.at.fail(
            f"nothing says which results of {subject} are bad",
            f"badLabels, or threshold and op; {near(subject, tuple(EVALUATION_KINDS))}",
        )
    if source.threshold is not None and labels:
        source.at.fail("has both badLabels and a threshold", "one of them decides")
    higher = source.higher_is_better
    if higher is None:
        higher = kind.higher_is_better if kind else source.op in (None, "gte", "gt")
    usual_op = "gte" if higher else "lte"
    if kind and source.threshold is not None and not kind.low <= source.threshold <= kind.high:
        source.at.fail(
            f"a threshold of {source.threshold:g} is outside the range of {subject}",
            f"{kind.low:g} to {kind.high:g}",
        )
    estimate = source.is_estimate
    return replace(
        _plain(name, source),
        op=source.op or (usual_op if source.threshold is not None else "lte"),
        evaluator=source.evaluator,
        bad_labels=labels,
        higher_is_better=higher,
        is_estimate=subject not in RULE_BASED if estimate is None else estimate,
    )


def counter_ratio(
    name: str,
    total: MetricSelector,
    *,
    bad: MetricSelector | None = None,
    good: MetricSelector | None = None,
) -> Indicator:
    """Return the indicator of a ratio of counters; of a histogram's buckets, a threshold on it."""
    if good is not None and (latency := _of_buckets(name, good, total)):
        return latency
    return _finish(
        Indicator(name, valid="", good="", signal=RATIO, bad=bad, good_of=good, total=total)
    )


def _of_buckets(name: str, good: MetricSelector, total: MetricSelector) -> Indicator | None:
    """Return ``NAME_bucket{le=X}`` of ``NAME_count`` as observations of at most X; else None."""
    family = good.name.removesuffix(_BUCKET)
    bounds = [match for match in good.where if match.dimension == "le"]
    rest = tuple(match for match in good.where if match.dimension != "le")
    if family == good.name or total.name not in (f"{family}{_COUNT}", good.name):
        return None
    if len(bounds) != 1 or not _is_one(bounds[0]) or not _same(rest, _without_infinity(total)):
        return None
    try:
        bound = float(bounds[0].values[0])
    except ValueError:
        return None
    return _finish(
        Indicator(
            name, valid="", good="", signal=IndicatorSignal.METRIC, subject=family,
            threshold=bound, where=rest,
        )
    )  # fmt: skip


def _without_infinity(total: MetricSelector) -> Sequence[Match]:
    """Return the matchers of a total without ``le="+Inf"``: that bucket holds everything."""
    return [m for m in total.where if (m.dimension, m.values) != ("le", ("+Inf",))]


def _is_one(match: Match) -> bool:
    return match.is_in and not match.is_pattern and len(match.values) == 1


def _same(first: Sequence[Match], second: Sequence[Match]) -> bool:
    return sorted(map(repr, first)) == sorted(map(repr, second))


def _finish(indicator: Indicator) -> Indicator:
    """Return the indicator with its words."""
    valid = valid_words(indicator.signal, indicator.subject, indicator.total)
    return replace(indicator, valid=valid, good=good_words(indicator))


__all__ = ["OPS", "Threshold", "counter_ratio", "is_threshold", "read_indicator"]
