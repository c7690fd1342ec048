import math
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import (
    AnyValue,
    ArrayValue,
    KeyValue,
    KeyValueList,
)
from opentelemetry.proto.trace.v1 import trace_pb2 as pb

from seakeeping.errors import BadPayload
from seakeeping.ingest.otlp import Encoding, check, decode_traces, to_json_body
from seakeeping.records import Signal, Span

TRACE, SPAN = bytes(range(16)), bytes(range(1, 9))
START = 1_795_424_073_644_708_901
T0 = START / 10**9


def text(key: str, value: str) -> KeyValue:
    return KeyValue(key=key, value=AnyValue(string_value=value))


def number(key: str, value: int) -> KeyValue:
    return KeyValue(key=key, value=AnyValue(int_value=value))


def a_span(**changes: Any) -> pb.Span:
    given: dict[str, Any] = {
        "trace_id": TRACE,
        "span_id": SPAN,
        "name": "chat",
        "start_time_unix_nano": START,
        "end_time_unix_nano": START + 1_500_000_000,
    }
    return pb.Span(**{**given, **changes})


def body_of(*spans: pb.Span, resource: tuple[KeyValue, ...] = (), scope: str = "") -> bytes:
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    group.resource.attributes.extend(resource)
    members = group.scope_spans.add()
    members.scope.name = scope
    members.spans.extend(spans)
    return request.SerializeToString()


def decoded(*spans: pb.Span, **where: Any) -> list[Span]:
    """Decode the spans from both encodings, which must agree with each other and with check."""
    body = body_of(*spans, **where)
    as_json = to_json_body(Signal.TRACES, body)
    found = decode_traces(Encoding.PROTOBUF, body)
    assert decode_traces(Encoding.JSON, as_json) == found
    accepted = check(Signal.TRACES, Encoding.PROTOBUF, body)
    assert check(Signal.TRACES, Encoding.JSON, as_json) == accepted
    assert accepted.accepted == len(found)
    assert accepted.accepted + accepted.rejected == len(spans)
    return found


def only(span: pb.Span, **where: Any) -> Span:
    (found,) = decoded(span, **where)
    return found


def test_every_field_arrives() -> None:
    span = a_span(
        parent_span_id=bytes(range(2, 10)),
        trace_state="ot=th:8",
        kind=pb.Span.SPAN_KIND_CLIENT,
        attributes=[text("gen_ai.request.model", "gpt-4o"), number("gen_ai.usage.input_tokens", 7)],
        events=[
            pb.Span.Event(
                name="first token", time_unix_nano=START + 250_000_000, attributes=[number("n", 1)]
            )
        ],
        status=pb.Status(code=pb.Status.STATUS_CODE_ERROR, message="over quota"),
    )
    resource = (text("service.name", "support-bot"), text("service.version", "3"))
    found = only(span, resource=resource, scope="some.instrumentation")
    assert found.trace_id == "000102030405060708090a0b0c0d0e0f"
    assert found.span_id == "0102030405060708"
    assert found.parent_span_id == "0203040506070809"
    assert (found.name, found.kind) == ("chat", "client")
    assert (found.started_at, found.duration_s) == (T0, 1.5)
    assert (found.status, found.status_message, found.error_type) == (
        "error",
        "over quota",
        "_OTHER",
    )
    assert found.service_name == "support-bot"
    assert found.attributes == {"gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 7}
    (event,) = found.events
    assert (event.name, event.attributes) == ("first token", {"n": 1})
    assert event.at == pytest.approx(T0 + 0.25, abs=1e-6)
    assert found.resource == {"service.name": "support-bot", "service.version": "3"}
    assert found.scope_name == "some.instrumentation"
    assert found.sampling_weight == 2.0


def test_what_is_missing_is_none_and_not_empty() -> None:
    found = only(pb.Span(trace_id=TRACE, span_id=SPAN))
    assert found == Span(
        trace_id=TRACE.hex(),
        span_id=SPAN.hex(),
        parent_span_id=None,
        name="",
        kind="unspecified",
        started_at=0.0,
        duration_s=None,
        status="unset",
        error_type=None,
        service_name="unknown_service",
        attributes={},
    )


def test_order_is_kept_over_resources_and_scopes() -> None:
    request = ExportTraceServiceRequest()
    for service in ("a", "b"):
        group = request.resource_spans.add()
        group.resource.attributes.append(text("service.name", service))
        for scope in ("x", "y"):
            members = group.scope_spans.add()
            members.scope.name = scope
            members.spans.append(a_span(name=service + scope))
    found = decode_traces(Encoding.PROTOBUF, request.SerializeToString())
    assert [(s.name, s.service_name, s.scope_name) for s in found] == [
        ("ax", "a", "x"),
        ("ay", "a", "y"),
        ("bx", "b", "x"),
        ("by", "b", "y"),
    ]


def test_spans_of_one_resource_share_its_attributes() -> None:
    first, second = decoded(a_span(), a_span(), resource=(text("service.name", "a"),))
    assert first.resource is second.resource


@pytest.mark.parametrize(
    "ids",
    [
        {"trace_id": b""},
        {"trace_id": bytes(16)},
        {"trace_id": TRACE[:15]},
        {"trace_id": TRACE + b"x"},
        {"span_id": b""},
        {"span_id": bytes(8)},
        {"span_id": SPAN[:7]},
        {"span_id": SPAN + b"x"},
    ],
    ids=str,
)
def test_a_span_with_unusable_ids_is_refused_alone(ids: dict[str, bytes]) -> None:
    assert [s.name for s in decoded(a_span(), a_span(name="bad", **ids), a_span(name="last"))] == [
        "chat",
        "last",
    ]


def test_the_sender_is_told_what_was_refused() -> None:
    body = body_of(a_span(), a_span(trace_id=b""), a_span(span_id=b"1"))
    found = check(Signal.TRACES, Encoding.PROTOBUF, body)
    assert (found.accepted, found.rejected) == (1, 2)
    assert found.message.startswith("2 of 3 spans refused; the first: trace_id must be 16 bytes")


@pytest.mark.parametrize("parent", [b"", bytes(8), b"short", bytes(range(1, 12))])
def test_an_unusable_parent_makes_a_root(parent: bytes) -> None:
    assert only(a_span(parent_span_id=parent)).parent_span_id is None


@pytest.mark.parametrize(
    ("start", "end", "started_at", "duration"),
    [
        (START, START, T0, 0.0),
        (START, 0, T0, None),
        (START, START - 1, T0, None),
        (START, START - 86_400 * 10**9, T0, None),
        (START, START + 86_400 * 10**9, T0, 86_400.0),
        (0, START, T0, None),
        (0, 0, 0.0, None),
        (START, 2**64 - 1, T0, None),
        (0, 2**64 - 1, 0.0, None),
    ],
)
def test_clocks_may_be_absent_or_skewed(
    start: int, end: int, started_at: float, duration: float | None
) -> None:
    found = only(a_span(start_time_unix_nano=start, end_time_unix_nano=end))
    assert (found.started_at, found.duration_s) == (started_at, duration)


def test_a_start_beyond_2255_is_refused() -> None:
    assert decoded(a_span(start_time_unix_nano=9 * 10**18)) == []
    assert len(decoded(a_span(start_time_unix_nano=9 * 10**18 - 1))) == 1


@pytest.mark.parametrize("time_ns", [0, 2**63, 2**64 - 1])
def test_an_event_without_a_time_happened_at_the_start(time_ns: int) -> None:
    found = only(a_span(events=[pb.Span.Event(name="e", time_unix_nano=time_ns)]))
    assert found.events[0].at == T0


@pytest.mark.parametrize(
    ("code", "kind"), [(0, "unspecified"), (1, "internal"), (5, "consumer"), (99, "unspecified")]
)
def test_kinds_have_names_and_unknown_ones_none(code: int, kind: str) -> None:
    assert only(a_span(kind=code)).kind == kind


@pytest.mark.parametrize(("code", "status"), [(0, "unset"), (1, "ok"), (2, "error"), (9, "unset")])
def test_statuses_have_names(code: int, status: str) -> None:
    assert only(a_span(status={"code": code})).status == status


def failed(*attributes: KeyValue, events: tuple[pb.Span.Event, ...] = (), code: int = 2) -> Span:
    return only(a_span(attributes=attributes, events=events, status={"code": code}))


def exception(name: str) -> pb.Span.Event:
    return pb.Span.Event(name="exception", attributes=[text("exception.type", name)])


def test_error_type_is_taken_from_the_best_place() -> None:
    rate_limit, server = exception("RateLimitError"), exception("ServerError")
    given = failed(text("error.type", "timeout"), events=(rate_limit,), code=0)
    assert given.error_type == "timeout"
    assert failed(events=(rate_limit, server)).error_type == "ServerError"
    assert failed(text("exception.type", "E")).error_type == "E"
    assert failed(number("http.response.status_code", 503)).error_type == "503"
    assert failed(number("http.status_code", 429)).error_type == "429"
    assert failed(number("error.type", 500)).error_type == "500"
    assert failed().error_type == "_OTHER"


def test_a_handled_exception_is_no_error() -> None:
    assert failed(events=(exception("Retried"),), code=0).error_type is None
    assert failed(events=(exception("Retried"),), code=1).error_type is None


def nested(depth: int) -> AnyValue:
    value = AnyValue(string_value="core")
    for _ in range(depth):
        value = AnyValue(array_value=ArrayValue(values=[value]))
    return value


def depth_of(value: Any) -> int:
    return 1 + depth_of(value[0]) if isinstance(value, list) else 0


@pytest.mark.parametrize("depth", [1, 23, 24, 25, 40])
def test_values_nest_to_a_depth_and_then_become_a_marker(depth: int) -> None:
    body = body_of(a_span(attributes=[KeyValue(key="k", value=nested(depth))]))
    as_json = to_json_body(Signal.TRACES, body)
    for encoding, given in ((Encoding.PROTOBUF, body), (Encoding.JSON, as_json)):
        (span,) = decode_traces(encoding, given)
        value: Any = span.attributes["k"]
        assert depth_of(value) == min(depth, 24)
        for _ in range(min(depth, 24)):
            value = value[0]
        assert value == ("core" if depth <= 24 else "[nested too deep]")


def test_maps_nest_to_the_same_depth() -> None:
    value = AnyValue(string_value="core")
    for _ in range(25):
        value = AnyValue(kvlist_value=KeyValueList(values=[KeyValue(key="k", value=value)]))
    found: Any = only(a_span(attributes=[KeyValue(key="k", value=value)])).attributes["k"]
    for _ in range(23):
        found = found["k"]
    assert found == {"k": "[nested too deep]"}


def deep_json(depth: int) -> bytes:
    value = '{"arrayValue":{"values":[' * depth + "{}" + "]}}" * depth
    attribute = '{"key":"k","value":%s}' % value  # noqa: UP031
    span = '{"traceId":"%s","spanId":"%s","attributes":[%s]}' % (TRACE.hex(), SPAN.hex(), attribute)  # noqa: UP031
    return ('{"resourceSpans":[{"scopeSpans":[{"spans":[%s]}]}]}' % span).encode()  # noqa: UP031


@pytest.mark.parametrize("depth", [200, 300, 5_000])
def test_any_depth_of_json_is_harmless(depth: int) -> None:
    try:
        (span,) = decode_traces(Encoding.JSON, deep_json(depth))
    except BadPayload:
        assert depth >= 300
    else:
        assert depth_of(span.attributes["k"]) == 24


def raw_field(number: int, data: bytes) -> bytes:
    size, length = len(data), b""
    while size > 127:
        length += bytes([size & 127 | 128])
        size >>= 7
    return bytes([number << 3 | 2]) + length + bytes([size]) + data


@pytest.mark.parametrize("depth", [60, 1_000, 100_000])
def test_any_depth_of_protobuf_is_harmless(depth: int) -> None:
    value = b""
    for _ in range(min(depth, 3_000)):
        value = raw_field(5, raw_field(1, value))
    span = raw_field(1, TRACE) + raw_field(2, SPAN) + raw_field(9, raw_field(2, value))
    body = raw_field(1, raw_field(2, raw_field(2, span)))
    with pytest.raises(BadPayload):
        check(Signal.TRACES, Encoding.PROTOBUF, body)


def test_text_that_is_not_utf8_is_refused() -> None:
    body = body_of(a_span(name="chaX")).replace(b"chaX", b"cha\xff")
    with pytest.raises(BadPayload, match="ExportTraceServiceRequest"):
        check(Signal.TRACES, Encoding.PROTOBUF, body)


def test_of_a_repeated_key_the_last_value_counts() -> None:
    assert only(a_span(attributes=[text("k", "a"), text("k", "b")])).attributes == {"k": "b"}


def test_very_many_attributes_and_events_are_cut() -> None:
    pairs = [number(f"k{i}", i) for i in range(9_000)]
    events = [pb.Span.Event(name=str(i)) for i in range(9_000)]
    found = only(a_span(attributes=pairs, events=events))
    assert list(found.attributes.values()) == list(range(8192))
    assert len(found.events) == 8192


def test_a_trace_of_ten_thousand_spans_arrives_whole() -> None:
    spans = [a_span(span_id=i.to_bytes(8, "big")) for i in range(1, 10_001)]
    assert len({s.span_id for s in decoded(*spans)}) == 10_000


def test_a_prompt_of_16_mib_arrives_whole() -> None:
    prompt = "Wörter " * (2 << 20)
    body = body_of(a_span(attributes=[text("gen_ai.input.messages", prompt)]))
    assert len(body) > 16 << 20
    (span,) = decode_traces(Encoding.PROTOBUF, body)
    assert span.attributes == {"gen_ai.input.messages": prompt}


@pytest.mark.parametrize("encoding", Encoding)
def test_an_empty_request_is_fine(encoding: Encoding) -> None:
    body = b"" if encoding is Encoding.PROTOBUF else b"{}"
    assert check(Signal.TRACES, encoding, body).message == ""
    assert decode_traces(encoding, body) == []


def test_numbers_keep_their_kind() -> None:
    values: dict[str, Any] = {
        "b": AnyValue(bool_value=False),
        "i": AnyValue(int_value=-(2**63)),
        "d": AnyValue(double_value=0.1),
        "inf": AnyValue(double_value=math.inf),
        "s": AnyValue(string_value=""),
        "z": AnyValue(int_value=0),
        "none": AnyValue(),
        "raw": AnyValue(bytes_value=b"\x00\xff"),
        "list": AnyValue(array_value=ArrayValue()),
    }
    found = only(a_span(attributes=[KeyValue(key=k, value=v) for k, v in values.items()]))
    expected = {
        "b": False,
        "i": -(2**63),
        "d": 0.1,
        "inf": math.inf,
        "s": "",
        "z": 0,
        "none": None,
        "raw": "AP8=",
        "list": [],
    }
    assert found.attributes == expected
    assert [type(v) for v in found.attributes.values()] == [type(v) for v in expected.values()]


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("openinference-openai-err500.binpb", lambda s: s.error_type),
        ("genai-anthropic-chat.binpb", lambda s: s.attributes["gen_ai.response.model"]),
    ],
)
def test_real_bodies_decode(data: Path, name: str, read: Callable[[Span], Any]) -> None:
    body = (data / "otlp" / name).read_bytes()
    spans = decode_traces(Encoding.PROTOBUF, body)
    assert check(Signal.TRACES, Encoding.PROTOBUF, body).accepted == len(spans) > 0
    assert {read(s) for s in spans} <= {"openai.InternalServerError", "claude-sonnet-4-5-20250929"}
    assert len({f.name for f in fields(Span)}) == 16


def test_every_truncation_of_a_real_body_is_refused(data: Path) -> None:
    body = (data / "otlp" / "genai-anthropic-chat.binpb").read_bytes()
    for cut in range(1, len(body)):
        with pytest.raises(BadPayload):
            check(Signal.TRACES, Encoding.PROTOBUF, body[:cut])


def test_every_truncation_of_a_json_body_is_refused(data: Path) -> None:
    body = (data / "otlp" / "genai-anthropic-chat.binpb").read_bytes()
    as_json = to_json_body(Signal.TRACES, body)
    for cut in range(len(as_json)):
        with pytest.raises(BadPayload):
            check(Signal.TRACES, Encoding.JSON, as_json[:cut])
