"""The walk of a trace request: every span into a :class:`~seakeeping.records.Span`."""

from collections.abc import Iterator

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1 import trace_pb2

from seakeeping.ingest.otlp import derive
from seakeeping.ingest.otlp.body import Acceptance, acceptance, span_problem
from seakeeping.ingest.otlp.values import attributes, capped
from seakeeping.records import JsonObject, Signal, Span, SpanEvent

_KINDS = dict(enumerate(derive.KINDS))
_STATUSES = dict(enumerate(derive.STATUSES))


def check_traces(request: ExportTraceServiceRequest) -> Acceptance:
    """Return which spans of a request can be kept."""
    items, problems = 0, []
    for group in request.resource_spans:
        for scope in group.scope_spans:
            items += len(scope.spans)
            problems += [problem for span in scope.spans if (problem := _problem(span))]
    return acceptance(Signal.TRACES, items, problems)


def spans_of(request: ExportTraceServiceRequest) -> list[Span]:
    """Return the spans of a request, in its order, without those that ``check_traces`` refuses."""
    return list(_spans(request))


def _spans(request: ExportTraceServiceRequest) -> Iterator[Span]:
    for group in request.resource_spans:
        resource = attributes(group.resource.attributes)
        service_name = derive.service_name(resource)
        for scope in group.scope_spans:
            scope_name = scope.scope.name
            for span in scope.spans:
                if not _problem(span):
                    yield _span(span, service_name, resource, scope_name)


def _problem(span: trace_pb2.Span) -> str:
    return span_problem(span.trace_id, span.span_id, span.start_time_unix_nano)


def _span(span: trace_pb2.Span, service_name: str, resource: JsonObject, scope_name: str) -> Span:
    end = span.end_time_unix_nano
    start = derive.start_ns(span.start_time_unix_nano, end)
    status = _STATUSES.get(span.status.code, "unset")
    found = attributes(span.attributes)
    events = tuple(_event(event, start) for event in capped(span.events))
    return Span(
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_span_id=derive.hex_id(span.parent_span_id, 8),
        name=span.name,
        kind=_KINDS.get(span.kind, "unspecified"),
        started_at=derive.seconds(start),
        duration_s=derive.duration_s(span.start_time_unix_nano, end),
        status=status,
        error_type=derive.error_type(status, found, events),
        service_name=service_name,
        attributes=found,
        events=events,
        resource=resource,
        scope_name=scope_name,
        status_message=span.status.message or None,
        sampling_weight=derive.sampling_weight(span.trace_state, found),
    )


def _event(event: trace_pb2.Span.Event, span_start_ns: int) -> SpanEvent:
    return SpanEvent(
        name=event.name,
        at=derive.event_at(event.time_unix_nano, span_start_ns),
        attributes=attributes(event.attributes),
    )
