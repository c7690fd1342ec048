import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from seakeeping.errors import BadPayload, PayloadTooLarge
from seakeeping.ingest.otlp import Encoding, check
from seakeeping.ingest.otlp.density import MAX_ITEMS
from seakeeping.records import Signal

IDS = b"\x0a\x10" + bytes(range(16)) + b"\x12\x08" + bytes(range(1, 9))
LARGE = 9 << 20


def field(number: int, data: bytes) -> bytes:
    size, length = len(data), b""
    while size > 127:
        length += bytes([size & 127 | 128])
        size >>= 7
    return bytes([number << 3 | 2]) + length + bytes([size]) + data


def trace(spans: bytes) -> bytes:
    return field(1, field(2, spans))


def test_a_body_of_empty_spans_is_refused_before_it_grows() -> None:
    with pytest.raises(PayloadTooLarge, match="250000 items"):
        check(Signal.TRACES, Encoding.PROTOBUF, trace(b"\x12\x00" * (MAX_ITEMS + 1)))


def test_as_many_spans_as_allowed_pass() -> None:
    found = check(Signal.TRACES, Encoding.PROTOBUF, trace(b"\x12\x00" * (MAX_ITEMS - 2)))
    assert (found.accepted, found.rejected) == (0, MAX_ITEMS - 2)


@pytest.mark.parametrize("filler", [b"\xa2\x06\x00", b"\x78\x01", b"\x7d0000", b"\x790000000"])
def test_fields_that_nobody_knows_count_too(filler: bytes) -> None:
    with pytest.raises(PayloadTooLarge):
        check(Signal.TRACES, Encoding.PROTOBUF, field(1, filler * (MAX_ITEMS + 1)))


@pytest.mark.parametrize(
    "inner",
    [
        b"\x4a\x00" * (LARGE // 2),
        field(9, field(2, field(5, b"\x0a\x00" * (LARGE // 2)))),
        b"\x5a\x00" * (LARGE // 2),
    ],
    ids=["attributes", "list", "events"],
)
def test_a_large_body_of_tiny_values_is_refused(inner: bytes) -> None:
    with pytest.raises(PayloadTooLarge, match="4000000 fields"):
        check(Signal.TRACES, Encoding.PROTOBUF, trace(field(2, IDS + inner)))


def test_a_large_body_of_text_passes() -> None:
    attribute = field(9, field(1, b"k") + field(2, field(1, b"x" * LARGE)))
    body = trace(field(2, IDS + attribute))
    assert check(Signal.TRACES, Encoding.PROTOBUF, body).accepted == 1


def test_what_is_no_protobuf_is_left_to_the_parser() -> None:
    for body in (b"\x0a", b"\x0a\xff", b"\x0a" + b"\xff" * 1000, b"\x0b" * 50, b"\x08"):
        with pytest.raises(BadPayload, match="is no ExportTraceServiceRequest"):
            check(Signal.TRACES, Encoding.PROTOBUF, body)


def test_a_large_json_body_of_tiny_objects_is_refused() -> None:
    body = b'{"resourceSpans":[' + b"{}," * (LARGE // 3) + b"{}]}"
    with pytest.raises(PayloadTooLarge, match="2000000 objects"):
        check(Signal.TRACES, Encoding.JSON, body)


def test_resources_scopes_and_spans_of_an_honest_body_pass() -> None:
    request = ExportTraceServiceRequest()
    for _ in range(10):
        group = request.resource_spans.add()
        group.scope_spans.add().spans.add(trace_id=bytes(range(16)), span_id=b"12345678")
    body = request.SerializeToString()
    assert check(Signal.TRACES, Encoding.PROTOBUF, body).accepted == 10
