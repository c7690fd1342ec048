"""Objectives: windows spelt as OpenSLO spells them, budgets as shares."""

import pytest

from seakeeping.errors import BadInput
from seakeeping.records.codec import from_json, to_json
from seakeeping.records.objective import (
    Budget,
    BudgetState,
    Counts,
    Indicator,
    Match,
    Objective,
    window_seconds,
)

OBJECTIVE = Objective(
    name="shop/availability", service="shop", target_ratio=0.995,
    indicator=Indicator(name="availability", valid="calls", good="calls without an error"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("window", "seconds"), [("5m", 300), ("6h", 21600), ("30d", 2592000), ("4w", 2419200)]
)
def test_a_window_is_a_number_and_a_unit(window: str, seconds: int) -> None:
    assert window_seconds(window) == seconds


@pytest.mark.parametrize("window", ["", "d", "30", "0d", "-1d", "30D", "1.5h", "²d"])
def test_any_other_window_is_refused(window: str) -> None:
    with pytest.raises(BadInput, match="unknown window"):
        window_seconds(window)


def test_the_budget_is_what_the_target_leaves() -> None:
    assert OBJECTIVE.budget_ratio == pytest.approx(0.005)
    assert OBJECTIVE.window_s == 30 * 86400


def test_an_objective_survives_json() -> None:
    assert from_json(Objective, to_json(OBJECTIVE)) == OBJECTIVE


def test_a_budget_carries_its_objective_and_a_state_word() -> None:
    budget = Budget(
        objective=OBJECTIVE, at=1764000000.0, valid_total=0, bad_total=0, estimate=None, low=None,
        high=None, remaining_ratio=None, state=BudgetState.NO_DATA, burn_rates={"5m": None},
    )  # fmt: skip
    written = to_json(budget)
    assert written["objective"]["indicator"]["name"] == "availability"
    assert written["state"] == "NO_DATA"
    assert written["at"].endswith("Z")
    assert written["burn_rates"] == {"5m": None}


def test_no_counts_are_none() -> None:
    assert Counts() == Counts(valid=0, bad=0, valid_rows=0, bad_rows=0)


def test_a_pattern_counts_something_else_than_its_text() -> None:
    plain = Match("code", ("5..",))
    pattern = Match("code", ("5..",), is_pattern=True)
    keys = {Indicator("a", "calls", "good", where=(match,)).key for match in (plain, pattern)}
    assert len(keys) == 2
