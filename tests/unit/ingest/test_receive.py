"""The receiver: nothing is acknowledged before it is durable, and memory stays bounded."""

import asyncio
import gzip
import json
from collections.abc import Iterable

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from prometheus_client import REGISTRY

from seakeeping.config import ContentPolicy
from seakeeping.config.policy import ServiceRule
from seakeeping.errors import BadPayload, PayloadTooLarge, SpoolFull
from seakeeping.ingest.otlp import Acceptance, Encoding, decode_traces
from seakeeping.ingest.receive import LOOP_BYTES, Body, Receiver
from seakeeping.ingest.spool import Position, SpoolRecord
from seakeeping.records import Signal

MB = 2**20


class FakeClock:
    def now(self) -> float:
        return 17.5

    def monotonic(self) -> float:
        return 0.0


class MemorySpool:
    """Keeps the records; fails when told to; waits at the gate where one is set."""

    def __init__(self) -> None:
        self.records: list[SpoolRecord] = []
        self.error: Exception | None = None
        self.gate: asyncio.Event | None = None

    async def submit(self, record: SpoolRecord) -> Position:
        if self.gate:
            await self.gate.wait()
        if self.error:
            raise self.error
        self.records.append(record)
        return Position(1, len(self.records))


def traces(names: Iterable[str], *, service: str = "shop", prompt: str = "") -> bytes:
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    resource.resource.attributes.add(key="service.name").value.string_value = service
    scope = resource.scope_spans.add()
    for number, name in enumerate(names, 1):
        span = scope.spans.add(trace_id=b"t" * 16, span_id=number.to_bytes(8, "big"), name=name)
        span.kind = Span.SPAN_KIND_CLIENT
        span.start_time_unix_nano = 10**18
        if prompt:
            span.attributes.add(key="gen_ai.prompt").value.string_value = prompt
    return request.SerializeToString()


def body(data: bytes, coding: str = "identity", signal: Signal = Signal.TRACES) -> Body:
    return Body(signal, Encoding.PROTOBUF, coding, data)


def receiver(
    spool: MemorySpool, *, limit: int = 8 * MB, policy: ContentPolicy | None = None
) -> Receiver:
    kept = policy or ContentPolicy()
    return Receiver(spool, body_limit_bytes=limit, policy=lambda: kept, clock=FakeClock())


def accept(spool: MemorySpool, taken: Body, limit: int = 8 * MB) -> Acceptance:
    return asyncio.run(receiver(spool, limit=limit).accept(taken))


@pytest.mark.parametrize("coding", ["identity", "gzip"])
@pytest.mark.parametrize("prompt", ["", "x" * (2 * LOOP_BYTES)], ids=["small", "large"])
def test_a_body_is_spooled_inflated_and_as_it_came(coding: str, prompt: str) -> None:
    data = traces(["a", "b"], prompt=prompt)
    sent = gzip.compress(data) if coding == "gzip" else data
    spool = MemorySpool()
    assert accept(spool, body(sent, coding)) == Acceptance(2, 0, "")
    assert spool.records == [SpoolRecord(Signal.TRACES, Encoding.PROTOBUF, 17.5, data)]


def test_bad_bytes_reach_no_spool() -> None:
    spool = MemorySpool()
    with pytest.raises(BadPayload):
        accept(spool, body(b"\xff\xff\xff"))
    assert spool.records == []


@pytest.mark.parametrize("limit", [LOOP_BYTES // 2, 4 * LOOP_BYTES])
def test_a_bomb_is_stopped_at_the_limit(limit: int) -> None:
    spool = MemorySpool()
    with pytest.raises(PayloadTooLarge):
        accept(spool, body(gzip.compress(bytes(limit + 1)), "gzip"), limit=limit)
    assert spool.records == []


def test_bad_spans_are_told_and_good_ones_kept() -> None:
    request = ExportTraceServiceRequest.FromString(traces(["good", "bad"]))
    request.resource_spans[0].scope_spans[0].spans[1].trace_id = b""
    spool = MemorySpool()
    result = accept(spool, body(request.SerializeToString()))
    assert (result.accepted, result.rejected) == (1, 1)
    assert len(spool.records) == 1


def test_an_empty_body_is_fine_and_costs_no_disk() -> None:
    spool = MemorySpool()
    assert accept(spool, body(b"")) == Acceptance(0, 0, "")
    assert spool.records == []


def test_a_refusing_spool_refuses() -> None:
    spool = MemorySpool()
    spool.error = SpoolFull("full")
    with pytest.raises(SpoolFull):
        accept(spool, body(traces(["a"])))


def test_what_was_accepted_is_counted() -> None:
    def count() -> float:
        name, labels = "seakeeping_received_items_total", {"signal": "traces"}
        return REGISTRY.get_sample_value(name, labels) or 0.0

    before = count()
    accept(MemorySpool(), body(traces(["a", "b", "c"])))
    assert count() == before + 3


def test_dropped_content_never_reaches_the_spool() -> None:
    policy = ContentPolicy(services=(ServiceRule("clinic-*", "drop"),))
    spool = MemorySpool()
    taking = receiver(spool, policy=policy)
    asyncio.run(taking.accept(body(traces(["a"], service="clinic-7", prompt="my diagnosis"))))
    asyncio.run(taking.accept(body(traces(["a"], service="shop", prompt="my order"))))
    dropped, kept = spool.records
    assert b"my diagnosis" not in dropped.body
    assert b"my order" in kept.body
    assert [span.name for span in decode_traces(Encoding.PROTOBUF, dropped.body)] == ["a"]


def test_a_policy_that_changes_holds_from_the_next_body_on() -> None:
    policies = [ContentPolicy(default="drop"), ContentPolicy()]
    spool = MemorySpool()
    taking = Receiver(spool, body_limit_bytes=MB, policy=policies.pop, clock=FakeClock())
    for _ in range(2):
        asyncio.run(taking.accept(body(traces(["a"], prompt="words"))))
    assert [b"words" in record.body for record in spool.records] == [True, False]


def test_bodies_in_hand_are_bounded() -> None:
    async def run() -> None:
        spool = MemorySpool()
        spool.gate = asyncio.Event()
        data = traces(["a"], prompt="x" * 1000)
        taking = Receiver(
            spool,
            body_limit_bytes=MB,
            policy=ContentPolicy,
            hold_limit_bytes=int(2.5 * len(data)),
        )
        held = [asyncio.create_task(taking.accept(body(data))) for _ in range(2)]
        await asyncio.sleep(0)
        assert taking.held_bytes == 2 * len(data)
        with pytest.raises(SpoolFull, match="too many bodies"):
            await taking.accept(body(data))
        spool.gate.set()
        await asyncio.gather(*held)
        assert taking.held_bytes == 0
        await taking.accept(body(data))
        taking.close()

    asyncio.run(run())


def test_one_body_is_always_let_in() -> None:
    spool = MemorySpool()
    taking = Receiver(spool, body_limit_bytes=MB, policy=ContentPolicy, hold_limit_bytes=1)
    with taking.hold() as take:
        take(1000)
        take(1000)
        assert taking.held_bytes == 2000
    assert taking.held_bytes == 0


def test_json_is_spooled_as_json() -> None:
    document = {
        "resourceSpans": [
            {
                "scopeSpans": [
                    {
                        "spans": [
                            {
                                "traceId": "0af7651916cd43dd8448eb211c80319c",
                                "spanId": "b7ad6b7169203331",
                                "name": "chat",
                                "startTimeUnixNano": "1700000000000000000",
                            }
                        ]
                    }
                ]
            }
        ]
    }
    data = json.dumps(document).encode()
    spool = MemorySpool()
    taken = Body(Signal.TRACES, Encoding.JSON, "identity", data)
    assert accept(spool, taken) == Acceptance(1, 0, "")
    assert spool.records[0].encoding is Encoding.JSON
    assert spool.records[0].body == data
