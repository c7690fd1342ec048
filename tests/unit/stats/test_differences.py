"""The difference in differences: free of what happens to all, and as sure as it says."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seakeeping.errors import BadInput
from seakeeping.stats.differences import Counts, beyond_others


def drawn(
    source: np.random.Generator, rates: tuple[float, ...], sizes: tuple[int, ...]
) -> list[Counts]:
    return [(int(source.binomial(n, p)), n) for p, n in zip(rates, sizes, strict=True)]


def test_what_adds_points_to_all_is_no_excess() -> None:
    found = beyond_others((260, 1_000), (100, 1_000), (600, 3_000), (120, 3_000))
    assert found.lift == pytest.approx(0.0, abs=1e-12)
    assert found.low < 0 < found.high
    assert found.p_value > 0.2


def test_what_multiplies_the_odds_of_all_is_no_excess() -> None:
    # odds x 6: 10 % becomes 40 %, 4 % becomes 20 %: fourteen points more, and no more than others
    found = beyond_others((4_000, 10_000), (1_000, 10_000), (6_000, 30_000), (1_200, 30_000))
    assert found.lift == pytest.approx(0.14, abs=1e-9)
    assert found.p_value > 0.05


def test_a_rise_of_the_exposed_alone_is_told_with_its_size() -> None:
    found = beyond_others((200, 1_000), (40, 1_000), (120, 3_000), (120, 3_000))
    assert found.lift == pytest.approx(0.16)
    assert found.expected == pytest.approx(0.04)
    assert 0.12 < found.low < 0.16 < found.high < 0.2
    assert found.p_value < 1e-12


def test_a_fall_of_others_is_no_rise_of_the_exposed_below_zero() -> None:
    found = beyond_others((0, 50), (0, 50), (0, 50), (40, 50))
    assert found.expected == 0.0
    assert found.lift == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("rates", "sizes"),
    [
        ((0.20, 0.10, 0.14, 0.04), (1_000, 1_000, 3_000, 3_000)),
        ((0.06, 0.02, 0.08, 0.04), (200, 200, 2_000, 8_000)),
        ((0.05, 0.05, 0.05, 0.05), (40, 40, 400, 400)),
    ],
)
def test_its_interval_covers_and_its_test_errs_no_more_than_it_says(
    rates: tuple[float, ...], sizes: tuple[int, ...]
) -> None:
    source, runs = np.random.default_rng(7), 4_000
    found = [beyond_others(*drawn(source, rates, sizes)) for _ in range(runs)]
    assert np.mean([it.low <= 0 <= it.high for it in found]) >= 0.94
    assert np.mean([it.p_value < 0.025 for it in found]) <= 0.03
    assert np.mean([it.p_value < 0.001 for it in found]) <= 0.002


EVENTS = st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(EVENTS, EVENTS, EVENTS, EVENTS)
def test_any_counts_have_bounds_around_a_lift(a: Counts, b: Counts, c: Counts, d: Counts) -> None:
    found = beyond_others(a, b, c, d)
    assert -2 <= found.low <= found.high <= 2
    assert 0 <= found.p_value <= 1
    assert 0 <= found.expected <= 1
    mirrored = beyond_others(c, d, a, b)
    assert mirrored.lift == pytest.approx(-found.lift)
    assert mirrored.low == pytest.approx(-found.high)


@pytest.mark.parametrize("cell", [(0, 0), (3, 2), (-1, 5)])
def test_impossible_counts_are_refused(cell: Counts) -> None:
    with pytest.raises(BadInput):
        beyond_others((1, 9), (1, 9), (1, 9), cell)
