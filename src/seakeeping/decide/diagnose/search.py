"""The search over all slices: the likeliest first, tested, explained away, and again."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from seakeeping.decide.diagnose.expectation import Expectation
from seakeeping.decide.diagnose.lattice import LEAST_EVENTS, Cells, Lattice
from seakeeping.decide.diagnose.past import LITTLE, Null, departures, log_past, null_of
from seakeeping.decide.diagnose.rates import moved_rate, odds_factor, risen, shifted, surprise
from seakeeping.decide.diagnose.windows import Floats, Whole, Windows
from seakeeping.stats.beta_binomial import log_tail
from seakeeping.stats.fisher import p_greater

_DEPTH_PRICE = 1.5  # in log likelihood, for every value that a slice names
_SHARE_OF_ALL = 0.04  # of the chance of a false cause, for the slice of all calls
_TRIED = 10  # of the best scores
_OWN_PAST = 0.15  # p-value of a slice against its own past, beside all else
_CLEARLY_APART, _MOST_LEARNT = 12.0, 12  # in log likelihood; of slices that always were apart


@dataclass(frozen=True, slots=True)
class Finding:
    """A slice whose rate rose; no ``conditions`` means all calls.

    ``n`` events and ``x`` bad ones, before (0) and during (1). ``expected_ratio`` is what the rate
    during would be had nothing changed, and ``worth`` in how many events that is known.
    ``excess`` is x1 less what was expected of it, ``p_value`` corrected for all slices tested.
    """

    conditions: tuple[tuple[str, str], ...]
    n0: int
    x0: int
    n1: int
    x1: int
    expected_ratio: float
    worth: float
    excess: float
    p_value: float
    also: tuple[tuple[str, str], ...] = ()

    @property
    def is_new(self) -> bool:
        """Whether there were hardly any such calls before."""
        return self.n0 < LEAST_EVENTS


class Search:
    """A scan under way: what is expected grows by what was found."""

    def __init__(self, windows: Windows, expectation: Expectation) -> None:
        self._windows = windows
        self._expectation = expectation
        self._rates = expectation.rates.copy()
        self.lattice = Lattice(windows, self._rates)
        self._cells = self.lattice.cells
        self._tests = _tests(self._cells)
        self._learn_the_past()
        self._concentration, self._apart = departures(self._cells)

    def _learn_the_past(self) -> None:
        """Expect of slices that always were apart what they always were, the farthest first.

        Otherwise traffic that moves into such a slice would look like a rise of all around it.
        """
        for _ in range(_MOST_LEARNT):
            cells = self._cells
            known = (cells.depth >= 2) & (cells.n0 >= LEAST_EVENTS)
            apart = np.where(known, surprise(cells.x0, cells.n0, cells.e0), 0.0)
            cell = int(np.argmax(apart - _DEPTH_PRICE * cells.depth))
            if apart[cell] < _CLEARLY_APART:
                return
            mask = self._windows.rows_of(self.lattice.conditions(cell))
            rows = np.flatnonzero(mask)
            before = rows < self._windows.split
            events, rates = self._windows.events[rows], self._rates[rows]
            own = (LITTLE * cells.e0[cell] / cells.n0[cell] + cells.x0[cell]) / (
                LITTLE + cells.n0[cell]
            )
            shift = odds_factor(rates[before], events[before], own * float(events[before].sum()))
            settled = shifted(rates, shift)
            more = events * (settled - rates)
            self._rates[rows] = settled
            self._cells = replace(
                cells,
                e0=cells.e0 + self.lattice.more_expected(rows[before], more[before]),
                e1=cells.e1 + self.lattice.more_expected(rows[~before], more[~before]),
            )

    def findings(self, alpha: float, most: int) -> Iterator[Finding]:
        """Yield what rose, the likeliest first, each beyond what is explained by those before."""
        for _ in range(most):
            null = null_of(self._cells, self._concentration)
            best = self._best(null, alpha)
            if best is None:
                return
            cell, p_value = best
            yield self._finding(cell, null, p_value)
            self._explain(cell)

    def _best(self, null: Null, alpha: float) -> tuple[int, float] | None:
        """Return the likeliest slice and the p-value that something in it or around it rose.

        That *something* rose is proven by any slice in the family, each corrected for all; which of
        the family it is, the likelihood says.
        """
        scores = _scores(self._cells, null)
        order = [int(cell) for cell in np.argsort(-scores, kind="stable")[:_TRIED]]
        likely = [cell for cell in order if scores[cell] > 0]
        logs = {cell: self._log_p(cell, null) for cell in likely}
        for cell in likely:
            own = set(self.lattice.conditions(cell))
            log_p = min(logs[it] for it in likely if _nested(own, self.lattice.conditions(it)))
            if log_p <= math.log(alpha) and self._differs_from_its_past(cell):
                return self._newest(cell), math.exp(min(0.0, log_p))
        return None

    def _differs_from_its_past(self, cell: int) -> bool:
        """Whatever is expected: where the slice was as bad before, nothing became worse."""
        n0, x0, n1, x1 = (
            int(getattr(self._cells, name)[cell]) for name in ("n0", "x0", "n1", "x1")
        )
        return n0 < LEAST_EVENTS or p_greater(x1, n1, x0, n0) < _OWN_PAST

    def _log_p(self, cell: int, null: Null) -> float:
        """Return the log of the p-value, corrected for all slices.

        Perhaps the slice always was apart, though its past is too short to show it: the tail is
        that of both beliefs, by how likely they are after its past.
        """
        x, n = int(self._cells.x1[cell]), int(self._cells.n1[cell])
        tests = float(self._tests[int(self._cells.depth[cell])])
        tails = [
            math.log(belief) + log_tail(x, n, worth * ratio, worth * (1 - ratio))
            for belief, ratio, worth in self._beliefs(cell, null)
            if belief > 0
        ]
        return float(np.logaddexp.reduce(tails)) + math.log(tests)

    def _beliefs(self, cell: int, null: Null) -> Iterator[tuple[float, float, float]]:
        """Yield (probability, expected rate, worth): as predicted, and apart from that."""
        is_apart = 1.0 if null.is_departed[cell] else self._is_apart(cell, null)
        if is_apart < 1.0:
            yield 1.0 - is_apart, float(null.ratio[cell]), self._worth(cell, null)
        n0, x0 = float(self._cells.n0[cell]), float(self._cells.x0[cell])
        predicted = float(null.predicted[cell])
        own = (LITTLE * predicted + x0) / (LITTLE + n0)
        now = float(self._cells.e1[cell] / self._cells.n1[cell])
        yield is_apart, moved_rate(own, predicted, now), LITTLE + n0

    def _is_apart(self, cell: int, null: Null) -> float:
        """Return how likely a slice always was apart; what is new cannot always have been."""
        n0, x0 = float(self._cells.n0[cell]), float(self._cells.x0[cell])
        if n0 < LEAST_EVENTS:
            return 0.0
        predicted = float(null.predicted[cell])
        usual = log_past(x0, n0, predicted, self._concentration) + math.log1p(-self._apart)
        apart = log_past(x0, n0, predicted, LITTLE) + math.log(self._apart)
        return 1.0 / (1.0 + math.exp(min(700.0, usual - apart)))

    def _worth(self, cell: int, null: Null) -> float:
        """Return in how many events the expected rate of a slice is known."""
        if null.is_departed[cell]:
            return float(null.worth[cell])
        rows = self._rows_during(cell)
        fitted = self._expectation.worth(rows, self._windows.events[rows])
        return 1.0 / (1.0 / fitted + 1.0 / float(null.worth[cell]))

    def _rows_during(self, cell: int) -> Whole:
        mask = self._windows.rows_of(self.lattice.conditions(cell))
        mask[: self._windows.split] = False
        return np.flatnonzero(mask)

    def _newest(self, cell: int) -> int:
        """Return a slice of just the same calls that did not exist before, if there is one."""
        cells = self._cells
        if cells.n0[cell] < LEAST_EVENTS:
            return cell
        same = (cells.n1 == cells.n1[cell]) & (cells.x1 == cells.x1[cell])
        new = np.flatnonzero(same & (cells.n0 < LEAST_EVENTS))
        return int(new[np.argmin(cells.depth[new])]) if len(new) else cell

    def _finding(self, cell: int, null: Null, p_value: float) -> Finding:
        cells, windows = self._cells, self._windows
        conditions = self.lattice.conditions(cell)
        n1, x1, ratio = float(cells.n1[cell]), float(cells.x1[cell]), float(null.ratio[cell])
        return Finding(
            tuple(named(windows, each) for each in conditions),
            int(cells.n0[cell]),
            int(cells.x0[cell]),
            int(n1),
            int(x1),
            ratio,
            self._worth(cell, null),
            x1 - n1 * ratio,
            p_value,
            tuple(named(windows, each) for each in _same_calls(windows, conditions)),
        )

    def _explain(self, cell: int) -> None:
        """Expect from now on what was seen there."""
        rows = self._rows_during(cell)
        events, rates = self._windows.events[rows], self._rates[rows]
        after = risen(rates, events, self._windows.bad[rows])
        self._rates[rows] = after
        grown = self._cells.e1 + self.lattice.more_expected(rows, events * (after - rates))
        self._cells = replace(self._cells, e1=grown)


def _scores(cells: Cells, null: Null) -> Floats:
    expected = cells.n1 * null.ratio
    # a slice known by its own past alone: its expectation is as uncertain as that past is short
    discount = np.where(null.is_departed, 1.0 + cells.n1 / null.worth, 1.0)
    score = surprise(cells.x1, cells.n1, expected) / discount - _DEPTH_PRICE * cells.depth
    return np.where(cells.x1 > expected, score, -np.inf)


def _tests(cells: Cells) -> Floats:
    """Return by how much p-values of each depth are multiplied (Bonferroni, with weights).

    Depths share the chance of a false cause alike, however many slices each has; "all calls" is
    one slice, found by the way, and gets little of it.
    """
    counts = np.bincount(cells.depth).astype(np.float64)
    depths = max(1, int(np.count_nonzero(counts[1:])))
    shares = np.full(len(counts), (1.0 - _SHARE_OF_ALL) / depths)
    shares[0] = _SHARE_OF_ALL
    return np.asarray(counts / shares)


def _nested(some: set[tuple[int, int]], others: tuple[tuple[int, int], ...]) -> bool:
    return some <= set(others) or some >= set(others)


def named(windows: Windows, condition: tuple[int, int]) -> tuple[str, str]:
    """Return a (dimension, code) as the (name, value) that people know."""
    dimension, code = condition
    return windows.dimensions[dimension], windows.values[dimension][code]


def _same_calls(
    windows: Windows, conditions: tuple[tuple[int, int], ...]
) -> Iterator[tuple[int, int]]:
    """Yield other conditions that hold for just the same calls as one of these."""
    for dimension, code in conditions:
        rows = windows.codes[dimension] == code
        for other, codes in enumerate(windows.codes):
            if other != dimension:
                theirs = int(codes[np.argmax(rows)])
                if np.array_equal(codes == theirs, rows):
                    yield other, theirs
