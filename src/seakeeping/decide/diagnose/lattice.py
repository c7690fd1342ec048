"""Every slice of up to three dimensions, counted.

A slice is a combination of values (model=b, tenant=acme). For each combination of dimensions the
values of a row are one number in mixed radix, and one ``bincount`` counts all slices of that
combination at once. Slices that too few events support during the incident are left out, and where
the numbers would outgrow the rows, so are the rows of pairs without support: no triple that
contains such a pair can have any (Agrawal, Srikant, Fast algorithms for mining association rules,
VLDB 1994). Nothing is left out for how good it looks, so the number of slices is that of the tests.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from seakeeping.decide.diagnose.windows import Floats, Whole, Windows

DEPTH = 3
LEAST_EVENTS = 30
LEAST_SHARE = 0.002
"""A slice is looked at from so many events during the incident on, and from this share of them: a
smaller one can neither be told from chance nor be what a service's budget is spent on."""

_ROOM = 1 << 17  # numbers of one combination, beyond which unsupported rows are left out first


@dataclass(frozen=True, slots=True)
class Cells:
    """The slices of all combinations, one in each row.

    ``0`` is before and ``1`` during: ``n`` events, ``x`` bad ones, ``e`` expected. ``combination``
    and ``key`` say which slice it is, ``depth`` of how many values.
    """

    combination: Whole
    key: Whole
    depth: Whole
    n0: Floats
    x0: Floats
    e0: Floats
    n1: Floats
    x1: Floats
    e1: Floats

    def __len__(self) -> int:
        return len(self.key)


@dataclass(frozen=True, slots=True)
class _Partition:
    """Rows by the values chosen so far.

    ``key`` numbers the slices of these rows below ``room``; ``origin`` are the numbers in mixed
    radix behind them (None: the same). ``rows`` are the rows that are left (None: all), ``split``
    of them lie before.
    """

    chosen: tuple[int, ...]
    key: Whole
    room: int
    origin: Whole | None
    rows: Whole | None
    split: int

    def origin_of(self, keys: Whole) -> Whole:
        return keys if self.origin is None else self.origin[keys]


class Lattice:
    """All supported slices of two windows; the first cell is that of all calls."""

    def __init__(self, windows: Windows, rates: Floats, depth: int = DEPTH) -> None:
        self._windows = windows
        self._least = max(LEAST_EVENTS, LEAST_SHARE * float(windows.events[windows.split :].sum()))
        self._depth = depth
        self._expected = windows.events * rates
        self._events = None if np.all(windows.events == 1.0) else windows.events
        self._is_bad = windows.bad > 0
        self.combinations: list[tuple[int, ...]] = []
        whole = _Partition((), np.zeros(len(rates), np.intp), 1, None, None, windows.split)
        counted = list(self._count_below(whole))
        self.cells = Cells(*(np.concatenate(each) for each in zip(*counted, strict=True)))

    def conditions(self, cell: int) -> tuple[tuple[int, int], ...]:
        """Return the (dimension, code) of a slice."""
        key, found = int(self.cells.key[cell]), []
        for dimension in reversed(self.combinations[int(self.cells.combination[cell])]):
            key, code = divmod(key, self._windows.sizes[dimension])
            found.append((dimension, code))
        return tuple(reversed(found))

    def more_expected(self, rows: Whole, more: Floats) -> Floats:
        """Return how much ``e1`` of every cell grows with the expectation of these rows."""
        grown = np.zeros(len(self.cells))
        bounds = np.searchsorted(self.cells.combination, np.arange(len(self.combinations) + 1))
        for place, chosen in enumerate(self.combinations):
            here = slice(bounds[place], bounds[place + 1])
            keys = self.cells.key[here]
            if len(keys):
                grown[here] = self._sums_at(keys, chosen, rows, more)
        return grown

    def _sums_at(self, keys: Whole, chosen: tuple[int, ...], rows: Whole, more: Floats) -> Floats:
        own, room = np.zeros(len(rows), np.intp), 1
        for dimension in chosen:
            own = own * self._windows.sizes[dimension] + self._windows.codes[dimension][rows]
            room *= self._windows.sizes[dimension]
        if room <= _ROOM:
            return _sums(own, more, room)[keys]
        place = np.minimum(np.searchsorted(keys, own), len(keys) - 1)
        is_known = keys[place] == own
        return _sums(place[is_known], more[is_known], len(keys))

    def _count_below(self, partition: _Partition) -> Iterator[tuple[Whole | Floats, ...]]:
        """Yield the cells of a partition and of all that divide it further."""
        keys, cells = self._count(partition)
        yield cells
        if len(partition.chosen) == self._depth:
            return
        first = partition.chosen[-1] + 1 if partition.chosen else 0
        sizes = self._windows.sizes[first:]
        if partition.chosen and sizes and partition.room * max(sizes) > _ROOM:
            partition = _supported(partition, keys)
        for dimension in range(first, len(self._windows.sizes)):
            yield from self._count_below(self._divided(partition, dimension))

    def _divided(self, partition: _Partition, dimension: int) -> _Partition:
        size, codes = self._windows.sizes[dimension], self._windows.codes[dimension]
        own = codes if partition.rows is None else codes[partition.rows]
        origin = partition.origin
        if origin is not None:
            origin = (origin[:, None] * size + np.arange(size)).ravel()
        return _Partition(
            (*partition.chosen, dimension),
            partition.key * size + own,
            partition.room * size,
            origin,
            partition.rows,
            partition.split,
        )

    def _count(self, partition: _Partition) -> tuple[Whole, tuple[Whole | Floats, ...]]:
        """Return the supported numbers of a partition, and their cells."""
        before, during = slice(0, partition.split), slice(partition.split, None)
        n1 = self._sum(partition, during, self._events)
        keys = np.flatnonzero(n1 >= self._least)
        named = keys[self._is_named(partition, keys)]
        self.combinations.append(partition.chosen)
        return keys, (
            np.full(len(named), len(self.combinations) - 1, np.intp),
            partition.origin_of(named),
            np.full(len(named), len(partition.chosen), np.intp),
            self._sum(partition, before, self._events)[named],
            self._sum_bad(partition, before)[named],
            self._sum(partition, before, self._expected)[named],
            n1[named].astype(np.float64),
            self._sum_bad(partition, during)[named],
            self._sum(partition, during, self._expected)[named],
        )

    def _is_named(self, partition: _Partition, keys: Whole) -> Whole:
        """Return the places of slices none of whose values is "all others"."""
        rest, is_named = partition.origin_of(keys), np.ones(len(keys), np.bool_)
        for dimension in reversed(partition.chosen):
            rest, code = np.divmod(rest, self._windows.sizes[dimension])
            is_named &= code < self._windows.sizes[dimension] - 1
        return np.flatnonzero(is_named)

    def _sum(self, partition: _Partition, side: slice, values: Floats | None) -> Floats:
        if values is not None:
            values = (values if partition.rows is None else values[partition.rows])[side]
        return _sums(partition.key[side], values, partition.room)

    def _sum_bad(self, partition: _Partition, side: slice) -> Floats:
        rows = partition.rows
        is_bad = (self._is_bad if rows is None else self._is_bad[rows])[side]
        bad = (self._windows.bad if rows is None else self._windows.bad[rows])[side]
        return _sums(partition.key[side][is_bad], bad[is_bad], partition.room)


def _sums(keys: Whole, values: Floats | None, room: int) -> Floats:
    return np.bincount(keys, values, room).astype(np.float64, copy=False)


def _supported(partition: _Partition, keys: Whole) -> _Partition:
    """Return the partition without the rows of slices that are not among ``keys``."""
    number = np.full(partition.room, -1, np.intp)
    number[keys] = np.arange(len(keys))
    renumbered = number[partition.key]
    left = np.flatnonzero(renumbered >= 0)
    return _Partition(
        partition.chosen,
        renumbered[left],
        len(keys),
        partition.origin_of(keys),
        left if partition.rows is None else partition.rows[left],
        int(np.searchsorted(left, partition.split)),
    )
