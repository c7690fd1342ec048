"""The slice that got worse: a contrast of two windows over all combinations of dimensions.

Each slice of up to three values is asked how surprising its bad events during the incident are,
against what its dimensions and its own past let expect. Its score is the log likelihood ratio

    x log(x / e) + (n - x) log((n - x) / (n - e)) - 1.5 depth.

Everything outside a slice is expected either way, so this is the likelihood of the whole window: a
parent of the slice at fault dilutes its rate, a child loses its events, and the true one wins.

Two things keep it honest. The *expectation* of a slice is the prediction from its single values
(``expectation``), corrected by its own past (``past``): what always was so did not get worse. And
the *p-value* of what wins is an exact tail of the beta-binomial distribution, times the number of
slices looked at. What is found is then explained away (expected, from now on) and the search begins
anew, so that several causes are found and the shadow of one is not taken for another.
``bench/diagnose`` prints how often all this is right.
"""

from dataclasses import dataclass

import numpy as np

from seakeeping.decide.diagnose.expectation import expect
from seakeeping.decide.diagnose.lattice import LEAST_EVENTS
from seakeeping.decide.diagnose.search import Finding, Search, named
from seakeeping.decide.diagnose.windows import Facts, Floats, Windows, join

__all__ = ["ALPHA", "MAX_CAUSES", "Finding", "Moved", "Scan", "scan"]

ALPHA = 0.01
"""The most that the chance may be of blaming a slice although nothing changed."""

MAX_CAUSES = 3


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
    if rise.events[0] == 0 or rise.events[1] < LEAST_EVENTS or rise.bad[1] == 0:
        return Scan((), 0, *rise.ratios, events=rise.events, bad=rise.bad)
    expectation = expect(windows)
    search = Search(windows, expectation)
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
                named(windows, (place, code)),
                float(shares[0][code]),
                float(shares[1][code]),
                float(ratio[code]),
                float(effects[code]),
            )
    return best
