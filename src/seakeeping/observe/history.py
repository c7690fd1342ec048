"""What was counted, by row and time: fine for the last hours, coarse for the months.

Three kinds of tier. *Fine*, ten seconds a slot, for look-backs up to two hours; *middle*, five
minutes, up to three days; *periods*, an hour (or a quarter, where a calendar needs it), for the
objectives' own windows and longer look-backs. The store counts five minutes as a whole, so the
middle tier is what the hours are summed from; of an hour that is older than the middle tier the
caller hands over all twelve.

About 150 KB a row with a window of 30 days.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from seakeeping.observe.tiers import COLUMNS, RATIOS, VALID, Floats, Ints, Tier
from seakeeping.observe.windows import (
    COARSE_S,
    FINE_REACH_S,
    FINE_S,
    MARKS,
    MIDDLE_REACH_S,
    MIDDLE_S,
)

AHEAD_S = 600
"""How far beyond now slots are held: the current five minutes, and clocks that run ahead."""

_FINE_SLOTS = (FINE_REACH_S + AHEAD_S + MIDDLE_S) // FINE_S + 40
_MIDDLE_SLOTS = (MIDDLE_REACH_S + AHEAD_S) // MIDDLE_S + 33
_REACHES_S = (33 * 86_400, 96 * 86_400, 384 * 86_400)
"""Lengths of period tiers: windows share one where they can."""


class Reach(NamedTuple):
    """Which tier a window is summed in: its step, and how far back it goes."""

    step_s: int
    reach_s: int


FINE, MIDDLE = Reach(FINE_S, FINE_REACH_S), Reach(MIDDLE_S, MIDDLE_REACH_S)


def reach_of(window_s: int, step_s: int) -> Reach:
    """Return the tier for a window that is counted in these steps."""
    if step_s == FINE_S:
        return FINE
    if step_s == MIDDLE_S:
        return MIDDLE
    needed = window_s + window_s / MARKS + 86_400
    shared = next((reach for reach in _REACHES_S if reach >= needed), int(needed))
    return Reach(step_s, shared)


def look_reach(seconds: int) -> Reach:
    """Return the tier for a look-back."""
    if seconds <= FINE_REACH_S:
        return FINE
    return MIDDLE if seconds <= MIDDLE_REACH_S else reach_of(seconds, COARSE_S)


class History:
    """The tiers, and what is put into them and summed from them."""

    def __init__(self, now: float) -> None:
        self._fine = Tier(FINE_S, _FINE_SLOTS, 0, RATIOS)  # without intervals
        self._middle = Tier(MIDDLE_S, _MIDDLE_SLOTS, 0)
        self._tiers: dict[Reach, Tier] = {FINE: self._fine, MIDDLE: self._middle}
        self._turn = 0
        self._newest = np.full(8, -np.inf)
        self.now = now
        self.clear(now)

    # -- rows and time --------------------------------------------------------------------------

    def admit(self, row: int, reaches: Iterable[Reach]) -> None:
        """Hold a row in the tiers of its windows, beside the fine and the middle one.

        A tier that is new to the row begins empty: its past has to be put again.
        """
        for reach in {FINE, MIDDLE, *reaches}:
            self._tier(reach).admit(row)
        if row >= len(self._newest):
            self._newest = np.concatenate([self._newest, np.full(row + 1, -np.inf)])

    def dismiss(self, row: int) -> None:
        """Forget a row."""
        for tier in self._tiers.values():
            tier.dismiss(row)
        self._newest[row] = -np.inf

    def holds(self, row: int, reach: Reach) -> bool:
        """Return whether a row is held in a tier."""
        tier = self._tiers.get(reach)
        return tier is not None and bool(tier.own(np.array([row]))[0] >= 0)

    def _tier(self, reach: Reach) -> Tier:
        if reach not in self._tiers:
            slots = reach.reach_s // reach.step_s + 2
            self._tiers[reach] = Tier(reach.step_s, slots, self._head(reach.step_s, self.now))
        return self._tiers[reach]

    @staticmethod
    def _head(step_s: int, now: float) -> int:
        until = (
            now + AHEAD_S
        ) // MIDDLE_S * MIDDLE_S + MIDDLE_S  # five minutes are held as a whole
        return int((until - 1) // step_s)

    def move(self, now: float) -> bool:
        """Let time be ``now``; False where the clock went back further than anything is kept."""
        if now - FINE_REACH_S < self._fine.oldest * FINE_S:
            return False
        for tier in self._tiers.values():
            tier.turn(max(tier.head, self._head(tier.step_s, now)))
        self.now = now
        return True

    def clear(self, now: float) -> None:
        """Forget all counts, and let time be ``now``."""
        self.now = now
        self._newest[:] = -np.inf
        for tier in self._tiers.values():
            tier.clear(self._head(tier.step_s, now))

    @property
    def fine_from(self) -> int:
        """The first whole five minutes, in Unix seconds, that are held in fine steps."""
        return -(-self._fine.oldest * FINE_S // MIDDLE_S) * MIDDLE_S

    @property
    def middle_from(self) -> int:
        """The first whole hour, in Unix seconds, that is held in steps of five minutes."""
        return -(-self._middle.oldest * MIDDLE_S // COARSE_S) * COARSE_S

    @property
    def until(self) -> int:
        """Where the future begins that is not held, in Unix seconds: a whole five minutes."""
        return (self._middle.head + 1) * MIDDLE_S

    # -- counts ---------------------------------------------------------------------------------

    def put_fine(self, start: int, rows: Ints, block: Floats) -> None:
        """Replace the counts of rows in successive fine slots."""
        self._fine.put(start // FINE_S, rows, block)
        self._note_newest(start, rows, block, FINE_S)

    def put(self, start: int, rows: Ints, block: Floats) -> None:
        """Replace the counts of rows in successive five minutes, and in what is summed from them.

        Before ``middle_from`` the block must begin and end with an hour.
        """
        self._middle.put(start // MIDDLE_S, rows, block)
        for tier in self._tiers.values():
            if tier.step_s > MIDDLE_S:
                self._put_sums(tier, start, rows, block)
        self._note_newest(start, rows, block, MIDDLE_S)

    def _put_sums(self, tier: Tier, start: int, rows: Ints, block: Floats) -> None:
        end = start + len(block) * MIDDLE_S
        width = tier.step_s // MIDDLE_S
        border = min(max(self.middle_from, start), end)
        if border > start:
            old = block[: (border - start) // MIDDLE_S]
            sums = old.reshape(-1, width, len(rows), COLUMNS).sum(axis=1)
            tier.put(start // tier.step_s, rows, sums)
        if border < end:
            first, last = border // tier.step_s, (end - 1) // tier.step_s
            young = self._middle.get(first * width, last * width + width - 1, rows)
            sums = young.reshape(-1, width, len(rows), COLUMNS).sum(axis=1)
            tier.put(first, rows, sums)

    def five_minutes(self, start: int, rows: Ints) -> Floats:
        """Return the counts of rows in the five minutes from ``start``; zero where not held."""
        slot = start // MIDDLE_S
        found: Floats = self._middle.get(slot, slot, rows)[0]
        return found

    def slots(self, row: int, reach: Reach, start: float, end: float) -> Floats:
        """Return the counts of one row in the slots that lie before ``end``, oldest first."""
        tier = self._tier(reach)
        first, last = max(tier.slot_of(start), tier.oldest), tier.slot_of(end) - 1
        found: Floats = tier.get(first, max(last, first - 1), np.array([row]))[:, 0]
        return found

    # -- sums -----------------------------------------------------------------------------------

    def looks(self, rows: Ints, lengths: Sequence[int], at: float) -> Floats:
        """Return the sums of look-backs that end at ``at``, as rows by look-backs by columns."""
        found = np.zeros((len(rows), len(lengths), COLUMNS))
        for number, seconds in enumerate(lengths):
            found[:, number] = self.since(rows, look_reach(seconds), at - seconds, at, seconds)
        return found

    def since(
        self, rows: Ints, reach: Reach, start: float, at: float, name: object = None
    ) -> Floats:
        """Return the sums from the slot of ``start`` to that of ``at``, as rows by columns.

        Windows of one name are kept and moved on; ``name`` is the start where none is given.
        """
        tier = self._tier(reach)
        look = tier.look(start if name is None else name, tier.slot_of(start), tier.slot_of(at))
        own = tier.own(rows)
        found = np.zeros((len(rows), COLUMNS))
        found[:, : tier.columns] = np.where((own >= 0)[:, None], look.sums[own], 0.0)
        return found

    def settle(self, names: Mapping[Reach, Sequence[object]]) -> None:
        """Forget windows that nobody asks for, and sum one of the others anew."""
        for reach, tier in self._tiers.items():
            tier.drop_looks(names.get(reach, ()))
        every = [(tier, name) for tier in self._tiers.values() for name in tier.looks]
        if every:
            self._turn = (self._turn + 1) % len(every)
            tier, name = every[self._turn]
            tier.refresh(name)

    # -- the newest event -----------------------------------------------------------------------

    def _note_newest(self, start: int, rows: Ints, block: Floats, step_s: int) -> None:
        busy = block[..., VALID] > 0
        slot = len(busy) - 1 - busy[::-1].argmax(axis=0)
        newest = np.where(busy.any(axis=0), start + slot * step_s, -np.inf)
        known = self._newest[rows]
        end = start + len(block) * step_s
        # what was the newest is gone: it has to be looked for
        is_gone = (known >= start) & (known < end) & (newest + step_s <= known)
        self._newest[rows] = np.where(is_gone, np.nan, np.maximum(known, newest))

    def last_event_at(self, row: int) -> float | None:
        """Return the start of the newest slot with events of a row; None where there is none."""
        newest = float(self._newest[row])
        if newest != newest:
            found = (tier.newest_event(row) for tier in self._tiers.values())
            newest = max((at for at in found if at is not None), default=-np.inf)
            self._newest[row] = newest
        return newest if newest > -np.inf else None
