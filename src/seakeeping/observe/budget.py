"""Error budgets from counts of events.

With a budget b = 1 - target, over a window with ``valid`` events of which ``bad`` were bad:

    remaining   = 1 - bad / (b valid)              of the whole window
    burn rate   = bad / (b valid)                  of a look-back; 1 spends exactly the budget

(The Site Reliability Workbook, chapter 5.) Events are summed and divided once. Averaging the ratios
of short intervals, as rules over recorded ratios do, would give a bad request at night the weight
of a busy minute; what that average says is told beside it (``interval_remaining_ratio``).

Where a detector judges, what it flags beyond what is bad (``shift``, from the estimate over the
window) is taken off every look-back, and nothing is told where nothing corrects it.

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

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from seakeeping.observe.doubts import note_of
from seakeeping.observe.tiers import (
    BAD,
    BAD_ROWS,
    COLUMNS,
    INTERVALS,
    RATIOS,
    VALID,
    VALID_ROWS,
    Floats,
)
from seakeeping.observe.windows import MARKS, look_name
from seakeeping.records import Budget, Budgeting, BudgetState, Counts, EstimateMethod, Objective
from seakeeping.stats.proportion import confidence_sequences

ALPHA = 0.05
"""Wrong verdicts to be expected over one window's length, per objective."""

PACE_S = 21_600
"""The look-back, in seconds, whose pace tells how long the budget lasts."""

_PRIOR_BAD = (
    0.5  # weight of the mixture's prior, whose mean is the budget: sharpest where it counts
)


def measure(objective: Objective, at: float, period: Counts, looks: Mapping[str, Counts]) -> Budget:
    """Return the budget of an objective from the counts of its window and of its look-backs."""
    counted = Counted(objective, columns_of(period))
    (budget,) = measure_all([counted], at)
    rates = {name: burn_rate(counts, objective) for name, counts in looks.items()}
    return replace(budget, burn_rates=rates)


@dataclass(frozen=True, slots=True)
class Estimated:
    """What a detector's verdicts are worth, corrected: shares of *good* events, 0..1."""

    estimate: float | None
    low: float | None
    high: float | None
    raw_ratio: float | None
    method: EstimateMethod
    state: BudgetState
    labels: int = 0
    labels_needed: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Counted:
    """What was counted for one objective: ``period`` are the columns of a tier over its window.

    ``estimated`` is None where the counts are the truth.
    """

    objective: Objective
    period: Sequence[float]
    window_start: float | None = None
    last_event_at: float | None = None
    estimated: Estimated | None = None
    note: str = ""


def columns_of(counts: Counts) -> tuple[float, ...]:
    """Return counts as the columns of a tier, without intervals."""
    return (
        counts.valid, counts.bad, counts.valid_rows, counts.bad_rows,
        counts.score_sum, counts.score_squares, 0.0, 0.0,
    )  # fmt: skip


def all_counts_of(columns: Floats) -> list[Counts]:
    """Return the counts of many rows of a tier's columns."""
    valid, bad, valid_rows, bad_rows, score_sum, score_squares = columns.reshape(-1, COLUMNS).T[:6]
    return list(
        map(
            Counts, valid.tolist(), bad.tolist(),
            (valid_rows + 0.5).astype(np.int64).tolist(),
            (bad_rows + 1e-6).astype(np.int64).tolist(),
            score_sum.tolist(), score_squares.tolist(),
        )
    )  # fmt: skip


def counts_of(columns: Sequence[float]) -> Counts:
    """Return the counts of a tier's columns."""
    valid, bad, valid_rows, bad_rows, score_sum, score_squares = columns[:6]
    return Counts(valid, bad, int(valid_rows + 0.5), int(bad_rows + 1e-6), score_sum, score_squares)


def measure_all(
    counted: Sequence[Counted],
    at: float,
    lengths: Sequence[int] = (),
    looks: Floats | None = None,
) -> list[Budget]:
    """Return the budgets of many objectives; a thousand take about ten milliseconds.

    ``looks`` are the columns of the look-backs of ``lengths`` seconds: objectives by look-backs by
    columns.
    """
    if not counted:
        return []
    objectives = [one.objective for one in counted]
    columns = np.array([one.period for one in counted])
    low, high = bad_rate_bounds(objectives, columns)
    bounds = zip(low.tolist(), high.tolist(), strict=True)
    known = [
        one.estimated or _counted(one, *bound) for one, bound in zip(counted, bounds, strict=True)
    ]
    shifts = _shifts(known, columns)
    if looks is None:
        looks = np.zeros((len(counted), 0, columns.shape[1]))
    together = np.concatenate([looks, columns[:, None]], axis=1)
    burns = _burns(together, objectives, known, shifts)
    names = [look_name(seconds) for seconds in lengths]
    return [
        _budget(
            one, at, truth, shift, dict(zip((*names, one.objective.window), rates, strict=True))
        )
        for one, truth, shift, rates in zip(counted, known, shifts.tolist(), burns, strict=True)
    ]


def _shifts(known: Sequence[Estimated], columns: Floats) -> Floats:
    """Return what detectors flag beyond what is bad, as shares; 0 where events are counted."""
    shifts = np.zeros(len(known))
    for n, one in enumerate(known):
        if one.method is not EstimateMethod.COUNTED and one.estimate is not None:
            shifts[n] = columns[n, BAD] / columns[n, VALID] - (1.0 - one.estimate)
    return shifts


def _burns(
    looks: Floats, objectives: Sequence[Objective], known: Sequence[Estimated], shifts: Floats
) -> list[list[float | None]]:
    """Return burn rates, objectives by look-backs.

    None without events, and where nothing corrects a detector: its own share is not the truth.
    """
    allowed = np.array([one.budget_ratio for one in objectives])
    valid = looks[:, :, VALID]
    share = looks[:, :, BAD] / np.where(valid > 0, valid, 1.0)
    shifted = np.clip(share - shifts[:, None], 0.0, 1.0)
    rates = np.where(shifts[:, None] != 0, shifted, share) / allowed[:, None]
    is_known = np.array([one.estimate is not None for one in known])
    absent = (valid <= 0) | ~is_known[:, None]
    found: list[list[float | None]] = rates.tolist()
    for n, look in zip(*(axis.tolist() for axis in np.nonzero(absent)), strict=True):
        found[n][look] = None
    return found


def _budget(
    one: Counted, at: float, known: Estimated, shift: float, burns: dict[str, float | None]
) -> Budget:
    objective, period = one.objective, one.period
    valid, bad = period[VALID], period[BAD]
    if shift and known.estimate is not None:
        bad = valid * (1.0 - known.estimate)
    spent = burns[objective.window]
    remaining = None if spent is None else 1.0 - spent
    pace = burns.get("6h", spent) if objective.window_s >= PACE_S else spent
    return Budget(
        objective, at, valid, bad, known.estimate, known.low, known.high, remaining, known.state,
        burns, one.window_start, int(period[VALID_ROWS] + 0.5), int(period[BAD_ROWS] + 1e-6),
        _lasts(remaining, pace, objective.window_s),
        _interval_remaining(period, objective.budget_ratio, shift),
        known.method, known.raw_ratio, known.labels, known.labels_needed, one.last_event_at,
        " ".join(filter(None, (_doubt(objective, valid), one.note, known.note))),
    )  # fmt: skip


def _doubt(objective: Objective, valid: float) -> str:
    return note_of(objective.indicator, has_data=valid > 0)


def _counted(one: Counted, low: float, high: float) -> Estimated:
    valid, bad, allowed = one.period[VALID], one.period[BAD], one.objective.budget_ratio
    if valid <= 0:
        return NO_DATA
    state = BudgetState.UNCERTAIN
    if low > allowed:
        state = BudgetState.BREACH
    elif high <= allowed:
        state = BudgetState.OK
    share = 1.0 - bad / valid
    return Estimated(share, 1.0 - high, 1.0 - low, None, EstimateMethod.COUNTED, state)


NO_DATA = Estimated(None, None, None, None, EstimateMethod.COUNTED, BudgetState.NO_DATA)
"""What is known without events."""

UNKNOWN = Estimated(
    None, None, None, None, EstimateMethod.UNCORRECTED, BudgetState.UNCERTAIN,
    note="It cannot be estimated: see the log.",
)  # fmt: skip
"""What is known where an estimate cannot be worked out."""


def _lasts(remaining: float | None, pace: float | None, window_s: int) -> float | None:
    """Return the seconds until nothing remains: remaining x window / burn rate."""
    if remaining is None or pace is None:
        return None
    if remaining <= 0:
        return 0.0
    return remaining * window_s / pace if pace > 0 else None


def _interval_remaining(period: Sequence[float], allowed: float, shift: float) -> float | None:
    if period[INTERVALS] < 1:
        return None
    return 1.0 - (period[RATIOS] / period[INTERVALS] - shift) / allowed


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
    return float(_effective_rows(np.array([columns_of(counts)]))[0])


def _effective_rows(columns: Floats) -> Floats:
    valid, bad = columns[:, VALID], columns[:, BAD]
    rows, bad_rows = columns[:, VALID_ROWS], columns[:, BAD_ROWS]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(valid > 0, bad / valid, 0.0)
        by_bad = np.where(share > 0, bad_rows / share, np.inf)
        by_good = np.where(share < 1, (rows - bad_rows) / (1 - share), np.inf)
    return np.maximum(0.0, np.minimum(rows, np.minimum(by_bad, by_good)))


def bad_rate_bounds(objectives: Sequence[Objective], columns: Floats) -> tuple[Floats, Floats]:
    """Return the lowest and highest bad rates that the rows of each window leave standing.

    Slices of time are judged whole: a slice that is bad in part counts by that part, for which the
    sequence holds as well, because its likelihood ratio is convex in each event.
    """
    allowed = np.array([one.budget_ratio for one in objectives])
    sliced = np.array([one.budgeting is not Budgeting.OCCURRENCES for one in objectives])
    marks = np.array([MARKS if one.calendar is None else 1 for one in objectives])
    rows = np.where(sliced, columns[:, VALID_ROWS], _effective_rows(columns))
    share = columns[:, BAD] / np.maximum(columns[:, VALID], 1e-300)
    bad = np.clip(rows * share, 0.0, rows)
    prior_b = _PRIOR_BAD * (1 - allowed) / allowed
    seen = np.maximum(rows, 1.0)  # bounds without events are read by nobody
    low, high = confidence_sequences(
        np.minimum(bad, seen), np.where(rows > 0, rows, seen), ALPHA / marks, _PRIOR_BAD, prior_b
    )
    return np.where(rows > 0, low, 0.0), np.where(rows > 0, high, 1.0)
