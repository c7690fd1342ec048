"""Fisher's exact test and Newcombe's interval, against scipy and published tables."""

import math
import time

import numpy as np
import pytest
from scipy import stats

from seakeeping.errors import BadInput
from seakeeping.stats.fisher import log_p_greater, newcombe, p_greater
from seakeeping.stats.proportion import wilson

# Newcombe, Interval estimation for the difference between independent proportions, Stat. Med. 17
# (1998), table II: x1, n1, x0, n0 and the bounds of method 10
PUBLISHED = [
    (56, 70, 48, 80, 0.0524, 0.3339),
    (9, 10, 3, 10, 0.1705, 0.8090),
    (6, 7, 2, 7, 0.0582, 0.8062),
    (5, 56, 0, 29, -0.0381, 0.1926),
    (0, 10, 0, 20, -0.1611, 0.2775),
    (0, 10, 0, 10, -0.2775, 0.2775),
    (10, 10, 0, 20, 0.6791, 1.0000),
    (10, 10, 0, 10, 0.6075, 1.0000),
]


def random_tables(count: int) -> list[tuple[int, int, int, int]]:
    random = np.random.default_rng(11)
    tables = []
    for _ in range(count):
        n1, n0 = (int(random.choice([1, 3, 20, 200, 5000])) for _ in range(2))
        rate = float(random.choice([0.0, 0.01, 0.05, 0.4, 1.0]))
        lift = float(random.choice([0.5, 1.0, 1.5, 4.0]))
        tables.append(
            (int(random.binomial(n1, min(1.0, rate * lift))), n1,
             int(random.binomial(n0, rate)), n0)
        )  # fmt: skip
    return tables


def test_p_values_equal_scipys_exact_test() -> None:
    for x1, n1, x0, n0 in random_tables(300):
        expected = stats.fisher_exact([[x1, n1 - x1], [x0, n0 - x0]], alternative="greater")[1]
        assert p_greater(x1, n1, x0, n0) == pytest.approx(expected, rel=1e-8, abs=1e-300)


def test_many_tables_at_once_equal_one_at_a_time() -> None:
    tables = np.array(random_tables(400))
    together = log_p_greater(*tables.T)
    alone = [float(log_p_greater(*table)) for table in tables.tolist()]
    assert together == pytest.approx(alone, rel=1e-12, abs=1e-12)


def test_arguments_broadcast() -> None:
    assert log_p_greater([[1], [5]], 20, [0, 1, 2], 20).shape == (2, 3)
    assert log_p_greater(3, 10, 1, 10).shape == ()


def test_a_difference_beyond_the_floats_has_a_logarithm() -> None:
    found = float(log_p_greater(5000, 5000, 0, 5000))
    assert found == pytest.approx(-math.log(math.comb(10_000, 5000)), rel=1e-10)
    assert found < -6900


def test_nothing_speaks_for_a_rise_where_there_is_none() -> None:
    assert p_greater(0, 10, 5, 10) == 1.0
    assert p_greater(0, 0, 3, 10) == 1.0
    assert p_greater(10, 10, 10, 10) == 1.0
    assert p_greater(4, 40, 0, 0) == 1.0


def test_under_no_change_small_p_values_are_as_rare_as_they_claim() -> None:
    random = np.random.default_rng(5)
    x1, x0 = random.binomial(300, 0.04, 40_000), random.binomial(500, 0.04, 40_000)
    p = np.exp(log_p_greater(x1, 300, x0, 500))
    for level in (0.2, 0.05, 0.01, 0.001):
        spread = math.sqrt(level / 40_000)
        assert (p <= level).mean() <= level + 3 * spread


def test_nine_thousand_slices_take_milliseconds() -> None:
    random = np.random.default_rng(6)
    n1, n0 = random.integers(30, 3000, (2, 9000))
    x1, x0 = random.binomial(n1, 0.05), random.binomial(n0, 0.05)
    log_p_greater(x1, n1, x0, n0)
    began = time.process_time()
    log_p_greater(x1, n1, x0, n0)
    assert time.process_time() - began < 0.1  # about 0.007 on a quiet core


@pytest.mark.parametrize(("x1", "n1", "x0", "n0", "low", "high"), PUBLISHED)
def test_newcombe_gives_the_published_bounds(
    x1: int, n1: int, x0: int, n0: int, low: float, high: float
) -> None:
    found = newcombe(x1, n1, x0, n0)
    assert round(float(found[0]), 4) == pytest.approx(low, abs=1e-9)
    assert round(float(found[1]), 4) == pytest.approx(high, abs=1e-9)


def test_newcombe_is_wilson_where_the_other_side_is_certain() -> None:
    low, _ = newcombe(30, 100, 0, 10**9)
    assert float(low) == pytest.approx(wilson(30, 100).low, abs=1e-4)


def test_a_side_without_events_leaves_everything_open() -> None:
    low, high = newcombe(0, 0, 0, 0)
    assert float(low) == pytest.approx(-math.sqrt(0.5))
    assert float(high) == pytest.approx(math.sqrt(0.5))


def test_newcombe_covers_about_as_often_as_it_says() -> None:
    random = np.random.default_rng(8)
    x1, x0 = random.binomial(80, 0.3, 20_000), random.binomial(120, 0.1, 20_000)
    low, high = newcombe(x1, 80, x0, 120)
    assert 0.94 <= ((low <= 0.2) & (high >= 0.2)).mean() <= 0.97


@pytest.mark.parametrize("table", [(3, 2, 0, 5), (1, 5, 6, 5), (-1, 5, 0, 5)])
def test_an_impossible_table_is_refused(table: tuple[int, int, int, int]) -> None:
    with pytest.raises(BadInput, match="more bad events"):
        log_p_greater(*table)
    with pytest.raises(BadInput, match="more bad events"):
        newcombe(*table)


def test_a_confidence_is_a_share() -> None:
    with pytest.raises(BadInput, match="confidence"):
        newcombe(1, 2, 1, 2, confidence=95)
