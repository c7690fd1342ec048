"""Prevalence from a detector and few labels: formulas, coverage, width, and what is refused."""

import math

import numpy as np
import pytest
from bench.sli.cells import cell, estimators, shortfalls
from bench.sli.world import calibrated, detector, look

from seakeeping.errors import BadInput
from seakeeping.stats.prevalence import (
    OperatingPoint,
    Population,
    effective_size,
    labels_only,
    operating_point,
    ppi_mean,
    ppi_tuning,
    prevalence,
    rogan_gladen,
)
from seakeeping.stats.proportion import clopper_pearson, wilson
from seakeeping.stats.sequences import LabelledValues

WINDOW = Population(20_000, 0.3, 0.05)


def some_labels(share: float = 0.2, n: int = 200, seed: int = 1) -> LabelledValues:
    return look(np.random.default_rng(seed), detector(0.85), share, 20_000, n).labels


def test_without_a_say_of_the_detector_it_is_the_labels_alone() -> None:
    labels = LabelledValues.of([1.0] * 20 + [0.0] * 180, [0.4] * 200)
    found = prevalence(labels, WINDOW)
    assert found.tuning == 0.0
    assert found.estimate == pytest.approx(0.1)
    expected = wilson(20, 200)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_the_estimate_and_its_variance_have_their_formulas() -> None:
    labels, window = some_labels(), Population(5000, 0.31, 0.04)
    found = ppi_mean(labels, window, tuning=0.6)
    residual = labels.truths - 0.6 * labels.scores
    assert found.estimate == pytest.approx(0.6 * 0.31 + residual.mean())
    assert found.variance == pytest.approx(0.36 * 0.04 / 5000 + residual.var() / 200)
    half = 1.959963984540054 * math.sqrt(found.variance)
    assert (found.low, found.high) == pytest.approx((found.estimate - half, found.estimate + half))


def test_the_chosen_tuning_has_the_least_variance() -> None:
    labels = some_labels(n=400)
    window = Population(20_000, float(labels.scores.mean()), float(labels.scores.var()))
    best = ppi_tuning(labels, window)
    assert 0 < best < 1
    least = ppi_mean(labels, window, tuning=best).variance
    assert least <= min(
        ppi_mean(labels, window, tuning=best + step).variance for step in (-0.05, 0.05)
    )


@pytest.mark.parametrize("bad", [0, 1, 4])
def test_few_bad_labels_give_the_exact_interval_the_last_word(bad: int) -> None:
    labels = LabelledValues.of([1.0] * bad + [0.0] * (80 - bad), [0.2] * 80)
    found, exact = prevalence(labels, WINDOW), clopper_pearson(bad, 80)
    assert found.high - found.low >= exact.high - exact.low - 1e-12
    assert labels_only(labels).high == pytest.approx(exact.high)


def test_few_good_labels_do_too() -> None:
    labels = LabelledValues.of([0.0] * 2 + [1.0] * 78, [0.2] * 80)
    found, exact = prevalence(labels, WINDOW), clopper_pearson(78, 80)
    assert (found.low, found.high) == pytest.approx((exact.low, exact.high))


def test_an_estimate_beyond_the_shares_is_brought_back() -> None:
    labels = LabelledValues.of([0.0] * 60 + [1.0] * 3, [0.9] * 20 + [0.05] * 40 + [0.95] * 3)
    raw, found = ppi_mean(labels, Population(9000, 0.0, 0.01)), None
    found = prevalence(labels, Population(9000, 0.0, 0.01))
    assert raw.estimate < 0 == found.estimate
    assert found.low == 0.0 < found.high


@pytest.mark.parametrize("drift", [0.0, 0.5])
@pytest.mark.parametrize(("share", "labels"), [(0.01, 50), (0.05, 200), (0.2, 50), (0.2, 200)])
def test_cells_hold_the_truth_as_often_as_they_say(share: float, labels: int, drift: float) -> None:
    found = cell(share, labels, drift, repetitions=500)
    noise = 3 * math.sqrt(0.05 * 0.95 / 500)
    assert found.figures["ours"].coverage >= 0.95 - noise
    assert found.relative_width("ours") <= (0.95 if share == 0.2 and labels >= 200 else 1.08)
    assert found.figures["naive"].coverage < 0.1, "the raw rate is not the truth"


def test_plain_ppi_covers_too_little_with_few_bad_labels() -> None:
    found = cell(0.01, 50, 0.0, repetitions=300)
    assert found.figures["ppi++"].coverage < 0.6 < 0.94 < found.figures["ours"].coverage


@pytest.mark.parametrize("auroc", [0.6, 0.97, 0.995])
def test_other_detectors_are_covered_as_well(auroc: float) -> None:
    found = cell(0.1, 100, 0.5, repetitions=500, auroc=auroc)
    assert found.figures["ours"].coverage >= 0.93 - 0.01
    assert found.relative_width("ours") <= 1.02
    assert cell(0.2, 200, 0.0, 200, 0.97).relative_width("ours") < 0.7


def test_shortfalls_are_named() -> None:
    wide = cell(0.01, 50, 0.0, repetitions=30, auroc=0.85)
    assert shortfalls([wide]) == [] or "1%, 50 labels" in shortfalls([wide])[0]
    figures = {**wide.figures, "ours": wide.figures["ppi++"]}
    (words,) = shortfalls([type(wide)(0.01, 50, 0.0, figures)])
    assert words.startswith("1%, 50 labels, drift 0: coverage")


def test_rogan_gladen_has_the_published_value_and_its_variance() -> None:
    # q = .26, se = .84, sp = .82: (.26 + .82 - 1) / .66
    point = OperatingPoint(0.84, 31, 0.82, 191)
    found = rogan_gladen(0.26, 1000, point)
    assert found is not None
    assert found.estimate == pytest.approx(0.08 / 0.66)
    theta = found.estimate
    spread = 0.26 * 0.74 / 1000 + theta**2 * 0.84 * 0.16 / 31 + (1 - theta) ** 2 * 0.82 * 0.18 / 191
    assert found.variance == pytest.approx(spread / 0.66**2)
    assert found.low == pytest.approx(
        max(0.0, theta - 1.959963984540054 * math.sqrt(found.variance))
    )


def test_rogan_gladen_refuses_a_detector_that_sees_too_little() -> None:
    assert rogan_gladen(0.3, 100, OperatingPoint(0.6, 50, 0.69, 50)) is None
    assert rogan_gladen(0.3, 100, OperatingPoint(0.6, 50, 0.71, 50)) is not None
    assert rogan_gladen(0.3, 0, OperatingPoint(0.9, 50, 0.9, 50)) is None


def test_rogan_gladen_stays_a_share() -> None:
    point = OperatingPoint(0.84, 31, 0.82, 191)
    below, above = rogan_gladen(0.0, 500, point), rogan_gladen(1.0, 500, point)
    assert below is not None
    assert above is not None
    assert below.estimate == 0.0 == below.low
    assert above.estimate == 1.0 == above.high


def test_rogan_gladen_holds_until_the_detector_drifts() -> None:
    random = np.random.default_rng(6)
    held = {0.0: 0, 0.5: 0}
    for drift in held:
        for _ in range(200):
            point = calibrated(random, detector(0.85), 1000)
            one = look(random, detector(0.85, drift), 0.05, 20_000, 50)
            _, low, high = dict(estimators(one, point))["rogan-gladen"]
            held[drift] += low <= 0.05 <= high
    assert held[0.0] >= 180
    assert held[0.5] <= 5


def test_an_operating_point_counts_flags_by_weight() -> None:
    labels = LabelledValues.of([1, 1, 0, 0], [0.9, 0.1, 0.8, 0.2], [1.0, 3.0, 1.0, 1.0])
    point = operating_point(labels, [1, 0, 1, 0])
    assert point is not None
    assert point.sensitivity == pytest.approx(0.25)
    assert point.specificity == pytest.approx(0.5)
    scale = effective_size(labels.weights) / 6
    assert (point.positives, point.negatives) == pytest.approx((4 * scale, 2 * scale))
    assert operating_point(LabelledValues.of([1.0], [0.1]), [0]) is None


def test_without_a_bad_label_a_detector_may_find_everything() -> None:
    point = operating_point(LabelledValues.of([0.0, 0.0], [0.1, 0.9]), [0, 1])
    assert point == OperatingPoint(1.0, 0.0, 0.5, 2.0)
    assert point.highest_flagged_ratio(0.1) > 0.1 + 0.9 * 0.5


def test_the_highest_flagged_ratio_bounds_what_a_budget_allows() -> None:
    found, spared, allowed, above = 0.7, 0.9, 0.1, 0
    random = np.random.default_rng(8)
    truth = allowed * found + (1 - allowed) * (1 - spared)
    for _ in range(1000):
        point = OperatingPoint(
            random.binomial(60, found) / 60, 60, random.binomial(240, spared) / 240, 240
        )
        above += point.highest_flagged_ratio(allowed) >= truth
        assert point.flagged_ratio(allowed) <= point.highest_flagged_ratio(allowed) <= 1
    assert above / 1000 >= 0.94


def test_weights_count_as_fewer_labels() -> None:
    assert effective_size(np.ones(50)) == pytest.approx(50)
    assert effective_size(np.array([1.0, 1.0, 8.0])) == pytest.approx(100 / 66)
    even, uneven = some_labels(), some_labels()
    skewed = LabelledValues.of(uneven.truths, uneven.scores, np.where(np.arange(200) % 4, 1.0, 9.0))
    widths = [
        found.high - found.low for found in (prevalence(even, WINDOW), prevalence(skewed, WINDOW))
    ]
    assert widths[1] > 1.2 * widths[0]


def test_labels_drawn_by_score_are_unbiased_and_covered() -> None:
    random, held, estimates, plain = np.random.default_rng(10), 0, [], []
    for _ in range(300):
        truths = (random.random(6000) < 0.1).astype(float)
        scores = np.clip(0.2 + 0.4 * truths + 0.15 * random.standard_normal(6000), 0, 1)
        doubt = np.sqrt(scores * (1 - scores))
        chances = np.minimum(1, 200 * (0.8 * doubt / doubt.sum() + 0.2 / 6000))
        drawn = random.random(6000) < chances
        labels = LabelledValues.of(truths[drawn], scores[drawn], 1 / chances[drawn])
        found = prevalence(labels, Population.of(scores))
        held += found.low <= 0.1 <= found.high
        estimates.append(found.estimate)
        plain.append(float(truths[drawn].mean()))
    assert held / 300 >= 0.92
    assert np.mean(estimates) == pytest.approx(0.1, abs=0.005)
    assert np.mean(plain) > 0.12


def test_nothing_comes_of_nothing() -> None:
    with pytest.raises(BadInput, match="no labels"):
        prevalence(LabelledValues.of([], []), WINDOW)
    with pytest.raises(BadInput, match="no answers"):
        ppi_mean(LabelledValues.of([1.0], [0.5]), Population(0, 0.0, 0.0))
