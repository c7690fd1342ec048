"""The charts of an objective: the burn-down ends where the big number stands."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seakeeping.records import Change, ChangeKind, Counts, Reading
from seakeeping.web import history
from seakeeping.web.history import Step, charts, step_for
from seakeeping.web.testing import MemoryDecided, StillClock, fill_decided

CLOCK = StillClock()
READINGS = {
    r.budget.objective.name: r
    for r in fill_decided(MemoryDecided(CLOCK), CLOCK.now()).measured
}  # fmt: skip
COUNTED = READINGS["cargo-search/availability"]
ESTIMATED = READINGS["cargo-search/faithfulness"]


def steps(*counts: tuple[float, float]) -> list[Step]:
    return [
        Step(n * 300.0, Counts(v, b, int(v), int(b), b * 0.8)) for n, (v, b) in enumerate(counts)
    ]


def data(reading: Reading, given: list[Step], index: int = 0) -> Any:
    return json.loads(charts(reading, given, 300, (), "/interactions?service=x")[index].data)


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 50)), min_size=1, max_size=40))
def test_the_burn_down_ends_with_what_is_left_of_the_budget(pairs: list[tuple[int, int]]) -> None:
    counts = [(max(v, b), b) for v, b in pairs]
    values = data(COUNTED, steps(*counts))["series"][0]["values"]
    valid, bad = sum(v for v, _ in counts), sum(b for _, b in counts)
    if valid == 0:
        assert values == [None] * len(counts)
        return
    room = COUNTED.budget.objective.budget_ratio
    assert values[-1] == pytest.approx(1 - bad / (valid * room))
    assert values == sorted(values, reverse=True)


def test_a_step_without_events_is_a_gap_in_a_share_and_a_zero_in_a_rate() -> None:
    given_steps = steps((100, 1), (0, 0), (50, 0))
    shares = data(COUNTED, given_steps, 1)
    assert shares["series"][0]["values"] == [0.01, None, 0.0]
    assert shares["series"][1]["values"] == [pytest.approx(0.005)] * 3
    assert data(COUNTED, given_steps, 2)["series"][0]["values"] == [20.0, 0.0, 10.0]


def test_a_detectors_counts_are_never_drawn_as_a_budget() -> None:
    titles = [c.title for c in charts(ESTIMATED, steps((10, 1)), 300, (), "/x?")]
    assert titles == ["Flagged by detector, uncorrected", "Mean badness score", "Valid events"]
    flagged = data(ESTIMATED, steps((10, 1)))
    assert ESTIMATED.evidence is not None
    assert flagged["series"][1]["values"] == [ESTIMATED.evidence.null_ratio]


def test_without_a_calibrated_detector_there_is_no_line_to_hold_it_against() -> None:
    flagged = data(replace(ESTIMATED, evidence=None), steps((10, 1)))
    assert [s["label"] for s in flagged["series"]] == ["flagged by detector"]


def test_changes_are_marked_with_what_came() -> None:
    change = Change("c", ChangeKind.DEPLOY, "shop", 450.0, before="v1", after="v2")
    plain = Change("d", ChangeKind.CONFIG, "shop", 500.0)
    drawn = charts(COUNTED, steps((1, 0), (1, 0)), 300, (change, plain), "/x?")
    for chart in drawn:
        marks = json.loads(chart.data)["marks"]
        assert marks == [{"t": 450.0, "label": "deploy v2"}, {"t": 500.0, "label": "config d"}]


@pytest.mark.parametrize("window_s", [60, 3600, 86_400, 604_800, 2_592_000, 31_536_000])
def test_a_window_has_some_150_steps_of_whole_five_minutes(window_s: int) -> None:
    step_s = step_for(window_s)
    assert step_s % 300 == 0
    assert window_s / step_s <= 150
    assert step_s == 300 or window_s / step_s > 75


def test_nothing_counted_says_so() -> None:
    assert [c.summary for c in charts(COUNTED, steps((0, 0)), 300, (), "/x?")] == [
        "no data", "no data", "most 0 /min",
    ]  # fmt: skip
    assert history.marks(()) == []
