"""Made incidents are what they say they are, and the comparison is a fair one."""

import numpy as np
import pytest
from bench.diagnose import adtributor
from bench.diagnose.incidents import LEAST_SHARE, NAMES, Shape, facts, make

from seakeeping.store.facts import Facts


def rate(of: Facts, planted: tuple[tuple[str, str], ...]) -> tuple[int, float]:
    rows = np.ones(len(of), np.bool_)
    for name, value in planted:
        place = of.dimensions.index(name)
        rows &= of.codes[:, place] == of.values[place].index(value)
    return int(rows.sum()), float(of.bad[rows].mean())


def test_a_seed_makes_the_same_incident() -> None:
    one, other = make(5, Shape(calls=2_000)), make(5, Shape(calls=2_000))
    assert one.planted == other.planted
    assert np.array_equal(one.during.codes, other.during.codes)
    assert np.array_equal(one.during.bad, other.during.bad)


@pytest.mark.parametrize("seed", range(6))
def test_the_planted_slice_has_calls_enough_and_rose(seed: int) -> None:
    incident = make(seed, Shape(calls=20_000, lift=0.3))
    calls, during = rate(incident.during, incident.planted)
    _, before = rate(incident.before, incident.planted)
    assert calls == incident.calls_in_slice >= LEAST_SHARE * 20_000
    assert 1 <= len(incident.planted) <= 3
    assert during - before == pytest.approx(0.3, abs=0.2)
    assert incident.before.bad.mean() == pytest.approx(0.04, abs=0.01)


def test_a_null_incident_has_no_planted_slice() -> None:
    incident = make(1, Shape(lift=0.0))
    assert incident.planted == ()
    assert incident.during.bad.mean() == pytest.approx(0.04, abs=0.02)


def test_odds_and_pairs_make_what_they_say() -> None:
    risen = make(1, Shape(lift=0.0, odds=2.5))
    assert risen.during.bad.mean() > 1.7 * risen.before.bad.mean()
    apart = make(1, Shape(lift=0.0, apart=20))
    assert apart.before.bad.mean() == pytest.approx(0.04, abs=0.01)


def test_adtributor_names_a_single_value_and_nothing_where_nothing_rose() -> None:
    source = np.random.default_rng(0)
    codes = np.stack([source.integers(0, 3, 6_000) for _ in NAMES], axis=1)
    before = facts(codes, source.random(6_000) < 0.04)
    worse = codes[:, 0] == 1
    during = facts(codes, source.random(6_000) < np.where(worse, 0.4, 0.04))
    assert adtributor.locate(before, during) == ((NAMES[0], f"{NAMES[0]}-1"),)
    assert adtributor.locate(during, before) == ()
