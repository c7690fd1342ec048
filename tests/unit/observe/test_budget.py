"""Budgets: counted events, verdicts from evidence, and no data that is never green."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seakeeping.observe import LOOK_BACKS, budget, measure, period_start, standard_objectives
from seakeeping.observe.budget import ALPHA, burn_rate, effective_rows
from seakeeping.observe.windows import MARKS
from seakeeping.records import BudgetState, Counts, Indicator, Objective

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
    measured = measure(AVAILABILITY, NOW, Counts(), dict.fromkeys(LOOK_BACKS, Counts()))
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


def test_the_window_begins_at_a_mark_and_is_never_short() -> None:
    start = period_start(AVAILABILITY, NOW)
    step = AVAILABILITY.window_s / MARKS
    assert start % step == 0
    assert AVAILABILITY.window_s <= NOW - start < AVAILABILITY.window_s + step


def test_the_windows_start_stands_still_between_marks() -> None:
    starts = {period_start(AVAILABILITY, 1_764_028_800 + i * 3600) for i in range(48)}
    assert len(starts) == 2


def test_a_budget_asks_for_its_window_and_each_look_back() -> None:
    asked: list[tuple[str, float, float, str, float | None]] = []

    def count(
        service: str, start: float, end: float, *, indicator: str, threshold_s: float | None = None
    ) -> Counts:
        asked.append((service, start, end, indicator, threshold_s))
        return rows(1, 100)

    measured = budget(count, LATENCY, NOW)
    assert asked[0] == ("shop", period_start(LATENCY, NOW), NOW, "latency", 10.0)
    assert [NOW - start for _, start, *_ in asked[1:]] == list(LOOK_BACKS.values())
    assert list(measured.burn_rates) == ["5m", "1h", "6h", "3d", "30d"]
    assert measured.burn_rates["5m"] == pytest.approx(0.2)


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
