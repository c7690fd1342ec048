"""What happened, from the store: the events of objectives in equal steps, as far back as is known.

Rows tell to any step; what retention has dropped is still told by the five-minute cells that were
kept for objectives that were measured then.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from seakeeping.decide.backtest import Series
from seakeeping.records import Indicator, Objective
from seakeeping.store.cells import Cells, Place, TimeSpan

KEPT_STEP_S = 300
"""The step of the cells that outlive their rows."""


class Counted(Protocol):
    """Who counted: the telemetry store (``store.counting.CountingStore``)."""

    def count_cells(
        self, indicators: Sequence[Indicator], where: Sequence[Place] | TimeSpan, step_s: int = 300
    ) -> Cells:
        """Count events by indicator, service and step."""
        ...

    def kept_cells(
        self, keys: Sequence[str], start: float, end: float = ..., step_s: int = 300
    ) -> Cells:
        """Return the cells that were kept."""
        ...

    def rows_since(self) -> float:
        """Return the moment before which only kept cells tell."""
        ...


@dataclass(frozen=True, slots=True)
class History:
    """The series of some objectives, in their order, of ``start <= t < end`` (Unix seconds)."""

    start: int
    end: int
    step_s: int
    series: Sequence[Series]


def read_history(
    store: Counted, objectives: Sequence[Objective], start: float, end: float, step_s: int = 60
) -> History:
    """Return the events of objectives, from ``start`` to ``end`` taken down to whole steps.

    Where rows are missing at the beginning the steps are five minutes at least. Raises
    StoreUnavailable, and BadInput for a step that the store does not count.
    """
    rows_since = store.rows_since()
    if start < rows_since:
        step_s = max(step_s, KEPT_STEP_S)
    first, last = (int(at // step_s) * step_s for at in (start, end))
    # the step that retention cut is told by its cells, whole
    cut = min(max(first, -int(-rows_since // step_s) * step_s), last)
    indicators = {one.indicator.key: one.indicator for one in objectives}
    keys, services = list(indicators), tuple(sorted({one.service for one in objectives}))
    span = TimeSpan(cut, last, services)
    parts = [store.count_cells(list(indicators.values()), span, step_s)] if cut < last else []
    if first < cut:
        parts.append(store.kept_cells(keys, first, cut, step_s))
    series = []
    for one in objectives:
        place = keys.index(one.indicator.key)
        found = [series_of(cells, place, one.service, first, last, step_s) for cells in parts]
        series.append(_added(found))
    return History(first, last, step_s, series)


def _added(parts: Sequence[Series]) -> Series:
    first = parts[0]
    return Series(first.start, first.step_s, np.sum([part.counts for part in parts], axis=0))


def series_of(
    cells: Cells, indicator: int, service: str, start: int, end: int, step_s: int
) -> Series:
    """Return the cells of one indicator and service as equal steps; steps without cell are empty.

    ``start`` and ``end`` are Unix seconds, multiples of ``step_s``.
    """
    counts = np.zeros(((end - start) // step_s, 4))
    if service in cells.services:
        wanted = (cells.indicator == indicator) & (cells.service == cells.services.index(service))
        wanted &= (cells.start >= start) & (cells.start < end)
        places = (cells.start[wanted] - start) // step_s
        np.add.at(counts, places, cells.counts[wanted, :4])
    return Series(float(start), step_s, counts)
