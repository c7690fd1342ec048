"""The walk of a metrics request: every data point into a :class:`~seakeeping.records.MetricPoint`.

Each kind of metric has one reader, which says whether a point can be kept, and makes the record. A
sum that can fall (not monotonic) is a gauge in our records; it keeps its temporality only when it
is delta, for then its points are changes, not levels.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.metrics.v1 import metrics_pb2 as pb

from seakeeping.ingest.otlp import derive
from seakeeping.ingest.otlp.body import (
    Acceptance,
    acceptance,
    exponential_problem,
    histogram_problem,
    summary_problem,
    time_problem,
)
from seakeeping.ingest.otlp.buckets import explicit_buckets, exponential_buckets
from seakeeping.ingest.otlp.values import attributes
from seakeeping.records import JsonObject, MetricPoint, Signal

_TEMPORALITIES = {1: "delta", 2: "cumulative"}
_NO_RECORDED_VALUE = 1


@dataclass(frozen=True, slots=True)
class _Reading:
    """What a data point says; the rest of the record is the same for all kinds."""

    value: float | None
    count: int | None = None
    buckets: tuple[tuple[float, float], ...] = ()


class _Reader(NamedTuple):
    """How a kind of metric is read: why a point cannot be kept, and what it says."""

    problem: Callable[[Any], str]
    read: Callable[[Any], _Reading]


def check_metrics(request: ExportMetricsServiceRequest) -> Acceptance:
    """Return which data points of a request can be kept."""
    items, problems = 0, []
    for _, metric in _metrics(request):
        problem_of = _READERS[_kind(metric)].problem
        points = _points(metric)
        items += len(points)
        problems += [f"{metric.name}: {why}" for point in points if (why := problem_of(point))]
    return acceptance(Signal.METRICS, items, problems)


def points_of(request: ExportMetricsServiceRequest) -> list[MetricPoint]:
    """Return the data points of a request without those that ``check_metrics`` refuses."""
    return [
        point
        for resource, metric in _metrics(request)
        for point in _records(metric, resource, derive.service_name(resource))
    ]


def _metrics(
    request: ExportMetricsServiceRequest,
) -> Iterator[tuple[JsonObject, pb.Metric]]:
    """Yield every metric of a kind that is known, with the attributes of its resource."""
    for group in request.resource_metrics:
        resource = attributes(group.resource.attributes)
        for scope in group.scope_metrics:
            yield from ((resource, metric) for metric in scope.metrics if _kind(metric))


def _kind(metric: pb.Metric) -> str:
    return metric.WhichOneof("data") or ""


def _points(metric: pb.Metric) -> Sequence[Any]:
    points: Sequence[Any] = getattr(metric, _kind(metric)).data_points
    return points


def _records(metric: pb.Metric, resource: JsonObject, service_name: str) -> Iterator[MetricPoint]:
    reader = _READERS[_kind(metric)]
    kind, temporality = _kind_of_record(metric)
    for point in _points(metric):
        if reader.problem(point):
            continue
        absent = point.flags & _NO_RECORDED_VALUE
        reading = _Reading(None) if absent else reader.read(point)
        yield MetricPoint(
            name=metric.name,
            unit=metric.unit,
            kind=kind,
            at=derive.seconds(point.time_unix_nano),
            service_name=service_name,
            resource=resource,
            attributes=attributes(point.attributes),
            value=reading.value,
            count=reading.count,
            buckets=reading.buckets,
            temporality=temporality,
        )


def _kind_of_record(metric: pb.Metric) -> tuple[str, str | None]:
    """Return a metric's kind in our terms, and its temporality."""
    kind = _kind(metric)
    if kind == "gauge":
        return kind, None
    if kind == "summary":
        return kind, "cumulative"
    temporality = _TEMPORALITIES.get(getattr(metric, kind).aggregation_temporality)
    if kind != "sum":
        return kind, temporality
    if metric.sum.is_monotonic:
        return "counter", temporality
    return "gauge", "delta" if temporality == "delta" else None


def _number(point: pb.NumberDataPoint) -> _Reading:
    kind = point.WhichOneof("value")
    return _Reading(float(getattr(point, kind)) if kind else None)


def _histogram(point: pb.HistogramDataPoint) -> _Reading:
    return _Reading(
        point.sum if point.HasField("sum") else None,
        point.count,
        explicit_buckets(point.explicit_bounds, point.bucket_counts),
    )


def _exponential(point: pb.ExponentialHistogramDataPoint) -> _Reading:
    positive, negative = point.positive, point.negative
    return _Reading(
        point.sum if point.HasField("sum") else None,
        point.count,
        exponential_buckets(
            point.scale,
            (point.zero_threshold, point.zero_count),
            (positive.offset, positive.bucket_counts),
            (negative.offset, negative.bucket_counts),
        ),
    )


def _summary(point: pb.SummaryDataPoint) -> _Reading:
    return _Reading(
        point.sum, point.count, tuple((q.quantile, q.value) for q in point.quantile_values)
    )


def _time_problem(point: pb.NumberDataPoint) -> str:
    return time_problem(point.time_unix_nano)


def _histogram_problem(point: pb.HistogramDataPoint) -> str:
    return histogram_problem(point.time_unix_nano, point.explicit_bounds, point.bucket_counts)


def _exponential_problem(point: pb.ExponentialHistogramDataPoint) -> str:
    return exponential_problem(
        point.time_unix_nano,
        point.scale,
        point.zero_threshold,
        len(point.positive.bucket_counts),
        len(point.negative.bucket_counts),
    )


def _summary_problem(point: pb.SummaryDataPoint) -> str:
    return summary_problem(point.time_unix_nano, len(point.quantile_values))


_READERS: Mapping[str, _Reader] = {
    "gauge": _Reader(_time_problem, _number),
    "sum": _Reader(_time_problem, _number),
    "histogram": _Reader(_histogram_problem, _histogram),
    "exponential_histogram": _Reader(_exponential_problem, _exponential),
    "summary": _Reader(_summary_problem, _summary),
}
