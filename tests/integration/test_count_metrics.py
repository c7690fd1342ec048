"""Events out of metric points, on a real store: growth, resets, deltas, histograms, gauges."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from seakeeping.errors import BadInput
from seakeeping.records import Indicator, IndicatorSignal, Match, MetricPoint, MetricSelector
from seakeeping.store.cells import Cells, Place, TimeSpan
from seakeeping.store.counting import CountingStore
from seakeeping.store.testing import NOON, make_empty, make_indicator, running_store

S = IndicatorSignal
AT = int(NOON)
WHOLE = TimeSpan(AT - 3600, AT + 3600)


@pytest.fixture(scope="module")
def running() -> Iterator[CountingStore]:
    with running_store() as store:
        yield store


@pytest.fixture
def store(running: CountingStore) -> Iterator[CountingStore]:
    yield running
    make_empty(running)


def point(at: float, value: float | None = None, **changes: Any) -> MetricPoint:
    """Return a point of a cumulative counter, ``at`` seconds after noon."""
    return MetricPoint(
        **{
            "name": "requests_total", "unit": "1", "kind": "counter", "at": NOON + at,
            "service_name": "shop", "resource": {"service.instance.id": "a"},
            "attributes": {"code": "200"}, "value": value, "temporality": "cumulative", **changes,
        }
    )  # fmt: skip


def histogram(at: float, counts: Sequence[float], **changes: Any) -> MetricPoint:
    bounds = (0.1, 0.5, 1.0, math.inf)
    return point(
        at, name="latency_seconds", kind="histogram", count=int(sum(counts)),
        buckets=tuple(zip(bounds, counts, strict=True)), **{"value": 1.0, **changes},
    )  # fmt: skip


def ratio(**changes: Any) -> Indicator:
    bad = MetricSelector("requests_total", (Match("code", ("500", "503")),))
    return make_indicator(
        S.METRIC_RATIO, **{"bad": bad, "total": MetricSelector("requests_total"), **changes}
    )


def told(cells: Cells, indicator: int = 0) -> dict[Place, tuple[float, float]]:
    return {
        (cells.services[cells.service[n]], int(cells.start[n]) - AT): (
            cells.counts[n, 0], cells.counts[n, 1],
        )
        for n in range(len(cells))
        if cells.indicator[n] == indicator
    }  # fmt: skip


def count(store: CountingStore, *indicators: Indicator, step_s: int = 300) -> Cells:
    return store.count_cells(indicators, WHOLE, step_s)


def test_a_ratio_is_what_its_counters_grew_by(store: CountingStore) -> None:
    failed = {"attributes": {"code": "500"}}
    store.insert_metric_points(
        [point(0, 100), point(60, 110), point(310, 130),
         point(0, 5, **failed), point(60, 6, **failed), point(310, 10, **failed)],
        "t",
    )  # fmt: skip
    assert told(count(store, ratio())) == {("shop", 0): (11, 1), ("shop", 300): (24, 4)}
    good = ratio(bad=None, good_of=MetricSelector("requests_total", (Match("code", ("200",)),)))
    assert told(count(store, good)) == {("shop", 0): (11, 1), ("shop", 300): (24, 4)}
    other = ratio(bad=MetricSelector("requests_total", (Match("code", ("200",), is_in=False),)))
    assert told(count(store, other)) == told(count(store, ratio()))


def test_the_rows_are_the_events(store: CountingStore) -> None:
    store.insert_metric_points([point(0, 1), point(60, 4)], "t")
    [counts] = count(store, ratio()).counts
    assert list(counts) == [3, 0, 3, 0, 0, 0]


def test_the_first_point_only_says_where_counting_begins(store: CountingStore) -> None:
    store.insert_metric_points([point(0, 1_000_000)], "t")
    assert told(count(store, ratio())) == {}


def test_a_series_that_began_anew_grew_by_what_it_shows(store: CountingStore) -> None:
    store.insert_metric_points([point(0, 100), point(60, 7), point(120, 9)], "t")
    assert told(count(store, ratio())) == {("shop", 0): (9, 0)}


def test_each_process_is_a_series_of_its_own(store: CountingStore) -> None:
    other = {"resource": {"service.instance.id": "b"}}
    store.insert_metric_points(
        [point(0, 100), point(30, 5000, **other), point(60, 101), point(90, 5002, **other)], "t"
    )
    assert told(count(store, ratio())) == {("shop", 0): (3, 0)}
    of_b = MetricSelector("requests_total", (Match("service.instance.id", ("b",)),))
    assert told(count(store, ratio(bad=of_b))) == {("shop", 0): (3, 2)}


def test_a_long_silence_begins_a_new_series(store: CountingStore) -> None:
    store.insert_metric_points([point(-1200, 100), point(-400, 150), point(600, 900)], "t")
    assert told(count(store, ratio())) == {("shop", -600): (50, 0)}


def test_a_delta_is_what_it_says(store: CountingStore) -> None:
    delta = {"temporality": "delta"}
    store.insert_metric_points([point(0, 3, **delta), point(60, 2, **delta)], "t")
    assert told(count(store, ratio())) == {("shop", 0): (5, 0)}


def test_a_point_that_is_stored_twice_counts_once(store: CountingStore) -> None:
    for token in ("a", "b"):
        store.insert_metric_points([point(0, 3, temporality="delta")], token)
    assert told(count(store, ratio())) == {("shop", 0): (3, 0)}


@pytest.mark.parametrize(
    ("op", "threshold", "bad"), [("lte", 0.5, 5), ("lt", 0.5, 5), ("lte", 0.7, 5), ("gte", 0.5, 3)]
)
def test_a_histogram_counts_observations(
    store: CountingStore, op: str, threshold: float, bad: float
) -> None:
    store.insert_metric_points([histogram(0, [1, 1, 1, 1]), histogram(60, [3, 2, 4, 3])], "t")
    slow = make_indicator(S.METRIC, subject="latency_seconds", threshold=threshold, op=op)
    assert told(count(store, slow)) == {("shop", 0): (8, bad)}


def test_a_histogram_that_began_anew_counts_what_it_shows(store: CountingStore) -> None:
    store.insert_metric_points([histogram(0, [9, 9, 9, 9]), histogram(60, [1, 0, 2, 0])], "t")
    slow = make_indicator(S.METRIC, subject="latency_seconds", threshold=0.5)
    assert told(count(store, slow)) == {("shop", 0): (3, 2)}


def test_names_of_prometheus_are_understood(store: CountingStore) -> None:
    store.insert_metric_points([histogram(0, [1, 1, 1, 1]), histogram(60, [3, 2, 4, 3])], "t")
    store.insert_metric_points([point(0, 1, name="requests"), point(60, 4, name="requests")], "u")
    fast = MetricSelector("latency_seconds_bucket", (Match("le", ("0.5",)),))
    every = MetricSelector("latency_seconds_bucket", (Match("le", ("+Inf",)),))
    total = MetricSelector("latency_seconds_count")
    assert told(count(store, ratio(bad=None, good_of=fast, total=total))) == {("shop", 0): (8, 5)}
    assert told(count(store, ratio(bad=None, good_of=every, total=total))) == {("shop", 0): (8, 0)}
    assert told(count(store, ratio())) == {("shop", 0): (3, 0)}


def test_every_point_of_a_gauge_is_an_event(store: CountingStore) -> None:
    gauge = {"name": "depth", "kind": "gauge", "temporality": None}
    store.insert_metric_points(
        [point(n * 60, value, **gauge) for n, value in enumerate((0.2, 0.9, None, 0.95, 0.9))], "t"
    )
    full = make_indicator(S.METRIC, subject="depth", threshold=0.9)
    assert told(count(store, full)) == {("shop", 0): (4, 1)}
    assert told(count(store, full, step_s=60)) == {
        ("shop", 0): (1, 0), ("shop", 60): (1, 0), ("shop", 180): (1, 1), ("shop", 240): (1, 0),
    }  # fmt: skip


def test_a_counter_is_compared_by_its_rate(store: CountingStore) -> None:
    store.insert_metric_points([point(0, 0), point(10, 50), point(20, 60)], "t")
    fast = make_indicator(S.METRIC, subject="requests_total", threshold=2.0)
    assert told(count(store, fast)) == {("shop", 0): (2, 1)}


def test_touched_places_count_what_the_whole_span_does(store: CountingStore) -> None:
    store.insert_metric_points([point(n * 100 - 900, n * n) for n in range(18)], "t")
    whole = told(count(store, ratio()))
    for place, counts in whole.items():
        cells = store.count_cells([ratio()], [("shop", AT + place[1])])
        assert told(cells) == {place: counts}
    some = store.count_cells([ratio()], [("shop", AT), ("shop", AT - 900), ("desk", AT)])
    assert told(some) == {p: c for p, c in whole.items() if p[1] in (0, -900)}
    assert len(whole) == 6


def test_values_that_are_no_text_match_as_they_are_written(store: CountingStore) -> None:
    store.insert_metric_points(
        [point(at, at, attributes={"code": 500, "ok": False}) for at in (0, 60)], "t"
    )
    assert told(count(store, ratio())) == {("shop", 0): (60, 60)}
    false = MetricSelector("requests_total", (Match("ok", ("false",)),))
    assert told(count(store, ratio(bad=false))) == {("shop", 0): (60, 60)}


def test_a_bucket_that_is_no_number_is_bad_input(store: CountingStore) -> None:
    odd = MetricSelector("latency_seconds_bucket", (Match("le", ("much",)),))
    with pytest.raises(BadInput, match="not a bucket: 'much'"):
        count(store, ratio(bad=odd))
    with pytest.raises(BadInput, match="no threshold"):
        count(store, make_indicator(S.METRIC, subject="depth"))
