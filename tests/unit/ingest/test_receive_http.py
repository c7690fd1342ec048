"""OTLP over HTTP: the status codes that decide whether a client keeps its data."""

import asyncio
import gzip
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
import zstandard
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from prometheus_client import REGISTRY
from starlette.applications import Starlette
from starlette.types import Message

from seakeeping.config import ContentPolicy
from seakeeping.errors import SpoolBroken, SpoolFull, StoreUnavailable
from seakeeping.ingest.receive import Receiver
from seakeeping.ingest.receive_http import PATHS, clamp_retry, otlp_routes
from seakeeping.ingest.spool import Position, SpoolRecord
from seakeeping.records import Signal

LIMIT = 4096
PROTOBUF, JSON = "application/x-protobuf", "application/json"


@dataclass
class MemorySpool:
    records: list[SpoolRecord] = field(default_factory=list)
    error: Exception | None = None

    async def submit(self, record: SpoolRecord) -> Position:
        if self.error:
            raise self.error
        self.records.append(record)
        return Position(1, 1)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


def post(
    spool: MemorySpool,
    chunks: Sequence[bytes],
    *,
    path: str = "/v1/traces",
    method: str = "POST",
    headers: dict[str, str] | None = None,
    ends: bool = True,
    read_limit_s: float = 60.0,
) -> Answer | None:
    """Send one request to the routes; None where no answer came (the client left)."""
    taking = Receiver(spool, body_limit_bytes=LIMIT, policy=ContentPolicy)
    app = Starlette(routes=otlp_routes(taking, read_limit_s=read_limit_s))
    waiting = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks] or [
        {"type": "http.request", "body": b"", "more_body": True}
    ]
    if ends:
        waiting[-1]["more_body"] = False
    sent: list[Message] = []

    async def receive() -> Message:
        if waiting:
            return waiting.pop(0)
        if read_limit_s < 1:
            await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    given = {"content-type": PROTOBUF, **(headers or {})}
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "root_path": "",
        "query_string": b"",
        "headers": [(key.encode(), value.encode()) for key, value in given.items()],
    }
    asyncio.run(app(scope, receive, send))
    assert taking.held_bytes == 0
    if not sent:
        return None
    answered = {key.decode(): value.decode() for key, value in sent[0]["headers"]}
    return Answer(sent[0]["status"], answered, b"".join(m.get("body", b"") for m in sent[1:]))


def answer(spool: MemorySpool, data: bytes, **request: object) -> Answer:
    result = post(spool, [data], **request)  # type: ignore[arg-type]  # passed on as they are
    assert result is not None
    return result


def traces(*span_ids: bytes) -> bytes:
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    for span_id in span_ids:
        scope.spans.add(trace_id=b"t" * 16, span_id=span_id, name="chat")
    return request.SerializeToString()


GOOD = traces(b"12345678")


@pytest.mark.parametrize(("path", "signal"), PATHS.items())
def test_every_path_takes_its_signal(path: str, signal: Signal) -> None:
    spool = MemorySpool()
    data = GOOD if signal is Signal.TRACES else b""
    result = answer(spool, data, path=path)
    assert (result.status, result.body) == (200, b"")
    assert result.headers["content-type"] == PROTOBUF
    assert [record.signal for record in spool.records] == [signal] * bool(data)


@pytest.mark.parametrize(
    ("coding", "pack"),
    [
        ("gzip", gzip.compress),
        ("x-gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("zstd", zstandard.ZstdCompressor().compress),
        ("identity", bytes),
        (" GZIP ", gzip.compress),
    ],
)
def test_every_coding_is_taken(coding: str, pack: type[bytes]) -> None:
    spool = MemorySpool()
    assert answer(spool, pack(GOOD), headers={"content-encoding": coding}).status == 200
    assert spool.records[0].body == GOOD


def test_a_body_in_many_pieces_is_one() -> None:
    spool = MemorySpool()
    result = post(spool, [GOOD[i : i + 1] for i in range(len(GOOD))])
    assert result is not None
    assert result.status == 200
    assert spool.records[0].body == GOOD


def test_json_is_answered_in_json() -> None:
    result = answer(
        MemorySpool(), b"{}", headers={"content-type": "application/json; charset=utf-8"}
    )
    assert (result.status, json.loads(result.body)) == (200, {})
    assert result.headers["content-type"] == JSON


def test_single_bad_spans_are_a_partial_success() -> None:
    spool = MemorySpool()
    result = answer(spool, traces(b"12345678", bytes(8)))
    assert result.status == 200
    partial = ExportTraceServiceResponse.FromString(result.body).partial_success
    assert partial.rejected_spans == 1
    assert "span_id" in partial.error_message
    assert len(spool.records) == 1


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD"])
def test_another_method_is_405(method: str) -> None:
    result = answer(MemorySpool(), b"", method=method)
    assert result.status == 405
    assert result.headers["allow"] == "POST"


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/protobuf", "json"])
def test_another_content_type_is_415(content_type: str) -> None:
    result = answer(MemorySpool(), GOOD, headers={"content-type": content_type})
    assert result.status == 415
    assert "application/x-protobuf" in json.loads(result.body)["message"]


@pytest.mark.parametrize("coding", ["br", "lz4", "gzip, zstd", "snappy"])
def test_another_coding_is_415(coding: str) -> None:
    result = answer(MemorySpool(), GOOD, headers={"content-encoding": coding})
    assert result.status == 415
    assert "zstd" in Status.FromString(result.body).message


@pytest.mark.parametrize("content_type", [PROTOBUF, JSON])
def test_bad_bytes_are_400_in_the_encoding_of_the_request(content_type: str) -> None:
    spool = MemorySpool()
    result = answer(spool, b"\xff\xfe\xfd", headers={"content-type": content_type})
    assert result.status == 400
    assert result.headers["content-type"] == content_type
    assert "retry-after" not in result.headers
    if content_type == JSON:
        assert json.loads(result.body)["code"] == 3
    else:
        assert Status.FromString(result.body).code == 3
    assert spool.records == []


def test_bytes_that_are_not_compressed_as_said_are_400() -> None:
    result = answer(MemorySpool(), GOOD, headers={"content-encoding": "gzip"})
    assert result.status == 400


def test_a_body_that_says_it_is_too_large_is_not_read() -> None:
    headers = {"content-length": str(LIMIT + 1)}
    result = post(MemorySpool(), [], headers=headers, ends=False)
    assert result is not None
    assert result.status == 413
    assert result.headers["connection"] == "close"


def test_a_body_that_grows_too_large_is_413() -> None:
    result = post(MemorySpool(), [bytes(LIMIT), b"x"], ends=False)
    assert result is not None
    assert result.status == 413


def test_a_body_that_inflates_too_large_is_413() -> None:
    data = gzip.compress(bytes(100 * LIMIT))
    assert len(data) < LIMIT
    result = answer(MemorySpool(), data, headers={"content-encoding": "gzip"})
    assert result.status == 413
    assert Status.FromString(result.body).code == 8


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (SpoolFull("full"), 429, 8),
        (SpoolBroken("no space left"), 503, 14),
        (StoreUnavailable("away"), 503, 14),
        (RuntimeError("a fault of ours"), 503, 14),
    ],
)
def test_what_may_pass_is_told_to_come_back_soon(error: Exception, status: int, code: int) -> None:
    result = answer(MemorySpool(error=error), GOOD)
    assert result.status == status
    assert result.headers["retry-after"] in ("1", "2")
    told = Status.FromString(result.body)
    assert told.code == code
    retry = RetryInfo()
    assert told.details[0].Unpack(retry)
    assert 1 <= retry.retry_delay.seconds <= 2


@pytest.mark.parametrize(("seconds", "wait"), [(0, 1), (1.5, 1.5), (60, 2)])
def test_the_wait_stays_below_what_exporters_sit_out(seconds: float, wait: float) -> None:
    assert clamp_retry(seconds) == wait


def test_a_fault_of_ours_is_counted() -> None:
    def count() -> float:
        labels = {"where": "receive", "error": "ZeroDivisionError"}
        return REGISTRY.get_sample_value("seakeeping_handled_errors_total", labels) or 0.0

    before = count()
    answer(MemorySpool(error=ZeroDivisionError()), GOOD)
    assert count() == before + 1


def test_a_client_that_leaves_gets_no_answer_and_spools_nothing() -> None:
    spool = MemorySpool()
    assert post(spool, [GOOD], ends=False) is None
    assert spool.records == []


def test_a_client_that_dawdles_is_408() -> None:
    result = post(MemorySpool(), [GOOD], ends=False, read_limit_s=0.01)
    assert result is not None
    assert result.status == 408
