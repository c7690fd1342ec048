"""The onset is where the counts split best into before and worse."""

import numpy as np
import pytest

from seakeeping.decide.diagnose.onset import onset

STARTS = np.arange(360, dtype=np.intp) * 60


def test_a_clear_rise_is_found_to_the_step() -> None:
    bad = np.where(STARTS >= 200 * 60, 20.0, 4.0)
    assert onset(STARTS, np.full(360, 100.0), bad) == 200 * 60


@pytest.mark.parametrize("seed", range(8))
def test_a_noisy_rise_is_found_within_minutes(seed: int) -> None:
    source = np.random.default_rng(seed)
    rates = np.where(STARTS >= 250 * 60, 0.19, 0.04)
    bad = source.binomial(60, rates).astype(float)
    found = onset(STARTS, np.full(360, 60.0), bad)
    assert found is not None
    assert abs(found - 250 * 60) <= 180


def test_a_fall_is_no_onset() -> None:
    bad = np.where(STARTS >= 200 * 60, 1.0, 20.0)
    assert onset(STARTS, np.full(360, 100.0), bad) is None


def test_no_change_no_events_and_one_step_have_none() -> None:
    assert onset(STARTS, np.full(360, 100.0), np.full(360, 4.0)) is None
    assert onset(STARTS, np.zeros(360), np.zeros(360)) is None
    assert onset(STARTS[:1], np.array([10.0]), np.array([9.0])) is None
    assert onset(STARTS[:0], np.array([]), np.array([])) is None


def test_steps_without_events_may_be_left_out() -> None:
    kept = np.arange(360) % 3 != 0
    bad = np.where(STARTS >= 201 * 60, 30.0, 2.0)
    assert onset(STARTS[kept], np.full(240, 100.0), bad[kept]) == pytest.approx(201 * 60, abs=60)


def test_a_rise_that_traffic_grew_with_is_told_from_more_traffic() -> None:
    valid = np.where(STARTS >= 200 * 60, 1_000.0, 100.0)
    assert onset(STARTS, valid, valid * 0.04) is None
