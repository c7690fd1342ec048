"""From cells to blocks: every cell lands in its row and slot, and absence is an answer."""

from dataclasses import replace

import numpy as np
import pytest

from seakeeping.observe.counting import (
    INDICATORS_AT_ONCE,
    Found,
    as_intervals,
    as_slices,
    block_of,
    count_places,
    count_span,
    kept_span,
)
from seakeeping.observe.rows import Row, Rows, Slicing, Source, row_of, slice_length
from seakeeping.observe.testing import Event, MemoryStore
from seakeeping.observe.tiers import COLUMNS, INTERVALS, RATIOS, VALID
from seakeeping.records import (
    Budgeting,
    Indicator,
    IndicatorSignal,
    Match,
    MetricSelector,
    Objective,
)
from seakeeping.store.cells import cells_of
from seakeeping.store.touched import Touched

START = 1_790_000_100
AVAILABILITY = Indicator("availability", "calls", "good calls")
LATENCY = Indicator("latency", "calls", "fast", signal=IndicatorSignal.LATENCY, threshold=1.0)
OBJECTIVE = Objective("x", "shop", AVAILABILITY, 0.99)


def held(*rows: Row) -> Rows:
    found = Rows()
    found.hold(rows)
    return found


def found(*cells: tuple[int, int, float, float]) -> Found:
    """Return cells of row, start, valid and bad events."""
    counts = [[valid, bad, valid, bad, 0.0, 0.0] for _, _, valid, bad in cells]
    return Found(
        np.array([row for row, *_ in cells], dtype=np.int64),
        np.array([start for _, start, *_ in cells], dtype=np.int64),
        np.array(counts, dtype=np.float64).reshape(-1, 6),
    )


# -- rows -----------------------------------------------------------------------------------------


def test_words_make_no_other_row_and_thresholds_do() -> None:
    reworded = replace(AVAILABILITY, name="errors", valid="requests", good="fine ones")
    assert Row(AVAILABILITY, "shop").key == Row(reworded, "shop").key
    assert Row(LATENCY, "shop").key != Row(replace(LATENCY, threshold=2.0), "shop").key
    assert Row(AVAILABILITY, "shop").key != Row(AVAILABILITY, "desk").key
    sliced = Slicing(Budgeting.TIMESLICES, 60, 0.9)
    assert Row(AVAILABILITY, "shop", sliced).key != Row(AVAILABILITY, "shop").key
    assert (
        Row(AVAILABILITY, "shop", sliced).key
        != Row(AVAILABILITY, "shop", replace(sliced, target_ratio=0.8)).key
    )


def test_numbers_are_given_back_and_used_again() -> None:
    rows = Rows()
    one, two, three = (Row(AVAILABILITY, name) for name in ("a", "b", "c"))
    assert rows.hold([one, two]) == ([0, 1], [])
    assert rows.hold([two, three]) == ([0], [0])
    assert rows.hold([two, three]) == ([], [])
    assert rows[0] == three
    assert len(rows) == 2


def test_a_change_concerns_the_rows_that_count_it() -> None:
    metric = Indicator("spool", "looks", "ok", signal=IndicatorSignal.METRIC, subject="spool_used")
    ratio = Indicator(
        "works", "requests", "good", signal=IndicatorSignal.METRIC_RATIO,
        bad=MetricSelector("errors"), total=MetricSelector("requests", (Match("a", ("b",)),)),
    )  # fmt: skip
    drift = Indicator("drift", "w", "g", signal=IndicatorSignal.MEASUREMENT, subject="drift")
    rows = held(*(Row(each, "shop") for each in (AVAILABILITY, metric, ratio, drift)))
    assert [rows[n].source for n in range(4)] == [
        Source.CALLS, Source.METRICS, Source.METRICS, Source.MEASUREMENTS,
    ]  # fmt: skip
    touched = Touched(
        9,
        frozenset({("shop", START), ("desk", START)}),
        frozenset({("shop", "errors", START + 300), ("shop", "else", START)}),
        frozenset({("shop", "drift", START)}),
    )
    assert rows.concerned(touched) == {START: {0, 3}, START + 300: {2}}


@pytest.mark.parametrize(
    ("asked", "length"),
    [(60, 60), (45, 50), (300, 300), (301, 600), (420, 600), (3600, 3600), (3601, 7200),
     (86_400, 86_400)],
)  # fmt: skip
def test_slices_have_lengths_that_fit_hours(asked: int, length: int) -> None:
    assert slice_length(asked) == length
    assert 3600 % length == 0 or length % 3600 == 0


def test_an_objective_says_how_time_is_sliced() -> None:
    sliced = replace(OBJECTIVE, budgeting=Budgeting.TIMESLICES, slice_window_s=90)
    assert row_of(sliced).slicing == Slicing(Budgeting.TIMESLICES, 100, 0.99)
    assert row_of(OBJECTIVE).slicing is None


# -- blocks ---------------------------------------------------------------------------------------


def test_cells_land_in_their_rows_and_slots_and_the_rest_is_zero() -> None:
    cells = found((4, START, 5, 1), (2, START + 20, 3, 0), (9, START, 7, 7), (4, START + 300, 9, 9))
    block = block_of(cells, np.array([2, 4]), START, 30, 10)
    assert block.shape == (30, 2, COLUMNS)
    assert block[0, 1, :4].tolist() == [5, 1, 5, 1]
    assert block[2, 0, VALID] == 3
    assert block.sum() == 12 + 6


def test_several_cells_of_one_slot_are_added_up() -> None:
    cells = found((0, START, 5, 1), (0, START + 10, 3, 1))
    assert block_of(cells, np.array([0]), START, 1, 300)[0, 0, :2].tolist() == [8, 2]


def test_no_cells_are_zeros() -> None:
    assert not block_of(found(), np.array([0, 1]), START, 3, 300).any()


def test_an_interval_has_a_ratio_where_it_has_events() -> None:
    block = as_intervals(block_of(found((0, START, 4, 1)), np.array([0, 1]), START, 2, 300))
    assert block[0, 0, [RATIOS, INTERVALS]].tolist() == [0.25, 1]
    assert not block[1].any()
    assert not block[0, 1].any()


def test_slices_count_once_and_by_their_verdict() -> None:
    cells = found((0, START, 10, 1), (0, START + 60, 10, 3), (0, START + 120, 0, 0))
    whole = as_slices(cells, Slicing(Budgeting.TIMESLICES, 60, 0.8))
    assert whole.counts[:, :4].tolist() == [[1, 0, 1, 0], [1, 1, 1, 1]]
    shares = as_slices(cells, Slicing(Budgeting.RATIO_TIMESLICES, 60, 0.8))
    assert shares.counts[:, 1].tolist() == [0.1, 0.3]


def test_a_slice_right_at_its_target_is_good() -> None:
    whole = as_slices(found((0, START, 10, 2)), Slicing(Budgeting.TIMESLICES, 60, 0.8))
    assert whole.counts[0, 1] == 0


# -- asking ---------------------------------------------------------------------------------------


def store() -> MemoryStore:
    made = MemoryStore()
    made.put(
        Event(f"{service}{n}", service, START + n * 10, is_error=n == 0, duration_s=n)
        for service in ("shop", "desk")
        for n in range(4)
    )
    return made


def test_places_are_counted_for_the_rows_that_asked() -> None:
    rows = held(Row(AVAILABILITY, "shop"), Row(LATENCY, "shop"), Row(LATENCY, "desk"))
    cells = count_places(store(), rows, {START: {0, 2}}, 10)
    assert set(cells.row.tolist()) == {0, 2}
    assert cells.counts[cells.row == 0].sum(axis=0)[:4].tolist() == [4, 1, 4, 1]
    assert cells.counts[cells.row == 2].sum(axis=0)[:4].tolist() == [3, 2, 3, 2]


def test_many_indicators_take_several_questions_and_none_is_lost() -> None:
    many = [replace(LATENCY, threshold=float(n)) for n in range(2 * INDICATORS_AT_ONCE + 3)]
    rows = held(*(Row(each, "shop") for each in many))
    asked = store()
    cells = count_span(asked, rows, range(len(many)), START, START + 300, 300)
    assert asked.asked == 3
    assert sorted(cells.row.tolist()) == list(range(len(many)))


def test_what_was_kept_is_found_by_the_rows_identity() -> None:
    kept, rows = MemoryStore(), held(Row(AVAILABILITY, "shop"), Row(AVAILABILITY, "desk"))
    keys = [AVAILABILITY.key, "another"]
    counts = [[5.0, 1, 5, 1, 0, 0], [9.0, 9, 9, 9, 0, 0], [7.0, 7, 7, 7, 0, 0]]
    kept.keep_cells(keys, cells_of(("desk", "moon"), (0, 0, 1), (0, 1, 0), (START,) * 3, counts))
    cells = kept_span(kept, rows, [0, 1], START, START + 300)
    assert cells.row.tolist() == [1]
    assert cells.counts[0, :2].tolist() == [5, 1]


def test_nothing_kept_is_nothing_found() -> None:
    rows = held(Row(AVAILABILITY, "shop"))
    assert len(kept_span(MemoryStore(), rows, [0], 0, START).row) == 0
