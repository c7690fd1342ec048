from pathlib import Path
from typing import Any

import orjson
import pytest

from seakeeping.errors import BadPayload
from seakeeping.ingest.otlp import (
    Encoding,
    check,
    decode_logs,
    decode_metrics,
    decode_traces,
    to_json_body,
)
from seakeeping.records import Signal, Span

TRACE, SPAN = "000102030405060708090a0b0c0d0e0f", "0102030405060708"


def body_of(**span: Any) -> bytes:
    given = {"traceId": TRACE, "spanId": SPAN, **span}
    return orjson.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [given]}]}]})


def only(**span: Any) -> Span:
    (found,) = decode_traces(Encoding.JSON, body_of(**span))
    return found


def attribute(**value: Any) -> Any:
    return only(attributes=[{"key": "k", "value": value}]).attributes["k"]


def test_the_example_of_the_specification_reads_as_documented() -> None:
    found = only(
        traceId="5B8EFFF798038103D269B633813FC60C",
        spanId="EEE19B7EC3C1B174",
        parentSpanId="EEE19B7EC3C1B173",
        name="I'm a server span",
        startTimeUnixNano="1544712660000000000",
        endTimeUnixNano="1544712661000000000",
        kind=2,
        attributes=[{"key": "my.span.attr", "value": {"stringValue": "some value"}}],
    )
    assert found.trace_id == "5b8efff798038103d269b633813fc60c"
    assert found.span_id == "eee19b7ec3c1b174"
    assert found.parent_span_id == "eee19b7ec3c1b173"
    assert (found.started_at, found.duration_s, found.kind) == (1544712660.0, 1.0, "server")
    assert found.attributes == {"my.span.attr": "some value"}


@pytest.mark.parametrize("value", ["12", 12, 12.0])
def test_integers_may_be_strings_or_numbers(value: Any) -> None:
    found = attribute(intValue=value)
    assert found == 12
    assert isinstance(found, int)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1, 1.0), ("0.5", 0.5), ("Infinity", float("inf")), ("-Infinity", float("-inf")), (1e3, 1e3)],
)
def test_doubles_may_be_strings_or_numbers(value: Any, expected: float) -> None:
    assert attribute(doubleValue=value) == expected


def test_not_a_number_is_a_double() -> None:
    value = attribute(doubleValue="NaN")
    assert value != value


@pytest.mark.parametrize("text", ["AP8=", "AP8", "-_8=", "+/8"])
def test_bytes_are_base64_of_either_alphabet(text: str) -> None:
    assert attribute(bytesValue=text) in ("AP8=", "+/8=")


def test_unknown_fields_are_ignored() -> None:
    found = only(name="a", someFutureField={"deep": [1, 2]}, trace_state="ot=th:8")
    assert (found.name, found.sampling_weight) == ("a", 1.0)
    assert attribute(futureValue=3) is None


def test_snake_case_is_not_a_field_name() -> None:
    assert only(start_time_unix_nano="5").started_at == 0.0


def test_null_means_absent() -> None:
    found = only(name=None, attributes=None, status=None, kind=None, events=None)
    assert (found.name, found.attributes, found.status, found.kind) == (
        "",
        {},
        "unset",
        "unspecified",
    )
    assert decode_traces(Encoding.JSON, b'{"resourceSpans":null}') == []


@pytest.mark.parametrize(
    "ids",
    [
        {"traceId": "AAECAwQFBgcICQoLDA0ODw=="},
        {"traceId": "xyz"},
        {"traceId": TRACE[:-1]},
        {"traceId": " " + TRACE[1:]},
        {"traceId": "0" * 32},
        {"spanId": ""},
        {"spanId": "ü" * 16},
        {"spanId": SPAN + "00"},
    ],
    ids=str,
)
def test_ids_that_are_no_hexadecimal_refuse_their_span_alone(ids: dict[str, str]) -> None:
    body = body_of(**ids)
    assert check(Signal.TRACES, Encoding.JSON, body).rejected == 1
    assert decode_traces(Encoding.JSON, body) == []


@pytest.mark.parametrize(
    ("span", "place"),
    [
        ({"name": 5}, "spans[0].name: expected a string"),
        ({"kind": "SPAN_KIND_CLIENT"}, "spans[0].kind: expected an integer"),
        ({"kind": True}, "spans[0].kind: expected an integer"),
        ({"kind": 2**40}, "spans[0].kind: the integer is out of range"),
        ({"startTimeUnixNano": "-1"}, "startTimeUnixNano: the integer is out of range"),
        ({"startTimeUnixNano": str(2**64)}, "startTimeUnixNano: the integer is out of range"),
        ({"startTimeUnixNano": "1" * 5000}, "startTimeUnixNano: expected an integer"),
        ({"startTimeUnixNano": 0.5}, "startTimeUnixNano: expected an integer"),
        ({"startTimeUnixNano": "1e9"}, "startTimeUnixNano: expected an integer"),
        ({"attributes": {}}, "attributes: expected a list"),
        ({"attributes": [None]}, "attributes[0]: expected an object"),
        ({"attributes": [{}, {"key": 1}]}, "attributes[1].key: expected a string"),
        ({"status": []}, "status: expected an object"),
        ({"traceId": 5}, "traceId: expected a string"),
        ({"attributes": [{"value": {"boolValue": 1}}]}, "value.boolValue: expected true or false"),
        ({"attributes": [{"value": {"doubleValue": "x"}}]}, "doubleValue: expected a number"),
        ({"attributes": [{"value": {"doubleValue": True}}]}, "doubleValue: expected a number"),
        ({"attributes": [{"value": {"bytesValue": "%"}}]}, "bytesValue: expected base64"),
        ({"attributes": [{"value": {"bytesValue": "é"}}]}, "bytesValue: expected base64"),
        ({"attributes": [{"value": {"intValue": 2**63}}]}, "intValue: the integer is out of range"),
    ],
    ids=lambda part: str(part)[:50],
)
def test_what_does_not_fit_is_refused_with_its_place(span: dict[str, Any], place: str) -> None:
    with pytest.raises(BadPayload) as refused:
        check(Signal.TRACES, Encoding.JSON, body_of(**span))
    assert str(refused.value).endswith(place)
    assert refused.value.place.startswith("resourceSpans[0].scopeSpans[0].spans[0].")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"5",
        b'"x"',
        b"{",
        b"\xff",
        b'{"a":"\\ud800"}',
        b"[" * 5_000,
        b'{"a":' * 5_000,
        b'{"resourceSpans":{},"resourceLogs":{},"resourceMetrics":{}}',
    ],
    ids=lambda body: str(body)[:20],
)
@pytest.mark.parametrize("signal", Signal)
def test_what_is_no_request_is_refused(signal: Signal, body: bytes) -> None:
    with pytest.raises(BadPayload):
        check(signal, Encoding.JSON, body)


@pytest.mark.parametrize(
    ("name", "signal"),
    [
        ("genai-anthropic-chat.binpb", Signal.TRACES),
        ("openinference-openai-err500.binpb", Signal.TRACES),
        ("genai-openai-rag-event.logs.binpb", Signal.LOGS),
        ("openaiv2old-tools.logs.binpb", Signal.LOGS),
        ("genai-openai-rag-event.metrics.binpb", Signal.METRICS),
    ],
)
def test_both_encodings_of_real_bodies_give_equal_records(
    data: Path, name: str, signal: Signal
) -> None:
    body = (data / "otlp" / name).read_bytes()
    as_json = to_json_body(signal, body)
    decode: dict[Signal, Any] = {
        Signal.TRACES: decode_traces,
        Signal.LOGS: decode_logs,
        Signal.METRICS: decode_metrics,
    }
    assert decode[signal](Encoding.JSON, as_json) == decode[signal](Encoding.PROTOBUF, body)
    assert check(signal, Encoding.JSON, as_json) == check(signal, Encoding.PROTOBUF, body)


@pytest.mark.needs_shared
def test_both_encodings_of_all_captures_give_equal_records(shared: Path) -> None:
    captures = sorted((shared / "otlp").glob("*.binpb"))
    assert captures
    for capture in captures:
        body = capture.read_bytes()
        if body.startswith(b"\x1f\x8b"):
            continue
        if not capture.name.endswith((".logs.binpb", ".metrics.binpb")):
            found = decode_traces(Encoding.PROTOBUF, body)
            assert found == decode_traces(Encoding.JSON, to_json_body(Signal.TRACES, body))
            assert found
