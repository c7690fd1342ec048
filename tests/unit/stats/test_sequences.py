"""Confidence sequences of bounded means: closed cases, and coverage at every look."""

import math

import numpy as np
import pytest
from bench.sli.looks import streams
from bench.sli.world import detector, look

from seakeeping.errors import BadInput
from seakeeping.stats.proportion import Interval, confidence_sequence, wilson
from seakeeping.stats.sequences import (
    LabelledValues,
    asymptotic_half_width,
    mean_sequence,
    ppi_sequence,
)


def at(mean: float) -> Interval:
    return Interval(mean, mean)


def test_no_labels_leave_every_rate_standing() -> None:
    assert mean_sequence([]) == Interval(0.0, 1.0)
    assert ppi_sequence(LabelledValues.of([], []), at(0.3)) == Interval(0.0, 1.0)


def test_the_bound_is_where_the_wealth_reaches_its_limit() -> None:
    values = np.array([1.0] * 9 + [0.0] * 71)
    bounds = mean_sequence(values, 0.05)
    stakes = 0.9 * 0.5 ** np.arange(8)
    for claim, payoff in (
        (bounds.low, values / bounds.low - 1),
        (bounds.high, (1 - values) / (1 - bounds.high) - 1),
    ):
        wealth = np.prod(1 + stakes[:, None] * payoff[None, :], axis=1).mean()
        assert wealth == pytest.approx(2 / 0.05, rel=1e-2), claim


@pytest.mark.parametrize(("x", "n"), [(10, 100), (3, 400), (250, 500), (5, 1000)])
def test_of_counts_it_is_about_as_wide_as_the_mixture_made_for_them(x: int, n: int) -> None:
    betting, mixture = mean_sequence([1.0] * x + [0.0] * (n - x)), confidence_sequence(x, n)
    assert betting.low < x / n < betting.high
    ratio = (betting.high - betting.low) / (mixture.high - mixture.low)
    assert 0.8 <= ratio <= 1.25


def test_good_and_bad_are_mirror_images() -> None:
    values = np.array([0.1, 0.4, 0.9, 1.0, 0.0, 0.3] * 10)
    bounds, mirrored = mean_sequence(values), mean_sequence(1 - values)
    assert mirrored.low == pytest.approx(1 - bounds.high, abs=2e-5)
    assert mirrored.high == pytest.approx(1 - bounds.low, abs=2e-5)


def test_values_that_hardly_vary_are_pinned_down_faster_than_counts() -> None:
    steady = mean_sequence([0.48, 0.52] * 100)
    counted = mean_sequence([0.0, 1.0] * 100)
    assert steady.high - steady.low < 0.35 * (counted.high - counted.low)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_labels_that_all_agree_leave_one_end_open(share: float) -> None:
    bounds = mean_sequence([share] * 200)
    assert bounds.low <= share <= bounds.high
    assert bounds.high - bounds.low < 0.06


@pytest.mark.parametrize("share", [0.01, 0.2])
def test_streams_are_covered_at_every_look(share: float) -> None:
    found = streams(share, labels=200, repetitions=60, drift=0.5)
    assert found.sequence_wrong <= 0.05
    assert found.one_look_wrong > found.sequence_wrong  # why decisions need the sequence


def test_a_rate_that_is_asked_for_many_times_is_seldom_lost() -> None:
    # labels alone, a skewed bounded score, 800 looks
    random, wrong = np.random.default_rng(9), 0
    for _ in range(40):
        values = np.where(random.random(400) < 0.1, random.random(400), 0.0)  # mean .05
        looks = (mean_sequence(values[:n], 0.1) for n in range(5, 401, 5))
        wrong += any(not bounds.low <= 0.05 <= bounds.high for bounds in looks)
    assert wrong / 40 <= 0.1


def test_a_good_detector_narrows_the_sequence_and_a_useless_one_costs_little() -> None:
    random = np.random.default_rng(3)
    widths: dict[str, list[float]] = {"good": [], "none": [], "useless": []}
    for _ in range(20):
        good = look(random, detector(0.97), 0.2, 20_000, 200)
        noise = random.random(200)
        for name, scores, mean in (
            ("good", good.labels.scores, good.population.mean),
            ("none", np.zeros(200), 0.0),
            ("useless", noise, 0.5),
        ):
            bounds = ppi_sequence(LabelledValues.of(good.labels.truths, scores), at(mean))
            widths[name].append(bounds.high - bounds.low)
    mean_width = {name: float(np.mean(each)) for name, each in widths.items()}
    assert mean_width["good"] < 0.75 * mean_width["none"]
    assert mean_width["useless"] < 1.12 * mean_width["none"]


def test_a_loose_mean_score_widens_the_sequence_on_both_sides() -> None:
    one = look(np.random.default_rng(2), detector(0.9), 0.1, 20_000, 300)
    mean = one.population.mean
    tight = ppi_sequence(one.labels, at(mean))
    loose = ppi_sequence(one.labels, Interval(mean - 0.02, mean + 0.02))
    assert loose.low < tight.low < tight.high < loose.high


def test_labels_and_scores_that_contradict_each_other_leave_what_lies_between() -> None:
    # the labelled answers score low, those asked about score high: the labels are not from them
    truths, scores = np.array([0.0] * 280 + [1.0] * 20), np.array([0.1] * 280 + [0.3] * 20)
    bounds = ppi_sequence(LabelledValues.of(truths, scores), at(0.9))
    assert bounds.low < 20 / 300 + 0.02
    assert bounds.high > 0.6


def test_the_sequence_is_always_wider_than_one_look() -> None:
    for x, n in ((1, 30), (20, 200), (100, 1000)):
        bounds, once = mean_sequence([1.0] * x + [0.0] * (n - x)), wilson(x, n)
        assert bounds.low < once.low < once.high < bounds.high


def test_drawing_by_score_is_undone_by_weights() -> None:
    # answers with high scores are drawn often; unweighted, the labels look far too bad
    random, wrong, plain_wrong = np.random.default_rng(12), 0, 0
    for _ in range(60):
        truths = (random.random(4000) < 0.1).astype(float)
        scores = np.clip(0.15 + 0.5 * truths + 0.15 * random.standard_normal(4000), 0, 1)
        chances = 0.02 + 0.5 * scores**2
        drawn = random.random(4000) < chances
        labels = LabelledValues.of(truths[drawn], scores[drawn], 1 / chances[drawn])
        plain = LabelledValues.of(truths[drawn], scores[drawn])
        mean = at(float(scores.mean()))
        bounds, unweighted = ppi_sequence(labels, mean), ppi_sequence(plain, mean, tunings=(0.0,))
        wrong += not bounds.low <= 0.1 <= bounds.high
        plain_wrong += not unweighted.low <= 0.1 <= unweighted.high
    assert wrong / 60 <= 0.05
    assert plain_wrong > 30


def test_the_asymptotic_width_has_its_formula_and_is_sharpest_where_it_is_tuned() -> None:
    n, alpha = 1000.0, 0.05
    rate = (2 * math.log(1 / alpha) + math.log(2 * math.log(1 / alpha) + 1)) / n
    grown = n * rate + 1
    expected = 0.5 * math.sqrt(2 * grown / (n * n * rate) * math.log(math.sqrt(grown) / alpha))
    assert asymptotic_half_width(0.25, n, alpha, n) == pytest.approx(expected)
    others = [asymptotic_half_width(0.25, n, alpha, tuned) for tuned in (10, 100_000)]
    assert expected < min(others)
    assert asymptotic_half_width(0.25, 0, alpha, n) == math.inf


def test_means_of_many_scores_stay_within_the_asymptotic_sequence() -> None:
    random, wrong = np.random.default_rng(4), 0
    for _ in range(100):
        values = random.beta(1, 6, 20_000)
        sizes = np.arange(200, 20_001, 200)
        means = np.cumsum(values)[sizes - 1] / sizes
        halves = [
            asymptotic_half_width(float(values[:n].var()), float(n), 0.05, 10_000)
            for n in sizes.tolist()
        ]
        wrong += bool(np.any(np.abs(means - 1 / 7) > halves))
    assert wrong / 100 <= 0.05


@pytest.mark.parametrize(
    ("truths", "scores", "weights", "words"),
    [
        ([1], [0.5, 0.5], None, "differ in number"),
        ([2], [0.5], None, "between 0 and 1"),
        ([1], [-0.1], None, "between 0 and 1"),
        ([1], [0.1], [0.0], "positive"),
        ([1], [0.1], [math.nan], "positive"),
    ],
)
def test_labels_that_make_no_sense_are_refused(
    truths: list[float], scores: list[float], weights: list[float] | None, words: str
) -> None:
    with pytest.raises(BadInput, match=words):
        LabelledValues.of(truths, scores, weights)


@pytest.mark.parametrize("alpha", [0.0, 1.0, -1.0])
def test_an_alpha_is_a_share(alpha: float) -> None:
    with pytest.raises(BadInput, match="alpha"):
        mean_sequence([0.5], alpha)
