"""Indicators as conditions on rows: which events are valid, and which of those are bad.

The rows are model calls, judged answers (an evaluation beside its call) or measurements, as the
sources below give them. Values of users are always parameters. Durations are compared in whole
microseconds: a call exactly at the threshold is on one side of it whatever its binary fraction.

A call is slow only if it worked: ``latency``, ``time_to_first_token`` and ``time_per_output_token``
count calls without an error whose figure is known, ``cost`` every call whose cost is known. Time
per output token is (duration - time to first token) / (tokens - 1).
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from seakeeping.errors import BadInput
from seakeeping.records import DIMENSIONS, EVALUATION_KINDS, Indicator, IndicatorSignal, Match
from seakeeping.store.rollups import HALLUCINATION, LATE_S, OUR_FAULT

CALL_SIGNALS = frozenset({
    IndicatorSignal.AVAILABILITY, IndicatorSignal.LATENCY, IndicatorSignal.TIME_TO_FIRST_TOKEN,
    IndicatorSignal.TIME_PER_OUTPUT_TOKEN, IndicatorSignal.COST,
})  # fmt: skip
JUDGED_SIGNALS = frozenset({
    IndicatorSignal.EVALUATION, IndicatorSignal.COVERAGE, IndicatorSignal.SCORING_LAG,
})  # fmt: skip
METRIC_SIGNALS = frozenset({IndicatorSignal.METRIC, IndicatorSignal.METRIC_RATIO})
WORKED = frozenset({
    IndicatorSignal.LATENCY, IndicatorSignal.TIME_TO_FIRST_TOKEN,
    IndicatorSignal.TIME_PER_OUTPUT_TOKEN,
})  # fmt: skip
"""Signals of calls that must have ended without an error to count."""

GROUP_PREFIX = "group."
EXTERNAL = "external:"
"""How the evaluators of others begin."""

_US = "round({} * 1e6)"
_VALUES: Mapping[IndicatorSignal, tuple[str, tuple[str, ...]]] = {
    IndicatorSignal.LATENCY: (_US.format("duration_s"), ("duration_s",)),
    IndicatorSignal.TIME_TO_FIRST_TOKEN: (
        _US.format("time_to_first_token_s"), ("time_to_first_token_s",),
    ),
    IndicatorSignal.TIME_PER_OUTPUT_TOKEN: (
        "round((duration_s - time_to_first_token_s) * 1e6 "
        "/ nullIf(greatest(output_tokens, 1) - 1, 0))",
        ("duration_s", "time_to_first_token_s", "output_tokens"),
    ),
    IndicatorSignal.COST: ("cost_usd", ("cost_usd",)),
    IndicatorSignal.EVALUATION: ("score", ()),
    IndicatorSignal.SCORING_LAG: (_US.format("lag_s"), ("lag_s",)),
    IndicatorSignal.MEASUREMENT: ("value", ()),
}  # fmt: skip
_OPERATORS: Mapping[str, str] = {"lte": "<=", "lt": "<", "gte": ">=", "gt": ">"}

_OURS = f"splitByChar(':', skipped_reason)[1] IN ({', '.join(map(repr, OUR_FAULT))})"


def subject_of(indicator: Indicator) -> str:
    """Return the evaluation, measurement or metric that an indicator counts. Raises BadInput."""
    if indicator.subject:
        return indicator.subject
    if indicator.signal in (IndicatorSignal.COVERAGE, IndicatorSignal.SCORING_LAG):
        return HALLUCINATION
    raise BadInput(f"indicator {indicator.name!r} names nothing to count", place="subject")


def value_sql(signal: IndicatorSignal) -> str:
    """Return what a threshold is compared with: microseconds, US dollars or a score."""
    return _VALUES[signal][0]


def limit_of(indicator: Indicator) -> float | None:
    """Return the threshold in the unit of ``value_sql``, None where labels or errors decide.

    Raises BadInput where one is missing, or the operator is unknown.
    """
    if indicator.signal in (IndicatorSignal.AVAILABILITY, IndicatorSignal.COVERAGE):
        return None
    if indicator.signal is IndicatorSignal.EVALUATION and indicator.threshold is None:
        return None
    if indicator.threshold is None or indicator.op not in _OPERATORS:
        raise BadInput(
            f"indicator {indicator.name!r} has no threshold to compare with",
            place="threshold",
            hint=f"a number, and op one of {', '.join(_OPERATORS)}",
        )
    is_duration = indicator.threshold_s is not None
    return float(round(indicator.threshold * 1e6)) if is_duration else indicator.threshold


def bad_labels_of(indicator: Indicator) -> Sequence[str]:
    """Return the labels that are bad. Raises BadInput where nothing says which."""
    kind = EVALUATION_KINDS.get(subject_of(indicator))
    if indicator.bad_labels or kind is None:
        if indicator.bad_labels:
            return indicator.bad_labels
        raise BadInput(
            f"nothing says which results of {indicator.subject!r} are bad",
            place="threshold",
            hint="give a threshold or bad labels",
        )
    return (kind.bad_label,)


def require_verdict(indicator: Indicator) -> None:
    """Raise BadInput where neither a threshold nor labels say which results are bad."""
    if limit_of(indicator) is None:
        bad_labels_of(indicator)


def dimension_sql(
    dimension: str, param: str, params: dict[str, object], *, of_slice: bool = False
) -> str:
    """Return the expression of a dimension of calls, or of a measurement's slice.

    A group's name becomes the parameter ``param``. Raises BadInput for an unknown dimension.
    """
    if of_slice:
        params[param] = dimension
        return f"JSONExtractString(slice, {{{param}:String}})"
    if dimension.startswith(GROUP_PREFIX):
        params[param] = dimension.removeprefix(GROUP_PREFIX)
        return f"JSONExtractString(groups, {{{param}:String}})"
    if dimension == "model":
        return "if(response_model != '', response_model, request_model)"
    if dimension in DIMENSIONS:
        return dimension
    raise BadInput(
        f"unknown dimension {dimension!r}",
        hint=f"one of {', '.join(DIMENSIONS)}, or {GROUP_PREFIX}NAME",
    )


def columns_of(indicator: Indicator) -> Iterator[str]:
    """Yield the columns of calls or judged answers that an indicator reads."""
    signal = indicator.signal
    if signal is IndicatorSignal.AVAILABILITY or signal in WORKED:
        yield "error_type"
    if signal in JUDGED_SIGNALS:
        yield from ("name", "evaluator", "skipped_reason")
    if signal is IndicatorSignal.EVALUATION:
        yield from ("score", "unit_score", "score_label")
    yield from _VALUES.get(signal, ("", ()))[1]
    yield from dimension_columns(match.dimension for match in indicator.where)


def dimension_columns(dimensions: Iterable[str]) -> Iterator[str]:
    """Yield the columns of calls that dimensions are made of."""
    for dimension in dimensions:
        if dimension == "model":
            yield from ("request_model", "response_model")
        else:
            yield "groups" if dimension.startswith(GROUP_PREFIX) else dimension


@dataclass(frozen=True, slots=True)
class Predicate:
    """The conditions of one indicator, and the value that is compared (``NULL`` for none)."""

    valid: str
    bad: str
    value: str = "NULL"
    params: Mapping[str, object] = field(default_factory=dict)


def predicate_of(indicator: Indicator) -> Predicate:
    """Return the conditions of an indicator of calls or answers. Raises BadInput."""
    params: dict[str, object] = {}
    conditions = list(_conditions(indicator, params))
    limit = limit_of(indicator)
    value = "NULL" if limit is None else value_sql(indicator.signal)
    if limit is not None:
        params["limit"] = limit
        bad = f"NOT ifNull({value} {_OPERATORS[indicator.op]} {{limit:Float64}}, 0)"
    elif indicator.signal is IndicatorSignal.AVAILABILITY:
        bad = "error_type != ''"
    elif indicator.signal is IndicatorSignal.COVERAGE:
        bad = "skipped_reason != ''"
    else:
        params["bad_labels"] = list(bad_labels_of(indicator))
        bad = "score_label IN {bad_labels:Array(String)}"
    return Predicate(" AND ".join(conditions) or "1", bad, value, params)


def _conditions(indicator: Indicator, params: dict[str, object]) -> Iterator[str]:
    yield from slice_conditions(indicator.where, "where", params)
    if limit_of(indicator) is not None:
        yield f"isNotNull({value_sql(indicator.signal)})"
    if indicator.signal in WORKED:
        yield "error_type = ''"
    if indicator.signal not in JUDGED_SIGNALS:
        return
    params["name"] = subject_of(indicator)
    yield "name = {name:String}"
    if indicator.evaluator is not None:
        params["evaluator"] = indicator.evaluator
        yield "evaluator = {evaluator:String}"
    ours = f" OR {_OURS}" if indicator.signal is IndicatorSignal.COVERAGE else ""
    yield f"(skipped_reason = ''{ours})"
    if indicator.signal is IndicatorSignal.EVALUATION and indicator.threshold is None:
        yield "score_label != ''"


def slice_conditions(
    where: Iterable[Match], prefix: str, params: dict[str, object]
) -> Iterator[str]:
    """Yield a condition a match on a dimension of calls, and enter its parameters."""
    for n, match in enumerate(where):
        expression = dimension_sql(match.dimension, f"{prefix}_{n}_key", params)
        if match.is_pattern:
            params[f"{prefix}_{n}"] = whole_pattern(match.values)
            yield f"match({expression}, {{{prefix}_{n}:String}}) = {int(match.is_in)}"
            continue
        params[f"{prefix}_{n}"] = list(match.values)
        word = "IN" if match.is_in else "NOT IN"
        yield f"{expression} {word} {{{prefix}_{n}:Array(String)}}"


def whole_pattern(patterns: Iterable[str]) -> str:
    """Return one RE2 pattern that matches a whole value where any of the patterns does."""
    return f"^(?:{'|'.join(f'(?:{pattern})' for pattern in patterns)})$"


_PLACE = ("service_name", "bucket", "started_at", "trace_id", "span_id")


def calls_from(rows: str, columns: Collection[str]) -> str:
    """Return the source of model calls: the latest rows that match, of the traffic that counts."""
    wanted = ", ".join((*_PLACE, "sampling_weight AS w", *sorted(columns)))
    counted = "traffic IN {traffic:Array(String)}"
    return f"(SELECT {wanted} FROM interactions FINAL WHERE {rows} AND {counted})"


_FINITE_SCORE = "if(isFinite(score_value), score_value, NULL)"
_OF_EVALUATIONS: Mapping[str, str] = {
    "name": "name", "evaluator": "evaluator", "score_label": "score_label",
    "skipped_reason": "skipped_reason", "explanation": "explanation", "score": _FINITE_SCORE,
    "unit_score": f"least(greatest(ifNull({_FINITE_SCORE}, 0), 0), 1)",
    "made_at": "toFloat64(evaluated_at)",
}  # fmt: skip
_SINCE = (
    "toFloat64(started_at) + ifNull(duration_s, 0) AS ended_at",
    "version / 1e6 AS arrived_at",
    f"if(arrived_at - ended_at > {LATE_S}, arrived_at, ended_at) AS since",
)


def judged_from(rows: str, columns: Collection[str]) -> str:
    """Return the source of judged answers: evaluations of ``{names}`` beside their calls.

    ``columns`` are of the calls or of the evaluations; ``score`` is NULL where it is no number,
    ``unit_score`` the same within 0 and 1, ``lag_s`` the time from the end of a call (from its
    arrival, where it was sent late) to its evaluation.
    """
    lags = "lag_s" in columns
    wanted = {*columns, *["made_at"] * lags} - {"lag_s"}
    made = [f"{_OF_EVALUATIONS[c]} AS {c}" for c in sorted(wanted & _OF_EVALUATIONS.keys())]
    called = ["service_name", "bucket", "started_at", *sorted(wanted - _OF_EVALUATIONS.keys())]
    shown = [*sorted(wanted & _OF_EVALUATIONS.keys()), "w", *called]
    shown += ["greatest(0, made_at - since) AS lag_s"] * lags
    called += ["sampling_weight AS w", *_SINCE * lags]
    answered = f"{rows} AND traffic IN {{traffic:Array(String)}} AND is_answer = 1"
    return (
        f"(SELECT trace_id, span_id, {', '.join(shown)} FROM "
        f"(SELECT trace_id, span_id, {', '.join(made)} FROM evaluations FINAL "
        f"WHERE {rows} AND name IN {{names:Array(String)}}) AS made INNER JOIN "
        f"(SELECT trace_id, span_id, {', '.join(called)} FROM interactions FINAL "
        f"WHERE {answered}) AS answered USING (trace_id, span_id))"
    )


def measured_from(rows: str, columns: Collection[str]) -> str:
    """Return the source of measurements of ``{names}``: the latest of each, without a weight."""
    return (
        "(SELECT service_name, bucket, window_end, toString(name) AS name, slice, value, 1. AS w "
        f"FROM measurements FINAL WHERE {rows} AND name IN {{names:Array(String)}})"
    )
