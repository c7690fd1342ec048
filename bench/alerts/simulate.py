"""Traffic with a known rate of failures, and who would have been paged by it.

The standard rule (two look-backs and nothing else), one with a fixed level, and ours see the same
events.
"""

import math
from collections.abc import Iterator

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from seakeeping.decide.alerts.rules import Rule, RuleKind, rules_of
from seakeeping.decide.backtest import CLEARS, HOLDS, Backtest, Series, proven, spans
from seakeeping.records import Indicator, IndicatorSignal, Objective, Severity

START = 1_790_000_100.0
MONTH_S = 30 * 86_400

Span = tuple[float, float | None]
Counts = NDArray[np.int64]


def availability(target_ratio: float) -> Objective:
    """Return an objective on counted events."""
    return Objective("chat/availability", "chat", Indicator("availability", "", ""), target_ratio)


def quality(target_ratio: float) -> Objective:
    """Return an objective on a detector's verdicts."""
    signal = IndicatorSignal.EVALUATION
    indicator = Indicator("faithfulness", "", "", signal, subject="faithfulness", is_estimate=True)
    return Objective("chat/faithfulness", "chat", indicator, target_ratio)


def series(valid: Counts, bad: Counts, step_s: int) -> Series:
    """Return counted steps as a series of unweighted events."""
    return Series(START, step_s, np.column_stack([valid, bad, valid, bad]).astype(float))


def traffic(random: Generator, per_step: float, steps: int, *, is_regular: bool) -> Counts:
    """Return the events of each step: the same in all, or as they come by chance."""
    if is_regular:
        return np.full(steps, round(per_step), np.int64)
    return random.poisson(per_step, steps).astype(np.int64)


def failing(random: Generator, valid: Counts, bad_ratio: float) -> Counts:
    """Return how many events of each step fail."""
    return random.binomial(valid, bad_ratio).astype(np.int64)


def page_rule(objective: Objective) -> Rule:
    """Return the burn rule that pages."""
    wanted = (RuleKind.BURN, Severity.PAGE)
    return next(rule for rule in rules_of(objective) if (rule.kind, rule.severity) == wanted)


def our_pages(objective: Objective, of: Series) -> list[Span]:
    """Return when our burn alert pages."""
    rule = page_rule(objective)
    return spans(rule, Backtest(objective, of).of(rule), of.ends)


def table_pages(objective: Objective, of: Series, level: float | None = None) -> list[Span]:
    """Return when the same table pages without our guard.

    Without a level as generated rules in Prometheus would; with one, only where the chance of as
    many bad events in the long look-back is below it, at the budget exactly.
    """
    trial, rule, b = Backtest(objective, of), page_rule(objective), objective.budget_ratio
    verdicts = []
    for burn in rule.burns:
        exceeds = np.ones(len(of), bool)
        for seconds in (burn.long_s, burn.short_s):
            look = trial.look(seconds)
            exceeds &= look[:, 1] > burn.factor * b * np.maximum(look[:, 0], 1)
        if level is not None:
            asked = np.flatnonzero(exceeds)
            exceeds[asked] = proven(trial.look(burn.long_s)[asked, :2], b, math.log(level))
        verdicts.append(np.where(exceeds, HOLDS, CLEARS).astype(np.int8))
    return spans(rule, verdicts, of.ends)


def first_after(found: list[Span], onset: float) -> float:
    """Return the seconds from the onset to the first page; infinite where none came."""
    return min((max(begin - onset, 0.0) for begin, end in found if end is None or end > onset),
               default=np.inf)  # fmt: skip


def streams(seed: int, count: int) -> Iterator[Generator]:
    """Yield a source of chance for each of many repetitions."""
    for child in np.random.SeedSequence(seed).spawn(count):
        yield np.random.default_rng(child)
