"""Rollups: what a service did in five minutes, recomputed from the latest rows when they change.

A materialized view would count a batch that is sent again, or an answer that is scored again,
twice. Recomputing a touched bucket is one path for new, late, repeated, re-scored and retracted
rows alike. Keys that vanish become rows of zeros, because the old row would otherwise stay.

Quality counts answers only (``is_answer``), of interactions that were not taken back. Readers add
up the kinds of traffic that count: live, in demo mode also demo.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seakeeping.errors import BadInput
from seakeeping.store.client import StoreClient
from seakeeping.store.histogram import Histogram, edge_sql, quantile
from seakeeping.store.places import BUCKET_S, places_of
from seakeeping.store.rows import Row
from seakeeping.store.summaries import SeriesPoint, ServiceSummary

BUCKETS_AT_ONCE = 48
"""Buckets that one statement recomputes: bounds its memory."""

OUR_FAULT = ("shed", "timeout", "crashed", "error")
"""First words of the ``skipped_reason`` that count against coverage (``evaluate.reasons``)."""

HALLUCINATION = "faithfulness"
"""The evaluation behind ``scored``, ``unsupported`` and coverage of a summary."""

_REFRESH_CALLS = f"""
INSERT INTO rollups
SELECT service_name, bucket, traffic, sum(n), sum(is_error), sum(answer), sum(content),
  sum(w), sumIf(w, is_error = 1),
  sumMapIf(map(edge, n), has_latency), sumMapIf(map(edge, w), has_latency),
  sumMapIf(map(ttft_edge, n), has_ttft),
  sum(input), sum(output), sum(cost), max(seen),
  greatest(toUInt64(toUnixTimestamp64Micro(now64(6))), max(old) + 1)
FROM (
  SELECT service_name, bucket, traffic, toUInt64(1) AS n, toUInt64(error_type != '') AS is_error,
    toUInt64(is_answer) AS answer, toUInt64(has_content) AS content, sampling_weight AS w,
    duration_s IS NOT NULL AND error_type = '' AS has_latency,
    {edge_sql("ifNull(duration_s, 0)")} AS edge,
    time_to_first_token_s IS NOT NULL AS has_ttft,
    {edge_sql("ifNull(time_to_first_token_s, 0)")} AS ttft_edge,
    toInt64(round(ifNull(input_tokens, 0) * w)) AS input,
    toInt64(round(ifNull(output_tokens, 0) * w)) AS output, ifNull(cost_usd, 0) * w AS cost,
    started_at AS seen, toUInt64(0) AS old
  FROM interactions FINAL WHERE {{rows}}
  UNION ALL
  SELECT service_name, bucket, traffic, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    toDateTime64(0, 6, 'UTC'), version
  FROM rollups FINAL WHERE {{where}}
)
GROUP BY service_name, bucket, traffic
"""

LATE_S = 60
"""A call that arrives this long after its end was sent late: its scoring lags from its arrival."""

_REFRESH_EVALUATIONS = f"""
INSERT INTO evaluation_rollups
SELECT service_name, bucket, traffic, name, evaluator,
  sum(scored), sumIf(w, scored = 1), sumIf(score, scored = 1),
  sumMapIf(map(label, scored), label != ''), sumMapIf(map(label, w), label != ''),
  sumMapIf(map(reason, toUInt64(1)), reason != ''),
  sumMapIf(map(edge, scored), scored = 1),
  greatest(toUInt64(toUnixTimestamp64Micro(now64(6))), max(old) + 1)
FROM (
  SELECT made.service_name AS service_name, made.bucket AS bucket, answered.traffic AS traffic,
    made.name AS name, made.evaluator AS evaluator,
    toUInt64(made.skipped_reason = '') AS scored, answered.sampling_weight AS w,
    ifNull(made.score_value, 0) AS score, toString(made.score_label) AS label,
    splitByChar(':', toString(made.skipped_reason))[1] AS reason,
    {edge_sql("greatest(0, toFloat64(made.evaluated_at) - answered.since)")} AS edge,
    toUInt64(0) AS old
  FROM (
    SELECT service_name, bucket, trace_id, span_id, name, evaluator, score_value, score_label,
      skipped_reason, evaluated_at
    FROM evaluations FINAL WHERE {{rows}}
  ) AS made
  INNER JOIN (
    SELECT trace_id, span_id, traffic, sampling_weight,
      toFloat64(started_at) + ifNull(duration_s, 0) AS ended_at,
      version / 1e6 AS arrived_at,
      if(arrived_at - ended_at > {LATE_S}, arrived_at, ended_at) AS since
    FROM interactions FINAL WHERE {{rows}} AND is_answer = 1
  ) AS answered ON made.trace_id = answered.trace_id AND made.span_id = answered.span_id
  UNION ALL
  SELECT service_name, bucket, traffic, name, evaluator, 0, 0, 0, '', '', 0, version
  FROM evaluation_rollups FINAL WHERE {{where}}
)
GROUP BY service_name, bucket, traffic, name, evaluator
"""


def refresh(
    client: StoreClient, touched: Iterable[tuple[str, float]], kept_since: float = 0.0
) -> None:
    """Recompute buckets, given as (service_name, start in Unix seconds).

    Buckets before ``kept_since`` are left alone: their rows are gone, their rollups stay.
    """
    wanted = sorted({(at // BUCKET_S * BUCKET_S, name) for name, at in touched if at >= kept_since})
    for some in _chunks(wanted):
        where = places_of([(name, at) for at, name in some])
        for statement in (_REFRESH_CALLS, _REFRESH_EVALUATIONS):
            client.command(
                statement.format(where=where.key_condition, rows=where.condition), where.params
            )


def _chunks(wanted: Sequence[tuple[float, str]]) -> Iterator[Sequence[tuple[float, str]]]:
    """Yield runs of at most ``BUCKETS_AT_ONCE`` different buckets; a bucket's services together."""
    run: list[tuple[float, str]] = []
    starts: set[float] = set()
    for at, name in wanted:
        if at not in starts and len(starts) == BUCKETS_AT_ONCE:
            yield run
            run, starts = [], set()
        starts.add(at)
        run.append((at, name))
    if run:
        yield run


@dataclass(frozen=True, slots=True)
class Window:
    """Buckets that overlap ``start <= t < end``, of the traffic that counts."""

    start: float
    end: float
    traffic: Sequence[str]

    condition = (
        "bucket >= toDateTime({start:UInt32}, 'UTC') AND bucket < toDateTime({end:UInt32}, 'UTC') "
        "AND traffic IN {traffic:Array(String)}"
    )

    @property
    def params(self) -> Mapping[str, Any]:
        """The parameters of the condition."""
        first = max(0, int(self.start // BUCKET_S * BUCKET_S))
        last = max(first, -int(-self.end // 1))
        return {"start": first, "end": last, "traffic": list(self.traffic)}


_CALLS = (
    "sum(calls), sum(errors), sum(answers), sum(with_content), sumMap(latency), sumMap(ttft), "
    "sum(input_tokens), sum(output_tokens), sum(cost_usd), "
    "toUnixTimestamp64Micro(max(last_seen_at)), sum(weighted_calls), sum(weighted_errors)"
)
_JUDGED = "sum(scored), sumMap(labels), sumMap(skipped), sumMap(lag)"


def services(client: StoreClient, window: Window) -> list[ServiceSummary]:
    """Return the services seen in the window, by name."""
    calls = client.read(
        f"SELECT service_name, {_CALLS} FROM rollups FINAL WHERE {window.condition} "
        "GROUP BY service_name HAVING sum(calls) > 0 ORDER BY service_name",
        window.params,
    )
    judged = client.read(
        f"SELECT service_name, {_JUDGED} FROM evaluation_rollups FINAL "
        f"WHERE {window.condition} AND name = {{name:String}} GROUP BY service_name",
        {**window.params, "name": HALLUCINATION},
    )
    quality = {row[0]: row[1:] for row in judged}
    return [_summary(row, quality.get(row[0], (0, {}, {}, {}))) for row in calls]


def _summary(row: Row, judged: Row) -> ServiceSummary:
    name, calls, errors, answers, content, latency, ttft, inputs, outputs, cost, seen = row[:11]
    scored, labels, skipped, lag = judged
    eligible = scored + sum(skipped.get(reason, 0) for reason in OUR_FAULT)
    latency, ttft = _histogram(latency), _histogram(ttft)
    return ServiceSummary(
        service_name=name,
        calls=calls,
        errors=errors,
        answers=answers,
        latency_p50_s=quantile(latency, 0.5),
        latency_p95_s=quantile(latency, 0.95),
        latency_p99_s=quantile(latency, 0.99),
        ttft_p50_s=quantile(ttft, 0.5),
        ttft_p95_s=quantile(ttft, 0.95),
        input_tokens=inputs,
        output_tokens=outputs,
        cost_usd=_known_cost(cost),
        scored=scored,
        unsupported=labels.get("unsupported", 0),
        eligible=eligible,
        skipped=sum(skipped.values()),
        coverage_ratio=scored / eligible if eligible else None,
        scoring_lag_s=quantile(_histogram(lag), 0.95),
        content_ratio=content / calls if calls else None,
        last_seen_at=seen / 1e6 if seen else None,
        served=float(row[11]),
        served_errors=float(row[12]),
    )


def _histogram(found: Mapping[str, float]) -> Histogram:
    return {int(edge): count for edge, count in found.items()}


def _known_cost(total: float) -> float | None:
    return float(total) or None  # no call of the window had a price


def series(client: StoreClient, service: str, window: Window, step_s: int) -> list[SeriesPoint]:
    """Return one point a step, also for steps without calls. Raises BadInput for an odd step."""
    if step_s <= 0 or step_s % BUCKET_S:
        raise BadInput(f"a step of {step_s} s", place="step_s", hint="a multiple of 300 s")
    first = int(window.start // step_s * step_s)
    whole = Window(first, window.end, window.traffic)
    params = {**whole.params, "service": service, "step": step_s, "name": HALLUCINATION}
    step = "intDiv(toUInt32(bucket), {step:UInt32}) * {step:UInt32}"
    where = f"service_name = {{service:String}} AND {whole.condition}"
    calls = client.read(
        f"SELECT {step} AS start_s, {_CALLS} FROM rollups FINAL WHERE {where} GROUP BY start_s",
        params,
    )
    judged = client.read(
        f"SELECT {step} AS start_s, {_JUDGED} FROM evaluation_rollups FINAL "
        f"WHERE {where} AND name = {{name:String}} GROUP BY start_s",
        params,
    )
    by_start = {row[0]: row for row in calls}
    quality = {row[0]: row for row in judged}
    return [
        _point(at, by_start.get(at), quality.get(at)) for at in range(first, _last(window), step_s)
    ]


def _last(window: Window) -> int:
    return -int(-window.end // 1)


def _point(at: int, row: Row | None, judged: Row | None) -> SeriesPoint:
    if row is None:
        return SeriesPoint(start=float(at))
    _, calls, errors, _, _, latency, ttft, inputs, outputs, cost = row[:10]
    scored, labels = (judged[1], judged[2]) if judged else (0, {})
    return SeriesPoint(
        start=float(at),
        calls=calls,
        errors=errors,
        latency_p95_s=quantile(_histogram(latency), 0.95),
        ttft_p95_s=quantile(_histogram(ttft), 0.95),
        scored=scored,
        unsupported=labels.get("unsupported", 0),
        cost_usd=_known_cost(cost),
        input_tokens=inputs,
        output_tokens=outputs,
        served=float(row[11]),
        served_errors=float(row[12]),
    )


def stale_buckets(client: StoreClient) -> list[tuple[str, float]]:
    """Return the buckets with rows stored after their rollup was made.

    After a crash these are the buckets whose refresh was lost with the process. What was stored an
    hour before the newest rollup is taken as rolled up.
    """
    newest = client.read("SELECT max(version) FROM rollups")[0][0]
    found = client.read(_STALE, {"since": max(0, newest // 1000 - _LOOK_BACK_MS)})
    return [(service, float(at)) for service, at in found]


_LOOK_BACK_MS = 3_600_000
_STALE = """
SELECT service_name, toUInt32(bucket) FROM (
  SELECT service_name, bucket, max(stored_at) AS stored FROM (
    SELECT service_name, bucket, stored_at FROM interactions
    WHERE stored_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
    UNION ALL
    SELECT service_name, bucket, stored_at FROM evaluations
    WHERE stored_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
  ) GROUP BY service_name, bucket
) AS written
LEFT JOIN (
  SELECT service_name, bucket, max(version) AS made FROM rollups
  GROUP BY service_name, bucket
) AS rolled USING (service_name, bucket)
WHERE made <= toUnixTimestamp64Milli(stored) * 1000 AND service_name != ''
"""
