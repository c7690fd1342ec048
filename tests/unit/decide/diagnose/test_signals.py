"""Metrics are ranked by how far they left what was usual for them."""

from collections.abc import Sequence

import numpy as np
import pytest

from seakeeping.decide.diagnose.signals import LEAST_MINUTES, ranked
from seakeeping.store.metric_series import MetricSeries

MINUTES = np.arange(-30, 30)


def series(name: str, values: Sequence[float], **attributes: str) -> MetricSeries:
    return MetricSeries(name, "1", attributes, MINUTES, np.asarray(values, np.float64))


def noisy(level: float, during: float, seed: int = 0) -> list[float]:
    source = np.random.default_rng(seed)
    steady = np.where(MINUTES >= 0, during, level)
    return list(steady + source.normal(0, 0.02 * level, len(MINUTES)))


def test_the_series_that_left_its_usual_comes_first() -> None:
    found = ranked(
        [
            series("cache_usage", noisy(0.5, 0.95, 1)),
            series("queue", noisy(4, 60, 2)),
            series("memory", noisy(8, 8, 3)),
        ]
    )
    assert [it.name for it in found] == ["queue", "cache_usage"]
    assert found[0].usual == pytest.approx(4, rel=0.05)
    assert found[0].extreme == pytest.approx(60, rel=0.05)
    assert found[0].p_value == pytest.approx(1 / 31)


def test_a_fall_counts_as_a_rise_does() -> None:
    (found,) = ranked([series("replicas_ready", noisy(8, 1))])
    assert found.extreme == pytest.approx(1, abs=0.6)


def test_series_of_one_metric_are_told_apart() -> None:
    both = [series("queue", noisy(4, 4, 1), node="a"), series("queue", noisy(4, 40, 2), node="b")]
    (found,) = ranked(both)
    assert found.attributes == (("node", "b"),)


def test_a_series_that_hardly_moved_is_no_alarm() -> None:
    assert ranked([series("replicas", noisy(3, 3, 5))]) == []
    assert ranked([series("limit", [100.0] * 30 + [100.5] * 30)]) == []


def test_a_series_without_a_past_has_no_usual() -> None:
    known = MINUTES >= -LEAST_MINUTES + 1
    young = MetricSeries("queue", "1", {}, MINUTES[known], np.asarray(noisy(4, 60))[known])
    assert ranked([young]) == []
    past = MetricSeries("queue", "1", {}, MINUTES[:30], np.asarray(noisy(4, 60))[:30])
    assert ranked([past]) == []


@pytest.mark.parametrize("limit", [1, 2])
def test_only_so_many_are_named(limit: int) -> None:
    many = [series(f"m{n}", noisy(4, 60, n)) for n in range(4)]
    assert len(ranked(many, limit)) == limit
