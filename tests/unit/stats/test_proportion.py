"""Intervals for a rate: published numbers, closed forms, and coverage at every look."""

import math
import random
import time
from collections.abc import Callable

import numpy as np
import pytest

from seakeeping.errors import BadInput
from seakeeping.stats.proportion import (
    Interval,
    clopper_pearson,
    confidence_sequence,
    confidence_sequences,
    incomplete_beta,
    wilson,
)

# Newcombe, Two-sided confidence intervals for the single proportion, Stat. Med. 17 (1998), table I:
# (x, n), score method without continuity correction (method 3), Clopper-Pearson (method 5)
NEWCOMBE = [
    (81, 263, (0.2553, 0.3662), (0.2527, 0.3676)),
    (15, 148, (0.0624, 0.1605), (0.0578, 0.1617)),
    (0, 20, (0.0000, 0.1611), (0.0000, 0.1684)),
    (1, 29, (0.0061, 0.1718), (0.0009, 0.1776)),
]


@pytest.mark.parametrize(("x", "n", "published", "_exact"), NEWCOMBE)
def test_wilson_gives_the_published_bounds(
    x: int, n: int, published: tuple[float, float], _exact: tuple[float, float]
) -> None:
    interval = wilson(x, n)
    assert (round(interval.low, 4), round(interval.high, 4)) == published


@pytest.mark.parametrize(("x", "n", "_score", "published"), NEWCOMBE)
def test_clopper_pearson_gives_the_published_bounds(
    x: int, n: int, _score: tuple[float, float], published: tuple[float, float]
) -> None:
    interval = clopper_pearson(x, n)
    assert (round(interval.low, 4), round(interval.high, 4)) == published


def test_clopper_pearson_agrees_with_the_manual_page_of_r() -> None:
    interval = clopper_pearson(682, 925)  # binom.test(682, 925, p = 0.75)
    assert interval.low == pytest.approx(0.7076683, abs=5e-8)
    assert interval.high == pytest.approx(0.7654066, abs=5e-8)


@pytest.mark.parametrize("n", [1, 7, 400])
def test_clopper_pearson_without_events_has_its_closed_form(n: int) -> None:
    assert clopper_pearson(0, n).high == pytest.approx(1 - 0.025 ** (1 / n), abs=1e-12)


@pytest.mark.parametrize("n", [1, 10, 1000, 1_000_000])
def test_the_sequence_without_events_has_its_closed_form(n: int) -> None:
    # uniform prior: M_n(p) = 1 / ((n + 1) (1 - p)^n) < 1/alpha
    expected = -math.expm1(math.log(0.05 / (n + 1)) / n)
    interval = confidence_sequence(0, n, 0.05, prior=(1, 1))
    assert interval.low == 0
    assert interval.high == pytest.approx(expected, rel=1e-9)


def test_the_sequence_is_where_the_martingale_reaches_its_bound() -> None:
    x, n, alpha = 37, 1000, 0.05
    interval = confidence_sequence(x, n, alpha, prior=(1, 1))
    mixture = -math.log(n + 1) - math.log(math.comb(n, x))  # log B(x+1, n-x+1), uniform prior
    for p in (interval.low, interval.high):
        likelihood = x * math.log(p) + (n - x) * math.log1p(-p)
        assert mixture - likelihood == pytest.approx(math.log(1 / alpha), abs=1e-8)


def test_the_sequence_covers_at_every_look() -> None:
    source, rate, streams, length = random.Random(7), 0.05, 400, 1500
    broken = 0
    for _ in range(streams):
        x = 0
        for n in range(1, length + 1):
            x += source.random() < rate
            if n % 25 == 0 or n < 25:
                interval = confidence_sequence(x, n, 0.1)
                if not interval.low <= rate <= interval.high:
                    broken += 1
                    break
    assert broken / streams <= 0.1


def test_a_fixed_interval_does_not_cover_at_every_look() -> None:
    source, rate, broken = random.Random(7), 0.05, 0
    for _ in range(200):
        x, outside = 0, False
        for n in range(1, 1501):
            x += source.random() < rate
            interval = wilson(x, n, 0.9) if n % 25 == 0 else Interval(0, 1)
            outside = outside or not interval.low <= rate <= interval.high
        broken += outside
    assert broken / 200 > 0.3  # why decisions need the sequence


def test_the_sequence_is_wider_than_one_look_and_still_shrinks() -> None:
    for n in (100, 10_000, 1_000_000):
        sequence, one_look = confidence_sequence(n / 10, n), wilson(n / 10, n)
        assert sequence.low < one_look.low < one_look.high < sequence.high
        assert sequence.high - sequence.low < 4 * (one_look.high - one_look.low)


@pytest.mark.parametrize("interval", [wilson, clopper_pearson, confidence_sequence])
def test_no_events_leave_every_rate_standing(interval: Callable[[int, int], Interval]) -> None:
    assert interval(0, 0) == Interval(0.0, 1.0)


@pytest.mark.parametrize("interval", [wilson, clopper_pearson, confidence_sequence])
@pytest.mark.parametrize(("x", "n"), [(3, 2), (-1, 5)])
def test_an_impossible_count_is_refused(
    interval: Callable[[int, int], Interval], x: int, n: int
) -> None:
    with pytest.raises(BadInput, match="is no count"):
        interval(x, n)


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95.0])
def test_a_confidence_is_a_share(confidence: float) -> None:
    with pytest.raises(BadInput, match="confidence"):
        wilson(1, 2, confidence)


@pytest.mark.parametrize(
    ("a", "b", "p", "value"),
    [
        (1, 1, 0.3, 0.3),
        (2, 3, 0.5, 0.6875),  # P(Bin(4, .5) >= 2) = 11/16
        (5, 1, 0.5, 0.03125),
        (0.5, 0.5, 0.25, 1 / 3),  # arcsine law: 2/pi asin(sqrt(p))
        (3, 4, 0.0, 0.0),
        (3, 4, 1.0, 1.0),
    ],
)
def test_the_incomplete_beta_function_has_known_values(
    a: float, b: float, p: float, value: float
) -> None:
    assert incomplete_beta(a, b, p) == pytest.approx(value, abs=1e-12)


def test_the_incomplete_beta_function_is_a_binomial_tail() -> None:
    n, x, p = 50, 12, 0.2
    tail = sum(math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(x, n + 1))
    assert incomplete_beta(x, n - x + 1, p) == pytest.approx(tail, rel=1e-12)


def test_many_sequences_at_once_equal_one_at_a_time() -> None:
    random = np.random.default_rng(3)
    n = random.choice([0.5, 1, 2, 12.7, 30, 400, 1e4, 1e6, 1e8], 600)
    x = n * random.choice([0.0, 1.0, 0.5, 1e-3, 0.999], 600) * random.choice([1.0, random.random()])
    alpha, b = random.choice([0.05, 0.05 / 30, 1e-6], 600), random.choice([0.5, 4.5, 499.5], 600)
    low, high = confidence_sequences(x, n, alpha, 0.5, b)
    alone = [
        confidence_sequence(xi, ni, ai, prior=(0.5, bi))
        for xi, ni, ai, bi in zip(x.tolist(), n.tolist(), alpha.tolist(), b.tolist(), strict=True)
    ]
    assert low == pytest.approx([each.low for each in alone], rel=1e-9, abs=1e-12)
    assert high == pytest.approx([each.high for each in alone], rel=1e-9, abs=1e-12)


def test_many_sequences_broadcast_and_leave_everything_open_without_events() -> None:
    low, high = confidence_sequences([[0], [3]], [0, 10, 20][1:], 0.05)
    assert low.shape == high.shape == (2, 2)
    empty = confidence_sequences([0, 1], [0, 5])
    assert (empty[0][0], empty[1][0]) == (0.0, 1.0)
    assert empty[0][1] > 0.0


def test_a_thousand_sequences_take_milliseconds() -> None:
    random = np.random.default_rng(4)
    n = random.integers(1, 1_000_000, 1000)
    x = random.binomial(n, 0.01)
    confidence_sequences(x, n)
    began = time.process_time()
    confidence_sequences(x, n, 0.05 / 30, 0.5, 4.5)
    assert time.process_time() - began < 0.05  # about 0.002 on a quiet core


def test_impossible_counts_among_many_are_refused() -> None:
    with pytest.raises(BadInput, match="more bad events"):
        confidence_sequences([1, 3], [2, 2])
    with pytest.raises(BadInput, match="alpha"):
        confidence_sequences([1], [2], 0.0)


def test_the_exact_interval_takes_effective_counts() -> None:
    between, below, above = (clopper_pearson(x, 50.0) for x in (3.5, 3, 4))
    assert below.low < between.low < above.low
    assert below.high < between.high < above.high
