"""Whether something did more to some than to others: the difference in differences of four rates.

Exposed calls went from a rate to another, and so did others beside them. What happened to all of
them (an outage, a harder day) is in both differences, and their difference is free of it:

    d = (p11 - p10) - (p01 - p00),      pij: group i (1: exposed) at time j (1: since).

*Interval and test* are those of Price and Bonett for a linear contrast of binomial rates (Comput.
Stat. Data Anal. 45:449, 2004), of which Agresti and Caffo's for two rates is the simplest case:
with m = 4 rates, each p~ = (x + 2/m) / (n + 4/m) and d~ -+ z sqrt(sum p~(1 - p~) / (n + 4/m)).

*On two scales.* "Both went equally far" may mean points or odds, and from other levels it cannot
mean both. An outage adds as many points to every rate; a harder question multiplies odds. A rise
beyond the others' is certain only if it is one on either scale, so the p-value is the larger of the
two: that of d, and that of the ratio of odds ratios (Woolf's, with Haldane's half an event added).
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

from seakeeping.errors import BadInput

Counts = tuple[int, int]
"""(bad, events)."""

_RATES = 4
_SIGNS = (1.0, -1.0, -1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Excess:
    """What the exposed did beyond the others, in ratio points; all of lift, low, high in -2..2.

    ``expected`` is where they would be had they gone as far as the others, 0..1. ``p_value`` is
    one-sided, 0..1.
    """

    expected: float
    lift: float
    low: float
    high: float
    p_value: float


def beyond_others(
    now: Counts, before: Counts, others_now: Counts, others_before: Counts,
    *, confidence: float = 0.95,
) -> Excess:  # fmt: skip
    """Return by how much more the exposed rose than others did.

    >>> shock = beyond_others((260, 1000), (100, 1000), (600, 3000), (120, 3000))
    >>> round(shock.lift, 9), round(shock.expected, 2), shock.low < 0 < shock.high
    (0.0, 0.26, True)

    Raises BadInput where a group has no events at a time, or impossible counts.
    """
    cells = (now, before, others_now, others_before)
    if any(not 0 <= bad <= events or events == 0 for bad, events in cells):
        raise BadInput("each of the four rates needs events, and no more bad ones than events")
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    lift = sum(sign * bad / events for sign, (bad, events) in zip(_SIGNS, cells, strict=True))
    middle, error = _in_points(cells)
    log_odds, its_error = _in_odds(cells)
    return Excess(
        expected=min(1.0, max(0.0, now[0] / now[1] - lift)),
        lift=lift,
        low=max(-2.0, middle - z * error),
        high=min(2.0, middle + z * error),
        p_value=max(_tail(middle / error), _tail(log_odds / its_error)),
    )


def _in_points(cells: tuple[Counts, ...]) -> tuple[float, float]:
    """Return the contrast and its standard error."""
    sizes = [events + 4 / _RATES for _, events in cells]
    rates = [(bad + 2 / _RATES) / size for (bad, _), size in zip(cells, sizes, strict=True)]
    variance = sum(p * (1 - p) / size for p, size in zip(rates, sizes, strict=True))
    return sum(s * p for s, p in zip(_SIGNS, rates, strict=True)), math.sqrt(variance)


def _in_odds(cells: tuple[Counts, ...]) -> tuple[float, float]:
    """Return the logarithm of the ratio of odds ratios and its standard error."""
    halves = [(bad + 0.5, events - bad + 0.5) for bad, events in cells]
    logs = [math.log(bad / good) for bad, good in halves]
    variance = sum(1 / bad + 1 / good for bad, good in halves)
    return sum(s * it for s, it in zip(_SIGNS, logs, strict=True)), math.sqrt(variance)


def _tail(z: float) -> float:
    """Return the chance of a standard normal value of at least z."""
    return math.erfc(z / math.sqrt(2)) / 2
