"""Metrics are ranked by how far they left what was usual for them."""

from collections.abc import Sequence

import numpy as np
import pytest

from seakeeping.decide.diagnose.signals import LEAST_POINTS, ranked
from seakeeping.records import MetricPoint

ONSET = 10_000.0
TIMES = ONSET - 1_800 + np.arange(0, 3_600, 60)


def points(
    name: str, values: Sequence[float], temporality: str | None = None, **attributes: str
) -> list[MetricPoint]:
    return [
        MetricPoint(name, "1", "gauge", at, "chat", {}, attributes, value, temporality=temporality)
        for at, value in zip(TIMES, values, strict=True)
    ]


def noisy(level: float, during: float, seed: int = 0) -> list[float]:
    source = np.random.default_rng(seed)
    steady = np.where(ONSET <= TIMES, during, level)
    return list(steady + source.normal(0, 0.02 * level, len(TIMES)))


def test_the_series_that_left_its_usual_comes_first() -> None:
    found = ranked(
        [
            *points("cache_usage", noisy(0.5, 0.95, 1)),
            *points("queue", noisy(4, 60, 2)),
            *points("memory", noisy(8, 8, 3)),
        ],
        ONSET,
    )
    assert [it.name for it in found] == ["queue", "cache_usage"]
    assert found[0].usual == pytest.approx(4, rel=0.05)
    assert found[0].extreme == pytest.approx(60, rel=0.05)
    assert found[0].p_value == pytest.approx(1 / 31)


def test_series_of_one_metric_are_told_apart() -> None:
    both = [
        *points("queue", noisy(4, 4, 1), node="a"),
        *points("queue", noisy(4, 40, 2), node="b"),
    ]
    (found,) = ranked(both, ONSET)
    assert found.attributes == (("node", "b"),)


def test_of_a_running_total_the_pace_counts_and_a_reset_does_not() -> None:
    paces = np.where(ONSET <= TIMES, 50.0, 5.0) + np.random.default_rng(4).normal(0, 0.2, 60)
    totals = np.cumsum(paces * 60)
    totals[40:] -= totals[39]
    (found,) = ranked(points("errors_total", list(totals), "cumulative"), ONSET)
    assert found.usual == pytest.approx(5, rel=0.1)
    assert found.extreme == pytest.approx(50, rel=0.1)


def test_a_series_that_hardly_moved_is_no_alarm() -> None:
    assert ranked(points("replicas", noisy(3, 3, 5)), ONSET) == []
    assert ranked(points("limit", [100.0] * 30 + [100.5] * 30), ONSET) == []


def test_a_series_without_a_past_has_no_usual() -> None:
    young = points("queue", noisy(4, 60))[30 - LEAST_POINTS + 1 :]
    assert ranked(young, ONSET) == []
    assert ranked([], ONSET) == []


@pytest.mark.parametrize("limit", [1, 2])
def test_only_so_many_are_named(limit: int) -> None:
    many = [it for n in range(4) for it in points(f"m{n}", noisy(4, 60, n))]
    assert len(ranked(many, ONSET, limit)) == limit
