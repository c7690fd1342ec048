"""Whatever is posted, the answer is a right one, and what is spooled can be decoded."""

import asyncio
import gzip
import json
import zlib
from collections.abc import Callable

import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from seakeeping.config import ContentPolicy
from seakeeping.ingest.otlp import Encoding, decode_logs, decode_metrics, decode_traces
from seakeeping.ingest.receive import Body, Receiver
from seakeeping.ingest.receive_http import classify
from seakeeping.ingest.spool import Position, SpoolRecord
from seakeeping.records import Signal

LIMIT = 2000
DECODE: dict[Signal, Callable[[Encoding, bytes], list[object]]] = {
    Signal.TRACES: lambda encoding, body: list(decode_traces(encoding, body)),
    Signal.LOGS: lambda encoding, body: list(decode_logs(encoding, body)),
    Signal.METRICS: lambda encoding, body: list(decode_metrics(encoding, body)),
}
PACK: dict[str, Callable[[bytes], bytes]] = {
    "identity": bytes,
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}


class MemorySpool:
    def __init__(self) -> None:
        self.records: list[SpoolRecord] = []

    async def submit(self, record: SpoolRecord) -> Position:
        self.records.append(record)
        return Position(1, 1)


def status_of(body: Body, policy: ContentPolicy) -> tuple[int, list[SpoolRecord]]:
    spool = MemorySpool()
    receiver = Receiver(spool, body_limit_bytes=LIMIT, policy=lambda: policy)
    try:
        asyncio.run(receiver.accept(body))
    except Exception as error:
        assert not spool.records
        return classify(error)[0], []
    return 200, spool.records


def hold_to_account(body: Body, policy: ContentPolicy) -> None:
    status, records = status_of(body, policy)
    assert status in (200, 400, 413)
    for record in records:
        assert DECODE[record.signal](record.encoding, record.body)


def valid(names: list[str], prompt: str) -> bytes:
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    resource.resource.attributes.add(key="service.name").value.string_value = "shop"
    scope = resource.scope_spans.add()
    for number, name in enumerate(names, 1):
        span = scope.spans.add(trace_id=b"t" * 16, span_id=number.to_bytes(8, "big"), name=name)
        span.attributes.add(key="gen_ai.prompt").value.string_value = prompt
    return request.SerializeToString()


POLICIES = st.sampled_from([ContentPolicy(), ContentPolicy(default="drop")])
SIGNALS, ENCODINGS = st.sampled_from(list(Signal)), st.sampled_from(list(Encoding))
BODIES = st.builds(valid, st.lists(st.text(max_size=10), max_size=5), st.text(max_size=200))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["resourceSpans", "scopeSpans", "spans", "traceId", "spanId", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(SIGNALS, ENCODINGS, st.sampled_from(list(PACK)), st.binary(max_size=400), POLICIES)
def test_random_bytes(
    signal: Signal, encoding: Encoding, coding: str, data: bytes, policy: ContentPolicy
) -> None:
    hold_to_account(Body(signal, encoding, coding, data), policy)
    hold_to_account(Body(signal, encoding, coding, PACK[coding](data)), policy)


@settings(max_examples=200, deadline=None)
@given(BODIES, st.sampled_from(list(PACK)), st.data(), POLICIES)
def test_every_cut_of_a_valid_body(
    data: bytes, coding: str, draw: st.DataObject, policy: ContentPolicy
) -> None:
    packed = PACK[coding](data)
    cut = draw.draw(st.integers(0, len(packed)))
    hold_to_account(Body(Signal.TRACES, Encoding.PROTOBUF, coding, packed[:cut]), policy)


@settings(max_examples=200, deadline=None)
@given(BODIES, st.data(), POLICIES)
def test_every_flipped_bit_of_a_valid_body(
    data: bytes, draw: st.DataObject, policy: ContentPolicy
) -> None:
    flipped = bytearray(data or b"\0")
    at = draw.draw(st.integers(0, len(flipped) - 1))
    flipped[at] ^= 1 << draw.draw(st.integers(0, 7))
    hold_to_account(Body(Signal.TRACES, Encoding.PROTOBUF, "identity", bytes(flipped)), policy)


@settings(max_examples=200, deadline=None)
@given(JSON, SIGNALS, POLICIES)
def test_any_json(document: object, signal: Signal, policy: ContentPolicy) -> None:
    hold_to_account(Body(signal, Encoding.JSON, "identity", json.dumps(document).encode()), policy)


@settings(max_examples=50, deadline=None)
@given(st.integers(LIMIT + 1, 10**6), st.sampled_from(list(PACK)))
def test_whatever_is_too_large_is_413(size: int, coding: str) -> None:
    status, _ = status_of(
        Body(Signal.TRACES, Encoding.PROTOBUF, coding, PACK[coding](bytes(size))), ContentPolicy()
    )
    assert status == 413
