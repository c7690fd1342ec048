"""When alerts would have fired on what is stored: the same rules, over all steps at once.

A month in steps of a minute is 43,200 looks at a dozen look-backs. The conditions of ``alerts``
are therefore written a second time over arrays: look-backs are differences of running sums, and
the guard is asked once for each pair of numbers that occurs. What stands is then moved from change
to change of the conditions, not from step to step. A property test holds both against each other,
look by look.

What this cannot know: alerts looked at every second fire up to a step sooner, and rows that came
late are counted where they belong, not where they were seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from seakeeping.decide.alerts.conditions import Allowance, guard_level
from seakeeping.decide.alerts.rules import Rule, RuleKind, guard_looks, rules_of
from seakeeping.observe.evidence import SequentialTest
from seakeeping.records import BurnAlert, Objective
from seakeeping.stats.binomial import log_tail
from seakeeping.stats.edetector import Detector

Floats = NDArray[np.float64]
Verdicts = NDArray[np.int8]

HOLDS, UNKNOWN, CLEARS = 1, 0, -1


@dataclass(frozen=True, slots=True)
class Series:
    """The events of one objective in equal steps.

    The step ``i`` begins at ``start + i step_s`` (Unix seconds); its columns are the first four of
    ``Counts``: valid, bad, valid_rows, bad_rows.
    """

    start: float
    step_s: int
    counts: Floats

    def __len__(self) -> int:
        return len(self.counts)

    @property
    def ends(self) -> Floats:
        """The end of every step: the moments that are looked at."""
        return self.start + self.step_s * np.arange(1.0, len(self) + 1)


@dataclass(frozen=True, slots=True)
class Fired:
    """One time that an alert would have fired; ``ends_at`` is None where it still would."""

    objective: str
    rule: Rule
    starts_at: float
    ends_at: float | None


def backtest(
    objective: Objective, series: Series, *, null_ratio: float | None = None
) -> list[Fired]:
    """Return every time that an alert of the objective would have fired, in order.

    ``null_ratio`` is what a detector flags at the budget exactly (``observe.quality``); without it
    no alert of an estimate fires, as in life.
    """
    verdicts = Backtest(objective, series, null_ratio)
    found = [
        Fired(objective.name, rule, begin, end)
        for rule in rules_of(objective)
        for begin, end in spans(rule, verdicts.of(rule), series.ends)
    ]
    return sorted(found, key=lambda fired: (fired.starts_at, fired.rule.fingerprint))


class Backtest:
    """The conditions of one objective at the end of every step of a series."""

    def __init__(
        self, objective: Objective, series: Series, null_ratio: float | None = None
    ) -> None:
        self._objective = objective
        self._series = series
        self._null_ratio = null_ratio
        self._sums = np.vstack([np.zeros(4), np.cumsum(series.counts, axis=0)])
        self._looks: dict[int, Floats] = {}

    def of(self, rule: Rule) -> list[Verdicts]:
        """Return the verdict of each row of a rule at every step: holds, clears or unknown."""
        match rule.kind:
            case RuleKind.BURN:
                return [self._row(burn) for burn in rule.burns]
            case RuleKind.EVIDENCE:
                return [self._evidence()]
            case RuleKind.ABSENCE:
                return [self._absence(rule.absent_after_s or 0.0)]

    def look(self, seconds: int) -> Floats:
        """Return the counts of a look-back at every step; at the beginning it is cut short."""
        if seconds not in self._looks:
            steps = max(1, round(seconds / self._series.step_s))
            ends = np.arange(1, len(self._series) + 1)
            self._looks[seconds] = self._sums[ends] - self._sums[np.maximum(ends - steps, 0)]
        return self._looks[seconds]

    def _allowance(self) -> Allowance | None:
        objective = self._objective
        shift = 0.0
        if objective.indicator.is_estimate:
            if self._null_ratio is None:
                return None
            shift = self._null_ratio - objective.budget_ratio
        return Allowance(objective.budget_ratio, shift, objective.alerting.min_events)

    def _row(self, burn: BurnAlert) -> Verdicts:
        allowed = self._allowance()
        verdicts = np.zeros(len(self._series), np.int8)
        if allowed is None:
            return verdicts
        long, short = self.look(burn.long_s), self.look(burn.short_s)
        rates = [_burn_rate(look, allowed) for look in (long, short)]
        is_known = (long[:, 2] > 0) & (short[:, 2] > 0)  # rows are whole: no rounding of sums
        exceeds = is_known & (rates[0] > burn.factor) & (rates[1] > burn.factor)
        verdicts[is_known & ~exceeds] = CLEARS
        asked = np.flatnonzero(exceeds & (long[:, 2] >= allowed.min_rows))
        for seconds in guard_looks(burn):
            rows = self.look(seconds)[asked, 2:4]
            is_proven = proven(rows, allowed.null_ratio, guard_level(seconds))
            verdicts[asked[is_proven]] = HOLDS
        return verdicts

    def _evidence(self) -> Verdicts:
        verdicts = np.zeros(len(self._series), np.int8)
        if self._null_ratio is None:
            return verdicts
        detector = Detector(self._null_ratio)
        test, verdict = SequentialTest(detector, detector.start()), UNKNOWN
        rows = np.rint(self._series.counts[:, 2:4]).astype(np.int64)
        for step, end in enumerate(self._series.ends):
            total, flagged = rows[step]
            if total:
                test.advance(int(flagged), int(total), float(end))
                verdict = HOLDS if test.is_alarm else CLEARS
            verdicts[step] = verdict
        return verdicts

    def _absence(self, after_s: float) -> Verdicts:
        ends = self._series.ends
        has_events = self._series.counts[:, 2] > 0
        last = np.maximum.accumulate(np.where(has_events, ends, -np.inf))
        verdicts = np.where(ends - last > after_s, HOLDS, CLEARS)
        return np.where(np.isfinite(last), verdicts, UNKNOWN).astype(np.int8)


def _burn_rate(look: Floats, allowed: Allowance) -> Floats:
    share = look[:, 1] / np.maximum(look[:, 0], 1e-300)
    rates: Floats = np.clip(share - allowed.shift, 0.0, 1.0) / allowed.budget_ratio
    return rates


def proven(rows: Floats, null_ratio: float, level: float) -> NDArray[np.bool_]:
    """Return where the log chance of so many bad rows (valid, bad) is below a level.

    The chance is that at a rate of ``null_ratio`` exactly, as in ``conditions.is_proven``.
    """
    if not len(rows):
        return np.zeros(0, np.bool_)
    pairs, where = np.unique(np.rint(rows).astype(np.int64), axis=0, return_inverse=True)
    null = min(max(null_ratio, 0.0), 1.0)
    is_proven = [log_tail(int(bad), int(valid), null) < level for valid, bad in pairs]
    found: NDArray[np.bool_] = np.array(is_proven)[where.reshape(-1)]
    return found


def spans(
    rule: Rule, verdicts: Sequence[Verdicts], moments: Floats
) -> list[tuple[float, float | None]]:
    """Return from when to when an alert fires, given the verdicts of its rows at some moments.

    The same moves as ``alerts.board.step`` makes, but only where a verdict changes.
    """
    if not len(moments):
        return []
    rows = np.vstack(verdicts)
    changes = np.flatnonzero((rows[:, 1:] != rows[:, :-1]).any(axis=0)) + 1
    cuts = [0, *changes.tolist(), len(moments)]
    course = _Course([burn.for_s for burn in rule.burns] or [0.0])
    for begin, end in pairwise(cuts):
        course.go(rows[:, begin], moments[begin:end])
    return course.fired()


class _Course:
    """One alert on its way through stretches of time in which no verdict changes."""

    def __init__(self, waits_s: Sequence[float]) -> None:
        self._waits_s = waits_s
        self._since: dict[int, float] = {}
        self._begun: float | None = None
        self._found: list[tuple[float, float | None]] = []

    def go(self, verdicts: Verdicts, moments: Floats) -> None:
        """Go through a stretch that has these verdicts at all its moments."""
        holding = np.flatnonzero(verdicts == HOLDS).tolist()
        if self._begun is None:
            self._wait(holding, moments)
        elif (verdicts == CLEARS).all():
            self._found.append((self._begun, float(moments[0])))
            self._begun, self._since = None, {}

    def _wait(self, holding: Sequence[int], moments: Floats) -> None:
        now = float(moments[0])
        self._since = {row: self._since.get(row, now) for row in holding}
        if not self._since:
            return
        due = np.zeros(len(moments), np.bool_)
        for row, since in self._since.items():
            due |= moments - since >= self._waits_s[row]
        if due.any():
            self._begun = float(moments[int(np.argmax(due))])

    def fired(self) -> list[tuple[float, float | None]]:
        """Return what fired; the last may go on."""
        return self._found + ([] if self._begun is None else [(self._begun, None)])
