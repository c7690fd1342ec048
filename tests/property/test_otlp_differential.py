"""Every field of every record against the protobuf library's own reading of the same bytes.

The reference goes through ``json_format``, which shares no code with the decoder; what it prints is
turned into records by the plainest code that can be written.
"""

import base64
import math
from typing import Any

import pytest
from google.protobuf import json_format
from google.protobuf.message import Message
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1 import common_pb2 as common
from opentelemetry.proto.logs.v1 import logs_pb2
from opentelemetry.proto.metrics.v1 import metrics_pb2
from opentelemetry.proto.resource.v1 import resource_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

from seakeeping.errors import BadPayload
from seakeeping.ingest.otlp import (
    Encoding,
    check,
    decode_logs,
    decode_metrics,
    decode_traces,
    encode_logs,
    encode_traces,
    to_json_body,
)
from seakeeping.records import LogEvent, MetricPoint, Signal, Span, SpanEvent

quick = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

texts = st.text(max_size=8)
doubles = st.floats(allow_nan=False)
int64 = st.integers(-(2**63), 2**63 - 1)
times = st.one_of(
    st.sampled_from([0, 1, 9 * 10**18 - 1, 9 * 10**18, 2**64 - 1]),
    st.integers(1_700_000_000 * 10**9, 1_800_000_000 * 10**9),
)
keys = st.one_of(
    texts, st.sampled_from(["service.name", "error.type", "exception.type", "event.name", "k"])
)


def pairs(values: st.SearchStrategy[common.AnyValue]) -> Any:
    pair = st.builds(common.KeyValue, key=keys, value=values)
    return st.lists(pair, max_size=4)


scalars = st.one_of(
    st.builds(common.AnyValue, string_value=texts),
    st.builds(common.AnyValue, int_value=int64),
    st.builds(common.AnyValue, double_value=doubles),
    st.builds(common.AnyValue, bool_value=st.booleans()),
    st.builds(common.AnyValue, bytes_value=st.binary(max_size=5)),
    st.just(common.AnyValue()),
)


def holders(values: st.SearchStrategy[common.AnyValue]) -> st.SearchStrategy[common.AnyValue]:
    lists = st.builds(common.ArrayValue, values=st.lists(values, max_size=3))
    maps = st.builds(common.KeyValueList, values=pairs(values))
    return st.one_of(
        st.builds(common.AnyValue, array_value=lists), st.builds(common.AnyValue, kvlist_value=maps)
    )


any_values = st.recursive(scalars, holders, max_leaves=6)
attributes = pairs(any_values)
resources = st.builds(resource_pb2.Resource, attributes=attributes)
scopes = st.builds(common.InstrumentationScope, name=texts)
trace_ids = st.one_of(st.binary(min_size=16, max_size=16), st.sampled_from([b"", bytes(16), b"x"]))
span_ids = st.one_of(st.binary(min_size=8, max_size=8), st.sampled_from([b"", bytes(8), b"x"]))

events = st.builds(trace_pb2.Span.Event, name=texts, time_unix_nano=times, attributes=attributes)
spans = st.builds(
    trace_pb2.Span,
    trace_id=trace_ids,
    span_id=span_ids,
    parent_span_id=span_ids,
    name=texts,
    kind=st.integers(0, 7),
    start_time_unix_nano=times,
    end_time_unix_nano=times,
    attributes=attributes,
    events=st.lists(events, max_size=2),
    status=st.builds(trace_pb2.Status, code=st.integers(0, 3), message=texts),
    trace_state=st.sampled_from(["", "ot=th:8", "a=b,ot=rv:1;th:c", "ot=th:z"]),
)
traces = st.builds(
    ExportTraceServiceRequest,
    resource_spans=st.lists(
        st.builds(
            trace_pb2.ResourceSpans,
            resource=resources,
            scope_spans=st.lists(
                st.builds(trace_pb2.ScopeSpans, scope=scopes, spans=st.lists(spans, max_size=3)),
                max_size=2,
            ),
        ),
        max_size=2,
    ),
)
records = st.builds(
    logs_pb2.LogRecord,
    trace_id=trace_ids,
    span_id=span_ids,
    event_name=texts,
    time_unix_nano=times,
    observed_time_unix_nano=times,
    severity_number=st.integers(0, 26),
    severity_text=texts,
    body=any_values,
    attributes=attributes,
)
logs = st.builds(
    ExportLogsServiceRequest,
    resource_logs=st.lists(
        st.builds(
            logs_pb2.ResourceLogs,
            resource=resources,
            scope_logs=st.lists(
                st.builds(
                    logs_pb2.ScopeLogs, scope=scopes, log_records=st.lists(records, max_size=3)
                ),
                max_size=2,
            ),
        ),
        max_size=2,
    ),
)
uint64 = st.integers(0, 2**64 - 1)
number_points = st.one_of(
    st.builds(
        metrics_pb2.NumberDataPoint, time_unix_nano=times, attributes=attributes, as_double=doubles
    ),
    st.builds(metrics_pb2.NumberDataPoint, time_unix_nano=times, as_int=int64),
)
counts = st.lists(uint64, max_size=4)
temporalities = st.integers(0, 2)
metrics_of = st.one_of(
    st.builds(
        metrics_pb2.Metric,
        name=texts,
        unit=texts,
        gauge=st.builds(metrics_pb2.Gauge, data_points=st.lists(number_points, max_size=2)),
    ),
    st.builds(
        metrics_pb2.Metric,
        name=texts,
        sum=st.builds(
            metrics_pb2.Sum,
            data_points=st.lists(number_points, max_size=2),
            is_monotonic=st.booleans(),
            aggregation_temporality=temporalities,
        ),
    ),
    st.builds(
        metrics_pb2.Metric,
        name=texts,
        histogram=st.builds(
            metrics_pb2.Histogram,
            aggregation_temporality=temporalities,
            data_points=st.lists(
                st.builds(
                    metrics_pb2.HistogramDataPoint,
                    time_unix_nano=times,
                    count=uint64,
                    sum=st.one_of(st.none(), doubles),
                    bucket_counts=counts,
                    explicit_bounds=st.lists(doubles, max_size=3).map(sorted),
                    attributes=attributes,
                ),
                max_size=2,
            ),
        ),
    ),
)
metrics = st.builds(
    ExportMetricsServiceRequest,
    resource_metrics=st.lists(
        st.builds(
            metrics_pb2.ResourceMetrics,
            resource=resources,
            scope_metrics=st.lists(
                st.builds(
                    metrics_pb2.ScopeMetrics, scope=scopes, metrics=st.lists(metrics_of, max_size=3)
                ),
                max_size=2,
            ),
        ),
        max_size=2,
    ),
)


def printed(message: Message) -> Any:
    return json_format.MessageToDict(message, always_print_fields_with_no_presence=True)


def value_of(value: dict[str, Any]) -> Any:
    """Read an ``AnyValue`` as the library prints it."""
    if not value:
        return None
    ((kind, inner),) = value.items()
    if kind == "arrayValue":
        return [value_of(item) for item in inner["values"]]
    if kind == "kvlistValue":
        return attributes_of(inner["values"])
    return {"intValue": int, "doubleValue": float}.get(kind, lambda same: same)(inner)


def attributes_of(found: list[dict[str, Any]]) -> dict[str, Any]:
    return {pair["key"]: value_of(pair.get("value", {})) for pair in found}


def resource_of(group: dict[str, Any]) -> dict[str, Any]:
    return attributes_of(group.get("resource", {}).get("attributes", []))


def service_of(resource: dict[str, Any]) -> str:
    name = resource.get("service.name")
    if isinstance(name, int) and not isinstance(name, bool):
        return str(name)
    return name if isinstance(name, str) and name else "unknown_service"


def id_of(found: str, length: int) -> str | None:
    raw = base64.b64decode(found)
    return raw.hex() if len(raw) == length and any(raw) else None


def is_time(time_ns: int) -> bool:
    return time_ns < 9 * 10**18


def expected_spans(request: ExportTraceServiceRequest) -> list[Span]:
    return [
        expected_span(span, resource_of(group), scope.get("scope", {}).get("name", ""))
        for group in printed(request)["resourceSpans"]
        for scope in group["scopeSpans"]
        for span in scope["spans"]
        if id_of(span["traceId"], 16)
        and id_of(span["spanId"], 8)
        and is_time(int(span["startTimeUnixNano"]))
    ]


def error_type_of(found: dict[str, Any], status: str, span_events: tuple[SpanEvent, ...]) -> Any:
    def is_name(value: Any) -> bool:
        return value not in (None, "") and type(value) in (str, int)

    if is_name(found.get("error.type")):
        return str(found["error.type"])
    if status != "error":
        return None
    places = [*(event.attributes for event in reversed(span_events)), found]
    names = [p["exception.type"] for p in places if is_name(p.get("exception.type"))]
    return str(names[0]) if names else "_OTHER"


def expected_span(span: dict[str, Any], resource: dict[str, Any], scope: str) -> Span:
    given, end = int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"])
    start = given or (end if is_time(end) else 0)
    found = attributes_of(span["attributes"])
    kinds = ["unspecified", "internal", "server", "client", "producer", "consumer"]
    names = ["SPAN_KIND_" + kind.upper() for kind in kinds]
    codes = {"STATUS_CODE_OK": "ok", "STATUS_CODE_ERROR": "error"}
    status = codes.get(span.get("status", {}).get("code"), "unset")
    span_events = tuple(
        SpanEvent(
            event["name"],
            (at if 0 < (at := int(event["timeUnixNano"])) < 9 * 10**18 else start) / 10**9,
            attributes_of(event["attributes"]),
        )
        for event in span["events"]
    )
    trace_id, span_id = id_of(span["traceId"], 16), id_of(span["spanId"], 8)
    assert trace_id
    assert span_id
    return Span(
        trace_id=trace_id,
        span_id=span_id,
        parent_span_id=id_of(span["parentSpanId"], 8),
        name=span["name"],
        kind=kinds[names.index(span["kind"])] if span["kind"] in names else "unspecified",
        started_at=start / 10**9,
        duration_s=(end - given) / 10**9 if given and given <= end < 9 * 10**18 else None,
        status=status,
        error_type=error_type_of(found, status, span_events),
        service_name=service_of(resource),
        attributes=found,
        events=span_events,
        resource=resource,
        scope_name=scope,
        status_message=span.get("status", {}).get("message") or None,
        sampling_weight={"ot=th:8": 2.0, "a=b,ot=rv:1;th:c": 4.0}.get(span["traceState"], 1.0),
    )


def expected_logs(request: ExportLogsServiceRequest) -> list[LogEvent]:
    return [
        expected_log(record, resource_of(group))
        for group in printed(request)["resourceLogs"]
        for scope in group["scopeLogs"]
        for record in scope["logRecords"]
        if is_time(int(record["timeUnixNano"]) or int(record["observedTimeUnixNano"]))
    ]


def expected_log(record: dict[str, Any], resource: dict[str, Any]) -> LogEvent:
    found = attributes_of(record["attributes"])
    name = found.get("event.name")
    old = str(name) if type(name) in (str, int) else ""
    number = record["severityNumber"]
    level = number.removeprefix("SEVERITY_NUMBER_").rstrip("234") if isinstance(number, str) else ""
    named = level and level != "UNSPECIFIED"
    return LogEvent(
        trace_id=id_of(record["traceId"], 16),
        span_id=id_of(record["spanId"], 8),
        name=record["eventName"] or old,
        at=(int(record["timeUnixNano"]) or int(record["observedTimeUnixNano"])) / 10**9,
        body=value_of(record.get("body", {})),
        attributes=found,
        severity=(level if named else record["severityText"]).lower(),
        service_name=service_of(resource),
        resource=resource,
    )


def expected_points(request: ExportMetricsServiceRequest) -> list[MetricPoint]:
    return [
        point
        for group in printed(request)["resourceMetrics"]
        for scope in group["scopeMetrics"]
        for metric in scope["metrics"]
        for point in expected_metric(metric, resource_of(group))
    ]


def expected_metric(metric: dict[str, Any], resource: dict[str, Any]) -> list[MetricPoint]:
    (kind,) = {"gauge", "sum", "histogram"} & set(metric)
    data = metric[kind]
    told = {
        "AGGREGATION_TEMPORALITY_DELTA": "delta",
        "AGGREGATION_TEMPORALITY_CUMULATIVE": "cumulative",
    }.get(data.get("aggregationTemporality"))
    if kind == "sum":
        kind = "counter" if data["isMonotonic"] else "gauge"
        told = told if kind == "counter" or told == "delta" else None
    return [
        MetricPoint(
            name=metric["name"],
            unit=metric["unit"],
            kind=kind,
            at=int(point["timeUnixNano"]) / 10**9,
            service_name=service_of(resource),
            resource=resource,
            attributes=attributes_of(point["attributes"]),
            temporality=told,
            **numbers_of(point),
        )
        for point in data["dataPoints"]
        if is_time(int(point["timeUnixNano"])) and is_drawable(point)
    ]


def is_drawable(point: dict[str, Any]) -> bool:
    bounds = [float(b) for b in point.get("explicitBounds", [])]
    size = len(point.get("bucketCounts", []))
    rising = all(map(math.isfinite, bounds)) and sorted(set(bounds)) == bounds
    return rising and (size == len(bounds) + 1 or not (size or bounds))


def numbers_of(point: dict[str, Any]) -> dict[str, Any]:
    if "bucketCounts" not in point:
        value = point.get("asDouble", point.get("asInt"))
        return {"value": None if value is None else float(value)}
    bounds = [*map(float, point["explicitBounds"]), math.inf]
    sizes = [float(int(c)) for c in point["bucketCounts"]]
    total = point.get("sum")
    return {
        "value": None if total is None else float(total),
        "count": int(point["count"]),
        "buckets": tuple(zip(bounds, sizes, strict=False)),
    }


@quick
@given(traces)
def test_spans_are_what_the_library_reads(request: ExportTraceServiceRequest) -> None:
    body = request.SerializeToString()
    assert decode_traces(Encoding.PROTOBUF, body) == expected_spans(request)


@quick
@given(logs)
def test_log_events_are_what_the_library_reads(request: ExportLogsServiceRequest) -> None:
    body = request.SerializeToString()
    assert decode_logs(Encoding.PROTOBUF, body) == expected_logs(request)


@quick
@given(metrics)
def test_points_are_what_the_library_reads(request: ExportMetricsServiceRequest) -> None:
    body = request.SerializeToString()
    assert decode_metrics(Encoding.PROTOBUF, body) == expected_points(request)


DECODERS: dict[Signal, Any] = {
    Signal.TRACES: decode_traces,
    Signal.LOGS: decode_logs,
    Signal.METRICS: decode_metrics,
}
requests = st.one_of(
    st.tuples(st.just(Signal.TRACES), traces),
    st.tuples(st.just(Signal.LOGS), logs),
    st.tuples(st.just(Signal.METRICS), metrics),
)


@quick
@given(requests)
def test_both_encodings_give_equal_records_and_check_counts_them(
    given_request: tuple[Signal, Message],
) -> None:
    signal, request = given_request
    body = request.SerializeToString()
    as_json = to_json_body(signal, body)
    found = DECODERS[signal](Encoding.PROTOBUF, body)
    assert DECODERS[signal](Encoding.JSON, as_json) == found
    accepted = check(signal, Encoding.PROTOBUF, body)
    assert check(signal, Encoding.JSON, as_json) == accepted
    assert accepted.accepted == len(found)


@quick
@given(traces, logs)
def test_records_survive_encoding(
    trace_request: ExportTraceServiceRequest, log_request: ExportLogsServiceRequest
) -> None:
    found = decode_traces(Encoding.PROTOBUF, trace_request.SerializeToString())
    again = decode_traces(Encoding.PROTOBUF, encode_traces(found))
    assert [without_service(s.resource) for s in again] == [
        without_service(s.resource) for s in found
    ]
    assert [(s.attributes, s.name, s.events, s.error_type, s.started_at) for s in again] == [
        (s.attributes, s.name, s.events, s.error_type, s.started_at) for s in found
    ]
    assert [s.duration_s for s in again] == pytest.approx([s.duration_s for s in found])
    events_found = decode_logs(Encoding.PROTOBUF, log_request.SerializeToString())
    events_again = decode_logs(Encoding.PROTOBUF, encode_logs(events_found))
    assert [(e.body, e.attributes, e.severity, e.at) for e in events_again] == [
        (e.body, e.attributes, e.severity, e.at) for e in events_found
    ]


def without_service(resource: Any) -> dict[str, Any]:
    return {key: value for key, value in resource.items() if key != "service.name"}


@quick
@given(requests, st.data())
def test_a_mutated_body_is_refused_or_read_but_never_breaks(
    given_request: tuple[Signal, Message], draw: st.DataObject
) -> None:
    signal, request = given_request
    body = bytearray(request.SerializeToString())
    for _ in range(draw.draw(st.integers(0, 4))):
        at = draw.draw(st.integers(0, max(len(body) - 1, 0)))
        body[at : at + 1] = draw.draw(st.binary(max_size=3))
    held_or_refused(signal, Encoding.PROTOBUF, bytes(body))


@quick
@given(requests, st.data())
def test_a_mutated_json_body_is_refused_or_read_but_never_breaks(
    given_request: tuple[Signal, Message], draw: st.DataObject
) -> None:
    signal, request = given_request
    body = bytearray(to_json_body(signal, request.SerializeToString()))
    at = draw.draw(st.integers(0, len(body) - 1))
    piece = st.sampled_from(
        [b"", b"{", b"[", b"null", b'"x"', b"-1", b"1e400", b"\xff", b"}", b'"']
    )
    body[at : at + draw.draw(st.integers(0, 6))] = draw.draw(piece)
    held_or_refused(signal, Encoding.JSON, bytes(body))


def held_or_refused(signal: Signal, encoding: Encoding, body: bytes) -> None:
    """Assert that ``check`` and the decoder agree on a body that may be anything."""
    try:
        accepted = check(signal, encoding, body)
    except BadPayload:
        with pytest.raises(BadPayload):
            DECODERS[signal](encoding, body)
    else:
        assert len(DECODERS[signal](encoding, body)) == accepted.accepted


@quick
@given(st.sampled_from(Signal), st.sampled_from(Encoding), st.binary(max_size=200))
def test_random_bytes_never_break(signal: Signal, encoding: Encoding, body: bytes) -> None:
    held_or_refused(signal, encoding, body)
