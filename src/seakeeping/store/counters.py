"""Events out of metric points: what counters and histograms grew by, what gauges said.

A cumulative series is an odometer: between two points it grew by their difference, or by the later
value where that is smaller (it began anew), as in Prometheus. The first point of a series, and one
after a silence of more than ``SILENCE_S``, only says where counting begins. The growth belongs to
the later point's moment. A delta is what it says. Observations of a histogram at or below a
threshold are those of all buckets whose upper bound is; a bucket across it counts as above.

``where`` names attributes of the series or of its resource. Names are understood as OpenTelemetry
and as Prometheus write them: ``x`` and ``x_total``; of a histogram ``x`` also ``x_count``,
``x_sum`` and ``x_bucket`` with its ``le``.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import ge, gt, le, lt

from seakeeping.errors import BadInput
from seakeeping.records import Indicator, IndicatorSignal, Match, MetricSelector, pattern
from seakeeping.store.cells import Cells, Place, TimeSpan, cells_of
from seakeeping.store.client import StoreClient
from seakeeping.store.places import BUCKET_S
from seakeeping.store.predicates import limit_of, subject_of, whole_pattern
from seakeeping.store.rows import Row, from_json

SILENCE_S = 900
"""A series that was silent for longer is taken as a new one."""

_LE = "le"
_ENDINGS = ("_total", "_count", "_sum", "_bucket")

_INCREASES = f"""
SELECT service_name, name, kind, attributes, resource,
  intDiv(toUInt32(at), {{step:UInt32}}) * {{step:UInt32}} AS start,
  sum(grown), sum(more), sumForEach(more_below),
  groupArrayIf(rate, isNotNull(rate) AND isFinite(rate))
FROM (
  SELECT service_name, name, kind, attributes, resource, at,
    temporality = 'delta' AS is_delta,
    row_number() OVER series = 1 AS is_first,
    lagInFrame(at) OVER series AS at_before,
    is_first OR at - at_before > {SILENCE_S} AS is_new,
    ifNull(value, 0) AS now, lagInFrame(now) OVER series AS before,
    toFloat64(ifNull(count, 0)) AS seen, lagInFrame(seen) OVER series AS seen_before,
    arrayMap(t -> arraySum((b, c) -> if(b <= t, c, 0), bounds, counts), {{limits:Array(Float64)}})
      AS below,
    lagInFrame(below) OVER series AS below_before,
    if(kind = 'counter', now < before, seen < seen_before) AS is_anew,
    multiIf(is_delta, now, is_new, 0, is_anew, now, now - before) AS grown,
    multiIf(is_delta, seen, is_new, 0, is_anew, seen, seen - seen_before) AS more,
    multiIf(is_delta, below, is_new, arrayMap(x -> 0., below), is_anew, below,
      arrayMap((x, y) -> greatest(x - y, 0), below, below_before)) AS more_below,
    multiIf(kind = 'gauge', value, kind != 'counter' OR is_delta OR is_new, NULL,
      grown / nullIf(toFloat64(at) - toFloat64(at_before), 0)) AS rate
  FROM (
    SELECT service_name, name, kind, attributes, resource, at, temporality, value, count, bounds,
      counts
    FROM metric_points
    WHERE {{services}} AND name IN {{names:Array(String)}}
      AND at >= toDateTime64({{first:Int64}} - {SILENCE_S}, 6, 'UTC')
      AND at < toDateTime64({{last:Int64}}, 6, 'UTC')
    LIMIT 1 BY service_name, name, attributes, resource, at
  )
  WINDOW series AS (PARTITION BY service_name, name, attributes, resource ORDER BY at
    ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
)
WHERE at >= toDateTime64({{first:Int64}}, 6, 'UTC')
GROUP BY service_name, name, kind, attributes, resource, start
"""


@dataclass(frozen=True, slots=True)
class _Growth:
    """What one series did in one step."""

    service_name: str
    name: str
    kind: str
    attributes: Mapping[str, object]
    resource: Mapping[str, object]
    start: int
    grown: float
    more: float
    below: Mapping[float, float]
    values: Sequence[float]


def count_metrics(
    client: StoreClient,
    indicators: Sequence[Indicator],
    where: Sequence[Place] | TimeSpan,
    step_s: int,
) -> Cells:
    """Count the events of metric indicators; ``indicator`` is their index. Raises BadInput."""
    limits = sorted({limit for i in indicators for limit in _limits(i)})
    names = sorted({name for i in indicators for name in _names(i)})
    sums: dict[tuple[int, str, int], list[float]] = {}
    for first, last, places in _stretches(where, step_s):
        for growth in _growths(client, names, limits, (first, last), step_s, where):
            if places is not None:
                at = growth.service_name, growth.start // BUCKET_S * BUCKET_S
                if at not in places:
                    continue
            for number, indicator in enumerate(indicators):
                key = number, growth.service_name, growth.start
                _add(sums, key, _events(indicator, growth))
    return _cells(sums)


def _add(
    sums: dict[tuple[int, str, int], list[float]],
    key: tuple[int, str, int],
    events: tuple[float, float] | None,
) -> None:
    if events is not None:
        known = sums.setdefault(key, [0.0, 0.0])
        known[0] += events[0]
        known[1] += events[1]


def _cells(sums: Mapping[tuple[int, str, int], Sequence[float]]) -> Cells:
    found = [(key, valid, bad) for key, (valid, bad) in sorted(sums.items()) if valid > 0]
    services = sorted({key[1] for key, _, _ in found})
    codes = {name: code for code, name in enumerate(services)}
    return cells_of(
        services,
        [key[0] for key, _, _ in found],
        [codes[key[1]] for key, _, _ in found],
        [key[2] for key, _, _ in found],
        [(v, min(max(b, 0.0), v), v, min(max(b, 0.0), v), 0, 0) for _, v, b in found],
    )


_Stretch = tuple[int, int, frozenset[Place] | None]


def _stretches(where: Sequence[Place] | TimeSpan, step_s: int) -> Iterator[_Stretch]:
    """Yield (first, last, places) so that places far apart do not read all that lies between."""
    if isinstance(where, TimeSpan):
        yield int(where.start // step_s) * step_s, int(where.end // step_s) * step_s, None
        return
    wanted = sorted({(int(at // BUCKET_S) * BUCKET_S, name) for name, at in where})
    run: list[Place] = []
    for at, name in wanted:
        if run and at > run[-1][1] + 4 * BUCKET_S:
            yield run[0][1], run[-1][1] + BUCKET_S, frozenset(run)
            run = []
        run.append((name, at))
    if run:
        yield run[0][1], run[-1][1] + BUCKET_S, frozenset(run)


def _growths(
    client: StoreClient,
    names: Sequence[str],
    limits: Sequence[float],
    reach: tuple[int, int],
    step_s: int,
    where: Sequence[Place] | TimeSpan,
) -> Iterator[_Growth]:
    services = where.services if isinstance(where, TimeSpan) else tuple({n for n, _ in where})
    condition = "1" if services is None else "service_name IN {of:Array(String)}"
    found = client.read(
        _INCREASES.replace("{services}", condition),
        {
            "of": list(services or ()), "names": list(names), "step": step_s,
            "limits": [limit * (1 + 1e-9) for limit in limits],
            "first": reach[0], "last": reach[1],
        },
    )  # fmt: skip
    parsed: dict[str, Mapping[str, object]] = {}
    for row in found:
        yield _growth(row, limits, parsed)


def _growth(row: Row, limits: Sequence[float], parsed: dict[str, Mapping[str, object]]) -> _Growth:
    for text in (row[3], row[4]):
        if text not in parsed:
            parsed[text] = from_json(text) if text else {}
    below = dict(zip(limits, row[8], strict=False))
    service, name, kind, attributes, resource, start, grown, more, _, values = row
    of_series = parsed[attributes], parsed[resource]
    return _Growth(service, name, kind, *of_series, start, grown, more, below, values)


def _selectors(indicator: Indicator) -> tuple[MetricSelector, ...]:
    """Return what an indicator counts. Raises BadInput where a ratio lacks a half."""
    if indicator.signal is IndicatorSignal.METRIC:
        return (MetricSelector(subject_of(indicator), indicator.where),)
    part = indicator.bad or indicator.good_of
    if part is None or indicator.total is None:
        raise BadInput(
            f"indicator {indicator.name!r} is a ratio without both its counters",
            place="metric_ratio",
            hint="a total, and one of bad or good",
        )
    return part, indicator.total


def _names(indicator: Indicator) -> Iterator[str]:
    for selector in _selectors(indicator):
        yield selector.name
        yield from (selector.name.removesuffix(e) for e in _ENDINGS if selector.name.endswith(e))


def _limits(indicator: Indicator) -> Iterator[float]:
    if indicator.signal is IndicatorSignal.METRIC:
        yield _threshold(indicator)
    for selector in _selectors(indicator):
        yield from filter(None, [_bound(selector)])


def _threshold(indicator: Indicator) -> float:
    limit = limit_of(indicator)
    assert limit is not None  # a metric without one is bad input
    return limit


def _bound(selector: MetricSelector) -> float | None:
    """Return the bucket that a selector names with ``le``. Raises BadInput for no number."""
    told = [m.values[0] for m in selector.where if m.dimension == _LE and m.is_in and m.values]
    try:
        return float(told[0]) if told else None
    except ValueError:
        raise BadInput(f"not a bucket: {told[0]!r}", place=f"{selector.name}: le") from None


def _events(indicator: Indicator, growth: _Growth) -> tuple[float, float] | None:
    """Return the valid and bad events of a series in a step, None where it is another's."""
    if indicator.signal is IndicatorSignal.METRIC:
        return _compared(indicator, growth)
    part, total = _selectors(indicator)
    valid = _selected(total, growth)
    chosen = _selected(part, growth)
    if valid is None and chosen is None:
        return None
    chosen, valid = chosen or 0.0, valid or 0.0
    return valid, chosen if indicator.bad is not None else valid - chosen


def _compared(indicator: Indicator, growth: _Growth) -> tuple[float, float] | None:
    selector = _selectors(indicator)[0]
    base = selector.name.removesuffix("_bucket")
    if growth.name not in (selector.name, base) or not _matches(indicator.where, growth):
        return None
    limit = _threshold(indicator)
    if growth.kind in ("gauge", "counter"):
        good = sum(_GOOD[indicator.op](value, limit) for value in growth.values)
        return float(len(growth.values)), float(len(growth.values) - good)
    below = growth.below.get(limit, 0.0)
    return growth.more, growth.more - below if indicator.op in ("lte", "lt") else below


_GOOD = {"lte": le, "lt": lt, "gte": ge, "gt": gt}


def _selected(selector: MetricSelector, growth: _Growth) -> float | None:
    """Return what a selector reads of a series, None where it does not select it."""
    if not selector.name.startswith(growth.name) or not _matches(selector.where, growth):
        return None
    bound = _bound(selector)
    is_split = growth.kind in ("histogram", "exponential_histogram")
    match selector.name.removeprefix(growth.name):
        case "" | "_bucket" if is_split and bound is not None:
            return growth.more if bound == float("inf") else growth.below.get(bound, 0.0)
        case "" | "_count" if growth.kind not in ("counter", "gauge"):
            return growth.more
        case "_bucket" if is_split:
            return growth.more
        case "" | "_total" | "_sum":
            return growth.grown
    return None


def _matches(where: Sequence[Match], growth: _Growth) -> bool:
    for match in where:
        if match.dimension == _LE:
            continue
        told = growth.attributes.get(match.dimension, growth.resource.get(match.dimension, ""))
        if _holds(match, _text(told)) is not match.is_in:
            return False
    return True


def _holds(match: Match, text: str) -> bool:
    if not match.is_pattern:
        return text in match.values
    return pattern.matches(whole_pattern(match.values), text) is True


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
