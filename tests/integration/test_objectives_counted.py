"""What objectives as code say is what a real store counts: files of others, and filters."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from tests.unit.config.openslo.reading import inline, objective, slo

from seakeeping.records import Indicator, MetricPoint
from seakeeping.store.cells import TimeSpan
from seakeeping.store.counting import CountingStore
from seakeeping.store.testing import NOON, make_empty, make_interaction, running_store

WHOLE = TimeSpan(NOON - 3600, NOON + 3600)


@pytest.fixture(scope="module")
def running() -> Iterator[CountingStore]:
    with running_store() as store:
        yield store


@pytest.fixture
def store(running: CountingStore) -> Iterator[CountingStore]:
    yield running
    make_empty(running)


def counted(store: CountingStore, indicator: Indicator) -> tuple[float, float]:
    """Return the valid and the bad events."""
    cells = store.count_cells([indicator], WHOLE)
    return float(cells.counts[:, 0].sum()), float(cells.counts[:, 1].sum())


def points(name: str, kind: str, growth: float, **attributes: str) -> list[MetricPoint]:
    """Return two points of a series, between which it grew."""
    return [
        MetricPoint(
            name=name, unit="1", kind=kind, at=NOON + at, service_name="web", resource={},
            attributes=dict(attributes), value=value, temporality="cumulative",
        )
        for at, value in ((0.0, 100.0), (60.0, 100.0 + growth))
    ]  # fmt: skip


def histogram(name: str, counts: Sequence[float]) -> list[MetricPoint]:
    buckets = tuple(zip((0.1, 0.5, math.inf), counts, strict=True))
    return [
        MetricPoint(
            name=name, unit="s", kind="histogram", at=NOON + at, service_name="web", resource={},
            attributes={}, value=1.0, count=int(sum(counts) * times), temporality="cumulative",
            buckets=tuple((bound, count * times) for bound, count in buckets),
        )
        for at, times in ((0.0, 1), (60.0, 2))
    ]  # fmt: skip


def sloth(errors: str, total: str) -> str:
    events = f"{{error_query: '{errors}', total_query: '{total}'}}"
    return (
        "version: prometheus/v1\nservice: web\nslos:\n- name: works\n  objective: 99.9\n"
        f"  sli: {{events: {events}}}\n  alerting: {{}}\n"
    )


@pytest.mark.parametrize(
    ("errors", "bad"),
    [
        ('sum(rate(http_total{job="web",code=~"5..|429"}[{{.window}}]))', 7),
        ('sum(rate(http_total{job="web",code=~"5.."}[{{.window}}]))', 4),
        ('sum(rate(http_total{job="web",code!~"2.*"}[{{.window}}]))', 8),
        ('sum(rate(http_total{job="web",code=~"(500|404)"}[{{.window}}]))', 4),
        ('sum(rate(http_total{job="web",code="500"}[{{.window}}]))', 3),
        ('sum(rate(http_total{job="web"}[{{.window}}])) - '
         'sum(rate(http_total{job="web",code="200"}[{{.window}}]))', 8),
    ],
)  # fmt: skip
def test_counters_of_sloth(store: CountingStore, tmp_path: Path, errors: str, bad: float) -> None:
    for code, growth in (("200", 20), ("500", 3), ("503", 1), ("429", 3), ("404", 1)):
        store.insert_metric_points(points("http_total", "counter", growth, code=code), code)
    made = objective(tmp_path, sloth(errors, 'sum(rate(http_total{job="web"}[{{.window}}]))'))
    assert made.service == "web"
    assert counted(store, made.indicator) == (28, bad)


def test_latency_of_sloth_and_of_pyrra(store: CountingStore, tmp_path: Path) -> None:
    store.insert_metric_points(histogram("d_seconds", [5, 3, 2]), "t")
    total, good = 'd_seconds_count{job="web"}', 'd_seconds_bucket{job="web",le="0.5"}'
    slow = sloth(f"sum(rate({total}[5m])) - sum(rate({good}[5m]))", f"sum(rate({total}[5m]))")
    assert counted(store, objective(tmp_path, slow).indicator) == (10, 2)
    pyrra = (
        "apiVersion: pyrra.dev/v1alpha1\nkind: ServiceLevelObjective\nmetadata: {name: fast}\n"
        f"spec: {{target: '95', window: 4w, indicator: {{latency: {{success: {{metric: '{good}'}}, "
        f"total: {{metric: '{total}'}}}}}}}}\n"
    )
    assert counted(store, objective(tmp_path, pyrra).indicator) == (10, 2)


def test_a_histogram_counts_as_requests_too(store: CountingStore, tmp_path: Path) -> None:
    store.insert_metric_points(histogram("d_seconds", [5, 3, 2]), "t")
    whole = "sum(rate(d_seconds_count[{{.window}}]))"
    text = sloth(whole, whole)
    assert counted(store, objective(tmp_path, text).indicator) == (10, 10)


@pytest.mark.parametrize(
    ("filters", "valid"),
    [
        ("{release: {matches: 'v1.*'}}", 2),
        ("{release: {notMatches: 'v1.*'}}", 2),
        ("{release: {matches: ['v1', 'v2']}}", 2),
        ("{release: {matches: 'v'}}", 0),
        ("{group.plan: {matches: 'pro|team'}, release: {not: v2}}", 2),
        ("{release: [v1, v2], group.plan: {matches: 'p.o'}}", 1),
    ],
)
def test_patterns_on_dimensions_of_calls(
    store: CountingStore, tmp_path: Path, filters: str, valid: int
) -> None:
    releases = [("v1", "pro"), ("v1.1", "team"), ("v2", "pro"), (None, "free")]
    calls = [
        make_interaction(n, release=release, groups={"plan": plan}, started_at=NOON + n)
        for n, (release, plan) in enumerate(releases)
    ]
    calls[2] = make_interaction(2, release="v2", groups={"plan": "team"}, started_at=NOON + 2)
    store.insert_interactions(calls, "t")
    text = slo(f"indicator: {inline('availability', f', filter: {filters}')}")
    indicator = objective(tmp_path, text).indicator
    assert counted(store, indicator)[0] == valid
    facts = store.facts(indicator, calls[0].service_name, NOON, NOON + 60)
    assert facts.valid.sum() == valid
