"""Counts of many indicators over time, and sums of them over rolling windows, kept by differences.

A tier holds one block of numbers: slots of time by rows by columns, where a row is one indicator of
one service and a slot is a step of time. The slots are a ring: as time goes on the oldest are
forgotten for new ones. Nothing is ever incremented by events: a slot is *replaced* by what the
store counts now, so late, repeated, re-scored and retracted events need no rule of their own.

A look is a window over a tier: it holds its sum for every row. When time moves it adds the slots
that enter and takes off those that leave; when a slot is replaced it takes the difference. So a
tick costs a few vector operations on rows, whatever the windows' lengths. Sums of whole numbers
are exact; those of weights and scores would collect rounding errors, so each look is summed anew
now and then (``refresh``), and a row without events is exactly zero.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

COLUMNS = 8
"""Those of ``Counts`` in their order, then ``RATIOS`` and ``INTERVALS``."""

VALID, BAD, VALID_ROWS, BAD_ROWS, RATIOS, INTERVALS = 0, 1, 2, 3, 6, 7
"""Columns; the last two are the bad ratios of five-minute intervals, summed, and their number."""


@dataclass(slots=True)
class Look:
    """A window over a tier: the slots ``first`` to ``last``, both included, summed by row."""

    first: int
    last: int
    sums: Floats

    def holds(self, slot: int) -> bool:
        """Return whether a slot lies within the window."""
        return self.first <= slot <= self.last


@dataclass(slots=True)
class Tier:
    """A ring of ``slots`` steps of ``step_s`` seconds; the newest slot is number ``head``.

    It may hold the first few ``columns`` only.

    Slots are numbered by time: slot n covers ``[n step_s, (n + 1) step_s)`` of Unix seconds. Rows
    are the caller's; a tier holds those that were admitted, under numbers of its own.
    """

    step_s: int
    slots: int
    head: int
    columns: int = COLUMNS
    values: Floats = field(init=False)
    looks: dict[object, Look] = field(init=False, default_factory=dict)
    _own: Ints = field(init=False)
    _free: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self.values = np.zeros((self.slots, 8, self.columns))
        self._own = np.full(8, -1, dtype=np.int64)
        self._free = list(range(7, -1, -1))

    @property
    def oldest(self) -> int:
        """The oldest slot that is still held."""
        return self.head - self.slots + 1

    def slot_of(self, at: float) -> int:
        """Return the number of the slot of a moment."""
        return int(at // self.step_s)

    # -- rows -----------------------------------------------------------------------------------

    def admit(self, row: int) -> None:
        """Hold a row, at first without events; nothing happens where it is held already."""
        if row >= len(self._own):
            grown = np.full(max(row + 1, 2 * len(self._own)), -1, dtype=np.int64)
            grown[: len(self._own)] = self._own
            self._own = grown
        if self._own[row] >= 0:
            return
        if not self._free:
            self._grow()
        self._own[row] = self._free.pop()

    def dismiss(self, row: int) -> None:
        """Forget a row."""
        if row < len(self._own) and (own := int(self._own[row])) >= 0:
            self.values[:, own] = 0.0
            for look in self.looks.values():
                look.sums[own] = 0.0
            self._own[row] = -1
            self._free.append(own)

    def _grow(self) -> None:
        held = self.values.shape[1]
        values = np.zeros((self.slots, 2 * held, self.columns))
        values[:, :held] = self.values
        self.values = values
        for look in self.looks.values():
            look.sums = np.concatenate([look.sums, np.zeros((held, self.columns))])
        self._free = list(range(2 * held - 1, held - 1, -1))

    def own(self, rows: Ints) -> Ints:
        """Return the tier's own numbers of rows; -1 for one that it does not hold."""
        known = rows < len(self._own)
        return np.where(known, self._own[np.where(known, rows, 0)], -1)

    # -- time -----------------------------------------------------------------------------------

    def turn(self, head: int) -> None:
        """Let the ring end at ``head``, which must not be older; what leaves it is forgotten."""
        if head - self.head >= self.slots:
            self.clear(head)
        for slot in range(self.head + 1, head + 1):
            leaving = slot - self.slots
            for look in self.looks.values():
                if look.holds(leaving):
                    look.sums -= self.values[slot % self.slots]
                    _settle(look.sums)
            self.values[slot % self.slots] = 0.0
        self.head = head
        for look in self.looks.values():
            look.first = max(look.first, self.oldest)

    def clear(self, head: int) -> None:
        """Forget all counts, and end at ``head``."""
        self.values[:] = 0.0
        self.head = head
        for look in self.looks.values():
            look.sums[:] = 0.0
            look.first, look.last = 0, -1

    def look(self, name: object, first: int, last: int) -> Look:
        """Return the window of that name, moved to these slots; made where there is none."""
        first, last = max(first, self.oldest), min(last, self.head)
        look = self.looks.get(name)
        if look is None:
            look = self.looks[name] = Look(first, last, self._sum(first, last))
        elif abs(first - look.first) + abs(last - look.last) > self.slots // 4 or look.last < first:
            look.first, look.last, look.sums = first, last, self._sum(first, last)
        elif (first, last) != (look.first, look.last):
            self._shift(look, first, last)
        return look

    def _shift(self, look: Look, first: int, last: int) -> None:
        for slot in (*range(look.last + 1, last + 1), *range(first, look.first)):
            look.sums += self.values[slot % self.slots]
        for slot in (*range(look.first, first), *range(last + 1, look.last + 1)):
            look.sums -= self.values[slot % self.slots]
        look.first, look.last = first, last
        _settle(look.sums)

    def _sum(self, first: int, last: int) -> Floats:
        total = np.zeros(self.values.shape[1:])
        for part in self._runs(first, last):
            total += self.values[part].sum(axis=0)
        return total

    def _runs(self, first: int, last: int) -> Iterator[slice]:
        """Yield the parts of the ring that hold these slots, one or two."""
        if last < first:
            return
        begin, end = first % self.slots, last % self.slots + 1
        if begin < end:
            yield slice(begin, end)
        else:
            yield slice(begin, self.slots)
            yield slice(0, end)

    def refresh(self, name: object) -> None:
        """Sum a window anew, so that rounding does not collect."""
        look = self.looks[name]
        look.sums = self._sum(look.first, look.last)

    def drop_looks(self, keep: Sequence[object]) -> None:
        """Forget the windows that nobody asks for any more."""
        for name in set(self.looks) - set(keep):
            del self.looks[name]

    # -- counts ---------------------------------------------------------------------------------

    def put(self, first: int, rows: Ints, block: Floats) -> None:
        """Replace the counts of rows, each named once, in successive slots from ``first`` on.

        ``block`` is slots by rows by columns. Slots outside the ring and rows that are not held are
        left out.
        """
        low, high = max(first, self.oldest), min(first + len(block), self.head + 1)
        own = self.own(rows)
        held = own >= 0
        if low >= high or not held.any():
            return
        own = own[held]
        block = block[low - first : high - first, held, : self.columns]
        places = np.arange(low, high)[:, None] % self.slots
        difference = block - self.values[places, own]
        self.values[places, own] = block
        for look in self.looks.values():
            since, until = max(low, look.first), min(high, look.last + 1)
            if since < until:
                look.sums[own] += difference[since - low : until - low].sum(axis=0)
                look.sums[own] = _settle(look.sums[own])

    def get(self, first: int, last: int, rows: Ints) -> Floats:
        """Return the counts of held rows in the slots ``first`` to ``last``, zero outside."""
        found = np.zeros((last - first + 1, len(rows), self.columns))
        low, high = max(first, self.oldest), min(last, self.head)
        if low <= high:
            places = np.arange(low, high + 1)[:, None] % self.slots
            found[low - first : high - first + 1] = self.values[places, self.own(rows)]
        return found

    def newest_event(self, row: int) -> float | None:
        """Return where the newest slot with events of a row begins; None where there is none."""
        (own,) = self.own(np.array([row]))
        busy = np.flatnonzero(self.values[:, own, VALID] > 0)
        if own < 0 or not len(busy):  # -1 reads some other row
            return None
        slots = self.head - (self.head - busy) % self.slots
        return float(slots.max() * self.step_s)


def _settle(sums: Floats) -> Floats:
    """Take the rest of rounding away where no event is left; return the same array."""
    sums[sums[:, VALID_ROWS] <= 0] = 0.0
    return sums
