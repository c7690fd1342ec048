"""Error budgets from counts of events.

With a budget b = 1 - target, over a window with ``valid`` events of which ``bad`` were bad:

    remaining   = 1 - bad / (b valid)              of the whole window
    burn rate   = bad / (b valid)                  of a look-back; 1 spends exactly the budget

(The Site Reliability Workbook, chapter 5.) Events are summed and divided once. Averaging the ratios
of short intervals, as rules over recorded ratios do, would give a bad request at night the weight
of a busy minute.

The state is decided by evidence, not by the point estimate: three failures in ten calls overspend
any budget and prove little. The rate behind the counts is bounded by a confidence sequence
(``stats.proportion``), because the page looks again every few seconds. BREACH: every rate left
standing is over budget. OK: none is. UNCERTAIN: some are. No events: NO_DATA.

A sequence needs a fixed start and the window rolls, so the window is cut to thirtieths (days, for
30 days): it begins at the last such mark at or before ``now`` less the window, and each mark begins
a sequence of its own with a thirtieth of ``ALPHA``. So over one window's length at most ``ALPHA``
wrong verdicts are to be expected for a service whose true rate is right at its budget, however
often anybody looks.
"""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

from seakeeping.records import Budget, BudgetState, Counts, Objective
from seakeeping.stats.proportion import Interval, confidence_sequence

ALPHA = 0.05
"""Wrong verdicts to be expected over one window's length, per objective."""

MARKS = 30
"""Starts of a window over its own length."""

LOOK_BACKS: Mapping[str, int] = MappingProxyType(
    {"5m": 300, "1h": 3600, "6h": 21_600, "3d": 259_200, "30d": 2_592_000}
)
"""Look-backs of the burn rates, in seconds."""

_PRIOR_BAD = (
    0.5  # weight of the mixture's prior, whose mean is the budget: sharpest where it counts
)


class CountEvents(Protocol):
    """Who counts the events of a service between two moments, e.g. the store."""

    def __call__(
        self,
        service: str,
        start: float,
        end: float,
        *,
        indicator: str,
        threshold_s: float | None = None,
    ) -> Counts:
        """Return the counts of events that began in ``[start, end)``."""
        ...


def budget(count: CountEvents, objective: Objective, now: float) -> Budget:
    """Count the events of an objective's window and look-backs, and measure its budget."""

    def since(start: float) -> Counts:
        indicator = objective.indicator
        return count(
            objective.service,
            start,
            now,
            indicator=indicator.name,
            threshold_s=indicator.threshold_s,
        )

    period = since(period_start(objective, now))
    looks = {name: since(now - seconds) for name, seconds in LOOK_BACKS.items()}
    return measure(objective, now, period, looks)


def period_start(objective: Objective, now: float) -> float:
    """Return where the window begins: the last mark that leaves at least the whole window."""
    step = objective.window_s / MARKS
    return math.floor((now - objective.window_s) / step) * step


def measure(objective: Objective, at: float, period: Counts, looks: Mapping[str, Counts]) -> Budget:
    """Return the budget of an objective from the counts of its window and of its look-backs."""
    burn_rates = {name: burn_rate(counts, objective) for name, counts in looks.items()}
    spent = burn_rate(period, objective)
    if spent is None:
        return Budget(
            objective=objective, at=at, valid_total=0.0, bad_total=0.0, estimate=None, low=None,
            high=None, remaining_ratio=None, state=BudgetState.NO_DATA, burn_rates=burn_rates,
        )  # fmt: skip
    bad_rate = _bounds(period, objective)
    return Budget(
        objective=objective,
        at=at,
        valid_total=period.valid,
        bad_total=period.bad,
        estimate=1.0 - period.bad / period.valid,
        low=1.0 - bad_rate.high,
        high=1.0 - bad_rate.low,
        remaining_ratio=1.0 - spent,
        state=_state(bad_rate, objective.budget_ratio),
        burn_rates=burn_rates,
    )


def burn_rate(counts: Counts, objective: Objective) -> float | None:
    """Return how many times faster than allowed the budget was spent; None without events.

    The most it can be is 1 / (1 - target): 20 for a target of 95 %.
    """
    if counts.valid <= 0:
        return None
    return counts.bad / counts.valid / objective.budget_ratio


def effective_rows(counts: Counts) -> float:
    """Return how many equally weighted events know as much about the rate as these rows do.

    With equal sampling weights that is the number of rows. Where good and bad events were sampled
    differently, it is what the scarcer kind supports: ten bad rows never speak for more than ten.
    """
    share = counts.bad / counts.valid
    good_rows = counts.valid_rows - counts.bad_rows
    limits = [float(counts.valid_rows)]
    if share > 0:
        limits.append(counts.bad_rows / share)
    if share < 1:
        limits.append(good_rows / (1 - share))
    return max(0.0, min(limits))


def _bounds(counts: Counts, objective: Objective) -> Interval:
    """Return the bad rates that the rows leave standing."""
    rows = effective_rows(counts)
    allowed = objective.budget_ratio
    prior = (_PRIOR_BAD, _PRIOR_BAD * (1 - allowed) / allowed)
    bad = min(rows, rows * counts.bad / counts.valid)
    return confidence_sequence(bad, rows, ALPHA / MARKS, prior=prior)


def _state(bad_rate: Interval, allowed: float) -> BudgetState:
    if bad_rate.low > allowed:
        return BudgetState.BREACH
    return BudgetState.OK if bad_rate.high <= allowed else BudgetState.UNCERTAIN
