"""Estimates of quality: which method, what it may decide, what it asks for, what it says."""

import math
import statistics
from dataclasses import replace

import numpy as np
import pytest
from bench.sli.world import LEVELS, counts_of, detector

from seakeeping.observe.bank import Bank, make_bank
from seakeeping.observe.estimate import (
    ALPHA,
    LEAST_FOR_PPI,
    LEAST_LABELS,
    MOST_NEEDED,
    OPERATING_POINTS,
    Estimate,
    estimate,
    null_ratio,
)
from seakeeping.records import BudgetState, Counts, EstimateMethod, LabelKind, LabelledScore
from seakeeping.stats.prevalence import OperatingPoint
from seakeeping.stats.sequences import mean_sequence

POINT = OPERATING_POINTS["faithfulness"]
SEEN = detector(0.9)


def window(share: float, answers: int = 20_000, seed: int = 1) -> Counts:
    mixed = share * SEEN.of_bad + (1 - share) * SEEN.of_good
    return counts_of(SEEN, np.random.default_rng(seed).multinomial(answers, mixed / mixed.sum()))


def labels(
    share: float, count: int, seed: int = 2, by: LabelKind = LabelKind.HUMAN, errs: float = 0.0
) -> list[LabelledScore]:
    random, made = np.random.default_rng(seed), []
    for number in range(count):
        truth = float(random.random() < share)
        chances = SEEN.of_bad if truth else SEEN.of_good
        score = float(SEEN.scores[random.choice(LEVELS, p=chances / chances.sum())])
        said = 1 - truth if random.random() < errs else truth
        made.append(LabelledScore(
            f"{number:032x}", "1", "shop", float(number), float(number), said, score, score > 0.5,
            by, by.value, 0.05,
        ))  # fmt: skip
    return made


def found(share: float, count: int, budget: float = 0.1, seed: int = 2) -> Estimate:
    return estimate(window(share), make_bank(labels(share, count, seed)), budget, POINT)


def test_nothing_counted_is_no_data_whatever_is_known() -> None:
    for bank in (None, make_bank(labels(0.1, 300))):
        nothing = estimate(Counts(), bank, 0.1, POINT)
        assert nothing.state is BudgetState.NO_DATA
        assert (nothing.estimate, nothing.low, nothing.high, nothing.raw_ratio) == (None,) * 4


@pytest.mark.parametrize(
    ("count", "method"),
    [
        (0, EstimateMethod.COLD_START),
        (LEAST_LABELS - 1, EstimateMethod.COLD_START),
        (LEAST_LABELS, EstimateMethod.LABELS_ONLY),
        (LEAST_FOR_PPI - 1, EstimateMethod.LABELS_ONLY),
        (LEAST_FOR_PPI, EstimateMethod.PPI),
    ],
)
def test_the_number_of_labels_chooses_the_method(count: int, method: EstimateMethod) -> None:
    one = found(0.1, count)
    assert one.method is method
    assert one.labels == count


def test_without_labels_and_without_an_operating_point_nothing_is_corrected() -> None:
    one = estimate(window(0.1), None, 0.1)
    assert one.method is EstimateMethod.UNCORRECTED
    assert one.state is BudgetState.UNCERTAIN
    assert (one.estimate, one.low, one.high) == (None,) * 3
    assert one.raw_ratio is not None
    assert one.labels_needed == LEAST_FOR_PPI
    assert "not to be read as quality" in one.note


@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 1.0])
@pytest.mark.parametrize("budget", [0.001, 0.1, 0.6])
def test_a_cold_start_decides_nothing(share: float, budget: float) -> None:
    one = estimate(window(share), None, budget, POINT)
    assert one.method is EstimateMethod.COLD_START
    assert one.state is BudgetState.UNCERTAIN
    assert one.estimate is not None
    assert "Cold start" in one.note


def test_a_detector_too_weak_to_invert_stays_uncorrected() -> None:
    one = estimate(window(0.1), None, 0.1, OperatingPoint(0.5, 50, 0.7, 50))
    assert one.method is EstimateMethod.UNCORRECTED


def test_clear_cases_are_decided_and_close_ones_are_not() -> None:
    assert found(0.02, 500).state is BudgetState.OK
    assert found(0.3, 300).state is BudgetState.BREACH
    assert found(0.1, 300).state is BudgetState.UNCERTAIN


def test_few_labels_alone_may_decide_a_disaster() -> None:
    one = found(0.9, 40)
    assert one.method is EstimateMethod.LABELS_ONLY
    assert one.state is BudgetState.BREACH


def test_bounds_hold_the_estimate_and_the_look_lies_within_them() -> None:
    for share, count in ((0.02, 60), (0.1, 200), (0.4, 1000)):
        one = found(share, count)
        assert one.estimate is not None
        assert one.low is not None
        assert one.high is not None
        assert one.look_low is not None
        assert one.look_high is not None
        assert 0 <= one.low <= one.estimate <= one.high <= 1
        assert one.low <= one.look_low <= one.look_high <= one.high


def test_the_truth_is_within_the_bounds_and_the_raw_rate_is_not() -> None:
    held = 0
    for seed in range(60):
        one = estimate(window(0.05, seed=seed), make_bank(labels(0.05, 200, seed)), 0.1, alpha=0.05)
        assert one.low is not None
        assert one.high is not None
        assert one.raw_ratio is not None
        held += one.low <= 0.95 <= one.high
        assert abs(one.raw_ratio - 0.95) > 0.03
    assert held >= 57


def test_a_wrong_verdict_is_rare_at_the_budget_itself() -> None:
    wrong = 0
    for seed in range(100):
        bank = make_bank(labels(0.1, 300, seed))
        wrong += estimate(window(0.1, seed=seed), bank, 0.1).state is not BudgetState.UNCERTAIN
    assert wrong <= 1


def test_scores_sharpen_what_labels_say() -> None:
    bank, counts = make_bank(labels(0.2, 400)), window(0.2)
    with_scores = estimate(counts, bank, 0.1)
    useless = estimate(replace(counts, score_sum=0.5 * counts.valid, score_squares=0.0), bank, 0.1)
    assert with_scores.method is useless.method is EstimateMethod.PPI

    def width(one: Estimate) -> float:
        return (one.look_high or 0.0) - (one.look_low or 0.0)

    assert width(with_scores) < 0.97 * width(useless)  # verdicts alone know less than scores


def test_verdicts_stand_in_where_there_are_no_scores() -> None:
    counts = replace(window(0.1), score_sum=0.0, score_squares=0.0)
    one = estimate(counts, make_bank(labels(0.1, 500)), 0.3)
    assert one.method is EstimateMethod.PPI
    assert one.estimate == pytest.approx(0.9, abs=0.05)


def test_a_handful_of_answers_knows_less_than_a_window_of_them() -> None:
    few = Counts(valid=3, bad=0, valid_rows=3, bad_rows=0, score_sum=0.3, score_squares=0.03)
    bank, counts = make_bank(labels(0.2, 400)), window(0.2)
    narrow, wide = estimate(counts, bank, 0.1), estimate(few, bank, 0.1)
    alone = mean_sequence(bank.labels.truths, ALPHA)

    def width(one: Estimate) -> float:
        return (one.high or 0.0) - (one.low or 0.0)

    assert width(narrow) < alone.high - alone.low < width(wide)


def test_labels_needed_falls_as_labels_come_and_ends_with_the_verdict() -> None:
    def asked(count: int) -> float:
        return statistics.median(found(0.05, count, seed=n).labels_needed or 0 for n in range(9))

    assert asked(80) > asked(300) > 0
    assert asked(1500) == 0


def test_about_as_many_labels_as_were_asked_for_settle_it() -> None:
    one = found(0.05, 300, seed=9)
    assert one.labels_needed is not None
    assert "more labels" in one.note
    later = found(0.05, 300 + 2 * one.labels_needed, seed=9)
    assert later.state is BudgetState.OK


def test_a_rate_at_its_budget_says_that_labels_will_not_settle_it() -> None:
    counts, bank = window(0.1), make_bank(labels(0.1, 300))
    at_budget = estimate(counts, bank, 1 - (estimate(counts, bank, 0.1).estimate or 0.0))
    assert at_budget.labels_needed == MOST_NEEDED
    assert "no number of labels" in at_budget.note


def test_what_no_label_speaks_for_stays_open() -> None:
    counts, bank = window(0.3), make_bank(labels(0.3, 600))
    whole, part = (estimate(counts, bank, 0.1, POINT, undrawn=share) for share in (0.0, 0.5))
    assert whole.state is part.state is BudgetState.BREACH  # the labelled half alone breaks it
    assert whole.low is not None
    assert whole.high is not None
    assert part.low == pytest.approx(0.5 * whole.low)
    assert part.high == pytest.approx(0.5 + 0.5 * whole.high)
    assert "Labels speak for 50% of the window's answers" in part.note
    little = estimate(counts, bank, 0.1, POINT, undrawn=0.9)
    assert little.state is BudgetState.UNCERTAIN


def test_a_good_week_does_not_clear_a_month() -> None:
    counts, bank = window(0.01), make_bank(labels(0.01, 800))
    assert estimate(counts, bank, 0.1, POINT).state is BudgetState.OK
    assert estimate(counts, bank, 0.1, POINT, undrawn=0.75).state is BudgetState.UNCERTAIN


def test_the_null_of_the_sequential_test_is_in_the_detectors_units() -> None:
    expected = 0.1 * 0.84 + 0.9 * 0.18
    cold = null_ratio(None, 0.1, POINT, 0.05)
    assert cold is not None
    assert expected < cold < expected + 0.08
    bank = make_bank(labels(0.2, 800))
    assert bank.point is not None
    own = null_ratio(bank, 0.1, POINT, 0.5)
    assert own == pytest.approx(bank.point.highest_flagged_ratio(0.1))
    assert null_ratio(None, 0.1, POINT, 0.5) == 0.5
    assert null_ratio(None, 0.1, POINT, 1.0) == 0.99
    assert null_ratio(None, 0.1, POINT) is None
    assert null_ratio(None, 0.1, None, 0.3) == 0.3


def test_the_null_is_above_what_a_service_at_its_budget_shows() -> None:
    shown, above = 0.1 * SEEN.of_bad[SEEN.flags].sum() + 0.9 * SEEN.of_good[SEEN.flags].sum(), 0
    for seed in range(200):
        null = null_ratio(make_bank(labels(0.2, 400, seed)), 0.1)
        assert null is not None
        above += null >= shown
    assert above >= 182  # 95 % promised, less three standard deviations


def test_what_is_left_out_is_said() -> None:
    some = labels(0.1, 100)
    torn = [replace(one, author="bob", truth=1 - one.truth) for one in some[:3]]
    undrawn = [
        replace(one, trace_id=f"u{n}", sampling_probability=None) for n, one in enumerate(some[:4])
    ]
    judge = [replace(one, trace_id=f"j{n}", by=LabelKind.JUDGE) for n, one in enumerate(some[:5])]
    note = estimate(window(0.1), make_bank([*some, *torn, *undrawn, *judge]), 0.1).note
    assert "3 answers contradict" in note
    assert "4 labels lie on answers that nobody drew" in note
    assert "5 labels of a judge" in note


def test_a_detector_that_changed_is_said() -> None:
    some = labels(0.1, 300)
    later = [
        replace(one, trace_id=f"l{n}", started_at=one.started_at + 300, score=1 - one.score)
        for n, one in enumerate(labels(0.1, 200, seed=8))
    ]
    bank = make_bank(some + later, window_start=400.0)
    note = estimate(window(0.1), bank, 0.1).note
    assert "scores like answers differently" in note
    assert f"{bank.outdated} labels are from before" in note


def with_judge(share: float, people: int, judged: int, seed: int, errs: float = 0.05) -> Bank:
    by_people = labels(share, judged, seed)[:people]
    return make_bank(by_people + labels(share, judged, seed, LabelKind.JUDGE, errs))


def test_an_audited_judge_narrows_the_estimate() -> None:
    alone, together = make_bank(labels(0.2, 150)), with_judge(0.2, 150, 1900, seed=2, errs=0.0)
    assert together.audit is not None
    counts = window(0.2)
    first, second = estimate(counts, alone, 0.1), estimate(counts, together, 0.1)
    assert first.labels == second.labels == 150
    assert (second.high or 0) - (second.low or 0) < (first.high or 0) - (first.low or 0)


def test_a_judge_who_errs_is_corrected_by_the_audit() -> None:
    # a judge who turns 10 % of the verdicts around sees .2 as .26
    held, centre = 0, []
    for seed in range(40):
        bank = with_judge(0.2, 300, 1500, seed, errs=0.1)
        one = estimate(window(0.2, seed=seed), bank, 0.1, alpha=0.05)
        assert one.low is not None
        assert one.high is not None
        held += one.low <= 0.8 <= one.high
        centre.append(one.estimate or 0.0)
    assert held >= 38
    assert np.mean(centre) == pytest.approx(0.8, abs=0.015)


def test_an_estimate_is_plain_numbers() -> None:
    one = found(0.1, 200)
    for value in (one.estimate, one.low, one.high, one.look_low, one.look_high, one.raw_ratio):
        assert type(value) is float
        assert math.isfinite(value)


def test_asking_again_gives_the_same_answer() -> None:
    bank, counts = make_bank(labels(0.1, 300)), window(0.1)
    assert estimate(counts, bank, 0.1) == estimate(counts, bank, 0.1)


def test_the_shipped_operating_point_is_the_model_cards() -> None:
    # docs/model-cards/faithfulness-lexical.md, mtrag_dev: 222 scored, .14 unfaithful
    assert POINT.positives + POINT.negatives == 222
    assert POINT.positives / 222 == pytest.approx(0.14, abs=0.005)
