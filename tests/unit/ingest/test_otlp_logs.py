from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue, KeyValueList
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from seakeeping.ingest.otlp import Encoding, check, decode_logs, to_json_body
from seakeeping.records import LogEvent, Signal

TRACE, SPAN = bytes(range(16)), bytes(range(1, 9))
T0 = 1_795_424_073


def text(key: str, value: str) -> KeyValue:
    return KeyValue(key=key, value=AnyValue(string_value=value))


def decoded(*records: LogRecord, resource: tuple[KeyValue, ...] = ()) -> list[LogEvent]:
    """Decode the records from both encodings, which must agree with each other and with check."""
    request = ExportLogsServiceRequest()
    group = request.resource_logs.add()
    group.resource.attributes.extend(resource)
    group.scope_logs.add().log_records.extend(records)
    body = request.SerializeToString()
    found = decode_logs(Encoding.PROTOBUF, body)
    assert decode_logs(Encoding.JSON, to_json_body(Signal.LOGS, body)) == found
    assert check(Signal.LOGS, Encoding.PROTOBUF, body).accepted == len(found)
    return found


def only(**given: Any) -> LogEvent:
    (found,) = decoded(LogRecord(**given))
    return found


def test_every_field_arrives() -> None:
    body = AnyValue(kvlist_value=KeyValueList(values=[text("role", "user"), text("content", "Hi")]))
    (found,) = decoded(
        LogRecord(
            trace_id=TRACE,
            span_id=SPAN,
            event_name="gen_ai.user.message",
            time_unix_nano=T0 * 10**9,
            observed_time_unix_nano=1,
            severity_number=9,  # type: ignore[arg-type]  # the stubs' enums are no ints
            body=body,
            attributes=[text("gen_ai.system", "openai")],
        ),
        resource=(text("service.name", "support-bot"),),
    )
    assert found == LogEvent(
        trace_id=TRACE.hex(),
        span_id=SPAN.hex(),
        name="gen_ai.user.message",
        at=float(T0),
        body={"role": "user", "content": "Hi"},
        attributes={"gen_ai.system": "openai"},
        severity="info",
        service_name="support-bot",
        resource={"service.name": "support-bot"},
    )


def test_a_bare_record_is_kept() -> None:
    assert only() == LogEvent(None, None, "", 0.0, None, {}, "", "unknown_service", {})


@pytest.mark.parametrize("trace_id", [b"", bytes(16), b"short", TRACE + b"x"])
def test_ids_may_be_absent_or_unusable(trace_id: bytes) -> None:
    found = only(trace_id=trace_id, span_id=trace_id[:8])
    assert (found.trace_id, found.span_id is None) == (
        None,
        len(trace_id[:8]) != 8 or not any(trace_id),
    )


def test_older_sdks_name_the_event_in_an_attribute() -> None:
    assert only(attributes=[text("event.name", "gen_ai.choice")]).name == "gen_ai.choice"
    assert only(event_name="a", attributes=[text("event.name", "b")]).name == "a"


def test_the_observed_time_stands_in_for_the_time() -> None:
    assert only(observed_time_unix_nano=T0 * 10**9).at == T0


def test_a_time_beyond_2255_is_refused() -> None:
    assert decoded(LogRecord(time_unix_nano=2**64 - 1), LogRecord(time_unix_nano=1)) == [
        LogEvent(None, None, "", 1e-9, None, {}, "", "unknown_service", {})
    ]


@pytest.mark.parametrize(
    ("number", "given", "severity"),
    [
        (1, "", "trace"),
        (8, "", "debug"),
        (9, "Information", "info"),
        (13, "", "warn"),
        (17, "", "error"),
        (24, "", "fatal"),
        (25, "", ""),
        (0, "WARN", "warn"),
        (0, "Critical", "critical"),
    ],
)
def test_severities_are_words(number: int, given: str, severity: str) -> None:
    assert only(severity_number=number, severity_text=given).severity == severity


@pytest.mark.parametrize(
    ("value", "body"),
    [
        (AnyValue(string_value="plain"), "plain"),
        (AnyValue(int_value=3), 3),
        (AnyValue(), None),
        (AnyValue(kvlist_value=KeyValueList()), {}),
    ],
)
def test_a_body_may_be_any_value(value: AnyValue, body: Any) -> None:
    assert only(body=value).body == body


@pytest.mark.parametrize(
    ("name", "events"),
    [
        ("genai-openai-rag-event.logs.binpb", {"gen_ai.client.inference.operation.details"}),
        (
            "openaiv2old-tools.logs.binpb",
            {
                "gen_ai.system.message",
                "gen_ai.user.message",
                "gen_ai.assistant.message",
                "gen_ai.tool.message",
                "gen_ai.choice",
            },
        ),
    ],
)
def test_real_bodies_decode(data: Path, name: str, events: set[str]) -> None:
    found = decode_logs(Encoding.PROTOBUF, (data / "otlp" / name).read_bytes())
    assert {e.name for e in found} <= events
    assert all(e.trace_id and e.span_id for e in found)
