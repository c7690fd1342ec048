"""Metrics around a moment, from a real store: by the minute, and those that moved before others."""

import time
from collections.abc import Iterator

import numpy as np
import pytest

from seakeeping.decide.diagnose.signals import ranked
from seakeeping.records import MetricPoint
from seakeeping.store.counting import CountingStore
from seakeeping.store.metric_series import MetricSeries
from seakeeping.store.testing import running_store

HOUR_S = 3600.0
ONSET = (time.time() - HOUR_S) // 60 * 60
START, END = ONSET - 3 * HOUR_S, ONSET + 600


@pytest.fixture(scope="module")
def store() -> Iterator[CountingStore]:
    with running_store() as store:
        yield store


def keep(store: CountingStore, service: str, points: list[MetricPoint]) -> None:
    store.insert_metric_points(points, f"points-{service}-{len(points)}")


def moved(store: CountingStore, service: str, most: int = 40) -> list[MetricSeries]:
    return store.moved_series(service, START, ONSET, END, least=8, most=most)


def gauge(
    service: str, name: str, at: float, value: float, instance: str = "a", **attributes: str
) -> MetricPoint:
    resource = {"service.instance.id": instance}
    return MetricPoint(name, "1", "gauge", at, service, resource, attributes, value)


def moments(every_s: float) -> list[float]:
    return list(np.arange(START, END, every_s))


def test_thousands_of_points_before_the_moment_hide_nothing_after_it(store: CountingStore) -> None:
    source = np.random.default_rng(1)
    points = [
        gauge("busy", "queue", at, (40.0 if at >= ONSET and n == 5 else 4.0) + source.random(),
              replica=str(n))
        for at in moments(15) for n in range(12)
    ]  # fmt: skip
    assert sum(point.at < ONSET for point in points) > 8_000
    keep(store, "busy", points)
    found = moved(store, "busy")
    assert len(found) == 12
    assert found[0].attributes == {"replica": "5"}
    assert list(found[0].minutes) == list(range(-180, 10))
    (signal,) = ranked(found)
    assert signal.attributes == (("replica", "5"),)
    assert signal.extreme == pytest.approx(40.5, abs=0.5)


def test_the_series_that_moved_are_answered_whatever_their_names(store: CountingStore) -> None:
    source = np.random.default_rng(2)
    names = [*(f"a{n:03}" for n in range(60)), "zz_waiting"]
    points = [
        gauge("many", name, at, 5.0 + source.random() + 30 * (name[0] == "z" and at >= ONSET))
        for at in moments(60) for name in names
    ]  # fmt: skip
    keep(store, "many", points)
    found = moved(store, "many", most=3)
    assert len(found) == 3
    assert found[0].name == "zz_waiting"


def total(
    service: str, at: float, value: float, count: int | None = None, *,
    kind: str = "counter", temporality: str = "cumulative", instance: str = "a",
) -> MetricPoint:  # fmt: skip
    resource = {"service.instance.id": instance}
    return MetricPoint(
        f"{kind}_{temporality}", "s", kind, at, service, resource, {}, value, count,
        temporality=temporality,
    )  # fmt: skip


def test_of_a_running_total_the_pace_counts_and_a_restart_is_no_leap(store: CountingStore) -> None:
    points, value = [], 0.0
    for at in moments(30):
        value += 30 * (50.0 if at > ONSET else 5.0)
        if at == ONSET - 3_600:
            value = 150.0  # begun anew, within the step
        points.append(total("totals", at, value))
    keep(store, "totals", points)
    (found,) = moved(store, "totals")
    assert found.unit == "s/s"
    assert found.values[found.minutes < 0] == pytest.approx(5.0)
    assert found.values[found.minutes > 0] == pytest.approx(50.0)


def test_points_that_were_sent_twice_count_once(store: CountingStore) -> None:
    points = [total("twice", at, 300.0, temporality="delta") for at in moments(60)]
    keep(store, "twice", points)
    keep(store, "twice", [*points[-20:], points[0]])
    (found,) = moved(store, "twice")
    assert found.values == pytest.approx(5.0)


def test_of_a_delta_counter_the_pace_counts_too(store: CountingStore) -> None:
    points = [
        total("deltas", at, 300.0 if at <= ONSET else 3_000.0, temporality="delta")
        for at in moments(60)
    ]
    keep(store, "deltas", points)
    (found,) = moved(store, "deltas")
    assert found.values[found.minutes < 0] == pytest.approx(5.0)
    assert found.values[found.minutes > 0] == pytest.approx(50.0)


@pytest.mark.parametrize("temporality", ["cumulative", "delta"])
def test_of_a_histogram_the_mean_of_what_was_observed_counts(
    store: CountingStore, temporality: str
) -> None:
    service, points, seconds, seen = f"observed-{temporality}", [], 0.0, 0
    for number, at in enumerate(moments(60)):
        calls = 20 + number % 3  # traffic moves, and is not what is asked about
        told = calls * (2.0 if at > ONSET else 0.2), calls
        seconds, seen = seconds + told[0], seen + told[1]
        value, count = (seconds, seen) if temporality == "cumulative" else told
        points.append(total(service, at, value, count, kind="histogram", temporality=temporality))
    keep(store, service, points)
    (found,) = moved(store, service)
    assert found.unit == "s"
    assert found.values[found.minutes < 0] == pytest.approx(0.2)
    assert found.values[found.minutes > 0] == pytest.approx(2.0)


def test_an_instance_that_takes_over_goes_on_the_same_series(store: CountingStore) -> None:
    points = [
        gauge("rolled", "queue", at, 30.0 if at >= ONSET else 4.0, "a" if at < ONSET else "b")
        for at in moments(60)
    ]
    keep(store, "rolled", points)
    (found,) = moved(store, "rolled")
    assert len(found.minutes) == 190


def test_a_moment_within_a_minute_parts_it(store: CountingStore) -> None:
    moment = ONSET + 30
    points = [gauge("odd", "queue", at, 9.0 if at >= moment else 1.0) for at in moments(10)]
    keep(store, "odd", points)
    (found,) = store.moved_series("odd", START, moment, END, least=8, most=5)
    assert set(found.values[found.minutes < 0]) == {1.0}
    assert set(found.values[found.minutes >= 0]) == {9.0}


def test_without_a_past_or_since_there_is_nothing_to_compare(store: CountingStore) -> None:
    young = [gauge("young", "queue", at, 1.0) for at in moments(60) if at >= ONSET - 420]
    old = [gauge("young", "old", at, 1.0) for at in moments(60) if at < ONSET]
    none = [MetricPoint("empty", "1", "gauge", at, "young", {}, {}, None) for at in moments(60)]
    keep(store, "young", [*young, *old, *none])
    assert moved(store, "young") == []
    assert moved(store, "nobody") == []
