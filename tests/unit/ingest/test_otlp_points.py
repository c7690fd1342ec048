import math
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.metrics.v1 import metrics_pb2 as pb

from seakeeping.ingest.otlp import Encoding, check, decode_metrics, to_json_body
from seakeeping.records import MetricPoint, Signal

T0 = 1_795_424_073
AT = T0 * 10**9
DELTA, CUMULATIVE = pb.AGGREGATION_TEMPORALITY_DELTA, pb.AGGREGATION_TEMPORALITY_CUMULATIVE


def body_of(*metrics: pb.Metric) -> bytes:
    request = ExportMetricsServiceRequest()
    group = request.resource_metrics.add()
    name = KeyValue(key="service.name", value=AnyValue(string_value="support-bot"))
    group.resource.attributes.append(name)
    group.scope_metrics.add().metrics.extend(metrics)
    return request.SerializeToString()


def decoded(*metrics: pb.Metric) -> list[MetricPoint]:
    """Decode the metrics from both encodings, which must agree with each other and with check."""
    body = body_of(*metrics)
    as_json = to_json_body(Signal.METRICS, body)
    found = decode_metrics(Encoding.PROTOBUF, body)
    assert decode_metrics(Encoding.JSON, as_json) == found
    accepted = check(Signal.METRICS, Encoding.PROTOBUF, body)
    assert accepted.accepted == len(found)
    assert check(Signal.METRICS, Encoding.JSON, as_json) == accepted
    return found


def number(**given: Any) -> pb.NumberDataPoint:
    return pb.NumberDataPoint(time_unix_nano=AT, **given)


def histogram(**given: Any) -> pb.Metric:
    point = pb.HistogramDataPoint(time_unix_nano=AT, **given)
    data = pb.Histogram(data_points=[point], aggregation_temporality=CUMULATIVE)
    return pb.Metric(name="h", unit="s", histogram=data)


def exponential(**given: Any) -> pb.Metric:
    point = pb.ExponentialHistogramDataPoint(time_unix_nano=AT, **given)
    data = pb.ExponentialHistogram(data_points=[point], aggregation_temporality=DELTA)
    return pb.Metric(name="e", exponential_histogram=data)


def side(offset: int, *counts: int) -> pb.ExponentialHistogramDataPoint.Buckets:
    return pb.ExponentialHistogramDataPoint.Buckets(offset=offset, bucket_counts=counts)


def test_a_gauge_keeps_its_value_and_labels() -> None:
    label = KeyValue(key="gpu", value=AnyValue(int_value=0))
    points = [number(as_double=0.5, attributes=[label]), number(as_int=-3), number()]
    metric = pb.Metric(name="hw.gpu.utilization", unit="1", gauge=pb.Gauge(data_points=points))
    first, second, third = decoded(metric)
    assert first == MetricPoint(
        name="hw.gpu.utilization",
        unit="1",
        kind="gauge",
        at=float(T0),
        service_name="support-bot",
        resource={"service.name": "support-bot"},
        attributes={"gpu": 0},
        value=0.5,
    )
    assert (second.value, third.value) == (-3.0, None)


@pytest.mark.parametrize(
    ("monotonic", "temporality", "kind", "told"),
    [
        (True, CUMULATIVE, "counter", "cumulative"),
        (True, DELTA, "counter", "delta"),
        (True, 0, "counter", None),
        (False, CUMULATIVE, "gauge", None),
        (False, DELTA, "gauge", "delta"),
    ],
)
def test_a_sum_is_a_counter_only_when_it_never_falls(
    monotonic: bool, temporality: Any, kind: str, told: str | None
) -> None:
    data = pb.Sum(
        data_points=[number(as_int=7)],
        is_monotonic=monotonic,
        aggregation_temporality=temporality,
    )
    (found,) = decoded(pb.Metric(name="s", sum=data))
    assert (found.kind, found.temporality, found.value) == (kind, told, 7.0)


def test_a_histogram_keeps_its_bounds() -> None:
    (found,) = decoded(
        histogram(count=6, sum=2.5, explicit_bounds=[0.1, 0.5], bucket_counts=[1, 2, 3])
    )
    assert found.buckets == ((0.1, 1.0), (0.5, 2.0), (math.inf, 3.0))
    assert (found.kind, found.count, found.value) == ("histogram", 6, 2.5)
    assert (found.unit, found.temporality) == ("s", "cumulative")


def test_a_histogram_may_have_no_buckets_and_no_sum() -> None:
    (found,) = decoded(histogram(count=6))
    assert (found.buckets, found.value, found.count) == ((), None, 6)
    (one,) = decoded(histogram(count=6, bucket_counts=[6]))
    assert one.buckets == ((math.inf, 6.0),)


@pytest.mark.parametrize(
    "given",
    [
        {"explicit_bounds": [1.0], "bucket_counts": [1]},
        {"explicit_bounds": [1.0], "bucket_counts": [1, 2, 3]},
        {"explicit_bounds": [1.0]},
        {"explicit_bounds": [2.0, 1.0], "bucket_counts": [1, 2, 3]},
        {"explicit_bounds": [1.0, 1.0], "bucket_counts": [1, 2, 3]},
        {"explicit_bounds": [math.nan], "bucket_counts": [1, 2]},
        {"explicit_bounds": [math.inf], "bucket_counts": [1, 2]},
        {"explicit_bounds": range(10_000), "bucket_counts": [0] * 10_001},
        {"time_unix_nano": 2**64 - 1},
    ],
    ids=lambda given: str(given)[:40],
)
def test_a_histogram_that_cannot_be_drawn_is_refused(given: dict[str, Any]) -> None:
    good, bad = histogram(bucket_counts=[1]), histogram()
    bad.histogram.data_points[0].MergeFrom(pb.HistogramDataPoint(**given))
    assert [p.count for p in decoded(good, bad, good)] == [0, 0]
    found = check(Signal.METRICS, Encoding.PROTOBUF, body_of(bad))
    assert found.message.startswith("1 of 1 data points refused; the first: h: ")


def test_an_exponential_histogram_gets_explicit_bounds() -> None:
    (found,) = decoded(
        exponential(scale=0, count=10, sum=9.0, zero_count=1, positive=side(1, 2, 0, 3))
    )
    assert found.buckets == (
        (0.0, 1.0),
        (2.0, 0.0),
        (4.0, 2.0),
        (8.0, 0.0),
        (16.0, 3.0),
        (math.inf, 0.0),
    )
    assert (found.kind, found.count, found.value) == ("exponential_histogram", 10, 9.0)
    assert found.temporality == "delta"


def test_negative_buckets_mirror_the_positive() -> None:
    (found,) = decoded(exponential(scale=-1, zero_threshold=0.5, negative=side(0, 5, 6)))
    assert found.buckets == (
        (-16.0, 0.0),
        (-4.0, 6.0),
        (-1.0, 5.0),
        (0.5, 0.0),
        (math.inf, 0.0),
    )


def test_fine_scales_give_fine_bounds() -> None:
    (found,) = decoded(exponential(scale=3, positive=side(8, 1)))
    lower, upper = found.buckets[1:3]
    assert lower == (2.0, 0.0)
    assert upper == pytest.approx((2 ** (9 / 8), 1.0), rel=1e-12)


@pytest.mark.parametrize("scale", [-64, -20, 0, 20, 64])
@pytest.mark.parametrize("offset", [-(2**31), -1, 0, 2**31 - 1])
def test_bounds_rise_and_counts_stay_however_odd_the_scale(scale: int, offset: int) -> None:
    (found,) = decoded(
        exponential(
            scale=scale, zero_count=4, positive=side(offset, 1, 2), negative=side(offset, 3)
        )
    )
    bounds = [bound for bound, _ in found.buckets]
    assert bounds == sorted(set(bounds))
    assert bounds[-1] == math.inf
    assert sum(count for _, count in found.buckets) == 10


@pytest.mark.parametrize(
    "given",
    [
        {"scale": 65},
        {"scale": -65},
        {"zero_threshold": math.nan},
        {"zero_threshold": math.inf},
        {"zero_threshold": -1.0},
        {"positive": side(0, *[0] * 10_001)},
    ],
    ids=lambda given: str(given)[:40],
)
def test_an_exponential_histogram_out_of_range_is_refused(given: dict[str, Any]) -> None:
    assert decoded(exponential(**given)) == []


def test_a_summary_keeps_its_quantiles() -> None:
    quantile = pb.SummaryDataPoint.ValueAtQuantile
    point = pb.SummaryDataPoint(
        time_unix_nano=AT,
        count=3,
        sum=1.5,
        quantile_values=[quantile(quantile=0.5, value=0.4), quantile(quantile=0.99, value=0.9)],
    )
    (found,) = decoded(pb.Metric(name="s", summary=pb.Summary(data_points=[point])))
    assert found.buckets == ((0.5, 0.4), (0.99, 0.9))
    assert (found.kind, found.value, found.count) == ("summary", 1.5, 3)
    assert found.temporality == "cumulative"
    many = pb.SummaryDataPoint(quantile_values=[quantile()] * 10_001)
    assert decoded(pb.Metric(name="s", summary=pb.Summary(data_points=[many]))) == []


def test_a_point_without_a_recorded_value_says_so() -> None:
    gap = pb.HistogramDataPoint(time_unix_nano=AT, flags=1)
    (found,) = decoded(pb.Metric(name="h", histogram=pb.Histogram(data_points=[gap])))
    assert (found.value, found.count, found.buckets) == (None, None, ())


def test_a_metric_without_data_has_no_points() -> None:
    assert decoded(pb.Metric(name="empty"), pb.Metric(name="g", gauge=pb.Gauge())) == []


def test_real_histograms_keep_the_bounds_of_the_conventions(data: Path) -> None:
    body = (data / "otlp" / "genai-openai-rag-event.metrics.binpb").read_bytes()
    points = decode_metrics(Encoding.PROTOBUF, body)
    (duration, *_) = [p for p in points if p.name == "gen_ai.client.operation.duration"]
    bounds = [bound for bound, _ in duration.buckets]
    assert bounds == [*(0.01 * 2**i for i in range(14)), math.inf]
    assert sum(count for _, count in duration.buckets) == duration.count
    assert duration.unit == "s"
