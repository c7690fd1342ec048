"""Examples: the bad events that show a failure best, worst first.

The worst are found on narrow columns; what is long (explanations) is read for those few alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from seakeeping.records import Indicator, IndicatorSignal, Match
from seakeeping.store.client import StoreClient
from seakeeping.store.facts import source_of
from seakeeping.store.places import Rows, places_of
from seakeeping.store.predicates import (
    EXTERNAL,
    JUDGED_SIGNALS,
    dimension_columns,
    predicate_of,
    slice_conditions,
    subject_of,
)
from seakeeping.store.rows import Row


@dataclass(frozen=True, slots=True)
class Example:
    """One bad event of an indicator, by the call behind it.

    ``value`` is what the indicator compares (seconds, US dollars, a score), None where nothing is
    compared. ``score``, ``label`` and ``explanation`` are the evaluation's, where there is one.
    """

    trace_id: str
    span_id: str
    service_name: str
    started_at: float
    value: float | None = None
    score: float | None = None
    label: str | None = None
    explanation: str | None = None
    model: str | None = None
    error_type: str | None = None
    duration_s: float | None = None
    release: str | None = None
    prompt_version: str | None = None


_SHOWN = ("duration_s", "error_type", "release", "prompt_version", "request_model")
_SHOWN_SQL = (
    "if(response_model != '', response_model, request_model), error_type, duration_s, release, "
    "prompt_version"
)


def examples(
    client: StoreClient,
    indicator: Indicator,
    rows: Rows,
    of: Mapping[str, str],
    limit: int,
    traffic: Sequence[str],
) -> list[Example]:
    """Return bad events; see ``counting.CountingStore.examples``. Raises BadInput."""
    found = predicate_of(indicator)
    params = {**found.params, **rows.params, "traffic": list(traffic), "most": limit}
    conditions = [found.valid, found.bad]
    conditions += slice_conditions([Match(d, (v,)) for d, v in of.items()], "slice", params)
    judged, order = "NULL, ''", ""
    columns = [*_SHOWN, "response_model", *dimension_columns(of)]
    if indicator.signal in JUDGED_SIGNALS:
        params["names"] = [subject_of(indicator)]
        judged, order = "score, score_label", f"startsWith(evaluator, '{EXTERNAL}'), "
        columns += ["score", "score_label"]
    source = source_of(indicator, f"{rows.condition} AND erased = 0", columns)
    got = client.read(
        f"SELECT * FROM (SELECT trace_id, span_id, service_name, toUnixTimestamp64Micro(started_at)"
        f" AS at, {found.value} AS value, {judged}, {_SHOWN_SQL} FROM {source} "
        f"WHERE {' AND '.join(f'({c})' for c in conditions)} "
        f"ORDER BY {order}{_rank(indicator)} LIMIT 1 BY trace_id, span_id) "
        f"ORDER BY {_rank(indicator, 'value', 'at')} LIMIT {{most:UInt32}}",
        params,
    )
    made = [_example(row, indicator) for row in got]
    return _explained(client, made, indicator) if indicator.signal in JUDGED_SIGNALS else made


def _rank(indicator: Indicator, value: str = "value", at: str = "started_at") -> str:
    """Return the order of badness: furthest beyond the threshold, then newest."""
    if indicator.signal is IndicatorSignal.EVALUATION and indicator.threshold is None:
        way = "ASC" if indicator.higher_is_better else "DESC"
        return f"score {way}, {at} DESC"
    way = "DESC" if indicator.op in ("lte", "lt") else "ASC"
    return f"{value} {way}, {at} DESC"


def _example(row: Row, indicator: Indicator) -> Example:
    (
        trace_id,
        span_id,
        service,
        at,
        value,
        score,
        label,
        model,
        error,
        duration_s,
        release,
        prompt,
    ) = row
    unit = 1e6 if indicator.threshold_s is not None else 1.0
    return Example(
        trace_id, span_id, service, at / 1e6,
        value=None if value is None else value / unit,
        score=None if score is None else float(score), label=label or None, model=model or None,
        error_type=error or None, duration_s=None if duration_s is None else float(duration_s),
        release=release or None, prompt_version=prompt or None,
    )  # fmt: skip


def _explained(
    client: StoreClient, found: Sequence[Example], indicator: Indicator
) -> list[Example]:
    if not found:
        return []
    places = places_of([(e.service_name, e.started_at) for e in found])
    told = client.read(
        "SELECT trace_id, span_id, score_label, explanation FROM evaluations FINAL "
        f"WHERE {places.condition} AND trace_id IN {{ids:Array(String)}} "
        "AND name = {name:String}",
        {
            **places.params, "ids": sorted({e.trace_id for e in found}),
            "name": subject_of(indicator),
        },
    )  # fmt: skip
    texts = {(row[0], row[1], row[2] or None): row[3] or None for row in told}
    return [replace(e, explanation=texts.get((e.trace_id, e.span_id, e.label))) for e in found]
