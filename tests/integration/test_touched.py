"""What changed since: told until it was worked off, never left out, whatever the clocks do."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from seakeeping.records import Label, LabelKind, Measurement, MetricPoint
from seakeeping.store.counters import SILENCE_S
from seakeeping.store.counting import CountingStore
from seakeeping.store.testing import NOON, make_empty, make_interaction, running_store
from seakeeping.store.touched import OVERLAP_S, Touched

AT = int(NOON)


@pytest.fixture(scope="module")
def running() -> Iterator[CountingStore]:
    with running_store() as store:
        yield store


@pytest.fixture
def store(running: CountingStore) -> Iterator[CountingStore]:
    yield running
    make_empty(running)


def keep(store: CountingStore, number: int, service: str = "shop") -> None:
    call = make_interaction(number, service_name=service, started_at=NOON + 300 * number)
    store.insert_interactions([call], f"t{time.monotonic_ns()}")
    store.refresh_rollups([(service, call.started_at)])


def point(at: float, name: str = "m") -> MetricPoint:
    return MetricPoint(name, "1", "gauge", at, "shop", {}, {}, 1.0)


def places(*numbers: int, service: str = "shop") -> frozenset[tuple[str, int]]:
    return frozenset((service, AT + 300 * number) for number in numbers)


def set_version(store: CountingStore, number: int, version: int) -> None:
    """Enter a rollup of some version, as a clock that jumped would."""
    store.client.command(
        "INSERT INTO rollups (service_name, bucket, traffic, version) VALUES "
        f"('shop', toDateTime({AT + 300 * number}, 'UTC'), 'live', {version})"
    )


def test_nothing_is_told_before_there_is_a_version(store: CountingStore) -> None:
    keep(store, 1)
    first = store.touched(0)
    assert first.is_empty
    assert abs(first.version / 1e6 - time.time()) < 60
    assert store.touched(first.version).is_empty


def test_what_changed_is_told_once_it_is_asked_for_and_not_again(store: CountingStore) -> None:
    first = store.touched(0)
    keep(store, 1)
    keep(store, 2)
    second = store.touched(first.version)
    assert second.calls == places(1, 2)
    assert store.touched(second.version).is_empty
    keep(store, 2)
    assert store.touched(store.touched(second.version).version).is_empty


def test_what_was_not_worked_off_is_told_again(store: CountingStore) -> None:
    first = store.touched(0)
    keep(store, 1)
    assert store.touched(first.version).calls == places(1)
    keep(store, 2)
    assert store.touched(first.version).calls == places(1, 2)


def test_after_a_restart_everything_since_the_version_is_told(store: CountingStore) -> None:
    first = store.touched(0)
    keep(store, 1)
    second = store.touched(first.version)
    keep(store, 2)
    again = CountingStore(store.client)
    assert places(2) <= again.touched(second.version).calls
    assert places(1, 2) <= CountingStore(store.client).touched(first.version).calls


def test_what_became_visible_late_is_told(store: CountingStore) -> None:
    first = store.touched(0)
    begun = first.version - (OVERLAP_S - 30) * 1_000_000
    second = store.touched(first.version)
    set_version(store, 3, begun)
    assert store.touched(second.version).calls == places(3)


@pytest.mark.parametrize("jump_s", [-7200, 7200])
def test_a_clock_that_jumped_hides_nothing(store: CountingStore, jump_s: int) -> None:
    now = store.touched(0)
    future = now.version + jump_s * 1_000_000
    # the controller last asked when the clock stood elsewhere
    keep(store, 1)
    assert store.touched(future).calls == places(1)
    # and a rollup made then is told when it is made anew
    set_version(store, 2, future)
    set_version(store, 2, future + 1)
    told = store.touched(now.version)
    assert places(1) <= told.calls
    assert (("shop", AT + 600) in told.calls) == (jump_s > 0)
    known = store.touched(told.version)
    assert known.is_empty
    set_version(store, 2, max(future, now.version) + 2)
    assert store.touched(known.version).calls == places(2)


def test_metrics_measurements_and_labels_are_told_apart(store: CountingStore) -> None:
    first = store.touched(0)
    at = time.time() // 300 * 300
    store.insert_metric_points([point(at, "a"), point(at, "b")], "t")
    made = Measurement("shop", "drift", NOON - 3600, 3600.0, 0.1)
    store.insert_measurements([made], "t")
    second = store.touched(first.version, ["a", "c"])
    assert {name for _, name, _ in second.metrics} == {"a"}
    assert ("shop", "a", int(at)) in second.metrics
    assert second.measurements == {("shop", "drift", AT)}
    assert (second.calls, second.labels) == (frozenset(), False)
    store.insert_labels([Label("t", "s", "f", 1.0, LabelKind.USER, "", NOON)], "t")
    third = store.touched(second.version)
    assert third.labels
    assert not third.measurements
    assert store.touched(third.version, []).is_empty


def test_a_late_point_touches_what_comes_after_it(store: CountingStore) -> None:
    first = store.touched(0)
    store.insert_metric_points([point(NOON + 10)], "t")
    told = store.touched(first.version).metrics
    starts = sorted(start for _, _, start in told)
    assert starts[0] == AT
    assert starts[-1] >= AT + SILENCE_S
    assert {(s, n) for s, n, _ in told} == {("shop", "m")}


def test_no_change_is_lost_between_a_writer_and_an_asker(store: CountingStore) -> None:
    """Every bucket that a writer refreshes is told, while both run at once."""
    version = store.touched(0).version
    found: set[Any] = set()

    def write() -> None:
        for number in range(30):
            keep(store, number)

    writer = threading.Thread(target=write)
    writer.start()
    while writer.is_alive():
        told = store.touched(version)
        version = told.version
        found |= told.calls
    told = store.touched(version)
    assert found | told.calls == places(*range(30))


def test_nothing_is_empty() -> None:
    assert Touched(1).is_empty
    assert not Touched(1, labels=True).is_empty
