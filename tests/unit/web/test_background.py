"""What lies behind an objective: each event once, from the rows or from what outlives them."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from seakeeping.observe.testing import standard_objectives
from seakeeping.records import BudgetState, Indicator, IndicatorSignal, Reading
from seakeeping.store.cells import Cells, cells_of
from seakeeping.store.facts import Facts
from seakeeping.web.background import read_background, read_steps, slices_of
from seakeeping.web.testing import MemoryDecided, MemoryStore, StillClock, fill, fill_decided

CLOCK = StillClock()
NOW = CLOCK.now()
STORE = fill(MemoryStore(), NOW)
AVAILABILITY = standard_objectives("cargo-search")[0].indicator
READINGS = {
    r.budget.objective.name: r for r in fill_decided(MemoryDecided(CLOCK), NOW).measured
}  # fmt: skip


def calls(window_s: float) -> int:
    return sum(
        c.service_name == "cargo-search" and NOW - window_s <= c.started_at < NOW
        for c in STORE.calls
    )


@pytest.mark.parametrize("window_s", [3600, 86_400, 2_592_000])
def test_every_event_of_a_window_is_in_one_of_its_steps(window_s: int) -> None:
    steps = read_steps(STORE, AVAILABILITY, "cargo-search", NOW - window_s, NOW)
    assert sum(s.counts.valid_rows for s in steps) == calls(window_s)
    starts = np.diff([s.start for s in steps])
    assert len(set(starts)) == 1
    assert steps[0].start <= NOW - window_s < steps[1].start
    assert steps[-1].start <= NOW < steps[-1].start + starts[0]


def test_a_service_that_is_not_there_has_steps_without_events() -> None:
    steps = read_steps(STORE, AVAILABILITY, "nobody", NOW - 3600, NOW)
    assert len(steps) == 13
    assert not any(s.counts.valid for s in steps)


class Keeping(MemoryStore):
    """A store that keeps 40 events of two hours ago, and says what was asked of it."""

    def __init__(self, since: float = 0.0) -> None:
        super().__init__()
        self.calls, self._by_call = STORE.calls, STORE._by_call
        self._since = since
        self.kept_until: list[float] = []
        self.counted_from: list[float] = []

    def rows_since(self) -> float:
        return self._since

    def kept_cells(self, keys: object, start: float, end: float = 0.0, step_s: int = 300) -> Cells:
        assert keys == [AVAILABILITY.key]
        self.kept_until.append(end)
        old = int((NOW - 7200) // 300) * 300
        return cells_of(("other", "cargo-search"), (0, 0), (0, 1), (old, old),
                        ((9, 9, 9, 9, 0, 0), (40, 4, 40, 4, 0, 0)))  # fmt: skip

    def count_cells(self, indicators: Any, where: Any, step_s: int = 300) -> Cells:
        self.counted_from.append(where.start)
        return super().count_cells(indicators, where, step_s)


def rows_of(store: MemoryStore, expected: int | None = None) -> int:
    steps = read_steps(store, AVAILABILITY, "cargo-search", NOW - 86_400, NOW, expected)
    return sum(s.counts.valid_rows for s in steps)


def test_what_is_older_than_the_rows_comes_from_kept_cells() -> None:
    store = Keeping(since=NOW - 3600)
    assert rows_of(store) == calls(3600) + 40
    assert store.kept_until[-1] == store.counted_from[-1] == NOW - 3600


def test_kept_cells_that_hold_what_was_measured_are_not_counted_again() -> None:
    store = Keeping()
    cut = NOW // 300 * 300 - 3600
    recent = calls(NOW - cut)
    assert rows_of(store, recent + 40) == recent + 40
    assert store.counted_from == [cut]


def test_kept_cells_that_do_not_are_passed_over() -> None:
    store = Keeping()
    assert rows_of(store, 100_000) == calls(86_400)
    assert len(store.counted_from) == 2


def test_slices_are_the_sums_over_each_single_dimension() -> None:
    facts = Facts(
        ("model", "region", "tenant"), (("a", "b"), ("", "eu"), ("only",)),
        np.array([[0, 0, 0], [0, 1, 0], [1, 1, 0]], np.int32),
        np.array([10.0, 20.0, 5.0]), np.array([1.0, 2.0, 5.0]),
        np.array([10, 20, 5]), np.array([1, 2, 5]),
    )  # fmt: skip
    found = {(s.dimension, s.value): (s.valid, s.bad, s.bad_rows) for s in slices_of(facts)}
    assert found == {
        ("model", "a"): (30, 3, 3), ("model", "b"): (5, 5, 5),
        ("region", ""): (10, 1, 1), ("region", "eu"): (25, 7, 7),
    }  # fmt: skip


def test_the_page_of_an_objective_finds_the_region_that_fails() -> None:
    behind = read_background(STORE, READINGS["cargo-search/availability"], (), NOW)
    shares = {s.value: s.bad / s.valid for s in behind.slices if s.dimension == "region"}
    assert shares["eu-north"] > 5 * shares["eu-west"]
    assert len(behind.examples) == 5
    assert behind.trouble == ""


def test_examples_carry_the_text_of_their_answers() -> None:
    behind = read_background(STORE, READINGS["cargo-search/faithfulness"], (), NOW)
    assert all("pontoon" in str(e["text"]) for e in behind.examples)


def test_a_metric_has_events_but_neither_slices_nor_answers() -> None:
    behind = read_background(STORE, READINGS["seakeeping/spool"], (), NOW)
    assert (behind.slices, behind.examples) == ((), ())


def test_a_store_that_is_away_leaves_the_budget_and_says_so() -> None:
    away = MemoryStore()
    away.is_away = True
    behind = read_background(away, READINGS["cargo-search/availability"], (), NOW)
    assert behind.trouble == "the store does not answer"
    assert (behind.steps, behind.slices, behind.examples) == ((), (), ())


def test_every_signal_can_be_asked_for() -> None:
    reading: Reading = READINGS["cargo-search/availability"]
    for signal in IndicatorSignal:
        indicator = Indicator("x", "all", "good", signal)
        assert read_steps(STORE, indicator, reading.budget.objective.service, NOW - 3600, NOW)


def test_an_objective_without_data_is_held_against_the_names_that_were_seen() -> None:
    some = READINGS["cargo-search/faithfulness"]
    objective = some.budget.objective
    unmade = replace(objective.indicator, subject="faithfulnes")
    silent = replace(
        some.budget, objective=replace(objective, indicator=unmade), state=BudgetState.NO_DATA
    )
    (doubt,) = read_background(STORE, replace(some, budget=silent), (), NOW).doubts
    assert "did you mean faithfulness?" in doubt
    nobody = replace(silent, objective=replace(objective, service="cargo-serch"))
    (doubt,) = read_background(STORE, replace(some, budget=nobody), (), NOW).doubts
    assert "did you mean cargo-search?" in doubt


def test_an_objective_with_data_is_doubted_only_for_what_it_says() -> None:
    some = READINGS["cargo-search/faithfulness"]
    assert read_background(STORE, some, (), NOW).doubts == []
    objective = some.budget.objective
    odd = replace(objective.indicator, bad_labels=("unsuported",))
    budget = replace(some.budget, objective=replace(objective, indicator=odd))
    (doubt,) = read_background(STORE, replace(some, budget=budget), (), NOW).doubts
    assert "no result of faithfulness is labelled unsuported" in doubt
