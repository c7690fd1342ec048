"""Rings of slots: sums by differences equal sums anew, whatever is put and however time moves."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from seakeeping.observe.tiers import COLUMNS, Floats, Tier

ROWS = np.array([0, 1, 2])


def block(slots: int, value: float = 1.0, rows: int = 3) -> Floats:
    return np.full((slots, rows, COLUMNS), value)


def tier(slots: int = 12, head: int = 20) -> Tier:
    made = Tier(10, slots, head)
    for row in range(3):
        made.admit(row)
    return made


def sums(found: Tier, name: str, first: int, last: int) -> list[float]:
    look = found.look(name, first, last)
    return list(map(float, look.sums[found.own(ROWS), 0]))


def test_a_look_sums_its_slots_and_no_others() -> None:
    one = tier()
    one.put(15, ROWS, block(4))
    assert sums(one, "a", 16, 20) == [3, 3, 3]
    assert sums(one, "b", 9, 15) == [1, 1, 1]


def test_a_slot_is_replaced_not_added_to() -> None:
    one = tier()
    sums(one, "a", 10, 20)
    one.put(15, ROWS, block(1, 5.0))
    one.put(15, ROWS, block(1, 2.0))
    assert sums(one, "a", 10, 20) == [2, 2, 2]
    one.put(15, ROWS, block(1, 0.0))
    assert sums(one, "a", 10, 20) == [0, 0, 0]


def test_what_leaves_the_ring_leaves_the_sums() -> None:
    one = tier()
    one.put(9, ROWS, block(1))
    sums(one, "a", 9, 20)
    one.turn(21)
    assert one.oldest == 10
    assert sums(one, "a", 9, 21) == [0, 0, 0]


def test_a_jump_beyond_the_ring_forgets_everything() -> None:
    one = tier()
    one.put(9, ROWS, block(12))
    sums(one, "a", 9, 20)
    one.turn(500)
    assert sums(one, "a", 490, 500) == [0, 0, 0]
    assert not one.values.any()


def test_slots_beyond_the_ring_and_rows_that_are_not_held_are_left_out() -> None:
    one = tier()
    one.put(1, ROWS, block(3))
    one.put(21, ROWS, block(3))
    one.put(15, np.array([1, 77]), block(1, rows=2))
    assert sums(one, "a", 1, 30) == [0, 1, 0]


def test_a_row_that_comes_back_begins_at_zero() -> None:
    one = tier()
    one.put(15, ROWS, block(1))
    sums(one, "a", 10, 20)
    one.dismiss(1)
    one.admit(1)
    assert sums(one, "a", 10, 20) == [1, 0, 1]


def test_many_rows_make_the_ring_wider_and_change_nothing() -> None:
    one = tier()
    one.put(15, ROWS, block(1))
    before = sums(one, "a", 10, 20)
    for row in range(3, 100):
        one.admit(row)
    assert sums(one, "a", 10, 20) == before


def test_the_newest_event_is_found_across_the_seam_of_the_ring() -> None:
    one = tier()
    assert one.newest_event(0) is None
    one.put(11, ROWS, block(1))
    one.put(13, ROWS, block(1))
    assert one.newest_event(0) == 130
    assert one.newest_event(50) is None


def test_thousands_of_replaced_weights_leave_no_dust() -> None:
    one, random = tier(), np.random.default_rng(1)
    sums(one, "a", 10, 20)
    for _ in range(2000):
        one.put(15, ROWS, random.random((1, 3, COLUMNS)))
    one.refresh("a")
    expected = one.values[15 % 12, one.own(ROWS), 0].tolist()
    assert sums(one, "a", 10, 20) == pytest.approx(expected, rel=1e-12)
    one.put(15, ROWS, block(1, 0.0))
    assert sums(one, "a", 10, 20) == [0, 0, 0]


def test_looks_that_nobody_asks_for_are_dropped() -> None:
    one = tier()
    sums(one, "a", 10, 20)
    sums(one, "b", 10, 20)
    one.drop_looks(["b"])
    assert list(one.looks) == ["b"]


steps = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.integers(-5, 8), st.integers(0, 9)),
        st.tuples(st.just("turn"), st.integers(0, 14), st.just(0)),
        st.tuples(st.just("look"), st.integers(0, 12), st.integers(0, 12)),
    ),
    max_size=30,
)


@given(steps)
def test_differences_equal_sums_anew(plan: list[tuple[str, int, int]]) -> None:
    one = tier()
    first, last = 12, 20
    for what, a, b in plan:
        if what == "put":
            one.put(one.head - a - 3, ROWS, block(3, float(b)))
        elif what == "turn":
            one.turn(one.head + a)
        else:
            first, last = sorted((one.head - a, one.head - b))
        found = sums(one, "a", first, last)
        fresh = sums(one, object, first, last)  # type: ignore[arg-type]
        del one.looks[object]
        assert found == fresh
