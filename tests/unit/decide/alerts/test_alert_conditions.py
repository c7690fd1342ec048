import math
from dataclasses import replace

import pytest
from scipy.stats import binom
from tests.unit.decide.by_hand import (
    FAITHFULNESS,
    NOW,
    counts,
    evidence,
    objective,
    reading,
    silent,
    steady,
)

from seakeeping.decide.alerts.conditions import (
    STALE_S,
    Allowance,
    Condition,
    chance,
    evaluate,
    guard_level,
    row_verdict,
)
from seakeeping.decide.alerts.rules import RuleKind
from seakeeping.records import Alerting, BurnAlert, Counts, Reading, Severity

PAGE = BurnAlert(Severity.PAGE, 3600, 300, 14.4)


def only(of: Reading, kind: RuleKind, severity: Severity = Severity.PAGE) -> Condition:
    (found,) = [
        c for c in evaluate([of], NOW) if (c.rule.kind, c.rule.severity) == (kind, severity)
    ]
    return found


def said(condition: Condition) -> tuple[bool, bool]:
    return condition.holds, condition.clears


HOLDS, CLEARS, UNKNOWN = (True, False), (False, True), (False, False)


@pytest.mark.parametrize(
    ("bad_ratio", "page", "ticket"),
    [
        (0.02, HOLDS, HOLDS),  # 20 times too fast
        (0.010, HOLDS, HOLDS),  # 10: the slow row of the page
        (0.004, CLEARS, HOLDS),
        (0.0015, CLEARS, HOLDS),
        (0.0005, CLEARS, CLEARS),
        (0.0, CLEARS, CLEARS),
    ],
)
def test_a_steady_rate_fires_the_rows_it_exceeds(
    bad_ratio: float, page: tuple[bool, bool], ticket: tuple[bool, bool]
) -> None:
    now = steady(objective(), bad_ratio, per_minute=6000)
    assert said(only(now, RuleKind.BURN)) == page
    assert said(only(now, RuleKind.BURN, Severity.TICKET)) == ticket


def test_the_rows_that_hold_are_named() -> None:
    assert only(steady(objective(), 0.02), RuleKind.BURN).holding == (0, 1)
    assert only(steady(objective(), 0.01), RuleKind.BURN).holding == (1,)


def test_both_look_backs_must_exceed_the_factor() -> None:
    over = steady(objective(), 0.05).looks
    calm = {300: counts(3000, 0), 1800: counts(18_000, 0)}
    assert said(only(reading(objective(), {**over, **calm}), RuleKind.BURN)) == CLEARS


def test_a_rate_at_the_factor_exactly_does_not_exceed_it() -> None:
    at = {look: Counts(1000.0, 500.0, 1000, 500) for look in (300, 3600)}
    allowed = Allowance(0.25)
    assert row_verdict(BurnAlert(Severity.PAGE, 3600, 300, 2.0), at, allowed) is False
    assert row_verdict(BurnAlert(Severity.PAGE, 3600, 300, 1.99), at, allowed) is True


def test_nothing_is_known_without_events() -> None:
    for condition in evaluate([silent(objective())], NOW):
        assert said(condition) == UNKNOWN


def test_a_short_look_back_without_events_says_nothing_however_bad_the_long_one() -> None:
    for ratio in (0.0, 0.5):
        looks = {**steady(objective(), ratio).looks, 300: Counts(), 1800: Counts(), 7200: Counts()}
        condition = only(reading(objective(), looks), RuleKind.BURN)
        assert said(condition) == UNKNOWN


def test_a_look_back_that_was_not_counted_says_nothing() -> None:
    looks = {300: counts(3000, 300)}
    assert said(only(reading(objective(), looks), RuleKind.BURN)) == UNKNOWN


def test_a_stale_reading_says_nothing() -> None:
    old = steady(objective(), 0.05, at=NOW - STALE_S - 1)
    assert {said(condition) for condition in evaluate([old], NOW)} == {UNKNOWN}
    ahead = steady(objective(), 0.05, at=NOW + 30)  # clocks differ a little
    assert only(ahead, RuleKind.BURN).holds


def test_two_bad_requests_of_sixty_prove_nothing_and_do_not_clear_either() -> None:
    looks = {300: counts(5, 1), 1800: counts(30, 2), 3600: counts(60, 2), 21_600: counts(360, 2)}
    assert said(only(reading(objective(), looks), RuleKind.BURN)) == UNKNOWN


def test_three_bad_requests_in_half_an_hour_page_and_in_an_hour_do_not() -> None:
    close = {300: counts(5, 1), 1800: counts(30, 3), 3600: counts(60, 3), 21_600: counts(360, 3)}
    apart = {**close, 1800: counts(30, 2)}
    assert only(reading(objective(), close), RuleKind.BURN).holds
    assert said(only(reading(objective(), apart), RuleKind.BURN)) == UNKNOWN


@pytest.mark.parametrize(("bad", "rows"), [(0, 10), (1, 10), (3, 30), (40, 600), (600, 600)])
def test_the_guard_is_the_exact_binomial_tail(bad: int, rows: int) -> None:
    expected = float(binom.sf(bad - 1, rows, 0.001))
    found = math.exp(chance(Counts(rows, bad, rows, bad), Allowance(0.001)))
    assert found == pytest.approx(expected, rel=1e-9)


def test_sampled_rows_prove_what_they_are_and_not_what_they_stand_for() -> None:
    few = {look: Counts(3600.0, 360.0, 10, 1) for look in (300, 1800, 3600, 21_600)}
    assert said(only(reading(objective(), few), RuleKind.BURN)) == UNKNOWN
    many = {look: Counts(3600.0, 360.0, 3600, 360) for look in (300, 1800, 3600, 21_600)}
    assert only(reading(objective(), many), RuleKind.BURN).holds


def test_a_minimum_of_events_keeps_an_alert_from_firing_and_from_clearing_falsely() -> None:
    alerting = Alerting(min_events=10_000)
    assert said(only(steady(objective(alerting=alerting), 0.5, 10), RuleKind.BURN)) == UNKNOWN
    assert said(only(steady(objective(alerting=alerting), 0.0, 10), RuleKind.BURN)) == CLEARS


def test_an_estimate_burns_by_what_is_flagged_beyond_the_null() -> None:
    quality = objective(0.9, indicator=FAITHFULNESS)
    # a detector that flags 30 % where 10 % are bad: 35 % flagged is a rate of 15 %, not of 35 %
    known = evidence(0.0, null_ratio=0.3)
    allowed = Allowance.of(steady(quality, 0.3, evidence=known))
    assert allowed is not None
    assert [allowed.budget_ratio, allowed.shift] == pytest.approx([0.1, 0.2])
    assert said(only(steady(quality, 0.35, evidence=known), RuleKind.BURN)) == CLEARS
    assert only(steady(quality, 0.85, evidence=known), RuleKind.BURN).holds


def test_an_estimate_without_a_null_is_never_paged_on_raw_flags() -> None:
    all_flagged = steady(objective(0.9, indicator=FAITHFULNESS), 1.0)
    assert {said(condition) for condition in evaluate([all_flagged], NOW)} == {UNKNOWN}


def test_an_estimate_without_a_test_is_shifted_by_its_correction() -> None:
    quality = objective(0.9, indicator=FAITHFULNESS, alerting=Alerting(evidence=False))

    def shifted(raw_ratio: float, estimate: float) -> Allowance | None:
        plain = steady(quality, 0.5)
        return Allowance.of(
            replace(plain, budget=replace(plain.budget, raw_ratio=raw_ratio, estimate=estimate))
        )

    up, down = shifted(0.75, 0.9), shifted(0.9, 0.75)
    assert up is not None
    assert up.shift == pytest.approx(0.15)
    assert down is not None
    assert down.shift == 0.0  # a detector that flags too little is not believed to flag more


def test_evidence_holds_in_alarm_and_clears_out_of_it() -> None:
    quality = objective(0.9, indicator=FAITHFULNESS)
    assert only(steady(quality, 0.4, evidence=evidence(2000)), RuleKind.EVIDENCE).holds
    assert said(only(steady(quality, 0.1, evidence=evidence(5)), RuleKind.EVIDENCE)) == CLEARS
    assert said(only(steady(quality, 0.1), RuleKind.EVIDENCE)) == UNKNOWN


def test_evidence_stays_when_no_answer_comes_any_more() -> None:
    quality = objective(0.9, indicator=FAITHFULNESS)
    assert only(silent(quality, evidence=evidence(2000, since=0.0)), RuleKind.EVIDENCE).holds


def test_absence_is_noticed_after_events_and_ends_with_the_next() -> None:
    absent = objective(alerting=Alerting(absent_after_s=600))
    assert only(silent(absent, last_event_at=NOW - 601), RuleKind.ABSENCE).holds
    assert said(only(silent(absent, last_event_at=NOW - 5), RuleKind.ABSENCE)) == CLEARS
    assert said(only(silent(absent, last_event_at=None), RuleKind.ABSENCE)) == UNKNOWN


def test_the_guard_asks_more_of_a_short_look_back() -> None:
    ten_years_s = 10 * 365.25 * 86_400
    assert math.exp(guard_level(1800)) == pytest.approx(1800 / ten_years_s)
    assert guard_level(300) < guard_level(1800) < guard_level(259_200)
    assert math.exp(guard_level(259_200)) == pytest.approx(5e-5)


def test_two_bad_requests_never_prove_a_burn_of_a_service_with_little_traffic() -> None:
    """Not even where they are all there is within five minutes."""
    assert math.log(0.001**2) > guard_level(300)
