"""From the bytes of a request to the one message everything else works on.

Both encodings end in the same protobuf message, so a JSON body and a protobuf body of the same data
give equal records by construction. The library checks all that the wire format allows to check
(UTF-8, lengths, at most 100 messages nested); what it refuses is a :class:`BadPayload`.
"""

from typing import TypeVar

from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from seakeeping.errors import BadPayload
from seakeeping.ingest.otlp.body import Encoding
from seakeeping.ingest.otlp.density import refuse_dense, refuse_dense_json
from seakeeping.ingest.otlp.json_body import from_json
from seakeeping.records import Signal

Request = TypeVar("Request", bound=Message)

REQUESTS: dict[Signal, type[Message]] = {
    Signal.TRACES: ExportTraceServiceRequest,
    Signal.LOGS: ExportLogsServiceRequest,
    Signal.METRICS: ExportMetricsServiceRequest,
}
"""The request message of each signal."""


def parse(kind: type[Request], encoding: Encoding, body: bytes) -> Request:
    """Return a body as a message.

    Raises:
        PayloadTooLarge: it has more items or fields than one body may have.
        BadPayload: it is no such message.
    """
    if encoding is Encoding.JSON:
        refuse_dense_json(body)
        return from_json(kind, body)
    refuse_dense(kind, body)
    try:
        return kind.FromString(body)
    except DecodeError as error:
        raise BadPayload(
            f"the body is no {kind.DESCRIPTOR.name} in protobuf: {error}",
            hint="check the Content-Type and Content-Encoding of the request",
        ) from error
