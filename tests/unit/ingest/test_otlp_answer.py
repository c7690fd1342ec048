import orjson
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from seakeeping.ingest.otlp import Acceptance, Encoding, status_body, success_body
from seakeeping.records import Signal

PARTIAL = Acceptance(5, 2, "2 of 7 refused")


@pytest.mark.parametrize("signal", Signal)
def test_full_success_says_nothing(signal: Signal) -> None:
    assert success_body(signal, Encoding.PROTOBUF, Acceptance(7, 0, "")) == b""
    assert success_body(signal, Encoding.JSON, Acceptance(7, 0, "")) == b"{}"


def test_partial_success_tells_how_many_and_why() -> None:
    traces = ExportTraceServiceResponse.FromString(
        success_body(Signal.TRACES, Encoding.PROTOBUF, PARTIAL)
    )
    assert traces.partial_success.rejected_spans == 2
    assert traces.partial_success.error_message == "2 of 7 refused"
    logs = ExportLogsServiceResponse.FromString(
        success_body(Signal.LOGS, Encoding.PROTOBUF, PARTIAL)
    )
    assert logs.partial_success.rejected_log_records == 2
    metrics = ExportMetricsServiceResponse.FromString(
        success_body(Signal.METRICS, Encoding.PROTOBUF, PARTIAL)
    )
    assert metrics.partial_success.rejected_data_points == 2


def test_partial_success_in_json_follows_the_json_mapping() -> None:
    body = success_body(Signal.TRACES, Encoding.JSON, PARTIAL)
    assert orjson.loads(body) == {
        "partialSuccess": {"rejectedSpans": "2", "errorMessage": "2 of 7 refused"}
    }


def test_a_message_without_refusals_is_a_warning() -> None:
    body = success_body(Signal.LOGS, Encoding.JSON, Acceptance(7, 0, "no content captured"))
    assert orjson.loads(body) == {"partialSuccess": {"errorMessage": "no content captured"}}


def test_a_refusal_carries_code_and_message() -> None:
    status = Status.FromString(status_body(Encoding.PROTOBUF, 3, "bad bytes", None))
    assert (status.code, status.message, len(status.details)) == (3, "bad bytes", 0)
    assert orjson.loads(status_body(Encoding.JSON, 3, "bad bytes")) == {
        "code": 3,
        "message": "bad bytes",
    }


def test_a_refusal_that_may_pass_says_when_to_come_back() -> None:
    status = Status.FromString(status_body(Encoding.PROTOBUF, 8, "full", 1.5))
    retry = RetryInfo()
    assert status.details[0].Unpack(retry)
    assert (retry.retry_delay.seconds, retry.retry_delay.nanos) == (1, 500_000_000)
    (detail,) = orjson.loads(status_body(Encoding.JSON, 8, "full", 1.5))["details"]
    assert detail == {
        "@type": "type.googleapis.com/google.rpc.RetryInfo",
        "retryDelay": "1.500s",
    }


@pytest.mark.parametrize("encoding", Encoding)
def test_messages_are_bounded(encoding: Encoding) -> None:
    assert len(status_body(encoding, 3, "x" * 100_000)) < 2_100
