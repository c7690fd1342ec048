"""The buckets of durations, against exact counting."""

import random
from itertools import pairwise

import pytest

from seakeeping.store.histogram import EDGES_US, OVERFLOW_US, quantile


def bucketed(durations: list[float]) -> dict[int, int]:
    """Count durations the way the store's SQL does."""
    counts: dict[int, int] = {}
    for duration in durations:
        at = round(duration * 1e6)
        edge = next((e for e in EDGES_US if at <= e), OVERFLOW_US)
        counts[edge] = counts.get(edge, 0) + 1
    return counts


def test_edges_rise_by_less_than_a_seventh() -> None:
    assert list(EDGES_US) == sorted(set(EDGES_US))
    ratios = [high / low for low, high in pairwise(EDGES_US)]
    assert max(ratios) < 1.15


@pytest.mark.parametrize("threshold_s", [0.1, 0.2, 0.25, 0.3, 0.5, 1, 2, 2.5, 5, 10, 30, 60])
def test_usual_thresholds_are_edges(threshold_s: float) -> None:
    assert round(threshold_s * 1e6) in EDGES_US


@pytest.mark.parametrize("ratio", [0.5, 0.9, 0.95, 0.99])
def test_quantiles_are_within_seven_percent(ratio: float) -> None:
    source = random.Random(3)
    durations = sorted(source.lognormvariate(0, 1) for _ in range(20_000))
    exact = durations[int(ratio * len(durations))]
    found = quantile(bucketed(durations), ratio)
    assert found == pytest.approx(exact, rel=0.07)


def test_the_quantile_of_nothing_is_unknown() -> None:
    assert quantile({}, 0.5) is None
    assert quantile({1000: 0}, 0.5) is None


def test_what_is_over_the_last_edge_counts_as_the_last_edge() -> None:
    assert quantile({OVERFLOW_US: 3}, 0.5) == 1000.0


def test_the_lowest_and_highest_quantiles_stay_inside() -> None:
    assert quantile({1000: 2, 2000: 2}, 0.0) == pytest.approx(0.0)
    assert quantile({1000: 2, 2000: 2}, 1.0) == pytest.approx(0.002)
