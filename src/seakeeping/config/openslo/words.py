"""Indicators from their parts: which signal needs what, and how it reads in words."""

from collections.abc import Mapping
from types import MappingProxyType

from seakeeping.records import EVALUATION_KINDS, Indicator, IndicatorSignal, MetricSelector

OPS: Mapping[str, str] = MappingProxyType(
    {"lte": "at most", "lt": "less than", "gte": "at least", "gt": "more than"}
)
"""Comparisons of OpenSLO, in words."""

S = IndicatorSignal
WITHOUT_THRESHOLD = frozenset({S.AVAILABILITY, S.COVERAGE, S.METRIC_RATIO})
"""Signals whose events are good or bad by themselves; an evaluation may be either."""

SUBJECT_KEYS: Mapping[IndicatorSignal, str] = MappingProxyType(
    {S.EVALUATION: "evaluation", S.MEASUREMENT: "measurement", S.METRIC: "metric"}
)
"""What a signal is about, where it is about something that has a name."""

RULE_BASED = frozenset({"response_validity"})
"""Evaluations that are decided by rule: what they say is so, and no label corrects it."""

_WORKED = "calls that ended without an error"
_VALID: Mapping[IndicatorSignal, str] = MappingProxyType({
    S.AVAILABILITY: "all calls",
    S.LATENCY: _WORKED,
    S.TIME_TO_FIRST_TOKEN: f"{_WORKED} and say when the first token came",
    S.TIME_PER_OUTPUT_TOKEN: f"{_WORKED} and wrote at least two tokens",
    S.COST: "answers with a known price",
    S.EVALUATION: "answers judged for {subject}",
    S.COVERAGE: "answers that should have been scored",
    S.SCORING_LAG: "judged answers",
    S.MEASUREMENT: "measurements of {subject}",
    S.METRIC: "points or observations of {subject}",
    S.METRIC_RATIO: "increments of {total}",
})  # fmt: skip
_UNITS: Mapping[IndicatorSignal, str] = MappingProxyType({
    S.LATENCY: " s", S.TIME_TO_FIRST_TOKEN: " s", S.TIME_PER_OUTPUT_TOKEN: " s",
    S.SCORING_LAG: " s", S.COST: " US dollars",
})  # fmt: skip


def valid_words(signal: IndicatorSignal, subject: str | None, total: MetricSelector | None) -> str:
    """Return in words which events count."""
    return _VALID[signal].format(subject=subject, total=total.name if total else "")


def good_words(indicator: Indicator) -> str:
    """Return in words which of the valid events are good."""
    if indicator.threshold is not None:
        unit = _UNITS.get(indicator.signal, "")
        return f"those of {OPS[indicator.op]} {indicator.threshold:g}{unit}"
    if indicator.bad is not None:
        return f"those that are none of {indicator.bad.name}{_labels(indicator.bad)}"
    if indicator.good_of is not None:
        return f"those of {indicator.good_of.name}{_labels(indicator.good_of)}"
    return {
        S.AVAILABILITY: _WORKED,
        S.COVERAGE: "those that were scored",
    }.get(indicator.signal, f"those not labelled {' or '.join(indicator.bad_labels)}")


def _labels(selector: MetricSelector) -> str:
    signs = {(True, False): "=", (False, False): "!=", (True, True): "=~", (False, True): "!~"}
    told = ", ".join(
        f"{match.dimension}{signs[match.is_in, match.is_pattern]}{'|'.join(match.values)}"
        for match in selector.where
    )
    return f"{{{told}}}" if told else ""


def usual_bad_labels(evaluation: str) -> tuple[str, ...]:
    """Return the label that says bad, of an evaluation that the field's table knows."""
    kind = EVALUATION_KINDS.get(evaluation)
    return (kind.bad_label,) if kind else ()
