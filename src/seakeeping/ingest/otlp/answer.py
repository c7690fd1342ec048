"""What an export request is answered: ``Export*ServiceResponse``, or ``google.rpc.Status``.

A body that was taken whole is answered with an empty message: OTLP demands that
``partial_success`` be left out then. A refusal carries a status code of gRPC in the encoding of the
request, and where it may pass a ``RetryInfo`` that says when to come back.
"""

from collections.abc import Callable, Mapping
from typing import Any

import orjson
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsPartialSuccess,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsPartialSuccess,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)

from seakeeping.ingest.otlp.body import Acceptance, Encoding
from seakeeping.ingest.otlp.json_body import to_json
from seakeeping.records import Signal

_RETRY_INFO = "type.googleapis.com/google.rpc.RetryInfo"
_LONGEST_MESSAGE = 2000


def success_body(signal: Signal, encoding: Encoding, acceptance: Acceptance) -> bytes:
    """Return the body of a 200: empty (``{}`` in JSON), or with what was refused and why."""
    return _encoded(encoding, success_message(signal, acceptance))


def success_message(signal: Signal, acceptance: Acceptance) -> Message:
    """Return the response message, for gRPC and :func:`success_body`."""
    return _RESPONSES[signal](acceptance.rejected, acceptance.message)


def status_body(
    encoding: Encoding, code: int, message: str, retry_after_s: float | None = None
) -> bytes:
    """Return the body of a refusal.

    Args:
        encoding: that of the request.
        code: a gRPC status code, e.g. 3 (INVALID_ARGUMENT) or 8 (RESOURCE_EXHAUSTED).
        message: what is wrong, for the developer of the sender.
        retry_after_s: when to try again; None where trying again cannot help.
    """
    if encoding is Encoding.JSON:
        return orjson.dumps(_status_json(code, message[:_LONGEST_MESSAGE], retry_after_s))
    return bytes(status_message(code, message, retry_after_s).SerializeToString())


def status_message(code: int, message: str, retry_after_s: float | None = None) -> Status:
    """Return a refusal as a message, for gRPC's ``grpc-status-details-bin`` and the HTTP body."""
    status = Status(code=code, message=message[:_LONGEST_MESSAGE])
    if retry_after_s is not None:
        status.details.add().Pack(RetryInfo(retry_delay=_duration(retry_after_s)))
    return status


def _status_json(code: int, message: str, retry_after_s: float | None) -> dict[str, Any]:
    status: dict[str, Any] = {"code": code, "message": message}
    if retry_after_s is not None:
        status["details"] = [{"@type": _RETRY_INFO, "retryDelay": f"{retry_after_s:.3f}s"}]
    return status


def _duration(seconds: float) -> Duration:
    nanoseconds = round(seconds * 1e9)
    return Duration(seconds=nanoseconds // 10**9, nanos=nanoseconds % 10**9)


def _encoded(encoding: Encoding, message: Message) -> bytes:
    if encoding is Encoding.JSON:
        return orjson.dumps(to_json(message))
    return message.SerializeToString()


def _traces(rejected: int, message: str) -> Message:
    if not rejected and not message:
        return ExportTraceServiceResponse()
    partial = ExportTracePartialSuccess(rejected_spans=rejected, error_message=message)
    return ExportTraceServiceResponse(partial_success=partial)


def _logs(rejected: int, message: str) -> Message:
    if not rejected and not message:
        return ExportLogsServiceResponse()
    partial = ExportLogsPartialSuccess(rejected_log_records=rejected, error_message=message)
    return ExportLogsServiceResponse(partial_success=partial)


def _metrics(rejected: int, message: str) -> Message:
    if not rejected and not message:
        return ExportMetricsServiceResponse()
    partial = ExportMetricsPartialSuccess(rejected_data_points=rejected, error_message=message)
    return ExportMetricsServiceResponse(partial_success=partial)


_RESPONSES: Mapping[Signal, Callable[[int, str], Message]] = {
    Signal.TRACES: _traces,
    Signal.LOGS: _logs,
    Signal.METRICS: _metrics,
}
