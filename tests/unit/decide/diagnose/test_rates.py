"""Shifts of odds bring rates to the sum that was seen, and surprise is the likelihood ratio."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from seakeeping.decide.diagnose.rates import moved_rate, odds_factor, risen, shifted, surprise

RATES = st.lists(st.floats(0.001, 0.9), min_size=1, max_size=12)


@given(rates=RATES, share=st.floats(0.01, 0.99))
def test_shifted_rates_sum_to_what_was_seen(rates: list[float], share: float) -> None:
    of, events = np.array(rates), np.arange(1.0, len(rates) + 1)
    seen = share * events.sum()
    after = shifted(of, odds_factor(of, events, seen))
    assert float(events @ after) == pytest.approx(seen, rel=1e-4)
    assert np.all(np.diff(after[np.argsort(of, kind="stable")]) >= 0)


@given(rates=RATES, share=st.floats(0.0, 1.0))
def test_risen_rates_are_rates_that_sum_to_what_was_seen(rates: list[float], share: float) -> None:
    of = np.array(rates)
    events = np.full(len(of), 50.0)
    bad = np.round(events * (of + (1 - of) * share))
    after = risen(of, events, bad)
    assert np.all((after > 0) & (after < 1))
    assert float(events @ after) == pytest.approx(float(bad.sum()), rel=1e-3, abs=0.1)


def test_an_outage_and_worse_answers_are_told_apart() -> None:
    of, events = np.array([0.01, 0.3]), np.array([1e4, 1e4])
    outage = of + (1 - of) * 0.2
    assert risen(of, events, events * outage) == pytest.approx(outage, rel=1e-3)
    odds = shifted(of, math.log(2))
    assert risen(of, events, events * odds) == pytest.approx(odds, rel=1e-3)


@given(n=st.integers(1, 200), share=st.floats(0, 1), rate=st.floats(0.01, 0.99))
def test_surprise_is_the_log_likelihood_ratio(n: int, share: float, rate: float) -> None:
    x = round(share * n)
    ratio = stats.binom.logpmf(x, n, x / n) - stats.binom.logpmf(x, n, rate)
    found = surprise(np.array([float(x)]), np.array([float(n)]), np.array([n * rate]))
    assert found[0] == pytest.approx(ratio, abs=1e-6)


def test_a_rate_is_carried_over_in_logits() -> None:
    assert moved_rate(0.2, 0.1, 0.1) == pytest.approx(0.2)
    assert moved_rate(0.1, 0.1, 0.4) == pytest.approx(0.4)
    assert 0.2 < moved_rate(0.2, 0.1, 0.2) < 0.4
