"""Watching: many who look cost as little as one, and what was read is not kept too long."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from seakeeping.web import standing
from seakeeping.web.testing import (
    MemoryDecided,
    MemoryStore,
    StillClock,
    TestRoom,
    fill,
    fill_decided,
    make_room,
)
from seakeeping.web.watch import FRESH_S, READINGS_FRESH_S, Memo


class CountingStore(MemoryStore):
    """Counts the questions by name."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: Counter[str] = Counter()

    def services(self, now: float, window_s: float) -> Any:
        self.asked["services"] += 1
        return super().services(now, window_s)

    def series(self, service: str, start: float, end: float, step_s: int) -> Any:
        self.asked["series"] += 1
        return super().series(service, start, end, step_s)


@dataclass
class Scene:
    store: CountingStore
    clock: StillClock
    room: TestRoom

    def walls(self, count: int) -> None:
        async def look() -> None:
            await asyncio.gather(*(self.room.room.watch.wall("1h") for _ in range(count)))

        asyncio.run(look())


@pytest.fixture
def scene(tmp_path: Path) -> Any:
    store, clock = CountingStore(), StillClock()
    fill(store, clock.now())
    decided = fill_decided(MemoryDecided(clock), clock.now())
    made = Scene(store, clock, make_room(store, tmp_path, clock, decided))
    yield made
    made.room.close()


def test_ten_walls_are_read_once(scene: Scene) -> None:
    scene.walls(10)
    assert scene.store.asked == {"services": 1, "series": 5}


def test_a_later_look_reads_the_services_and_nothing_slow(scene: Scene) -> None:
    scene.walls(1)
    scene.clock.at += FRESH_S + 0.1
    scene.walls(1)
    assert scene.store.asked == {"services": 2, "series": 5}


def test_everything_is_read_again_in_the_end(scene: Scene) -> None:
    scene.walls(1)
    scene.clock.at += 61
    scene.walls(1)
    assert scene.store.asked == {"services": 2, "series": 10}


def test_readings_are_kept_while_the_ledger_is_away_and_say_how_old_they_are(scene: Scene) -> None:
    watch, decided, before = scene.room.room.watch, scene.room.decided, scene.clock.now()
    assert {b.objective.name for b in watch.budgets("cargo-search")} >= {
        "cargo-search/availability", "cargo-search/faithfulness",
    }  # fmt: skip
    decided.is_away = True
    scene.clock.at += 60
    assert watch.readings().at == before
    assert standing.is_stale(watch.readings().at, scene.clock.now())
    decided.is_away = False
    scene.clock.at += READINGS_FRESH_S
    assert watch.readings().at == scene.clock.now()


def test_readings_are_read_once_for_all_who_look_at_the_same_moment(scene: Scene) -> None:
    watch = scene.room.room.watch
    first = watch.readings()
    scene.room.decided.measured.clear()
    assert watch.readings() is first
    scene.clock.at += READINGS_FRESH_S
    assert watch.readings().readings == ()


def test_an_unknown_service_has_no_budgets(scene: Scene) -> None:
    assert scene.room.room.watch.budgets("nobody") == []
    assert scene.room.room.watch.reading("nobody/availability") is None


def answers(*values: int) -> Callable[[], int]:
    rest = list(values)
    return lambda: rest.pop(0)


def test_a_memory_lasts_as_its_window_does() -> None:
    clock = StillClock()
    memo, ask = Memo(clock), answers(1, 2, 3)
    assert memo.get("k", 6000, ask) == 1
    clock.at += 19.9
    assert memo.get("k", 6000, ask) == 1
    clock.at += 0.2
    assert memo.get("k", 6000, ask) == 2


@pytest.mark.parametrize(("window_s", "kept_s"), [(60, 5), (10**9, 60)])
def test_a_memory_is_kept_five_seconds_at_least_and_a_minute_at_most(
    window_s: float, kept_s: float
) -> None:
    clock = StillClock()
    memo, ask = Memo(clock), answers(1, 2)
    memo.get("k", window_s, ask)
    clock.at += kept_s - 0.1
    assert memo.get("k", window_s, ask) == 1
    clock.at += 0.2
    assert memo.get("k", window_s, ask) == 2


def test_a_failed_question_is_not_remembered() -> None:
    memo = Memo(StillClock())
    with pytest.raises(ZeroDivisionError):
        memo.get("k", 1, lambda: 1 // 0)
    assert memo.get("k", 1, lambda: 7) == 7
