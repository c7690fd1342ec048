"""Records back to OTLP: what ``seakeeping send``, score export, forwarding and tests speak.

What ``decode_*`` makes of an encoded record is the record again, its times to the nanosecond; only
the parts that OTLP cannot carry change (an integer beyond 64 bits becomes text).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, TypeVar

import orjson
from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import (
    AnyValue,
    ArrayValue,
    InstrumentationScope,
    KeyValue,
    KeyValueList,
)
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1 import trace_pb2 as pb

from seakeeping.ingest.otlp import derive
from seakeeping.ingest.otlp.body import LATEST_NS, Encoding
from seakeeping.ingest.otlp.json_body import to_json
from seakeeping.ingest.otlp.parse import REQUESTS, parse
from seakeeping.ingest.otlp.values import MAX_DEPTH, too_deep
from seakeeping.records import Json, JsonObject, LogEvent, Signal, Span, SpanEvent

Record = TypeVar("Record", Span, LogEvent)

_INT64 = range(-(2**63), 2**63)


def encode_traces(spans: Iterable[Span]) -> bytes:
    """Return an ``ExportTraceServiceRequest`` of the spans, in their order."""
    request = ExportTraceServiceRequest()
    for resource, group in _by_resource(spans):
        scopes = [
            pb.ScopeSpans(
                scope=InstrumentationScope(name=_text(name)),
                spans=[_span(span) for span in members],
            )
            for name, members in groupby(group, key=lambda span: span.scope_name)
        ]
        request.resource_spans.append(pb.ResourceSpans(resource=resource, scope_spans=scopes))
    return request.SerializeToString()


def encode_logs(events: Iterable[LogEvent], *, scope_name: str = "") -> bytes:
    """Return an ``ExportLogsServiceRequest`` of the events, in their order."""
    request = ExportLogsServiceRequest()
    scope = InstrumentationScope(name=scope_name)
    for resource, group in _by_resource(events):
        logs = ScopeLogs(scope=scope, log_records=[_log(event) for event in group])
        request.resource_logs.append(ResourceLogs(resource=resource, scope_logs=[logs]))
    return request.SerializeToString()


def to_json_body(signal: Signal, body: bytes) -> bytes:
    """Return a protobuf request body in OTLP/JSON; raises BadPayload if it is none."""
    return dump_json(parse(REQUESTS[signal], Encoding.PROTOBUF, body))


def dump_json(message: Message) -> bytes:
    """Return a message as OTLP/JSON bytes."""
    return orjson.dumps(to_json(message))


def _by_resource(records: Iterable[Record]) -> Iterator[tuple[Resource, Iterator[Record]]]:
    """Yield runs of records that share a resource, with that resource."""
    for (service, resource), run in groupby(
        records, key=lambda one: (one.service_name, one.resource)
    ):
        named = {"service.name": service, **resource}
        yield Resource(attributes=pairs(named)), run


def pairs(attributes: JsonObject) -> list[KeyValue]:
    """Return attributes as OTLP key-value pairs."""
    return _pairs(attributes, 1)


def _pairs(attributes: JsonObject, depth: int) -> list[KeyValue]:
    return [
        KeyValue(key=_text(key), value=_value(value, depth)) for key, value in attributes.items()
    ]


def _value(value: Json, depth: int = 1) -> AnyValue:
    """Return a JSON value as an OTLP one; None is the value that holds nothing."""
    if isinstance(value, str):
        return AnyValue(string_value=_text(value))
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if isinstance(value, int):
        return AnyValue(int_value=value) if value in _INT64 else AnyValue(string_value=str(value))
    if isinstance(value, float):
        return AnyValue(double_value=value)
    if value is None:
        return AnyValue()
    if depth > MAX_DEPTH:
        return AnyValue(string_value=too_deep())
    if isinstance(value, Mapping):
        return AnyValue(kvlist_value=KeyValueList(values=_pairs(value, depth + 1)))
    return AnyValue(array_value=ArrayValue(values=[_value(item, depth + 1) for item in value]))


def _text(value: str) -> str:
    """Return text that UTF-8 can carry: a lone surrogate becomes a question mark."""
    return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")


def _ns(seconds: float) -> int:
    """Return seconds as nanoseconds, without the error of one large product."""
    whole = int(seconds // 1)
    return _within(whole * derive.NS + round((seconds - whole) * derive.NS))


def _within(time_ns: int) -> int:
    """Return the nearest time that a receiver takes for one."""
    return min(max(time_ns, 0), LATEST_NS - 1)


def _span(span: Span) -> pb.Span:
    start = _ns(span.started_at)
    duration = span.duration_s
    return pb.Span(
        trace_id=bytes.fromhex(span.trace_id),
        span_id=bytes.fromhex(span.span_id),
        parent_span_id=bytes.fromhex(span.parent_span_id or ""),
        trace_state=_trace_state(span),
        name=_text(span.name),
        kind=_number(derive.KINDS, span.kind),
        start_time_unix_nano=start,
        end_time_unix_nano=0 if duration is None else _within(start + _ns(duration)),
        attributes=pairs(_with_error_type(span)),
        events=[_event(event) for event in span.events],
        status=pb.Status(
            code=_number(derive.STATUSES, span.status),
            message=_text(span.status_message or ""),
        ),
    )


def _event(event: SpanEvent) -> pb.Span.Event:
    return pb.Span.Event(
        name=_text(event.name),
        time_unix_nano=_ns(event.at),
        attributes=pairs(event.attributes),
    )


def _trace_state(span: Span) -> str:
    """Return the tracestate that says how many spans this one stands for, "" where it is one."""
    if span.sampling_weight <= derive.sampling_weight("", span.attributes):
        return ""
    return f"ot=th:{derive.threshold(span.sampling_weight)}"


def _with_error_type(span: Span) -> JsonObject:
    """Return the attributes, with ``error.type`` where the span would not tell it otherwise."""
    told = derive.error_type(span.status, span.attributes, span.events)
    if span.error_type is None or span.error_type == told:
        return span.attributes
    return {**span.attributes, "error.type": span.error_type}


def _log(event: LogEvent) -> LogRecord:
    number: Any = derive.severity_number(event.severity)
    return LogRecord(
        trace_id=bytes.fromhex(event.trace_id or ""),
        span_id=bytes.fromhex(event.span_id or ""),
        event_name=_text(event.name),
        time_unix_nano=_ns(event.at),
        body=None if event.body is None else _value(event.body),
        attributes=pairs(event.attributes),
        severity_number=number,
        severity_text="" if number else _text(event.severity),
    )


def _number(names: Sequence[str], name: str) -> Any:
    """Return the number of an enum's name, 0 for one that OTLP does not know.

    Any, because the enum types of the messages' stubs do not exist at run time.
    """
    return names.index(name) if name in names else 0
