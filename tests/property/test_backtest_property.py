"""The rules over arrays say, look by look, what the rules at one moment say."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.decide.by_hand import FAITHFULNESS, NOW, objective, reading

from seakeeping.decide.alerts import annotations, evaluate, step
from seakeeping.decide.alerts.rules import GUARD_LOOKS, Rule, rules_of
from seakeeping.decide.backtest import CLEARS, HOLDS, Backtest, Series, backtest
from seakeeping.records import (
    Alert,
    Alerting,
    AlertState,
    BurnAlert,
    Counts,
    Evidence,
    Objective,
    Reading,
    Severity,
)
from seakeeping.stats.edetector import Detector

STEP_S = 60
NULL = 0.15
WAITING = Alerting(
    burn=(
        BurnAlert(Severity.PAGE, 3600, 300, 14.4, 120),
        BurnAlert(Severity.PAGE, 1800, 300, 5, 600),
        BurnAlert(Severity.TICKET, 7200, 1800, 1, 0),
    ),
    min_events=100,
    absent_after_s=900,
)  # fmt: skip
OBJECTIVES = (
    objective(name="chat/standard"),
    objective(name="chat/waiting", alerting=WAITING),
    objective(0.9, name="chat/quality", indicator=FAITHFULNESS),
)


@st.composite
def series(draw: st.DrawFn) -> Series:
    """Minutes in stretches of steady traffic, with and without weights, some of them empty."""
    rows: list[list[float]] = []
    seed = np.random.default_rng(draw(st.integers(0, 999)))
    for _ in range(draw(st.integers(1, 6))):
        events = draw(st.sampled_from([0, 1, 30, 2000]))
        ratio = draw(st.sampled_from([0.0, 0.0005, 0.01, 0.08, 0.5, 1.0]))
        weight = draw(st.sampled_from([1.0, 2.5]))
        for _ in range(draw(st.integers(1, 80))):
            bad = int(seed.binomial(events, ratio))
            rows.append([events * weight, bad * weight, events, bad])
    return Series(NOW, STEP_S, np.array(rows))


def looks_at(of: Series, at: int) -> dict[int, Counts]:
    found = {}
    for look in GUARD_LOOKS:
        some = of.counts[max(0, at + 1 - look // STEP_S) : at + 1].sum(axis=0)
        found[look] = Counts(float(some[0]), float(some[1]), int(some[2]), int(some[3]))
    return found


def readings_of(objective: Objective, of: Series) -> list[Reading]:
    """Return what a controller would have read at the end of each step."""
    detector = Detector(NULL)
    state, last, found = detector.start(), None, list[Reading]()
    is_estimate = objective.indicator.is_estimate
    for at, (counts, end) in enumerate(zip(of.counts, of.ends.tolist(), strict=True)):
        last = end if counts[2] else last
        state = detector.advance(state, int(counts[3]), int(counts[2]))
        test = Evidence(state.value, detector.limit, NULL, state.events) if is_estimate else None
        now = reading(objective, looks_at(of, at), at=end, last_event_at=last, evidence=test)
        found.append(now)
    return found


def lived(readings: list[Reading], rule: Rule) -> list[tuple[float, float | None]]:
    """Return when the alert of a rule fired, look by look."""
    alerts: dict[str, Alert] = {}
    found: list[tuple[float, float | None]] = []
    for now in readings:
        done = step(
            alerts.values(), evaluate([now], now.budget.at), now.budget.at, words=annotations
        )
        for dropped in done.dropped:
            del alerts[dropped.fingerprint]
        for changed in done.changed:
            alerts[changed.fingerprint] = changed
            if changed.fingerprint == rule.fingerprint and changed.ends_at is not None:
                found.append((changed.starts_at, changed.ends_at))
    last = alerts.get(rule.fingerprint)
    if last is not None and last.state is AlertState.FIRING:
        found.append((last.starts_at, None))
    return found


@settings(max_examples=40)
@given(series(), st.sampled_from(OBJECTIVES[:2]))
def test_a_backtest_fires_when_the_board_would_have(of: Series, objective: Objective) -> None:
    readings = readings_of(objective, of)
    fired = backtest(objective, of)
    for rule in rules_of(objective):
        found = [(f.starts_at, f.ends_at) for f in fired if f.rule.fingerprint == rule.fingerprint]
        assert found == lived(readings, rule)


@settings(max_examples=40)
@given(series())
def test_the_burn_of_an_estimate_is_judged_alike_at_every_look(of: Series) -> None:
    objective = OBJECTIVES[2]
    trial = Backtest(objective, of, NULL)
    tried = {rule.fingerprint: trial.of(rule) for rule in rules_of(objective)}
    for at, now in enumerate(readings_of(objective, of)):
        for condition in evaluate([now], now.budget.at):
            if not condition.rule.burns:
                continue
            verdicts = [rows[at] for rows in tried[condition.rule.fingerprint]]
            assert condition.holding == tuple(i for i, v in enumerate(verdicts) if v == HOLDS)
            assert condition.clears == all(v == CLEARS for v in verdicts)
