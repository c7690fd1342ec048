"""OTLP bodies to records and back: one decoder ``bytes -> records`` for HTTP, gRPC, spool and CLI.

``check`` is what the edge asks before it acknowledges: can this body be decoded, and which of its
items cannot be kept? ``decode_*`` is what the pipeline does with it later, behind the spool; it
leaves out exactly what ``check`` refused, and never fails on a body that ``check`` let pass.
"""

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from seakeeping.ingest.otlp.answer import (
    status_body,
    status_message,
    success_body,
    success_message,
)
from seakeeping.ingest.otlp.body import Acceptance, Encoding
from seakeeping.ingest.otlp.content import strip_content
from seakeeping.ingest.otlp.encode import encode_logs, encode_traces, to_json_body
from seakeeping.ingest.otlp.inflate import CODINGS, inflate
from seakeeping.ingest.otlp.logs import check_logs, logs_of
from seakeeping.ingest.otlp.parse import parse
from seakeeping.ingest.otlp.points import check_metrics, points_of
from seakeeping.ingest.otlp.traces import check_traces, spans_of
from seakeeping.records import LogEvent, MetricPoint, Signal, Span

__all__ = [
    "CODINGS",
    "Acceptance",
    "Encoding",
    "check",
    "decode_logs",
    "decode_metrics",
    "decode_traces",
    "encode_logs",
    "encode_traces",
    "inflate",
    "status_body",
    "status_message",
    "strip_content",
    "success_body",
    "success_message",
    "to_json_body",
]


def check(signal: Signal, encoding: Encoding, body: bytes) -> Acceptance:
    """Return how much of a body can be kept; raises BadPayload when it cannot be decoded at all."""
    if signal is Signal.TRACES:
        return check_traces(parse(ExportTraceServiceRequest, encoding, body))
    if signal is Signal.LOGS:
        return check_logs(parse(ExportLogsServiceRequest, encoding, body))
    return check_metrics(parse(ExportMetricsServiceRequest, encoding, body))


def decode_traces(encoding: Encoding, body: bytes) -> list[Span]:
    """Return the spans of a body, in its order; raises BadPayload when it cannot be decoded."""
    return spans_of(parse(ExportTraceServiceRequest, encoding, body))


def decode_logs(encoding: Encoding, body: bytes) -> list[LogEvent]:
    """Return the log records of a body; raises BadPayload when it cannot be decoded."""
    return logs_of(parse(ExportLogsServiceRequest, encoding, body))


def decode_metrics(encoding: Encoding, body: bytes) -> list[MetricPoint]:
    """Return the data points of a body; raises BadPayload when it cannot be decoded."""
    return points_of(parse(ExportMetricsServiceRequest, encoding, body))
