"""What strangers and accidents do to a server: the right answer each time, and it goes on."""

import gzip
import random
import time
import zlib
from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.e2e.conftest import Server

from seakeeping.ingest.otlp import encode_traces
from seakeeping.records import Span

TRACES = "/v1/traces"
PROTOBUF = "application/x-protobuf"
ANSWER = "The refund takes five days. It costs 12 euros."


def call(number: int, *, trace: str = "", at: float | None = None, answer: str = ANSWER) -> Span:
    """Return a model call; equal numbers make equal calls."""
    return Span(
        trace_id=trace or f"{number:032x}",
        span_id=f"{number:016x}",
        parent_span_id=None,
        name="chat gpt-4o",
        kind="client",
        started_at=time.time() - 5 if at is None else at,
        duration_s=1.0,
        status="unset",
        error_type=None,
        service_name="hostile",
        attributes={
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"Hm?"}]}]',
            "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","content":'
            f'"{answer}"' + '}],"finish_reason":"stop"}]',
        },
        resource={"service.name": "hostile"},
    )


def retrieval(number: int, trace: str, at: float, content: str) -> Span:
    """Return a retrieval with one document."""
    documents = f'[{{"id":"d1","content":"{content}"}}]'
    return replace(
        call(number, trace=trace, at=at),
        name="retrieval pages",
        duration_s=0.1,
        attributes={
            "gen_ai.operation.name": "retrieval",
            "gen_ai.retrieval.documents": documents,
        },
    )


def post(server: Server, *spans: Span) -> None:
    assert server.post(TRACES, encode_traces(spans), PROTOBUF) == (200, b"")


def scored(server: Server, span: Span) -> dict[str, object] | None:
    """Return the call with its evaluations once all three are there."""
    status, _ = server.status(f"/api/interactions/{span.trace_id}/{span.span_id}")
    if status != 200:
        return None
    found: dict[str, object] = server.get(f"/api/interactions/{span.trace_id}/{span.span_id}")
    evaluations = found["evaluations"]
    assert isinstance(evaluations, list)
    return found if len(evaluations) == 3 else None


def still_serves(server: Server, number: int) -> None:
    """Send one more call and see it scored."""
    one = call(number)
    post(server, one)
    server.until(lambda: scored(server, one))


def bomb() -> bytes:
    return gzip.compress(b"\0" * (200 << 20), compresslevel=1)


HOSTILE: dict[str, tuple[Callable[[], bytes], dict[str, str], int]] = {
    "random bytes": (lambda: random.Random(7).randbytes(5000), {}, 400),
    "a zip bomb": (bomb, {"Content_Encoding": "gzip"}, 413),
    "a cut gzip": (lambda: gzip.compress(b"x" * 999)[:-9], {"Content_Encoding": "gzip"}, 400),
    "a coding nobody knows": (lambda: b"x", {"Content_Encoding": "br"}, 415),
    "not deflated at all": (lambda: b"plain", {"Content_Encoding": "deflate"}, 400),
    "nesting without end": (lambda: b"\x0a" * 100_000, {}, 400),
    "a cut body": (lambda: encode_traces([call(1)])[:-7], {}, 400),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_body_gets_its_status_and_harms_nobody(server: Server, what: str) -> None:
    make, headers, expected = HOSTILE[what]
    status, _ = server.post(TRACES, make(), PROTOBUF, **headers)
    assert status == expected
    assert server.is_ready()


def test_every_way_of_asking_wrongly_has_its_status(server: Server) -> None:
    assert server.post(TRACES, b"<a/>", "text/xml")[0] == 415
    assert server.status(TRACES)[0] == 405
    assert server.post("/v1/nothing", b"", PROTOBUF)[0] == 404
    assert server.post(TRACES, b"", PROTOBUF) == (200, b"")
    assert server.post(TRACES, b"{}", "application/json") == (200, b"{}")


def test_a_span_with_wrong_ids_is_rejected_alone(server: Server) -> None:
    good, bad = call(0xA1), replace(call(0xA2), span_id="0" * 16)
    status, answer = server.post(TRACES, encode_traces([good, bad]), PROTOBUF)
    assert status == 200
    assert answer, "a partial success says what was left out"
    server.until(lambda: scored(server, good))


def test_a_trace_of_ten_thousand_spans_is_kept_whole(server: Server) -> None:
    trace = "b" * 32
    at = time.time() - 30
    calls = [call(n, trace=trace, at=at, answer="Yes.") for n in range(1, 11)]
    steps = [
        replace(calls[0], span_id=f"{n:016x}", name="step", attributes={"n": n})
        for n in range(100, 10_090)
    ]
    for part in range(0, len(steps), 1000):
        post(server, *steps[part : part + 1000])
    post(server, *calls)
    server.until(lambda: scored(server, calls[-1]), within_s=40)
    found = server.until(lambda: whole_trace(server, trace), within_s=40)
    assert len({span["span_id"] for span in found}) == 10_000


def whole_trace(server: Server, trace: str) -> list[dict[str, str]] | None:
    spans: list[dict[str, str]] = server.get(f"/api/traces/{trace}")["items"]
    return spans if len(spans) >= 10_000 else None


def test_a_prompt_of_sixteen_mebibytes_is_scored_and_the_others_do_not_wait(
    server: Server,
) -> None:
    text = "The refund takes five days and it costs 12 euros in every shop. " * (16 << 14)
    monster = call(0xC1)
    messages = f'[{{"role":"user","parts":[{{"type":"text","content":"{text}"}}]}}]'
    monster = replace(monster, attributes={**monster.attributes, "gen_ai.input.messages": messages})
    post(server, monster)
    still_serves(server, 0xC2)
    server.until(lambda: scored(server, monster), within_s=60)


@pytest.mark.parametrize("skew_s", [-86_400.0, 86_400.0])
def test_a_clock_a_day_off_loses_nothing(server: Server, skew_s: float) -> None:
    one = call(0xD0 + int(skew_s > 0), at=time.time() + skew_s)
    post(server, one)
    server.until(lambda: scored(server, one))


def test_a_retrieval_that_arrives_late_gives_the_call_its_evidence(server: Server) -> None:
    trace, at = "e" * 32, time.time() - 60
    answer = call(0xE1, trace=trace, at=at)
    post(server, answer)
    server.until(lambda: scored(server, answer))
    post(server, retrieval(0xE2, trace, at - 1, ANSWER))
    found = server.until(lambda: with_documents(server, answer))
    faithful = [e for e in found["evaluations"] if e["name"] == "faithfulness"]  # type: ignore[attr-defined]
    assert [e["score_label"] for e in faithful] == ["supported"]


def with_documents(server: Server, span: Span) -> dict[str, object] | None:
    found = scored(server, span)
    if not found or not found.get("documents"):
        return None
    evaluations = found["evaluations"]
    assert isinstance(evaluations, list)
    labels = {e["name"]: e["score_label"] for e in evaluations}
    return found if labels["faithfulness"] else None


def test_a_call_sent_twice_counts_once(server: Server) -> None:
    one = replace(call(0xF1), service_name="twice", resource={"service.name": "twice"})
    post(server, one)
    server.until(lambda: scored(server, one))
    post(server, one, one)
    still_serves(server, 0xF2)
    counted = server.until(lambda: calls_of(server, "twice"))
    assert counted == 1


def calls_of(server: Server, service: str) -> int | None:
    rows = server.get("/api/services?window=1h")["items"]
    return next((int(row["calls"]) for row in rows if row["service_name"] == service), None)


def test_deflate_and_plain_bodies_mean_the_same(server: Server) -> None:
    one = call(0xAB)
    body = zlib.compress(encode_traces([one]))
    assert server.post(TRACES, body, PROTOBUF, Content_Encoding="deflate")[0] == 200
    server.until(lambda: scored(server, one))
