from collections.abc import Sequence
from pathlib import Path

import pytest

from seakeeping.control.selfwatch import MOST_WAITING, SelfWatch
from seakeeping.errors import StoreUnavailable
from seakeeping.observe.objectives import CONTROLLER_LAG, PIPELINE_LAG, SELF, SPOOL_USED, STORE_UP
from seakeeping.records import MetricPoint


class FakeClock:
    at = 1000.0

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at


class Store:
    """A store that is there or not, and may break in between."""

    def __init__(self) -> None:
        self.is_up = True
        self.breaks = False
        self.kept: list[MetricPoint] = []
        self.tokens: list[str] = []

    def ping(self, timeout_s: float = 3.0) -> bool:
        return self.is_up

    def insert_metric_points(self, points: Sequence[MetricPoint], token: str) -> None:
        if self.breaks:
            raise StoreUnavailable("gone")
        self.kept += points
        self.tokens.append(token)


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def watch(store: Store, clock: FakeClock, tmp_path: Path) -> SelfWatch:
    (tmp_path / "a.seg").write_bytes(b"x" * 25)
    return SelfWatch(
        store,
        spool=tmp_path,
        spool_limit_bytes=100,
        lag=lambda: 1.5,
        behind=lambda: 0.5,
        clock=clock,
    )


def values(store: Store) -> dict[str, list[float | None]]:
    found: dict[str, list[float | None]] = {}
    for point in store.kept:
        found.setdefault(point.name, []).append(point.value)
    return found


def test_four_gauges_of_ourselves(store: Store, watch: SelfWatch) -> None:
    watch.look()
    assert values(store) == {
        SPOOL_USED: [0.25],
        STORE_UP: [1.0],
        PIPELINE_LAG: [1.5],
        CONTROLLER_LAG: [0.5],
    }
    assert {point.service_name for point in store.kept} == {SELF}
    assert {point.unit for point in store.kept} == {"1", "s"}


def test_an_absent_store_is_known_afterwards(
    store: Store, watch: SelfWatch, clock: FakeClock
) -> None:
    store.is_up = False
    watch.look()
    clock.at += 10
    watch.look()
    assert store.kept == []
    store.is_up = True
    clock.at += 10
    watch.look()
    assert values(store)[STORE_UP] == [0.0, 0.0, 1.0]
    assert [point.at for point in store.kept if point.name == STORE_UP] == [1000, 1010, 1020]


def test_a_store_that_breaks_in_between_loses_nothing(store: Store, watch: SelfWatch) -> None:
    store.breaks = True
    watch.look()
    store.breaks = False
    watch.look()
    assert len(values(store)[STORE_UP]) == 2
    assert len(store.tokens) == 1


def test_what_waits_is_bounded_and_the_newest_stay(
    store: Store, watch: SelfWatch, clock: FakeClock
) -> None:
    store.is_up = False
    for _ in range(MOST_WAITING // 3 + 5):
        watch.look()
        clock.at += 10
    store.is_up = True
    watch.look()
    assert len(store.kept) == MOST_WAITING
    assert store.kept[-1].at == clock.at


def test_what_nobody_says_is_no_point(store: Store, clock: FakeClock, tmp_path: Path) -> None:
    SelfWatch(
        store,
        spool=tmp_path / "none",
        spool_limit_bytes=1,
        lag=lambda: None,
        behind=lambda: 0.5,
        clock=clock,
    ).look()
    assert set(values(store)) == {STORE_UP, CONTROLLER_LAG}
