"""Asking the store for the counts of rows, and laying them out as blocks of numbers.

A block is slots by rows by columns, filled with zeros where the store has no cell: what was counted
before and is gone now (a retracted call) must become zero, so an absent cell is an answer too.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from seakeeping.observe.rows import Rows, Slicing
from seakeeping.observe.tiers import (
    BAD,
    BAD_ROWS,
    COLUMNS,
    INTERVALS,
    RATIOS,
    VALID,
    VALID_ROWS,
    Floats,
    Ints,
)
from seakeeping.records import Budgeting, Indicator, LabelledScore
from seakeeping.store.cells import COUNTED, Cells, Place, TimeSpan
from seakeeping.store.examples import Example
from seakeeping.store.touched import Touched

BUCKET_S = 300
INDICATORS_AT_ONCE = 40
"""Indicators that one statement counts; bounds its length."""


class SeenService(Protocol):
    """A service that sent something."""

    @property
    def service_name(self) -> str:
        """Its name."""
        ...


class SliStore(Protocol):
    """What budgets ask of the store (``store.counting.CountingStore``).

    Every method may raise StoreUnavailable.
    """

    def touched(self, after: int, metric_names: Sequence[str] | None = None) -> Touched:
        """Return what changed since a version; with 0 only the current version."""
        ...

    def count_cells(
        self, indicators: Sequence[Indicator], where: Sequence[Place] | TimeSpan, step_s: int = 300
    ) -> Cells:
        """Count events by indicator, service and step."""
        ...

    def keep_cells(self, keys: Sequence[str], cells: Cells) -> None:
        """Keep five-minute cells."""
        ...

    def kept_cells(self, keys: Sequence[str], start: float, end: float = ...) -> Cells:
        """Return cells that were kept."""
        ...

    def services(self, now: float, window_s: float) -> Sequence[SeenService]:
        """Return the services that were seen in a window."""
        ...

    def rows_since(self) -> float:
        """Return the moment before which only kept cells tell."""
        ...

    def dimension_values(self, service: str, dimension: str, start: float, end: float) -> list[str]:
        """Return the values that calls showed in a dimension."""
        ...

    def label_bank(
        self, name: str, *, indicator: Indicator, service: str | None = None,
        evaluator: str | None = None, since: float = 0.0,
    ) -> Sequence[LabelledScore]:  # fmt: skip
        """Return labels beside the detector's scores."""
        ...

    def examples(
        self, indicator: Indicator, service: str, start: float, end: float,
        slice: Mapping[str, str] | None = None, limit: int = 5,
    ) -> Sequence[Example]:  # fmt: skip
        """Return bad events, worst first."""
        ...


@dataclass(frozen=True, slots=True)
class Found:
    """Cells by number of row: ``row``, ``start`` and ``counts`` belong together by index."""

    row: Ints
    start: Ints
    counts: Floats


def count_places(store: SliStore, rows: Rows, wanted: Mapping[int, set[int]], step_s: int) -> Found:
    """Count rows in the five minutes from each start, in steps of a divisor of 300 s.

    ``wanted`` are the numbers of rows by start. Rows of one call slice time alike.
    """
    parts = []
    for keys, indicators, some in _chunks(rows, sorted(set().union(*wanted.values()))):
        places = sorted(
            {(rows[number].service, at) for at, asked in wanted.items() for number in asked & some}
        )
        cells = store.count_cells(indicators, places, step_s)
        parts.append(_found(rows, keys, cells, some))
    return _joined(parts)


def count_span(
    store: SliStore, rows: Rows, numbers: Sequence[int], start: float, end: float, step_s: int
) -> Found:
    """Count rows in ``start <= t < end``. Rows of one call slice time alike."""
    parts = []
    for keys, indicators, some in _chunks(rows, numbers):
        services = tuple(sorted({rows[number].service for number in some}))
        cells = store.count_cells(indicators, TimeSpan(start, end, services), step_s)
        parts.append(_found(rows, keys, cells, some))
    return _joined(parts)


def kept_span(
    store: SliStore, rows: Rows, numbers: Sequence[int], start: float, end: float
) -> Found:
    """Return what was kept of rows in ``start <= t < end``, in five minutes."""
    keys = sorted({rows[number].key[0] for number in numbers})
    cells = store.kept_cells(keys, start, end)
    by_key = {rows[number].key: number for number in numbers}
    return _matched(cells, keys, lambda key, service: by_key.get((key, service), -1))


def _chunks(
    rows: Rows, numbers: Sequence[int]
) -> Iterator[tuple[list[str], list[Indicator], set[int]]]:
    """Yield indicators to be counted at once, by key, and the rows that they are counted for."""
    by_key: dict[str, list[int]] = {}
    for number in sorted(numbers, key=lambda n: rows[n].service):
        by_key.setdefault(rows[number].counted, []).append(number)
    groups = list(by_key.values())
    for at in range(0, len(groups), INDICATORS_AT_ONCE):
        some = groups[at : at + INDICATORS_AT_ONCE]
        chosen = [rows[group[0]] for group in some]
        numbers_of = {number for group in some for number in group}
        yield [one.counted for one in chosen], [one.indicator for one in chosen], numbers_of


def _found(rows: Rows, keys: Sequence[str], cells: Cells, numbers: set[int]) -> Found:
    by_key = {(rows[number].counted, rows[number].service): number for number in numbers}
    return _matched(cells, keys, lambda key, service: by_key.get((key, service), -1))


def _matched(cells: Cells, keys: Sequence[str], number_of: Callable[[str, str], int]) -> Found:
    numbers = np.array(
        [[number_of(key, service) for service in cells.services] for key in keys], dtype=np.int64
    ).reshape(len(keys), len(cells.services))
    if not numbers.size:
        return NOTHING_FOUND
    row = numbers[cells.indicator, cells.service]
    ours = row >= 0
    return Found(row[ours], cells.start[ours], cells.counts[ours])


NOTHING_FOUND = Found(
    np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, len(COUNTED)), np.float64)
)


def _joined(parts: Sequence[Found]) -> Found:
    if not parts:
        return NOTHING_FOUND
    return Found(
        np.concatenate([part.row for part in parts]),
        np.concatenate([part.start for part in parts]),
        np.concatenate([part.counts for part in parts]),
    )


def as_slices(found: Found, slicing: Slicing) -> Found:
    """Return slices of time in place of events: one valid slice for each that holds any.

    Timeslices (OpenSLO): a slice is bad where its share of good events misses the slice's target.
    RatioTimeslices: a slice is as bad as its share of bad events. A slice counts as one row.
    """
    counts = found.counts
    busy = counts[:, VALID] > 0
    ratio = counts[busy, BAD] / counts[busy, VALID]
    if slicing.method is Budgeting.TIMESLICES:
        ratio = (1.0 - ratio < slicing.target_ratio).astype(np.float64)
    slices = np.zeros((len(ratio), len(COUNTED)))
    slices[:, VALID] = slices[:, VALID_ROWS] = 1.0
    slices[:, BAD] = slices[:, BAD_ROWS] = ratio
    return Found(found.row[busy], found.start[busy], slices)


def block_of(found: Found, rows: Ints, start: int, slots: int, step_s: int) -> Floats:
    """Return the cells from ``start`` on as slots by ``rows`` by columns, zero where none is.

    Cells of other rows and times are left out; several cells of one slot are added up.
    """
    place = np.full(int(max(rows.max(initial=-1), found.row.max(initial=-1))) + 1, -1)
    place[rows] = np.arange(len(rows))
    slot, column = (found.start - start) // step_s, place[found.row]
    ours = (slot >= 0) & (slot < slots) & (column >= 0)
    block = np.zeros((slots * len(rows), COLUMNS))
    cell = slot[ours] * len(rows) + column[ours]
    for number, counts in enumerate(found.counts[ours].T):
        block[:, number] = np.bincount(cell, counts, len(block))
    return block.reshape(slots, len(rows), COLUMNS)


def as_intervals(block: Floats) -> Floats:
    """Fill in, for slots of five minutes, the bad ratio and the mark of an interval with events."""
    busy = block[..., VALID] > 0
    np.divide(block[..., BAD], block[..., VALID], out=block[..., RATIOS], where=busy)
    block[..., INTERVALS] = busy
    return block
