"""Both receivers as clients see them: real sockets, the real exporter, a real spool."""

import asyncio
import gzip
import http.client
import json
import socket
import threading
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import grpc
import pytest
import uvicorn
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from starlette.applications import Starlette
from starlette.middleware import Middleware

from seakeeping.config import ContentPolicy
from seakeeping.config.keys import hash_key, mint_key
from seakeeping.errors import PortTaken, SpoolBroken
from seakeeping.ingest.guard import Guard, GuardMiddleware, KeyRing
from seakeeping.ingest.otlp import decode_traces
from seakeeping.ingest.receive import Receiver
from seakeeping.ingest.receive_grpc import SERVICES, serve_grpc
from seakeeping.ingest.receive_http import otlp_routes
from seakeeping.ingest.spool import START, GroupCommit, SpoolReader, SpoolRecord, SpoolWriter
from seakeeping.records import Signal

MB = 2**20
LIMIT = 4 * MB
T = TypeVar("T")


@dataclass
class Receivers:
    """Both receivers in one event loop of their own."""

    folder: Path
    loop: asyncio.AbstractEventLoop
    receiver: Receiver
    guard: Guard
    stored_keys: dict[str, frozenset[str]]
    http_port: int = 0
    grpc_port: int = 0

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    def spooled(self) -> list[SpoolRecord]:
        reader = SpoolReader(self.folder)
        records = [entry.record for entry in reader.read(START, max_bytes=2**30)]
        reader.close()
        return records

    def span_names(self) -> list[str]:
        return [s.name for r in self.spooled() for s in decode_traces(r.encoding, r.body)]


@pytest.fixture
def receivers(tmp_path: Path) -> Iterator[Receivers]:
    stored: dict[str, frozenset[str]] = {}
    guard = Guard(KeyRing(lambda: stored), host="127.0.0.1")
    ready = threading.Event()
    made: list[Receivers] = []
    stop: list[asyncio.Event] = []

    async def serve() -> None:
        commit = GroupCommit(
            SpoolWriter(tmp_path / "spool", limit_bytes=64 * MB), queue_bytes=16 * MB
        )
        receiver = Receiver(commit, body_limit_bytes=LIMIT, policy=ContentPolicy)
        found = Receivers(tmp_path / "spool", asyncio.get_running_loop(), receiver, guard, stored)
        app = Starlette(
            routes=otlp_routes(receiver), middleware=[Middleware(GuardMiddleware, guard=guard)]
        )
        config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical")
        server = uvicorn.Server(config)
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        found.http_port = listener.getsockname()[1]
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        grpc_server, found.grpc_port = await serve_grpc(receiver, "127.0.0.1:0", guard)
        made.append(found)
        stop.append(asyncio.Event())
        ready.set()
        await stop[0].wait()
        server.should_exit = True
        await serving
        await grpc_server.stop(1)
        await commit.close()
        receiver.close()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert ready.wait(30)
    yield made[0]
    made[0].loop.call_soon_threadsafe(stop[0].set)
    thread.join(30)
    assert not thread.is_alive()


def traces(*names: str, note: str = "") -> bytes:
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    for number, name in enumerate(names, 1):
        span = scope.spans.add(trace_id=b"t" * 16, span_id=number.to_bytes(8, "big"), name=name)
        if note:
            span.attributes.add(key="note").value.string_value = note
    return request.SerializeToString()


def post(
    receivers: Receivers, body: bytes, path: str = "/v1/traces", **headers: str
) -> tuple[int, http.client.HTTPMessage, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", receivers.http_port, timeout=30)
    given = {"Content-Type": "application/x-protobuf"}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request("POST", path, body, given)
    response = connection.getresponse()
    answer = response.status, response.headers, response.read()
    connection.close()
    return answer


def export(
    receivers: Receivers,
    body: bytes,
    *,
    service: str = "opentelemetry.proto.collector.trace.v1.TraceService",
    compression: grpc.Compression = grpc.Compression.NoCompression,
    metadata: tuple[tuple[str, str], ...] = (),
) -> bytes:
    with grpc.insecure_channel(
        f"127.0.0.1:{receivers.grpc_port}", options=[("grpc.max_send_message_length", -1)]
    ) as channel:
        call = channel.unary_unary(f"/{service}/Export")
        answer: bytes = call(body, timeout=30, compression=compression, metadata=metadata)
        return answer


def refused(receivers: Receivers, body: bytes, **call: Any) -> tuple[grpc.StatusCode, Status]:
    with pytest.raises(grpc.RpcError) as caught:
        export(receivers, body, **call)
    error = caught.value
    details = dict(error.trailing_metadata()).get("grpc-status-details-bin", b"")
    return error.code(), Status.FromString(details)


# HTTP


def test_a_body_is_on_disk_when_it_is_acknowledged(receivers: Receivers) -> None:
    status, headers, body = post(receivers, traces("a", "b"))
    assert (status, body) == (200, b"")
    assert headers["content-type"] == "application/x-protobuf"
    assert receivers.span_names() == ["a", "b"]


def test_a_large_compressed_body_is_taken(receivers: Receivers) -> None:
    body = traces("large", note="words " * (MB // 3))
    assert MB < len(body) < LIMIT
    assert post(receivers, gzip.compress(body), Content_Encoding="gzip")[0] == 200
    assert receivers.spooled()[0].body == body


def test_the_real_exporter_is_served(receivers: Receivers) -> None:
    exporter = OTLPSpanExporter(f"http://127.0.0.1:{receivers.http_port}/v1/traces")
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with provider.get_tracer("app").start_as_current_span("chat gpt-4o"):
        pass
    provider.shutdown()
    assert receivers.span_names() == ["chat gpt-4o"]


def test_bodies_sent_at_once_are_all_kept(receivers: Receivers) -> None:
    threads = [
        threading.Thread(target=post, args=(receivers, traces(f"span {n}"))) for n in range(24)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(receivers.span_names()) == sorted(f"span {n}" for n in range(24))


def test_a_bomb_is_413_and_the_server_lives(receivers: Receivers) -> None:
    bomb = gzip.compress(bytes(200 * MB), 9)
    assert post(receivers, bomb, Content_Encoding="gzip")[0] == 413
    assert post(receivers, traces("after"))[0] == 200
    assert receivers.span_names() == ["after"]


def test_an_announced_flood_is_refused_unread(receivers: Receivers) -> None:
    with socket.create_connection(("127.0.0.1", receivers.http_port), timeout=30) as client:
        client.sendall(
            b"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n"
            b"Content-Type: application/x-protobuf\r\n\r\n"
        )
        assert b"413" in client.recv(100)


def test_a_page_of_another_site_may_not_send(receivers: Receivers) -> None:
    assert post(receivers, traces("x"), Origin="http://evil.example")[0] == 403
    assert post(receivers, traces("x"), Host="evil.example")[0] == 403
    assert receivers.spooled() == []


def test_with_a_key_everybody_needs_one(receivers: Receivers) -> None:
    key = mint_key()
    receivers.stored_keys[hash_key(key)] = frozenset({"receive"})
    receivers.guard.keys.refresh()
    status, _, body = post(receivers, b"{}", Content_Type="application/json")
    assert (status, json.loads(body)["code"]) == (401, 16)
    assert post(receivers, traces("http"), Authorization=f"Bearer {key}")[0] == 200
    assert refused(receivers, traces("x"))[0] is grpc.StatusCode.UNAUTHENTICATED
    export(receivers, traces("grpc"), metadata=(("authorization", f"Bearer {key}"),))
    assert receivers.span_names() == ["http", "grpc"]


# gRPC


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_takes_its_signal(receivers: Receivers, service: str) -> None:
    body = traces("a") if SERVICES[service] is Signal.TRACES else b""
    assert export(receivers, body, service=service) == b""
    assert [record.signal for record in receivers.spooled()] == [Signal.TRACES] * bool(body)


def test_grpc_and_http_spool_the_same(receivers: Receivers) -> None:
    body = traces("a", "b")
    export(receivers, body, compression=grpc.Compression.Gzip)
    post(receivers, body)
    first, second = receivers.spooled()
    assert (first.signal, first.encoding, first.body) == (
        second.signal,
        second.encoding,
        second.body,
    )


def test_single_bad_spans_are_a_partial_success_over_grpc(receivers: Receivers) -> None:
    request = ExportTraceServiceRequest.FromString(traces("good", "bad"))
    request.resource_spans[0].scope_spans[0].spans[1].span_id = b""
    answer = export(receivers, request.SerializeToString())
    assert ExportTraceServiceResponse.FromString(answer).partial_success.rejected_spans == 1


def test_bad_bytes_are_an_invalid_argument(receivers: Receivers) -> None:
    code, status = refused(receivers, b"\xff\xff")
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert (status.code, len(status.details)) == (3, 0)


@pytest.mark.parametrize("compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip])
def test_a_message_over_the_limit_is_refused(
    receivers: Receivers, compression: grpc.Compression
) -> None:
    body = traces("large", note=" " * (LIMIT + 1))
    code, _ = refused(receivers, body, compression=compression)
    assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert receivers.spooled() == []


def test_a_full_spool_tells_grpc_clients_when_to_retry(receivers: Receivers) -> None:
    receivers.receiver._hold_limit = 1
    with receivers.receiver.hold() as take:
        take(1)
        code, status = refused(receivers, traces("x"))
        assert post(receivers, traces("x"))[0] == 429
    assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
    retry = RetryInfo()
    assert status.details[0].Unpack(retry)
    assert retry.retry_delay.seconds == 1


def test_a_broken_disk_makes_both_unavailable(
    receivers: Receivers, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_: SpoolRecord) -> None:
        raise SpoolBroken("the disk is gone")

    monkeypatch.setattr(receivers.receiver._spool, "submit", broken)
    code, status = refused(receivers, traces("x"))
    assert code is grpc.StatusCode.UNAVAILABLE
    assert len(status.details) == 1
    assert post(receivers, traces("x"))[0] == 503


def test_a_taken_port_is_named(receivers: Receivers) -> None:
    address = f"127.0.0.1:{receivers.grpc_port}"
    with pytest.raises(PortTaken, match=address):
        receivers.run(serve_grpc(receivers.receiver, address))
