"""Filling and keeping: steps into the past, what is read back, and what a store's absence costs."""

from collections.abc import Sequence

import numpy as np
import pytest

from seakeeping.errors import StoreUnavailable
from seakeeping.observe.filling import STEP_S, Filling
from seakeeping.observe.history import History, reach_of
from seakeeping.observe.keeping import HOT_S
from seakeeping.observe.rows import Row, Rows, Slicing
from seakeeping.observe.testing import Event, MemoryStore
from seakeeping.observe.tiers import VALID, Floats, Ints
from seakeeping.observe.windows import COARSE_S
from seakeeping.records import Budgeting, Indicator

NOON = 1_790_000_100.0
DAY = 86_400.0
MONTH = reach_of(30 * 86_400, COARSE_S)
AVAILABILITY = Indicator("availability", "calls", "good calls")


class SlowClock:
    """A clock on which every question to the store may take a while."""

    def __init__(self) -> None:
        self.at, self.takes = 0.0, 0.0

    def now(self) -> float:
        return NOON

    def monotonic(self) -> float:
        self.at += self.takes
        return self.at


class Scene:
    def __init__(self, slicing: Slicing | None = None) -> None:
        self.store, self.clock = MemoryStore(), SlowClock()
        self.rows, self.history = Rows(), History(NOON)
        self.rows.hold([Row(AVAILABILITY, "shop", slicing)])
        self.history.admit(0, [MONTH])
        self.heard: list[int] = []
        self.filling = Filling(self.store, self.rows, self.history, self.clock, self.hear)
        self.needed = {0: NOON - 31 * DAY}

    def hear(self, start: int, rows: Ints, block: Floats) -> None:
        self.heard += [start + 300 * n for n in range(len(block)) if block[n, :, VALID].any()]

    def send(self, *ages: float) -> None:
        known = len(self.store.events)
        self.store.put(Event(f"{known + n}", "shop", NOON - age) for n, age in enumerate(ages))

    def valid(self) -> float:
        sums = self.history.since(np.array([0]), MONTH, NOON - 31 * DAY, NOON)
        return float(sums[0, VALID])

    def fill(self, steps: int = 8) -> None:
        for _ in range(steps):
            self.filling.fill(self.needed)

    def touch(self, *ages: float) -> None:
        self.filling.changed({int((NOON - age) // 300 * 300): {0} for age in ages})


def test_the_present_comes_first_and_the_past_in_growing_steps() -> None:
    scene = Scene()
    scene.send(10, 30 * 3600, 25 * DAY)
    scene.fill(1)
    assert scene.valid() == 1
    reached = []
    while not scene.filling.is_filled(0, scene.needed[0]):
        scene.fill(1)
        reached.append(NOON - scene.filling.filled_from[0])
    steps = np.diff(reached)
    assert (steps[:-1] > 1.5 * DAY).all()  # doubled, as each was quick
    assert scene.valid() == 3
    assert len(reached) <= 6


def test_steps_that_take_long_stay_at_a_day() -> None:
    scene = Scene()
    scene.clock.takes = 3 * STEP_S
    scene.fill(1)
    before = scene.filling.filled_from[0]
    scene.fill(3)
    assert before - scene.filling.filled_from[0] == 3 * DAY


def test_filling_goes_on_where_the_store_went_away() -> None:
    scene = Scene()
    scene.send(10, 5 * DAY)
    scene.store.is_away = True
    with pytest.raises(StoreUnavailable):
        scene.fill()
    scene.store.is_away = False
    scene.fill()
    assert scene.valid() == 2


def test_what_could_not_be_counted_stays_pending() -> None:
    scene = Scene()
    scene.fill()
    scene.send(10, 5 * DAY)
    scene.touch(10, 5 * DAY)
    scene.store.is_away = True
    with pytest.raises(StoreUnavailable):
        scene.filling.recount()
    assert len(scene.filling.pending) == 2
    scene.store.is_away = False
    scene.filling.recount()
    assert scene.valid() == 2
    assert not scene.filling.pending


def test_a_flood_of_late_events_is_counted_in_parts() -> None:
    scene = Scene()
    scene.fill()
    ages = [n * 300.0 for n in range(200)]
    scene.send(*ages)
    scene.touch(*ages)
    scene.filling.recount()
    assert scene.valid() == 200


def test_late_events_of_the_distant_past_bring_their_whole_hour() -> None:
    scene = Scene()
    scene.send(20 * DAY, 20 * DAY + 600)
    scene.fill()
    scene.send(20 * DAY + 300)
    scene.touch(20 * DAY + 300)
    scene.filling.recount()
    assert scene.valid() == 3


def test_rows_that_are_not_filled_yet_are_not_recounted() -> None:
    scene = Scene()
    scene.send(10)
    scene.touch(10)
    scene.filling.recount()
    assert scene.valid() == 0
    scene.fill()
    assert scene.valid() == 1


def test_what_lies_in_the_future_waits() -> None:
    scene = Scene()
    scene.fill()
    scene.send(-5000)
    scene.touch(-5000)
    scene.filling.recount()
    assert list(scene.filling.later) == [int((NOON + 5000) // 300 * 300)]
    scene.history.move(NOON + 4800)
    scene.filling.recount()
    assert not scene.filling.later
    assert scene.heard


@pytest.mark.parametrize("length", [60, 900, 3600, 86_400])
def test_slices_are_counted_whole_wherever_they_lie(length: int) -> None:
    scene = Scene(Slicing(Budgeting.TIMESLICES, length, 0.9))
    first = NOON - 12 * DAY
    starts = [(first // length + n) * length for n in range(3)]
    scene.store.put(Event(f"s{n}", "shop", at + length / 3) for n, at in enumerate(starts))
    scene.fill()
    assert scene.valid() == 3
    scene.store.put([Event("late", "shop", starts[1] + length / 2)])
    scene.filling.changed({int((starts[1] + length / 2) // 300 * 300): {0}})
    scene.filling.recount()
    assert scene.valid() == 3


# -- keeping --------------------------------------------------------------------------------------


def kept(scene: Scene) -> dict[int, float]:
    """Return what is kept, valid events by start, without what is kept to be nothing."""
    return {start: counts[0] for (_, _, start), counts in scene.store.kept.items() if counts[0]}


def starts(*ages: float) -> Sequence[int]:
    return sorted(int((NOON - age) // 300 * 300) for age in ages)


def test_what_was_filled_is_kept() -> None:
    scene = Scene()
    scene.send(10, 4000, 5 * DAY)
    scene.fill()
    assert sorted(kept(scene)) == starts(10, 4000, 5 * DAY)


def test_what_still_changes_is_kept_when_it_has_cooled_down() -> None:
    scene = Scene()
    scene.fill()
    scene.send(10)
    scene.touch(10)
    scene.filling.recount()
    keeper = scene.filling.keeper
    keeper.keep(NOON)
    assert not kept(scene)
    assert keeper.open_since == starts(10)[0]
    keeper.keep(NOON + HOT_S + 300)
    assert list(kept(scene)) == starts(10)
    assert keeper.open_since is None


def test_what_is_gone_replaces_what_was_kept() -> None:
    scene = Scene()
    scene.send(4000, 20 * DAY)
    scene.fill()
    assert len(kept(scene)) == 2
    scene.store.events.clear()
    scene.touch(4000, 20 * DAY)
    scene.filling.recount()
    scene.filling.keeper.keep(NOON + HOT_S)
    assert not kept(scene)


def test_keeping_is_tried_again_where_the_store_was_away() -> None:
    scene = Scene()
    scene.fill()
    scene.send(4000)
    scene.touch(4000)
    scene.filling.recount()
    scene.store.is_away = True
    with pytest.raises(StoreUnavailable):
        scene.filling.keeper.keep(NOON)
    scene.store.is_away = False
    scene.filling.keeper.keep(NOON)
    assert list(kept(scene)) == starts(4000)


def test_a_row_that_is_forgotten_is_not_kept() -> None:
    scene = Scene()
    scene.fill()
    scene.send(4000, 20 * DAY)
    scene.touch(4000, 20 * DAY)
    scene.filling.recount()
    scene.filling.forget([0])
    scene.filling.keeper.keep(NOON + HOT_S)
    assert not kept(scene)


def test_after_a_restart_only_what_was_not_kept_is_counted() -> None:
    before = Scene()
    before.send(10, 4 * 3600, 20 * DAY)
    before.fill()
    after = Scene()
    after.store = before.store
    after.filling = Filling(before.store, after.rows, after.history, after.clock, after.hear)
    before.store.events = {k: e for k, e in before.store.events.items() if e.at > NOON - 3600}
    after.filling.resume({after.rows[0].key: NOON - 31 * DAY}, NOON - 60, [])
    after.fill(1)
    assert after.valid() == 3
    assert after.filling.is_filled(0, NOON - 31 * DAY)


def test_rows_older_than_retention_are_read_from_what_was_kept() -> None:
    scene = Scene()
    scene.send(10, 20 * DAY)
    scene.fill()
    scene.store.drop_rows(NOON - 5 * DAY)
    again = Scene()
    again.filling = Filling(scene.store, again.rows, again.history, again.clock, again.hear)
    again.fill()
    assert again.valid() == 2
