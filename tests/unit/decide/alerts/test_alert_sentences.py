from dataclasses import replace

import pytest
from tests.unit.decide.by_hand import (
    FAITHFULNESS,
    NOW,
    evidence,
    objective,
    reading,
    silent,
    steady,
)

from seakeeping.decide.alerts import annotations, evaluate
from seakeeping.decide.alerts.conditions import Condition
from seakeeping.decide.alerts.rules import RuleKind
from seakeeping.decide.alerts.sentences import exhaustion, percent
from seakeeping.records import Alerting, BudgetState, Reading, Severity


def said(of: Reading, kind: RuleKind = RuleKind.BURN) -> dict[str, str]:
    return annotations(condition(of, kind))


def condition(of: Reading, kind: RuleKind) -> Condition:
    return next(c for c in evaluate([of], NOW) if c.rule.kind is kind)


def test_a_burn_says_how_fast_by_which_counts_and_what_may_be() -> None:
    assert said(steady(objective(), 0.02))["summary"] == (
        "chat/availability spends its error budget 20 times too fast: "
        "720 of 36,000 events in the last 1 h were bad (2 %), 0.1 % may be"
    )


def test_the_row_that_holds_is_the_one_that_is_told() -> None:
    assert "in the last 6 h" in said(steady(objective(), 0.01))["summary"]


def test_the_description_says_what_is_promised_and_what_is_left() -> None:
    told = said(steady(objective(), 0.02))
    assert told["description"] == (
        "Promised: 99.9 % good over 30d; counted: all calls; good: calls that ended without an "
        "error. Budget left: 50 %, gone in 3 d at the last six hours' pace."
    )
    assert (told["budget_remaining"], told["time_to_exhaustion"]) == ("50 %", "3 d")


def test_an_overspent_budget_is_called_so() -> None:
    told = said(steady(objective(), 0.02, remaining_ratio=-0.25))
    assert "overspent (25 % over)" in told["description"]
    assert told["time_to_exhaustion"] == "already spent"


def test_a_budget_that_nobody_knows_is_called_so() -> None:
    unknown = steady(objective(), 0.02, remaining_ratio=None)
    assert said(unknown)["budget_remaining"] == "not known"
    assert exhaustion(unknown) == "not known"
    calm = steady(objective(), 0.0)
    calm = replace(calm, budget=replace(calm.budget, time_to_exhaustion_s=None))
    assert exhaustion(calm) == "not at this pace"


def test_a_lowered_factor_is_explained() -> None:
    told = said(steady(objective(0.9), 0.7))["description"]
    assert "can never fire at a burn rate of 14.4: the highest possible burn rate is 10" in told


def test_a_detectors_flags_are_called_flags() -> None:
    quality = objective(0.9, indicator=FAITHFULNESS)
    told = said(steady(quality, 0.85, evidence=evidence(0.0, null_ratio=0.2)))
    assert (
        "events in the last 1 h were flagged by the detector (85 %), 20 % may be" in told["summary"]
    )
    assert "A detector says so and labels do not confirm it yet" in told["description"]


def test_labels_that_confirm_are_counted() -> None:
    quality = objective(0.9, indicator=FAITHFULNESS)
    sure = steady(quality, 0.4, evidence=evidence(5000), state=BudgetState.BREACH)
    sure = replace(sure, budget=replace(sure.budget, labels=240))
    assert "Confirmed by 240 labels." in said(sure, RuleKind.EVIDENCE)["description"]


def test_labels_that_are_missing_are_counted() -> None:
    quality = objective(0.9, indicator=FAITHFULNESS)
    unsure = steady(quality, 0.4, evidence=evidence(5000))
    unsure = replace(unsure, budget=replace(unsure.budget, labels_needed=120, note="Cold start"))
    told = said(unsure, RuleKind.EVIDENCE)["description"]
    assert "about 120 more labels would settle it" in told
    assert "Cold start." in told


def test_evidence_says_since_when_and_how_sure() -> None:
    quality = objective(0.9, indicator=FAITHFULNESS)
    told = said(steady(quality, 0.4, evidence=evidence(5000, since=NOW - 60)), RuleKind.EVIDENCE)
    assert told["summary"] == (
        "chat/availability: bad answers are more frequent than the budget of 10 % allows, it seems "
        "since 2026-09-21T14:12Z (sequential test over 500 answers, 5 times its limit)"
    )


def test_evidence_beyond_all_doubt_is_no_number_of_sixty_digits() -> None:
    quality = objective(0.9, indicator=FAITHFULNESS)
    told = said(steady(quality, 0.4, evidence=evidence(5e60)), RuleKind.EVIDENCE)
    assert "over 1,000 times its limit)" in told["summary"]


def test_a_cold_start_says_what_it_compares_with() -> None:
    quality = objective(0.9, indicator=FAITHFULNESS)
    cold = replace(evidence(5000, null_ratio=0.46), is_cold=True)
    told = said(steady(quality, 0.8, evidence=cold), RuleKind.EVIDENCE)
    assert "the detector flags more answers than the 46 % that were usual here" in told["summary"]


def test_missing_labels_are_told_once() -> None:
    quality = objective(0.9, indicator=FAITHFULNESS)
    unsure = steady(quality, 0.4, evidence=evidence(5000))
    note = "Needs about 120 more labels."
    unsure = replace(unsure, budget=replace(unsure.budget, labels_needed=120, note=note))
    told = said(unsure, RuleKind.EVIDENCE)["description"]
    assert told.count("120") == 1


def test_an_absence_says_how_long_nobody_knew() -> None:
    absent = objective(alerting=Alerting(absent_after_s=60))
    told = said(silent(absent, last_event_at=NOW - 5400), RuleKind.ABSENCE)
    assert told["summary"] == "chat/availability: no event for 1.5 h, so nobody knows how it is"


def test_without_data_every_rule_has_words() -> None:
    absent = objective(0.9, indicator=FAITHFULNESS, alerting=Alerting(absent_after_s=60))
    for each in evaluate([silent(absent, last_event_at=None), reading(objective(), {})], NOW):
        assert "no " in annotations(each)["summary"]


def test_what_somebody_wrote_takes_precedence() -> None:
    written = Alerting(
        alert_annotations={Severity.PAGE: {"runbook": "http://x", "summary": "mine"}}
    )
    told = said(steady(replace(objective(alerting=written), owner="ann"), 0.02))
    assert (told["runbook"], told["summary"], told["owner"]) == ("http://x", "mine", "ann")


@pytest.mark.parametrize(
    ("ratio", "words"),
    [
        (0.0, "0 %"), (-1e-13, "0 %"), (1.0, "100 %"), (1 - 1e-16, "100 %"), (0.123456, "12.3 %"),
        (0.9999, "99.99 %"), (0.9995, "99.95 %"), (0.99949, "99.949 %"), (1e-7, "0.00001 %"),
        (1 - 1e-9, ">99.9999 %"), (1 + 1e-9, "<100.0001 %"), (-3.456, "-346 %"), (12.345, "1234 %"),
        (0.1 + 0.2, "30 %"),
    ],
)  # fmt: skip
def test_a_percentage_never_claims_a_perfection_that_is_not_there(ratio: float, words: str) -> None:
    assert percent(ratio) == words
