"""What arrived since the last look: the events of the sequential tests, and counters of all seen.

Counts are recounted, so what arrived is what five minutes hold now beyond what they held before.
The counters only grow, as Prometheus wants them; they begin at zero with the process. When a clock
that jumped has the history cleared, what was late then is remembered, so that it has not arrived
again once the clock is back.
"""

from collections.abc import Mapping, Set

import numpy as np

from seakeeping.observe.counting import BUCKET_S
from seakeeping.observe.evidence import RECENT_S, Tests
from seakeeping.observe.history import History
from seakeeping.observe.tiers import BAD, BAD_ROWS, COLUMNS, VALID, VALID_ROWS, Floats, Ints

_MOST_REMEMBERED = 4 * RECENT_S // BUCKET_S
"""Five minutes that are remembered over jumps of the clock, the nearest ones."""


class Arrivals:
    """Hears every count before it is put into the history."""

    def __init__(self, history: History) -> None:
        self._history = history
        self.tests = Tests()
        self._names: Mapping[int, list[str]] = {}
        self._seen = np.zeros((8, 2))
        self._remembered: dict[int, Floats] = {}

    def hold(self, names: Mapping[int, list[str]], nulls: Mapping[str, float]) -> None:
        """Keep just these tests: the names of those that each row feeds, and their null rates.

        One that is new begins with what arrived lately.
        """
        self._names = names
        new = self.tests.hold(nulls)
        if rows := [row for row, fed in names.items() if not new.isdisjoint(fed)]:
            self._catch_up(np.array(rows, dtype=np.int64), new)

    def _catch_up(self, rows: Ints, new: Set[str]) -> None:
        until = self._history.until
        for start in range(int(until - RECENT_S) // BUCKET_S * BUCKET_S, until, BUCKET_S):
            self._feed(start, rows, self._history.five_minutes(start, rows), new)

    def forget(self, rows: list[int]) -> None:
        """Let the counters of rows begin anew."""
        gone = [row for row in rows if row < len(self._seen)]
        self._seen[gone] = 0.0
        for held in self._remembered.values():
            held[[row for row in gone if row < len(held)]] = 0.0

    def remember(self, rows: Ints) -> None:
        """Remember what arrived lately of these rows, before the history is cleared."""
        self._make_room(rows)
        until = self._history.until
        for start in range(int(until - RECENT_S) // BUCKET_S * BUCKET_S, until, BUCKET_S):
            found = self._history.five_minutes(start, rows)
            if found.any():
                held = self._held(start, np.arange(len(self._seen)))
                held[rows] = np.maximum(held[rows], found)
                self._remembered[start] = held
        nearest = sorted(self._remembered, key=lambda start: abs(start - self._history.now))
        for start in nearest[_MOST_REMEMBERED:]:
            del self._remembered[start]

    def _held(self, start: int, rows: Ints) -> Floats:
        """Return what is remembered of rows in the five minutes from ``start``."""
        found = np.zeros((len(rows), COLUMNS))
        if (known := self._remembered.get(start)) is not None:
            is_known = rows < len(known)
            found[is_known] = known[rows[is_known]]
        return found

    def seen(self, rows: Ints) -> Floats:
        """Return the valid and the bad events ever seen of rows, as weights; neither ever falls."""
        self._make_room(rows)
        return self._seen[rows]

    def heard(self, start: int, rows: Ints, block: Floats) -> None:
        """Take in the counts of five minutes each from ``start`` on: slots by rows by columns."""
        recent = max(0, int((self._history.now - RECENT_S - start) // BUCKET_S))
        for slot in range(recent, len(block)):
            self._hear(start + slot * BUCKET_S, rows, block[slot])

    def _hear(self, start: int, rows: Ints, counts: Floats) -> None:
        self._make_room(rows)
        held = self._history.five_minutes(start, rows)
        if start in self._remembered:
            held = np.maximum(held, self._held(start, rows))
        more = np.maximum(counts - held, 0.0)
        self._seen[rows, 0] += more[:, VALID]
        self._seen[rows, 1] += np.minimum(more[:, BAD], more[:, VALID])
        if self._names:
            self._feed(start, rows, counts)

    def _feed(self, start: int, rows: Ints, counts: Floats, only: Set[str] | None = None) -> None:
        for row, (valid, bad) in zip(
            rows.tolist(), counts[:, [VALID_ROWS, BAD_ROWS]].astype(np.int64).tolist(), strict=True
        ):
            for name in self._names.get(row, ()):
                if only is None or name in only:
                    self.tests.feed(name, start, valid, bad, self._history.now)

    def _make_room(self, rows: Ints) -> None:
        highest = int(rows.max(initial=-1))
        if highest >= len(self._seen):
            self._seen = np.concatenate([self._seen, np.zeros((highest + 1, 2))])
