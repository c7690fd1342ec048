"""The slice that got worse: a contrast of two windows over all combinations of dimensions.

Each slice of up to three values is asked how surprising its bad events during the incident are,
against what its dimensions and its own past let expect. Its score is the log likelihood ratio

    x log(x / e) + (n - x) log((n - x) / (n - e)) - 1.5 depth.

Everything outside a slice is expected either
way, so this is the likelihood of the whole window: a parent of the slice at fault dilutes its rate,
a child loses its events, and the true one wins. (Reference: ``bench/diagnose`` prints how often.)

Two things keep it honest. The *expectation* of a slice is the prediction from its single values
(``expectation``), shrunk towards its own past by as much as slices of the past departed from such
predictions; a slice whose past departs far is judged by its own past alone: it was always so. And
the *p-value* of what wins is the exact tail of the beta-binomial distribution, times the number of
slices looked at. What is found is then explained away (expected, from now on) and the scan begins
anew, so that several causes are found and the shadow of one is not taken for another.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from seakeeping.decide.diagnose.expectation import Expectation, expect
from seakeeping.decide.diagnose.lattice import LEAST_EVENTS, Cells, Lattice
from seakeeping.decide.diagnose.windows import Facts, Floats, Whole, Windows, join
from seakeeping.stats.beta_binomial import log_tail
from seakeeping.stats.fisher import p_greater

ALPHA = 0.015
"""The most that the chance may be of blaming a slice although nothing changed."""

MAX_CAUSES = 3

_DEPTH_PRICE = 1.5  # in log likelihood, for every further value
_DEPARTED = 3.0  # standard deviations of the past from its prediction
_LITTLE = 20.0  # what a prediction is worth beside a past that departs from it
_MOST = 1e5
_TRIED = 10  # of the best scores
_OWN_PAST = 0.15


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


@dataclass(frozen=True, slots=True)
class Moved:
    """A value that traffic moved to: its shares, its usual bad rate, and what that did.

    ``effect`` is its part of the mix effect, in ratio points.
    """

    condition: tuple[str, str]
    share_before: float
    share_during: float
    ratio: float
    effect: float


@dataclass(frozen=True, slots=True)
class Scan:
    """What was found, the surest first, and how the rise divides.

    ``before_ratio`` and ``during_ratio`` are the bad rates of all calls, ``events`` and ``bad`` the
    rows behind them (before, during). ``mix_effect`` is the part of the rise that comes from
    traffic having moved, ``rate_effect`` that from rates; ``moved`` is the value whose share of the
    traffic accounts for most of the former.
    """

    findings: tuple[Finding, ...] = ()
    slices_tested: int = 0
    before_ratio: float = 0.0
    during_ratio: float = 0.0
    mix_effect: float = 0.0
    rate_effect: float = 0.0
    events: tuple[int, int] = (0, 0)
    bad: tuple[int, int] = (0, 0)
    moved: Moved | None = None


@dataclass(frozen=True, slots=True)
class _Rise:
    """Both sides of two windows, summed."""

    events: tuple[int, int]
    bad: tuple[int, int]
    ratios: tuple[float, float]


def scan(
    before: Facts, during: Facts, *, alpha: float = ALPHA, max_causes: int = MAX_CAUSES
) -> Scan:
    """Return the slices whose bad rate rose from one window to the other, and why it rose."""
    windows = join(before, during)
    rise = _rise(windows)
    if 0 in rise.events or rise.bad[1] == 0:
        return Scan((), 0, *rise.ratios, events=rise.events, bad=rise.bad)
    expectation = expect(windows)
    search = _Search(windows, expectation)
    usual, expected = (_weighted(expectation.rates, windows, side) for side in _sides(windows))
    mix = expected - usual
    return Scan(
        tuple(search.findings(alpha, max_causes)),
        len(search.lattice.cells),
        *rise.ratios,
        mix_effect=mix,
        rate_effect=rise.ratios[1] - rise.ratios[0] - mix,
        events=rise.events,
        bad=rise.bad,
        moved=_moved(windows, expectation.rates, usual),
    )


def _sides(windows: Windows) -> tuple[slice, slice]:
    return slice(windows.split), slice(windows.split, None)


def _rise(windows: Windows) -> _Rise:
    def sums(values: Floats) -> tuple[float, float]:
        before, during = (float(values[side].sum()) for side in _sides(windows))
        return before, during

    events, bad = sums(windows.events), sums(windows.bad)
    weights, bad_weights = sums(windows.weight), sums(windows.bad_weight)
    ratios = [bad_weights[it] / weights[it] if weights[it] else 0.0 for it in (0, 1)]
    return _Rise(
        (int(events[0]), int(events[1])), (int(bad[0]), int(bad[1])), (ratios[0], ratios[1])
    )


def _weighted(rates: Floats, windows: Windows, side: slice) -> float:
    return float(np.average(rates[side], weights=windows.weight[side]))


def _moved(windows: Windows, rates: Floats, usual: float) -> Moved | None:
    """Return the value that grew and moved the expected rate up the most."""
    best: Moved | None = None
    for place, (codes, size) in enumerate(zip(windows.codes, windows.sizes, strict=True)):
        before, during = (
            np.bincount(codes[side], windows.weight[side], size) for side in _sides(windows)
        )
        expected = np.bincount(codes, windows.weight * rates, size)
        ratio = expected / np.maximum(before + during, 1e-12)
        shares = before / before.sum(), during / during.sum()
        effects = (np.maximum(shares[1] - shares[0], 0.0) * (ratio - usual))[:-1]
        code = int(np.argmax(effects))
        if best is None or effects[code] > best.effect:
            best = Moved(
                _named(windows, (place, code)),
                float(shares[0][code]),
                float(shares[1][code]),
                float(ratio[code]),
                float(effects[code]),
            )
    return best


class _Search:
    """A scan under way: what is expected grows by what was found."""

    def __init__(self, windows: Windows, expectation: Expectation) -> None:
        self._windows = windows
        self._expectation = expectation
        self._rates = expectation.rates.copy()
        self.lattice = Lattice(windows, self._rates)
        self._cells = self.lattice.cells
        self._tests = np.bincount(self._cells.depth)
        self._concentration = _concentration(self._cells)

    def findings(self, alpha: float, most: int) -> Iterator[Finding]:
        """Yield what rose, the likeliest first, each beyond what is explained by those before."""
        for _ in range(most):
            null = _null(self._cells, self._concentration)
            best = self._best(null, alpha)
            if best is None:
                return
            cell, p_value = best
            yield self._finding(cell, null, p_value)
            self._explain(cell)

    def _best(self, null: "_Null", alpha: float) -> tuple[int, float] | None:
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

    def _log_p(self, cell: int, null: "_Null") -> float:
        """Return the log of the p-value, corrected for all slices: each depth has its share."""
        worth, ratio = self._worth(cell, null), float(null.ratio[cell])
        x, n = int(self._cells.x1[cell]), int(self._cells.n1[cell])
        tests = self._tests[int(self._cells.depth[cell])] * np.count_nonzero(self._tests)
        return log_tail(x, n, worth * ratio, worth * (1 - ratio)) + math.log(tests)

    def _worth(self, cell: int, null: "_Null") -> float:
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

    def _finding(self, cell: int, null: "_Null", p_value: float) -> Finding:
        cells, windows = self._cells, self._windows
        conditions = self.lattice.conditions(cell)
        n1, x1, ratio = float(cells.n1[cell]), float(cells.x1[cell]), float(null.ratio[cell])
        return Finding(
            tuple(_named(windows, each) for each in conditions),
            int(cells.n0[cell]),
            int(cells.x0[cell]),
            int(n1),
            int(x1),
            ratio,
            self._worth(cell, null),
            x1 - n1 * ratio,
            p_value,
            tuple(_named(windows, each) for each in _same_calls(windows, conditions)),
        )

    def _explain(self, cell: int) -> None:
        """Expect from now on what was seen there: a good call turns bad with one more chance."""
        windows = self._windows
        rows = self._rows_during(cell)
        events, rates = windows.events[rows], self._rates[rows]
        seen, expected = float(windows.bad[rows].sum()), float((events * rates).sum())
        more = (1.0 - rates) * (seen - expected) / (float(events.sum()) - expected)
        self._rates[rows] += more
        grown = self._cells.e1 + self.lattice.more_expected(rows, events * more)
        self._cells = replace(self._cells, e1=grown)


@dataclass(frozen=True, slots=True)
class _Null:
    """What each slice's rate would be had nothing changed, and in how many events it is known."""

    ratio: Floats
    worth: Floats
    is_departed: NDArray[np.bool_]


def _concentration(cells: Cells) -> float:
    """Return how many events of its own a slice's prediction is worth, apart from its effects.

    A sum of effects cannot say everything: measured is how far slices departed from it before,
    beyond chance (the moments of the beta-binomial; Kleinman, J. Am. Stat. Assoc. 68:46, 1973).
    """
    some = (cells.depth >= 2) & (cells.n0 >= LEAST_EVENTS)
    n, x, e = cells.n0[some], cells.x0[some], cells.e0[some]
    chance = e * (1 - e / n)
    usual = np.abs(x - e) <= _DEPARTED * np.sqrt(chance)
    beyond = float((((x - e) ** 2 - chance)[usual]).sum())
    room = float((chance * (n - 1))[usual].sum())
    return 1.0 / max(beyond / room if room > 0 else 0.0, 1.0 / _MOST)


def _null(cells: Cells, concentration: float) -> _Null:
    has_past = cells.n0 > 0
    predicted = _within(
        np.where(has_past, cells.e0 / np.maximum(cells.n0, 1.0), cells.e1 / cells.n1)
    )
    spread = np.sqrt(cells.n0 * predicted * (1 - predicted) * (1 + cells.n0 / concentration))
    is_departed = np.abs(cells.x0 - cells.n0 * predicted) > _DEPARTED * spread
    is_departed &= has_past
    prior = np.where(is_departed, min(_LITTLE, concentration), concentration)
    past = _within((prior * predicted + cells.x0) / (prior + cells.n0))
    logit = _logit(_within(cells.e1 / cells.n1)) + _logit(past) - _logit(predicted)
    return _Null(1.0 / (1.0 + np.exp(-logit)), prior + cells.n0, is_departed)


def _scores(cells: Cells, null: _Null) -> Floats:
    n, x = cells.n1, cells.x1
    expected = n * null.ratio
    with np.errstate(divide="ignore", invalid="ignore"):
        bad = np.where(x > 0, x * np.log(x / expected), 0.0)
        good = np.where(n > x, (n - x) * np.log((n - x) / (n - expected)), 0.0)
    # a slice known by its own past alone: its expectation is as uncertain as that past is short
    discount = np.where(null.is_departed, 1.0 + n / null.worth, 1.0)
    score = (bad + good) / discount - _DEPTH_PRICE * cells.depth
    return np.where(x > expected, score, -np.inf)


def _nested(some: set[tuple[int, int]], others: tuple[tuple[int, int], ...]) -> bool:
    return some <= set(others) or some >= set(others)


def _within(ratio: Floats) -> Floats:
    return np.clip(ratio, 1e-6, 1 - 1e-6)


def _logit(ratio: Floats) -> Floats:
    return np.log(ratio / (1 - ratio))


def _named(windows: Windows, condition: tuple[int, int]) -> tuple[str, str]:
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
