import gzip
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsPartialSuccess,
    ExportLogsServiceResponse,
)
from prometheus_client import REGISTRY

from seakeeping.errors import BadSetting
from seakeeping.ingest.emit import Emitter, Patience, evaluation_events, logs_url, retry_after_s
from seakeeping.ingest.otlp import Encoding, decode_logs
from seakeeping.records import Evaluation, Interaction, LogEvent

EVALUATION = Evaluation(
    trace_id="000102030405060708090a0b0c0d0e0f",
    span_id="0102030405060708",
    name="faithfulness",
    score_value=0.25,
    score_label="unsupported",
    explanation="1 of 4 claims is supported",
    evidence=(),
    evaluator="faithfulness",
    evaluator_version="1",
    evaluated_at=1_795_424_073.5,
    duration_s=0.01,
    cost_usd=None,
    skipped_reason=None,
)
SKIPPED = replace(
    EVALUATION,
    score_value=None,
    score_label=None,
    explanation=None,
    skipped_reason="no documents",
)
CALL = Interaction(
    trace_id=EVALUATION.trace_id,
    span_id=EVALUATION.span_id,
    parent_span_id=None,
    started_at=1_795_424_070.0,
    duration_s=1.0,
    time_to_first_token_s=None,
    streaming=None,
    operation="chat",
    provider="openai",
    request_model="gpt-4o",
    response_model=None,
    response_id="chatcmpl-1",
    service_name="support-bot",
    service_version="3",
    environment=None,
    system_instructions=None,
    input_messages=None,
    output_messages=None,
    answer_text="Yes.",
    is_answer=True,
    tool_definitions=None,
    documents=(),
    input_tokens=None,
    output_tokens=None,
    cache_read_tokens=None,
    reasoning_tokens=None,
    cost_usd=None,
    finish_reasons=(),
    error_type=None,
    conversation_id=None,
    user_id=None,
    tenant=None,
    route=None,
    region=None,
    prompt_name=None,
    prompt_version=None,
    release=None,
)
HASTE = Patience(tries=3, first_wait_s=0.01, timeout_s=2.0, linger_s=0.0)

Answer = Callable[[BaseHTTPRequestHandler], None]


def test_an_evaluation_becomes_the_event_of_the_conventions() -> None:
    (event,) = evaluation_events([EVALUATION], [CALL])
    assert event == LogEvent(
        trace_id=EVALUATION.trace_id,
        span_id=EVALUATION.span_id,
        name="gen_ai.evaluation.result",
        at=EVALUATION.evaluated_at,
        body=None,
        attributes={
            "gen_ai.evaluation.name": "faithfulness",
            "gen_ai.evaluation.score.value": 0.25,
            "gen_ai.evaluation.score.label": "unsupported",
            "gen_ai.evaluation.explanation": "1 of 4 claims is supported",
            "gen_ai.response.id": "chatcmpl-1",
            "seakeeping.evaluator.name": "faithfulness",
            "seakeeping.evaluator.version": "1",
        },
        severity="info",
        service_name="support-bot",
        resource={"service.name": "support-bot", "service.version": "3"},
    )


def test_what_was_skipped_is_no_event() -> None:
    assert evaluation_events([SKIPPED], [CALL]) == []


def test_an_evaluation_of_an_unknown_call_still_goes_out() -> None:
    (event,) = evaluation_events([replace(EVALUATION, score_value=None, explanation=None)], [])
    assert event.service_name == "seakeeping"
    assert set(event.attributes) == {
        "gen_ai.evaluation.name",
        "gen_ai.evaluation.score.label",
        "seakeeping.evaluator.name",
        "seakeeping.evaluator.version",
    }


class Receiver:
    """What arrived at a fake endpoint."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.arrived = threading.Condition()

    def events(self) -> list[LogEvent]:
        bodies = [gzip.decompress(body) for _, _, body in self.requests]
        return [event for body in bodies for event in decode_logs(Encoding.PROTOBUF, body)]

    def wait_for(self, requests: int) -> None:
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.requests) >= requests, 5.0)


@contextmanager
def receiver(*answers: Answer) -> Iterator[tuple[str, Receiver]]:
    """Serve ``answers`` one after the other, then successes, on a free port of the loopback."""
    found, scripted = Receiver(), iter(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with found.arrived:
                found.requests.append((self.path, dict(self.headers), body))
                found.arrived.notify_all()
            next(scripted, replies(200))(self)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def replies(status: int, body: bytes = b"", **headers: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def hangs_up(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True
    handler.connection.close()


def given_up(why: str) -> float:
    labels = {"where": "emit", "error": why}
    return REGISTRY.get_sample_value("seakeeping_handled_errors_total", labels) or 0.0


def emitted(endpoint: str, patience: Patience = HASTE, many: int = 1) -> None:
    emitter = Emitter(endpoint, patience=patience, chance=random.Random(1))
    for _ in range(many):
        emitter.submit([EVALUATION, SKIPPED], [CALL])
    emitter.close()


def test_results_arrive_as_gzipped_otlp_with_the_given_headers() -> None:
    with receiver() as (endpoint, found):
        emitter = Emitter(endpoint, headers={"x-api-key": "k"}, patience=HASTE)
        emitter.submit([EVALUATION, SKIPPED], [CALL])
        found.wait_for(1)
        emitter.close()
    ((path, headers, _),) = found.requests
    assert path == "/v1/logs"
    assert headers["Content-Type"] == "application/x-protobuf"
    assert (headers["Content-Encoding"], headers["X-Api-Key"]) == ("gzip", "k")
    assert found.events() == evaluation_events([EVALUATION], [CALL])


def test_closing_sends_what_is_queued() -> None:
    with receiver() as (endpoint, found):
        emitted(endpoint, replace(HASTE, linger_s=60.0, batch_events=2), many=5)
    assert [len(found.requests), len(found.events())] == [3, 5]


def test_events_travel_together() -> None:
    with receiver() as (endpoint, found):
        emitter = Emitter(endpoint, patience=replace(HASTE, linger_s=60.0, batch_events=10))
        for _ in range(10):
            emitter.submit([EVALUATION], [CALL])
        found.wait_for(1)
        emitter.close()
    assert len(found.requests) == 1


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_what_may_pass_is_tried_again(status: int) -> None:
    with receiver(replies(status), replies(status)) as (endpoint, found):
        emitter = Emitter(endpoint, patience=HASTE)
        emitter.submit([EVALUATION], [CALL])
        found.wait_for(3)
        emitter.close()
    assert len({body for _, _, body in found.requests}) == 1


def test_a_broken_connection_is_tried_again() -> None:
    with receiver(hangs_up) as (endpoint, found):
        emitter = Emitter(endpoint, patience=HASTE)
        emitter.submit([EVALUATION], [CALL])
        found.wait_for(2)
        emitter.close()


@pytest.mark.parametrize("status", [301, 307, 400, 401, 404, 413, 500])
def test_what_cannot_pass_is_given_up_and_counted(status: int) -> None:
    before = given_up(f"http_{status}")
    with receiver(replies(status, Location="/elsewhere")) as (endpoint, found):
        emitted(endpoint)
    assert len(found.requests) == 1
    assert given_up(f"http_{status}") == before + 1


def test_tries_are_bounded() -> None:
    before = given_up("http_503")
    with receiver(*[replies(503)] * 10) as (endpoint, found):
        emitter = Emitter(endpoint, patience=HASTE)
        emitter.submit([EVALUATION], [CALL])
        found.wait_for(3)
        emitter.close()
    assert len(found.requests) == 3
    assert given_up("http_503") == before + 1


def test_retry_after_is_honoured() -> None:
    with receiver(replies(503, Retry_After="1")) as (endpoint, found):
        emitter = Emitter(endpoint, patience=HASTE)
        began = time.monotonic()
        emitter.submit([EVALUATION], [CALL])
        found.wait_for(2)
        assert time.monotonic() - began >= 0.99
        emitter.close()


def test_a_partial_success_is_counted_and_not_sent_again() -> None:
    partial = ExportLogsPartialSuccess(rejected_log_records=1, error_message="too old")
    body = ExportLogsServiceResponse(partial_success=partial).SerializeToString()
    before = given_up("partial_success")
    with receiver(replies(200, body)) as (endpoint, found):
        emitted(endpoint)
    assert (len(found.requests), given_up("partial_success")) == (1, before + 1)


def test_an_answer_that_cannot_be_read_is_a_success() -> None:
    before = given_up("DecodeError")
    with receiver(replies(200, b"\xff")) as (endpoint, found):
        emitted(endpoint)
    assert (len(found.requests), given_up("DecodeError")) == (1, before + 1)


def test_a_full_queue_gives_up_the_oldest() -> None:
    before = given_up("queue_full")
    with receiver() as (endpoint, found):
        emitter = Emitter(endpoint, patience=replace(HASTE, linger_s=60.0, queue_events=3))
        for n in range(5):
            emitter.submit([replace(EVALUATION, evaluator_version=str(n))], [CALL])
        emitter.close()
    assert given_up("queue_full") == before + 2
    versions = [event.attributes["seakeeping.evaluator.version"] for event in found.events()]
    assert versions == ["2", "3", "4"]


def test_nobody_there_never_holds_up_the_caller() -> None:
    with receiver() as (endpoint, _):
        pass
    before = given_up("unreachable")
    began = time.monotonic()
    emitted(endpoint, replace(HASTE, first_wait_s=60.0))
    assert time.monotonic() - began < 5
    assert given_up("unreachable") == before + 1


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        ("http://a:4318", "http://a:4318/v1/logs"),
        ("http://a:4318/", "http://a:4318/v1/logs"),
        ("https://a/otlp/", "https://a/otlp/v1/logs"),
        ("https://a/otlp/v1/logs", "https://a/otlp/v1/logs"),
    ],
)
def test_the_path_of_logs_is_added(endpoint: str, url: str) -> None:
    assert logs_url(endpoint) == url


@pytest.mark.parametrize("endpoint", ["", "a:4318", "file:///etc/passwd", "http://", "http://a:b"])
def test_an_endpoint_that_is_none_is_refused(endpoint: str) -> None:
    with pytest.raises(BadSetting, match="emit endpoint"):
        Emitter(endpoint)


@pytest.mark.parametrize(
    ("header", "wait_s"),
    [
        ("2", 2.0),
        (formatdate(1030.0, usegmt=True), 30.0),
        (formatdate(900.0, usegmt=True), 0.0),
        ("soon", None),
        ("-1", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, wait_s: float | None) -> None:
    assert retry_after_s(header, 1000.0) == wait_s
