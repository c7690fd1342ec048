"""Keeping the history equal to what the store holds, whatever happens to either.

*Recounting*: five minutes in which anything changed are counted again as a whole, so late,
repeated, re-scored and retracted rows come right by themselves. What could not be counted, because
the store was away, stays pending. *Filling*: a row that is new gets the last hours at once and its
past in steps, newest first, each about as long as ``STEP_S``. What was kept before a restart
(``keeping``) is read back rather than counted, and all at once, so that no budget is seen half.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np

from seakeeping.clock import Clock
from seakeeping.observe.counting import (
    BUCKET_S,
    Found,
    SliStore,
    as_intervals,
    as_slices,
    block_of,
    count_places,
    count_span,
    kept_span,
)
from seakeeping.observe.history import History
from seakeeping.observe.keeping import Keeper
from seakeeping.observe.rows import Key, Rows, Slicing
from seakeeping.observe.tiers import Floats, Ints
from seakeeping.observe.windows import COARSE_S, FINE_S

STEP_S = 1.0
"""Seconds that one step into the past should take; no step is shorter than a day."""

STARTS_AT_ONCE = 48
"""Five minutes that are recounted at once; bounds memory."""

_DAY_S = 86_400
_LONGEST_STEP_S = 32 * _DAY_S
_MOST_LATER = 10_000
_NEVER = float("inf")

Heard = Callable[[int, Ints, Floats], None]
"""Told of counts before they are put: start, rows, and slots of five minutes by rows by columns."""


class Filling:
    """Both, for the rows of one book."""

    def __init__(
        self, store: SliStore, rows: Rows, history: History, clock: Clock, heard: Heard
    ) -> None:
        self._store, self._rows, self._history = store, rows, history
        self._clock, self._heard = clock, heard
        self.keeper = Keeper(store, rows, history)
        self.pending: dict[int, set[int]] = {}
        self.later: dict[int, set[int]] = {}
        self.filled_from: dict[int, float] = {}
        self.kept_from: dict[int, float] = {}
        self.count_from = _NEVER
        self._step_s = float(_DAY_S)

    def forget(self, numbers: Iterable[int]) -> None:
        """Forget rows that are counted no more."""
        gone = set(numbers)
        for number in gone:
            self.filled_from.pop(number, None)
            self.kept_from.pop(number, None)
        for waiting in (self.pending, self.later):
            for start in [start for start, asked in waiting.items() if asked & gone]:
                waiting[start] -= gone
        self.keeper.forget(gone)

    def refill(self, numbers: Iterable[int]) -> None:
        """Fill rows anew, from the present into the past."""
        for number in numbers:
            self.filled_from.pop(number, None)

    def rebuild(self, count_from: float) -> None:
        """Begin anew after the history was cleared: what is older than that was kept."""
        self.kept_from |= self.filled_from
        self.filled_from.clear()
        self.count_from = count_from

    def resume(self, kept: Mapping[Key, float], count_from: float, later: Iterable[int]) -> None:
        """Go on after a restart: rows by identity with where what was kept of them begins.

        ``count_from`` is where it ends, ``later`` the starts in the future that had rows.
        """
        for key, since in kept.items():
            if (number := self._rows.numbers.get(key)) is not None:
                self.kept_from[number] = since
        self.count_from = count_from
        self.later.update({start: set(self._rows.numbers.values()) for start in later})

    # -- recounting -----------------------------------------------------------------------------

    def changed(self, wanted: Mapping[int, set[int]]) -> None:
        """Take in that the events of rows changed in the five minutes from each start."""
        for start, numbers in wanted.items():
            self.pending.setdefault(start, set()).update(numbers)

    def recount(self) -> None:
        """Count what changed, the newest first.

        Raises StoreUnavailable; what was not counted then stays pending.
        """
        self._put_off()
        while self.pending:
            starts = sorted(self.pending, reverse=True)[:STARTS_AT_ONCE]
            some = {start: self._filled_there(start) for start in starts}
            for slicing, asked in self._by_slicing(some):
                if slicing is None:
                    self._recount_events(asked)
                else:
                    self._recount_slices(slicing, asked)
            for start in starts:
                del self.pending[start]

    def _filled_there(self, start: int) -> set[int]:
        """Leave out the rows whose past will be counted back to here anyway."""
        pending = self.pending[start]
        return {number for number in pending if start >= self.filled_from.get(number, _NEVER)}

    def _put_off(self) -> None:
        """Leave the future for when it comes: clocks that run ahead."""
        until = self._history.until
        for start in [start for start in self.later if start < until]:
            self.pending.setdefault(start, set()).update(self.later.pop(start))
        for start in [start for start in self.pending if start >= until]:
            if start in self.later or len(self.later) < _MOST_LATER:
                self.later.setdefault(start, set()).update(self.pending[start])
            del self.pending[start]

    def _by_slicing(
        self, wanted: Mapping[int, set[int]]
    ) -> Iterator[tuple[Slicing | None, dict[int, set[int]]]]:
        every = set().union(*wanted.values())
        for slicing in {self._rows[number].slicing for number in every}:
            alike = {number for number in every if self._rows[number].slicing == slicing}
            found = {start: asked & alike for start, asked in wanted.items()}
            yield slicing, {start: asked for start, asked in found.items() if asked}

    def _recount_events(self, wanted: Mapping[int, set[int]]) -> None:
        fine_from = self._history.fine_from
        young = {start: asked for start, asked in wanted.items() if start >= fine_from}
        old = {start: asked for start, asked in wanted.items() if start < fine_from}
        if young:
            found = count_places(self._store, self._rows, young, FINE_S)
            for start, asked in sorted(young.items()):
                self._recounted(found, start, start + BUCKET_S, asked)
        if old:
            spans = self._whole(old, BUCKET_S)
            places = {s: asked for (a, b), asked in spans.items() for s in range(a, b, BUCKET_S)}
            found = count_places(self._store, self._rows, places, BUCKET_S)
            for (start, end), asked in sorted(spans.items()):
                self._recounted(found, start, end, asked)

    def _recount_slices(self, slicing: Slicing, wanted: Mapping[int, set[int]]) -> None:
        spans = self._whole(wanted, max(slicing.length_s, BUCKET_S))
        for (start, end), asked in sorted(spans.items()):
            numbers = sorted(asked)
            found = count_span(self._store, self._rows, numbers, start, end, slicing.length_s)
            self._recounted(as_slices(found, slicing), start, end, asked)

    def _whole(
        self, wanted: Mapping[int, set[int]], length: int
    ) -> dict[tuple[int, int], set[int]]:
        """Return the spans to count: whole slices, and in the distant past whole hours."""
        spans: dict[tuple[int, int], set[int]] = {}
        for start, asked in wanted.items():
            is_distant = start // length * length < self._history.middle_from
            whole = max(length, COARSE_S) if is_distant else length
            first = start // whole * whole
            spans.setdefault((first, first + whole), set()).update(asked)
        return spans

    def _recounted(self, found: Found, start: int, end: int, numbers: Iterable[int]) -> None:
        rows, block = self._place(found, start, end, numbers)
        self.keeper.recounted(start, rows, block)

    # -- filling --------------------------------------------------------------------------------

    def fill(self, needed: Mapping[int, float]) -> None:
        """Fill new rows with the last hours, and go one step into the past where it is needed.

        ``needed`` says for each row how far back, in Unix seconds.
        """
        if new := [number for number in needed if number not in self.filled_from]:
            self._fill_present(new)
        while step := self._next_step(needed, is_kept=True):
            self._read_back(*step)
        if step := self._next_step(needed, is_kept=False):
            began = self._clock.monotonic()
            self._step_back(*step)
            self._pace(self._clock.monotonic() - began)

    def is_filled(self, number: int, since: float) -> bool:
        """Return whether a row is counted back to a moment, to the hour."""
        return self.filled_from.get(number, _NEVER) <= since // COARSE_S * COARSE_S

    def _fill_present(self, numbers: Sequence[int]) -> None:
        start = int(min(self._history.fine_from, self.count_from) // COARSE_S * COARSE_S)
        self._count_into(numbers, start, self._history.until)
        self._find_future(numbers)
        self.filled_from.update(dict.fromkeys(numbers, float(start)))

    def _find_future(self, numbers: Sequence[int]) -> None:
        """Find the hours of the next two days that hold events of clocks that run ahead."""
        until = self._history.until
        first = until // COARSE_S * COARSE_S
        for _, asked in self._by_slicing({first: set(numbers)}):
            rows = sorted(asked[first])
            found = count_span(self._store, self._rows, rows, first, first + 2 * _DAY_S, COARSE_S)
            for number, hour in set(zip(found.row.tolist(), found.start.tolist(), strict=True)):
                for start in range(max(hour, until), hour + COARSE_S, BUCKET_S):
                    self.later.setdefault(start, set()).add(number)

    def _next_step(
        self, needed: Mapping[int, float], *, is_kept: bool
    ) -> tuple[list[int], int, int] | None:
        """Return rows that are filled equally far and the span before that; None when done."""
        short = [
            number
            for number, since in needed.items()
            if not self.is_filled(number, since) and self._was_kept(number) == is_kept
        ]
        if not short:
            return None
        end = max(self.filled_from[number] for number in short)
        numbers = [number for number in short if self.filled_from[number] == end]
        start = max(
            min(needed[number] for number in numbers), end - (_DAY_S if is_kept else self._step_s)
        )
        if is_kept:
            start = max(start, *(self.kept_from[number] for number in numbers))
        return numbers, int(start // COARSE_S * COARSE_S), int(end)

    def _was_kept(self, number: int) -> bool:
        return self.kept_from.get(number, _NEVER) < self.filled_from[number]

    def _read_back(self, numbers: Sequence[int], start: int, end: int) -> None:
        self._place(kept_span(self._store, self._rows, numbers, start, end), start, end, numbers)
        self.filled_from.update(dict.fromkeys(numbers, float(start)))

    def _step_back(self, numbers: Sequence[int], start: int, end: int) -> None:
        """Count a span of the past; where the rows have been dropped, what was kept must do."""
        border = int(-(-self._store.rows_since() // COARSE_S) * COARSE_S)
        if end <= border:
            return self._read_back(numbers, start, end)
        start = max(start, border)
        self._count_into(numbers, start, end)
        self.filled_from.update(dict.fromkeys(numbers, float(start)))

    def _pace(self, took_s: float) -> None:
        if took_s < STEP_S / 2:
            self._step_s = min(self._step_s * 2, _LONGEST_STEP_S)
        elif took_s > STEP_S:
            self._step_s = max(self._step_s / 2, _DAY_S)

    def _count_into(self, numbers: Sequence[int], start: int, end: int) -> None:
        """Count rows in a span that begins with an hour, at most a day at a time."""
        for slicing, asked in self._by_slicing({start: set(numbers)}):
            some = sorted(asked[start])
            for first, last, step_s in self._cuts(start, end, slicing):
                found = count_span(self._store, self._rows, some, first, last, step_s)
                found = as_slices(found, slicing) if slicing else found
                kept = kept_span(self._store, self._rows, some, first, last)
                self.keeper.filled(first, *self._place(found, first, last, some), kept)
                self.keeper.keep(0.0)

    def _cuts(
        self, start: int, end: int, slicing: Slicing | None
    ) -> Iterator[tuple[int, int, int]]:
        """Yield spans and their steps; they overlap neither a day, nor slices, nor fine steps."""
        length = slicing.length_s if slicing else BUCKET_S
        start, end = start // length * length, -(-end // length) * length
        fine_from = end if slicing else min(max(self._history.fine_from, start), end)
        day = max(_DAY_S, length)
        for first in range(start, fine_from, day):
            yield first, min(first + day, fine_from), length
        if fine_from < end:
            yield fine_from, end, FINE_S

    def _place(
        self, found: Found, start: int, end: int, numbers: Iterable[int]
    ) -> tuple[Ints, Floats]:
        """Put the cells of a span into the history, zeros where there are none."""
        rows = np.array(sorted(numbers), dtype=np.int64)
        fine = max(start, self._history.fine_from)
        if fine < end:
            counts = block_of(found, rows, fine, (end - fine) // FINE_S, FINE_S)
            self._history.put_fine(fine, rows, counts)
        slots = (end - start) // BUCKET_S
        block = as_intervals(block_of(found, rows, start, slots, BUCKET_S))
        self._heard(start, rows, block)
        self._history.put(start, rows, block)
        return rows, block
