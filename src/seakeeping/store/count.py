"""Counting cells: a few statements for all indicators over the places that were touched.

A place is always counted anew from its latest rows, never added to: late, repeated, re-scored and
retracted rows are all the same path.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from seakeeping.errors import BadInput
from seakeeping.records import Indicator, IndicatorSignal
from seakeeping.store.cells import Cells, Place, TimeSpan, no_cells
from seakeeping.store.classes import cells_in, plan_of
from seakeeping.store.client import StoreClient
from seakeeping.store.counters import count_metrics
from seakeeping.store.places import BUCKET_S, Rows, places_of
from seakeeping.store.predicates import (
    CALL_SIGNALS,
    JUDGED_SIGNALS,
    METRIC_SIGNALS,
    calls_from,
    judged_from,
    measured_from,
    subject_of,
)


@dataclass(frozen=True, slots=True)
class _Source:
    """Where the events of some signals come from; ``time`` is the column of their moment."""

    signals: frozenset[IndicatorSignal]
    made: Callable[[str, Collection[str]], str]
    time: str = "started_at"
    is_named: bool = True


_SOURCES = (
    _Source(CALL_SIGNALS, calls_from, is_named=False),
    _Source(JUDGED_SIGNALS, judged_from),
    _Source(frozenset({IndicatorSignal.MEASUREMENT}), measured_from, "window_end"),
)


def rows_of(where: Sequence[Place] | TimeSpan, step_s: int, time: str = "started_at") -> Rows:
    """Return the condition of some places or a span; ``time`` is the column of the moment."""
    if not isinstance(where, TimeSpan):
        places = places_of(where)
        return Rows(places.condition.replace("started_at", time), places.params)
    first, last = (int(at // step_s) * step_s for at in (where.start, where.end))
    condition = (
        "bucket >= toDateTime({from_bucket:UInt32}, 'UTC') "
        "AND bucket < toDateTime({last:UInt32}, 'UTC') "
        f"AND {time} >= toDateTime64({{first:UInt32}}, 6, 'UTC') "
        f"AND {time} < toDateTime64({{last:UInt32}}, 6, 'UTC')"
    )
    params = {"from_bucket": first // BUCKET_S * BUCKET_S, "first": first, "last": last}
    if where.services is None:
        return Rows(condition, params)
    named = "service_name IN {services:Array(String)}"
    return Rows(f"{named} AND {condition}", {**params, "services": list(where.services)})


def count_cells(
    client: StoreClient,
    indicators: Sequence[Indicator],
    where: Sequence[Place] | TimeSpan,
    step_s: int,
    traffic: Sequence[str],
) -> Cells:
    """Count indicators in some places; see ``counting.CountingStore.count_cells``."""
    if _is_nothing(where) or not indicators:
        return no_cells()
    _require_step(where, step_s)
    numbers: dict[str, list[int]] = {}
    for number, indicator in enumerate(indicators):
        numbers.setdefault(indicator.key, []).append(number)
    distinct = [indicators[same[0]] for same in numbers.values()]
    found = joined(list(_counted(client, distinct, where, step_s, traffic)))
    return _spread(found, list(numbers.values()))


def _require_step(where: Sequence[Place] | TimeSpan, step_s: int) -> None:
    is_span = isinstance(where, TimeSpan)
    if step_s <= 0 or (BUCKET_S % step_s and (not is_span or step_s % BUCKET_S)):
        raise BadInput(
            f"a step of {step_s} s", place="step_s", hint="a divisor, of a span a multiple, of 300"
        )


def _is_nothing(where: Sequence[Place] | TimeSpan) -> bool:
    if isinstance(where, TimeSpan):
        return where.end <= where.start or where.services == ()
    return not where


def _counted(
    client: StoreClient,
    indicators: Sequence[Indicator],
    where: Sequence[Place] | TimeSpan,
    step_s: int,
    traffic: Sequence[str],
) -> Iterator[Cells]:
    for source in _SOURCES:
        chosen = [n for n, i in enumerate(indicators) if i.signal in source.signals]
        if chosen:
            rows = rows_of(where, step_s, source.time)
            some = [indicators[n] for n in chosen]
            yield renumbered(_read(client, source, some, rows, step_s, traffic), chosen)
    chosen = [n for n, i in enumerate(indicators) if i.signal in METRIC_SIGNALS]
    if chosen:
        of = [indicators[n] for n in chosen]
        yield renumbered(count_metrics(client, of, where, step_s), chosen)


def _read(
    client: StoreClient,
    source: _Source,
    indicators: Sequence[Indicator],
    rows: Rows,
    step_s: int,
    traffic: Sequence[str],
) -> Cells:
    plan = plan_of(indicators)
    step = "toUInt32(bucket)"
    if step_s != BUCKET_S:
        step = f"intDiv(toUInt32({source.time}), {step_s:d}) * {step_s:d}"
    keys = [f"{expression} AS {name}" for name, expression in plan.keys.items()]
    wanted = ", ".join((f"{step} AS start", "sum(w)", "count()", *keys, *plan.sums))
    by = ", ".join(("service_name", "start", *plan.keys))
    params = {**plan.params, **rows.params, "traffic": list(traffic)}
    if source.is_named:
        params["names"] = sorted({subject_of(i) for i in indicators})
    found = client.read(
        f"SELECT service_name, {wanted} FROM {source.made(rows.condition, plan.columns)} "
        f"GROUP BY {by}",
        params,
    )
    return cells_in(found, indicators, plan)


def renumbered(cells: Cells, numbers: Sequence[int]) -> Cells:
    """Return the cells with ``numbers[i]`` for the indicator ``i``."""
    return replace(cells, indicator=np.asarray(numbers, np.int32)[cells.indicator])


def _spread(cells: Cells, numbers: Sequence[Sequence[int]]) -> Cells:
    """Return the cells of distinct indicators for all that are equal to them."""
    if all(len(same) == 1 for same in numbers):
        return renumbered(cells, [same[0] for same in numbers])
    times = np.asarray([len(same) for same in numbers])[cells.indicator]
    at = np.repeat(np.arange(len(cells)), times)
    indicator = [n for code in cells.indicator for n in numbers[code]]
    return Cells(
        cells.services,
        np.asarray(indicator, np.int32),
        cells.service[at],
        cells.start[at],
        cells.counts[at],
    )


def joined(parts: Sequence[Cells]) -> Cells:
    """Return the cells of all parts, with the services of all of them."""
    parts = [part for part in parts if len(part)]
    if not parts:
        return no_cells()
    names = tuple(sorted({name for part in parts for name in part.services}))
    code = {name: n for n, name in enumerate(names)}
    service = [np.asarray([code[s] for s in p.services], np.int32)[p.service] for p in parts]
    return Cells(
        names,
        np.concatenate([p.indicator for p in parts]),
        np.concatenate(service),
        np.concatenate([p.start for p in parts]),
        np.concatenate([p.counts for p in parts]),
    )
