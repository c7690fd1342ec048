"""Whether each alert's condition holds now: yes, no, or nobody can tell.

The third answer is what keeps a control room honest. A look-back without events says nothing about
the service, so it neither starts an alert nor ends one: an outage that drives all traffic away must
not look like its own cure. So a condition has two sides, ``holds`` (it may start an alert) and
``clears`` (it may end one), and both are false where the data is silent.

*Burn.* With the budget b = 1 - target, a row of the burn table with factor f over the look-backs
long and short

    exceeds  if  bad(w) / (valid(w) b) > f  in both,

clears if it does not, says nothing if either look-back is empty, and holds if it exceeds and the
*guard* agrees: some look-back w between the two holds so many bad rows among its rows that, at a
true rate of exactly b, chance would show them once in ``GUARD_EVERY_S`` of such look-backs,

    P(X >= bad rows) < min(w / GUARD_EVERY_S, GUARD_MOST_P),    X ~ Bin(rows, b)    (exact tail).

A burn rate over the factor that the guard does not believe is no proof of health either, so it does
not clear. At 99.9 % and one request a minute, three bad requests within half an hour prove a burn,
three within an hour do not. The level goes with the length of the look-back because there are that
many fewer of them to be wrong in; a fixed one (1e-4 in the long look-back, as the literature of
this table has it) lets more false pages pass, with the same median delay of true ones
(``bench/alerts``). The guard asks the rows seen, not what they stand for: ten sampled rows never
prove more than ten.

*Estimates.* Where a detector judges, b is replaced by the share of flagged answers that the budget
allows in the detector's own units (``Evidence.null_ratio``), and a look-back's bad share by the
flagged share less the difference of the two. A detector's flagged share rises by less than the true
one (by sensitivity + specificity - 1 of it), so the shift never overstates a burn. Where the
sequential test is switched off, the difference is that of the raw and the labelled share of the
window. Where there is neither, nothing is known and nothing fires.

*Evidence* holds while the sequential test is in alarm. How an alarm ends is the test's own business
(``observe.evidence``): a second one, looking the other way, must be convinced.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from seakeeping.decide.alerts.rules import Rule, Rulebook, RuleKind, guard_looks
from seakeeping.faults import Faults
from seakeeping.records import BurnAlert, Counts, Objective, Reading
from seakeeping.stats.binomial import log_tail

GUARD_EVERY_S = 10 * 365.25 * 86_400
"""How seldom chance may prove a burn at the budget exactly, for each length of look-back."""

GUARD_MOST_P = 5e-5
"""What chance may do in a look-back at most, however long it is: windows that roll are looked at
all the time, and a look-back of days many times over."""

STALE_S = 120.0
"""A reading older than this says nothing."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What a rule says at one moment.

    ``holding`` are the rows of the rule's burn table that hold, by index; ``holds`` and ``clears``
    are never both true, and both false where the data cannot tell.
    """

    rule: Rule
    reading: Reading
    definition: str
    holds: bool
    clears: bool
    holding: tuple[int, ...] = ()

    @property
    def objective(self) -> Objective:
        """The objective the rule belongs to."""
        return self.reading.budget.objective


def evaluate(
    readings: Iterable[Reading],
    now: float,
    book: Rulebook | None = None,
    faults: Faults | None = None,
) -> list[Condition]:
    """Return the condition of every rule of every reading, known or not.

    Of an objective whose condition cannot be worked out nothing is known; ``faults`` is told.
    """
    book, faults = book or Rulebook(), faults or Faults("decide.conditions")
    found: list[Condition] = []
    for reading in readings:
        with faults.of(reading.budget.objective.name):
            found += _conditions(reading, now, book)
    return found


def _conditions(reading: Reading, now: float, book: Rulebook) -> list[Condition]:
    ruled = book.of(reading.budget.objective)
    if now - reading.budget.at > STALE_S:
        return [Condition(rule, reading, ruled.definition, False, False) for rule in ruled.rules]
    return [_condition(rule, reading, ruled.definition) for rule in ruled.rules]


def _condition(rule: Rule, reading: Reading, definition: str) -> Condition:
    match rule.kind:
        case RuleKind.BURN:
            return _burn(rule, reading, definition)
        case RuleKind.EVIDENCE:
            holds, clears = _evidence(reading)
        case RuleKind.ABSENCE:
            holds, clears = _absence(rule, reading)
    return Condition(rule, reading, definition, holds, clears)


def _burn(rule: Rule, reading: Reading, definition: str) -> Condition:
    allowed = Allowance.of(reading)
    if allowed is None:
        return Condition(rule, reading, definition, False, False)
    verdicts = [row_verdict(burn, reading.looks, allowed) for burn in rule.burns]
    holding = tuple(i for i, verdict in enumerate(verdicts) if verdict is True)
    clears = all(verdict is False for verdict in verdicts)
    return Condition(rule, reading, definition, bool(holding), clears, holding)


@dataclass(frozen=True, slots=True)
class Allowance:
    """What an objective allows: a share of bad events, in the units in which they are counted.

    ``shift`` is what a detector flags at the budget beyond the budget itself; 0 where events are
    counted and not estimated. ``min_rows`` must be in a long look-back before a row may hold.
    """

    budget_ratio: float
    shift: float = 0.0
    min_rows: int = 0

    @property
    def null_ratio(self) -> float:
        """The share of rows that may be bad at the budget exactly."""
        return self.budget_ratio + self.shift

    @classmethod
    def of(cls, reading: Reading) -> "Allowance | None":
        """Return what a reading's objective allows; None where its detector's null is unknown."""
        objective = reading.budget.objective
        min_rows = objective.alerting.min_events
        if not objective.indicator.is_estimate:
            return cls(objective.budget_ratio, 0.0, min_rows)
        if (shift := _shift(reading)) is None:
            return None
        return cls(objective.budget_ratio, shift, min_rows)

    def burn_rate(self, counts: Counts | None) -> float | None:
        """Return how many times too fast the budget is spent; None without events."""
        if counts is None or counts.valid <= 0:
            return None
        share = min(1.0, max(0.0, counts.bad / counts.valid - self.shift))
        return share / self.budget_ratio


def _shift(reading: Reading) -> float | None:
    """Return what a detector flags at the budget beyond the budget itself; None: not known."""
    budget = reading.budget
    if reading.evidence is not None:
        return reading.evidence.null_ratio - budget.objective.budget_ratio
    if not budget.method.is_decisive or budget.estimate is None or budget.raw_ratio is None:
        return None
    return max(0.0, budget.estimate - budget.raw_ratio)  # shares of good answers


def row_verdict(burn: BurnAlert, looks: Mapping[int, Counts], allowed: Allowance) -> bool | None:
    """Return whether a row of the burn table holds; None where the data cannot tell."""
    long = allowed.burn_rate(looks.get(burn.long_s))
    short = allowed.burn_rate(looks.get(burn.short_s))
    if long is None or short is None:
        return None
    if long <= burn.factor or short <= burn.factor:
        return False
    if looks[burn.long_s].valid_rows < allowed.min_rows:
        return None
    return True if is_proven(burn, looks, allowed) else None


def is_proven(burn: BurnAlert, looks: Mapping[int, Counts], allowed: Allowance) -> bool:
    """Return whether some look-back shows more bad rows than chance would at the budget."""
    return any(
        chance(looks[seconds], allowed) < guard_level(seconds)
        for seconds in guard_looks(burn)
        if seconds in looks
    )


def guard_level(seconds: int) -> float:
    """Return the log probability below which a look-back proves a burn."""
    return math.log(min(seconds / GUARD_EVERY_S, GUARD_MOST_P))


def chance(counts: Counts, allowed: Allowance) -> float:
    """Return the log probability of as many bad rows or more at the budget exactly."""
    null = min(max(allowed.null_ratio, 0.0), 1.0)
    return log_tail(counts.bad_rows, counts.valid_rows, null)


def _evidence(reading: Reading) -> tuple[bool, bool]:
    evidence = reading.evidence
    if evidence is None or evidence.events == 0:
        return False, False
    return evidence.is_alarm, not evidence.is_alarm


def _absence(rule: Rule, reading: Reading) -> tuple[bool, bool]:
    last = reading.budget.last_event_at
    if last is None or rule.absent_after_s is None:
        return False, False
    is_absent = reading.budget.at - last > rule.absent_after_s
    return is_absent, not is_absent


def by_fingerprint(conditions: Sequence[Condition]) -> dict[str, Condition]:
    """Return the conditions by the identity of their alerts."""
    return {condition.rule.fingerprint: condition for condition in conditions}
