"""Budgets: counted events, verdicts from evidence, and no data that is never green."""

import random
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seakeeping.observe.budget import (
    ALPHA,
    Counted,
    Estimated,
    bad_rate_bounds,
    burn_rate,
    columns_of,
    effective_rows,
    measure,
    measure_all,
)
from seakeeping.observe.testing import standard_objectives
from seakeeping.observe.windows import LOOKS
from seakeeping.records import (
    Budgeting,
    BudgetState,
    Calendar,
    Counts,
    EstimateMethod,
    Indicator,
    Objective,
)

NOW = 1_764_000_123.0
AVAILABILITY, LATENCY = standard_objectives("shop")


def objective(target: float) -> Objective:
    indicator = Indicator(name="availability", valid="calls", good="calls without an error")
    return Objective(name="x", service="shop", indicator=indicator, target_ratio=target)


def rows(bad: int, valid: int) -> Counts:
    return Counts(valid=valid, bad=bad, valid_rows=valid, bad_rows=bad)


def test_exactly_on_budget_burns_at_one_and_leaves_nothing() -> None:
    # the case that a peer reports as a burn rate of 2,592,000
    measured = measure(objective(0.95), NOW, rows(50, 1000), {"1h": rows(50, 1000)})
    assert measured.burn_rates["1h"] == pytest.approx(1.0)
    assert measured.remaining_ratio == pytest.approx(0.0)


def test_one_bad_call_in_a_thousand_spends_a_fiftieth_of_a_five_percent_budget() -> None:
    measured = measure(objective(0.95), NOW, rows(1, 1000), {})
    assert measured.remaining_ratio == pytest.approx(0.98)
    assert measured.estimate == pytest.approx(0.999)
    assert measured.state is BudgetState.OK


def test_no_events_are_never_ok() -> None:
    measured = measure(AVAILABILITY, NOW, Counts(), dict.fromkeys(LOOKS, Counts()))
    assert measured.state is BudgetState.NO_DATA
    assert measured.estimate is None
    assert measured.remaining_ratio is None
    assert set(measured.burn_rates.values()) == {None}


def test_a_few_failures_overspend_and_prove_nothing() -> None:
    measured = measure(objective(0.99), NOW, rows(1, 10), {})
    assert measured.remaining_ratio is not None
    assert measured.remaining_ratio < 0
    assert measured.state is BudgetState.UNCERTAIN


def test_a_few_good_calls_prove_nothing_either() -> None:
    assert measure(objective(0.99), NOW, rows(0, 10), {}).state is BudgetState.UNCERTAIN


def test_many_failures_are_a_breach() -> None:
    measured = measure(objective(0.99), NOW, rows(60, 1000), {})
    assert measured.state is BudgetState.BREACH
    assert measured.high is not None
    assert measured.high < 0.99


def test_many_good_calls_are_ok() -> None:
    measured = measure(objective(0.99), NOW, rows(20, 10_000), {})
    assert measured.state is BudgetState.OK
    assert measured.low is not None
    assert measured.low >= 0.99


def test_the_estimate_lies_within_its_bounds() -> None:
    measured = measure(objective(0.99), NOW, rows(7, 500), {})
    assert measured.low is not None
    assert measured.high is not None
    assert measured.estimate is not None
    assert measured.low < measured.estimate < measured.high


def test_events_are_summed_not_ratios_averaged() -> None:
    # one bad of one at night, none of 999 by day: an average of ratios would say 50 %
    night, day = rows(1, 1), rows(0, 999)
    both = rows(night.bad_rows + day.bad_rows, night.valid_rows + day.valid_rows)
    assert burn_rate(both, objective(0.99)) == pytest.approx(0.1)


@pytest.mark.parametrize(("target", "most"), [(0.8, 5), (0.9, 10), (0.95, 20), (0.99, 100)])
def test_the_most_a_budget_can_burn_is_one_over_it(target: float, most: float) -> None:
    assert burn_rate(rows(5, 5), objective(target)) == pytest.approx(most)


def test_equal_weights_are_as_many_rows_of_evidence() -> None:
    assert effective_rows(Counts(valid=1000, bad=50, valid_rows=100, bad_rows=5)) == 100


def test_a_sampled_stream_counts_fully_and_proves_by_its_rows() -> None:
    sampled = Counts(valid=10_000, bad=200, valid_rows=100, bad_rows=2)
    measured = measure(objective(0.995), NOW, sampled, {})
    assert measured.valid_total == 10_000
    assert measured.state is BudgetState.UNCERTAIN
    assert measure(objective(0.995), NOW, rows(200, 10_000), {}).state is BudgetState.BREACH


def test_few_heavy_bad_rows_speak_for_few() -> None:
    assert effective_rows(Counts(valid=2000, bad=1000, valid_rows=1010, bad_rows=10)) == 20


def test_the_standard_objectives_name_their_service() -> None:
    assert (AVAILABILITY.name, LATENCY.name) == ("shop/availability", "shop/latency")
    assert AVAILABILITY.target_ratio == 0.995
    assert LATENCY.indicator.threshold_s == 10.0
    assert AVAILABILITY.indicator.threshold_s is None


def test_a_service_within_its_budget_is_hardly_ever_called_in_breach() -> None:
    source, wrong, target = random.Random(3), 0, objective(0.95)
    for _ in range(300):
        bad = 0
        for n in range(1, 601):
            bad += source.random() < 0.05
            if n % 20 == 0 and measure(target, NOW, rows(bad, n), {}).state is BudgetState.BREACH:
                wrong += 1
                break
    assert wrong / 300 <= ALPHA


@given(st.integers(0, 10**7), st.integers(1, 10**7), st.floats(0.5, 0.9999))
def test_any_counts_have_a_state_that_fits_their_numbers(
    bad: int, valid: int, target: float
) -> None:
    bad = min(bad, valid)
    measured = measure(objective(target), NOW, rows(bad, valid), {})
    assert measured.low is not None
    assert measured.high is not None
    assert 0 <= measured.low <= 1 - bad / valid + 1e-9
    assert 1 - bad / valid - 1e-9 <= measured.high <= 1
    if measured.state is BudgetState.BREACH:
        assert measured.remaining_ratio is not None
        assert measured.remaining_ratio < 0


# -- the formulas of Sloth and Pyrra, on the same ratios ------------------------------------------


def sloth(ratios: Sequence[float], target: float) -> dict[str, float]:
    """Return what Sloth's recording rules say of five-minute error ratios.

    ratio_rate30d = sum_over_time(ratio_rate5m) / count_over_time(ratio_rate5m); the burn rate is
    that by the error budget, and what remains is 1 less the burn rate.
    """
    period = sum(ratios) / len(ratios)
    burn = period / (1 - target)
    return {"current": ratios[-1] / (1 - target), "period": burn, "remaining": 1 - burn}


def pyrra(errors: float, total: float, target: float) -> float:
    """Return what Pyrra's graph of the budget says: ((1 - target) - errors/total)/(1 - target)."""
    return ((1 - target) - errors / total) / (1 - target)


@given(
    st.lists(st.tuples(st.integers(1, 10_000), st.floats(0, 1)), min_size=1, max_size=200),
    st.floats(0.5, 0.9999),
)
def test_the_formulas_of_sloth_and_pyrra_give_the_same_figures(
    intervals: list[tuple[int, float]], target: float
) -> None:
    events = [(valid, round(valid * share)) for valid, share in intervals]
    ratios = [bad / valid for valid, bad in events]
    valid, bad = (sum(column) for column in zip(*events, strict=True))
    period = [valid, bad, valid, bad, 0.0, 0.0, sum(ratios), len(ratios)]
    last_valid, last_bad = events[-1]
    look = np.array([[[last_valid, last_bad, last_valid, last_bad, 0, 0, 0, 0]]], dtype=float)
    (measured,) = measure_all([Counted(objective(target), period)], NOW, (300,), look)
    theirs = sloth(ratios, target)
    close = partial(pytest.approx, rel=1e-9, abs=1e-9)
    assert measured.burn_rates["5m"] == close(theirs["current"])
    assert measured.interval_remaining_ratio == close(theirs["remaining"])
    assert measured.remaining_ratio == close(pyrra(bad, valid, target))
    if len({valid for valid, _ in events}) == 1:  # with even traffic both say the same
        assert measured.remaining_ratio == close(theirs["remaining"])


# -- estimates ------------------------------------------------------------------------------------


def test_what_a_detector_flags_for_nothing_is_taken_off_every_look_back() -> None:
    known = Estimated(
        0.95, 0.9, 0.97, 0.8, EstimateMethod.PPI, BudgetState.UNCERTAIN, 100, 50, "By labels."
    )
    counted = Counted(objective(0.9), columns_of(rows(200, 1000)), estimated=known, note="Slow.")
    looks = np.array([[columns_of(rows(40, 100)), columns_of(rows(1, 100))]])
    (measured,) = measure_all([counted], NOW, (300, 3600), looks)
    assert measured.bad_total == pytest.approx(50)
    assert measured.bad_rows == 200
    assert measured.remaining_ratio == pytest.approx(0.5)
    assert measured.burn_rates["5m"] == pytest.approx((0.40 - 0.15) / 0.1)
    assert measured.burn_rates["1h"] == 0.0
    assert (measured.labels, measured.labels_needed) == (100, 50)
    assert measured.note == "Slow. By labels."


def test_a_calendar_window_is_one_start_and_bounds_are_narrower_for_it() -> None:
    rolling = objective(0.9)
    month = replace(rolling, window="1M", calendar=Calendar("2026-01-01 00:00:00"))
    one, other = (measure(each, NOW, rows(20, 200), {}) for each in (rolling, month))
    assert one.low is not None
    assert other.low is not None
    assert other.low > one.low


def test_slices_of_time_are_judged_by_their_number() -> None:
    sliced = replace(objective(0.9), budgeting=Budgeting.RATIO_TIMESLICES)
    columns = np.array([[100, 9.5, 100, 9.5, 0, 0, 0, 0]])
    low, high = bad_rate_bounds([sliced], columns)
    whole_low, whole_high = bad_rate_bounds([sliced], np.array([[100, 10, 100, 10, 0, 0, 0, 0]]))
    assert 0 < low[0] < whole_low[0] < 0.1
    assert high[0] < whole_high[0]
