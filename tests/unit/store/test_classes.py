"""Taking groups of rows apart: every indicator finds its own events among those of all."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seakeeping.errors import BadInput
from seakeeping.records import IndicatorSignal, Match
from seakeeping.store.classes import cells_in, plan_of
from seakeeping.store.testing import make_indicator

S = IndicatorSignal


def told(rows: list[list[object]], *indicators: object) -> list[tuple[int, str, int, list[float]]]:
    plan = plan_of(indicators)  # type: ignore[arg-type]
    cells = cells_in(rows, indicators, plan)  # type: ignore[arg-type]
    return [
        (int(i), cells.services[s], int(t), [round(float(c), 9) for c in counts])
        for i, s, t, counts in zip(
            cells.indicator, cells.service, cells.start, cells.counts, strict=True
        )
    ]


def test_groups_of_one_cell_are_added_up() -> None:
    rows: list[list[object]] = [["b", 300, 2.0, 1, 0], ["a", 0, 3.0, 2, 1], ["b", 300, 5.0, 4, 1]]
    assert told(rows, make_indicator()) == [
        (0, "a", 0, [3, 3, 2, 2, 0, 0]),
        (0, "b", 300, [7, 5, 5, 4, 0, 0]),
    ]


def test_no_rows_are_no_cells() -> None:
    assert told([], make_indicator()) == []


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.sampled_from(["lte", "lt", "gte", "gt"]))
def test_a_value_is_on_the_side_of_the_threshold_that_its_operator_says(
    value: float, limit: float, op: str
) -> None:
    indicator = make_indicator(S.COST, threshold=limit, op=op)
    [name] = plan_of([indicator]).keys
    cuts = plan_of([indicator]).params["cuts_cost"]
    assert name == "from_cost"
    assert isinstance(cuts, list)
    below = max(cut for cut in cuts if cut <= value)  # what roundDown returns
    good = {"lte": value <= limit, "lt": value < limit, "gte": value >= limit, "gt": value > limit}
    assert told([["a", 0, 1.0, 1, below]], indicator) == [
        (0, "a", 0, [1, 0 if good[op] else 1, 1, 0 if good[op] else 1, 0, 0])
    ]


def test_what_has_no_value_is_not_valid() -> None:
    assert told([["a", 0, 1.0, 1, None]], make_indicator(S.COST, threshold=1.0)) == []


@given(st.lists(st.tuples(st.floats(1, 9), st.floats(0, 1)), min_size=1, max_size=9), st.booleans())
def test_badness_adds_up_whatever_its_direction(
    answers: list[tuple[float, float]], higher_is_better: bool
) -> None:
    sums = [sum(w * s**n for w, s in answers) for n in range(3)]
    row: list[object] = [
        "a", 0, sums[0], len(answers), "faithfulness", "ours", "", "supported", 1, *sums[1:],
    ]  # fmt: skip
    indicator = make_indicator(S.EVALUATION, higher_is_better=higher_is_better)
    [(_, _, _, counts)] = told([row], indicator)
    bad = [(w, 1 - s if higher_is_better else s) for w, s in answers]
    assert counts[4:] == pytest.approx([sum(w * b for w, b in bad), sum(w * b * b for w, b in bad)])


def test_thresholds_are_shared_and_labels_told_apart_in_one_plan() -> None:
    indicators = [
        make_indicator(S.LATENCY, threshold=1.0), make_indicator(S.LATENCY, threshold=2.0, op="lt"),
        make_indicator(where=(Match("release", ("v1", "v2")),)),
        make_indicator(where=(Match("release", ("v3",)), Match("group.x", ("y",)))),
    ]  # fmt: skip
    plan = plan_of(indicators)
    assert plan.params["cuts_latency"] == [-1e300, math.nextafter(1e6, math.inf), 2e6]
    assert plan.params["d0"] == ["v1", "v2", "v3"]
    assert plan.params["k1"] == "x"
    assert plan.columns == {"duration_s", "error_type", "release", "groups"}
    assert list(plan.keys) == ["is_error", "from_latency", "dim_0", "dim_1"]


def test_what_nothing_says_is_bad_cannot_be_planned() -> None:
    with pytest.raises(BadInput, match="which results of 'tone'"):
        plan_of([make_indicator(S.EVALUATION, subject="tone")])


def test_cells_have_plain_types() -> None:
    plan = plan_of([make_indicator()])
    cells = cells_in([["a", 0, 1.0, 1, 0]], [make_indicator()], plan)
    assert cells.indicator.dtype == np.dtype(np.int32)
    assert cells.start.dtype == np.dtype(np.int64)
    assert cells.counts.shape == (1, 6)
