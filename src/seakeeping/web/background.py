"""What lies behind an objective, from the telemetry store: its events by step and by slice.

A budget is shown from what the control loop measured, even while the store is away; this is the
rest of its page, and it may be missing.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from seakeeping.errors import Unavailable
from seakeeping.observe.doubts import doubts_of
from seakeeping.records import (
    BudgetState,
    Change,
    Counts,
    Indicator,
    IndicatorSignal,
    JsonObject,
    Reading,
)
from seakeeping.records.codec import to_json
from seakeeping.store.cells import Cells, TimeSpan
from seakeeping.store.examples import Example
from seakeeping.store.facts import Facts
from seakeeping.web.history import Step, step_for
from seakeeping.web.objective_page import Background, Slice
from seakeeping.web.telemetry import Telemetry

SLICED_S = 86_400.0
"""Slices and examples are those of the last day: what is wrong now."""

_EXAMPLES = 5
_BUCKET_S = 300
_RECENT_S = 3600
_FEW = 50
"""Rows by which kept cells may differ from what was measured, beside a fiftieth of them."""

_OF_METRICS = (IndicatorSignal.METRIC, IndicatorSignal.METRIC_RATIO, IndicatorSignal.MEASUREMENT)


def read_background(
    store: Telemetry, reading: Reading, changes: Sequence[Change], now: float
) -> Background:
    """Return what lies behind an objective; what cannot be read is missing, and said. Blocks."""
    objective = reading.budget.objective
    indicator, service = objective.indicator, objective.service
    start = now - objective.window_s
    doubts: Sequence[str] = ()
    try:
        doubts = doubts_about(store, reading, now)
        rows = reading.budget.valid_rows
        steps = read_steps(store, indicator, service, start, now, rows)
        if indicator.signal in _OF_METRICS:
            return Background(steps, changes=changes, doubts=doubts)
        since = now - min(SLICED_S, objective.window_s)
        slices = slices_of(store.facts(indicator, service, since, now))
        found = store.examples(indicator, service, since, now, limit=_EXAMPLES)
        shown = [_example(store, example) for example in found]
    except Unavailable as error:
        return Background(changes=changes, trouble=error.message, doubts=doubts)
    return Background(steps, slices, shown, changes, doubts=doubts)


def doubts_about(store: Telemetry, reading: Reading, now: float) -> list[str]:
    """Return why an objective may promise nothing. Blocks.

    Names are asked for only while it has no data: where there is some, they are right.
    """
    has_data = reading.budget.state is not BudgetState.NO_DATA
    names = None if has_data else store.names(now)
    made = [reading.budget.objective.indicator.subject or ""] if has_data else []
    found = doubts_of(reading.budget.objective, names, made)
    return [f"{message} ({hint})" if hint else message for message, hint in found]


def _example(store: Telemetry, example: Example) -> JsonObject:
    """Return an example with what was answered, where that is kept."""
    call = store.interaction(example.trace_id, example.span_id)
    return {**to_json(example), "text": call.answer_text if call else None}


def read_steps(
    store: Telemetry,
    indicator: Indicator,
    service: str,
    start: float,
    end: float,
    expected_rows: int | None = None,
) -> list[Step]:
    """Return the events of every step of a window, also of empty ones. Blocks.

    To count a month of rows for a picture is dear, so all but the last hour comes from the cells
    that the control loop keeps, if these hold what was measured (``expected_rows``); else from the
    rows, and from kept cells only before the first row that is still there.
    """
    step_s = step_for(end - start)
    first = int(start // step_s) * step_s
    cut = max(float(first), end // _BUCKET_S * _BUCKET_S - _RECENT_S)
    counts = _counted(store, indicator, service, (first, cut, end), step_s)
    if expected_rows is None or abs(counts[:, 2].sum() - expected_rows) > _FEW + expected_rows / 50:
        cut = max(float(first), store.rows_since())
        counts = _counted(store, indicator, service, (first, cut, end), step_s)
    return [Step(first + n * step_s, _counts(row)) for n, row in enumerate(counts)]


def _counted(
    store: Telemetry, indicator: Indicator, service: str, span: tuple[int, float, float],
    step_s: int,
) -> NDArray[np.float64]:  # fmt: skip
    """Return the counts of steps: kept cells before the middle of ``span``, rows after it."""
    first, cut, end = span
    counts = np.zeros((int((end - first) // step_s) + 1, 6))
    if cut > first:
        _add(counts, store.kept_cells([indicator.key], first, cut), service, first, step_s)
    # counted by five minutes, because a step may begin before the first row that is kept
    recent = store.count_cells([indicator], TimeSpan(cut, end, (service,)), _BUCKET_S)
    _add(counts, recent, service, first, step_s)
    return counts


def _add(counts: NDArray[np.float64], cells: Cells, service: str, first: int, step_s: int) -> None:
    if service not in cells.services:
        return
    own = cells.service == cells.services.index(service)
    places = (cells.start[own] - first) // step_s
    fits = (places >= 0) & (places < len(counts))
    np.add.at(counts, places[fits], cells.counts[own][fits])


def _counts(row: NDArray[np.float64]) -> Counts:
    valid, bad, valid_rows, bad_rows, score, squares = (float(x) for x in row)
    return Counts(valid, bad, round(valid_rows), round(bad_rows), score, squares)


def slices_of(facts: Facts) -> list[Slice]:
    """Return the events by each value of each single dimension that tells events apart."""
    found: list[Slice] = []
    for d, dimension in enumerate(facts.dimensions):
        if len(facts.values[d]) < 2:
            continue  # the same value everywhere says nothing
        sums = [
            np.bincount(facts.codes[:, d], weights=column, minlength=len(facts.values[d]))
            for column in (facts.valid, facts.bad, facts.valid_rows, facts.bad_rows)
        ]
        for code, value in enumerate(facts.values[d]):
            valid, bad, rows, bad_rows = (float(column[code]) for column in sums)
            if rows:
                found.append(Slice(dimension, value, valid, bad, round(rows), round(bad_rows)))
    return found
