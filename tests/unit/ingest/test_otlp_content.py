from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from seakeeping.ingest.otlp import (
    Encoding,
    decode_logs,
    decode_traces,
    encode_logs,
    encode_traces,
    strip_content,
    to_json_body,
)
from seakeeping.ingest.otlp.content import names_content
from seakeeping.records import Json, JsonObject, LogEvent, Signal, Span, SpanEvent

SPAN = Span(
    trace_id="000102030405060708090a0b0c0d0e0f",
    span_id="0102030405060708",
    parent_span_id=None,
    name="chat gpt-4o",
    kind="client",
    started_at=1_795_424_073.5,
    duration_s=2.5,
    status="ok",
    error_type=None,
    service_name="support-bot",
    attributes={},
    resource={"service.name": "support-bot"},
)
LOG = LogEvent(
    trace_id=SPAN.trace_id,
    span_id=SPAN.span_id,
    name="gen_ai.choice",
    at=1_795_424_073.25,
    body=None,
    attributes={"gen_ai.system": "openai"},
    severity="info",
    service_name="support-bot",
    resource={"service.name": "support-bot"},
)
CONTENT = """
gen_ai.input.messages gen_ai.output.messages gen_ai.system_instructions gen_ai.tool.definitions
gen_ai.tool.call.arguments gen_ai.tool.call.result gen_ai.retrieval.documents gen_ai.prompt
gen_ai.retrieval.query.text gen_ai.prompt.0.content gen_ai.completion.0.content
gen_ai.completion gen_ai.prompt.variable.name gen_ai.evaluation.explanation input.value
output.value llm.input_messages.0.message.content
llm.output_messages.0.message.contents.0.message_content.text
llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments
llm.prompts.0.prompt.text llm.prompt_template.template llm.prompt_template.variables
llm.invocation_parameters retrieval.documents.0.document.content
retrieval.documents.0.document.metadata reranker.query embedding.embeddings.0.embedding.text
traceloop.entity.input traceloop.entity.output langfuse.observation.input
langfuse.observation.output langfuse.trace.input langfuse.observation.status_message
pydantic_ai.all_messages final_result request_data response_data tool_arguments tool_response
all_messages_events ai.prompt ai.prompt.messages ai.response.text ai.response.toolCalls
ai.toolCall.args ai.toolCall.result mlflow.spanInputs mlflow.spanOutputs exception.message
exception.stacktrace db.statement db.query.text url.query llm.headers logfire.msg hidden_params
content message
"""
METADATA = """
gen_ai.request.model gen_ai.response.model gen_ai.response.id gen_ai.provider.name
gen_ai.system gen_ai.operation.name gen_ai.conversation.id gen_ai.prompt.name
gen_ai.prompt.version gen_ai.output.type gen_ai.tool.name gen_ai.tool.call.id gen_ai.agent.name
error.type exception.type llm.model_name llm.provider llm.finish_reason openinference.span.kind
input.mime_type llm.input_messages.0.message.role gen_ai.completion.0.finish_reason
langfuse.observation.type langfuse.observation.model.name langfuse.observation.usage_details
langfuse.observation.prompt.name user.id session.id traceloop.span.kind traceloop.entity.name
ai.model.id ai.response.finishReason server.address http.request.method url.path service.tier
"""


def every(service: str) -> bool:
    return True


def kept(attributes: JsonObject) -> JsonObject:
    body = encode_traces([replace(SPAN, attributes=attributes)])
    stripped = strip_content(Signal.TRACES, Encoding.PROTOBUF, body, every)
    return decode_traces(Encoding.PROTOBUF, stripped)[0].attributes


@pytest.mark.parametrize("key", CONTENT.split())
def test_a_name_of_content_goes(key: str) -> None:
    assert names_content(key)
    assert kept({key: "short"}) == {}


@pytest.mark.parametrize("key", METADATA.split())
def test_a_name_of_metadata_stays(key: str) -> None:
    assert not names_content(key)
    assert kept({key: "short"}) == {key: "short"}


def test_long_texts_maps_and_deep_lists_go_whatever_their_name() -> None:
    harmless: dict[str, Json] = {"a": "x" * 256, "b": ["stop", "length", 1], "c": None}
    harmful: dict[str, Json] = {
        "d": "x" * 257,
        "e": ["x" * 200, "y" * 100],
        "f": {"k": "v"},
        "g": [["v"]],
        "h": [{"k": "v"}],
    }
    assert kept({**harmless, **harmful}) == harmless


def test_numbers_and_flags_stay_whatever_their_name() -> None:
    numbers: dict[str, Json] = {"input": 1, "output.value": 0.5, "message": True}
    assert kept(numbers) == numbers


def test_status_messages_and_event_content_go() -> None:
    event = SpanEvent("gen_ai.choice", SPAN.started_at, {"index": 0, "message": "Hello"})
    span = replace(SPAN, status_message="bad prompt: Hello", events=(event,))
    body = strip_content(Signal.TRACES, Encoding.PROTOBUF, encode_traces([span]), every)
    (found,) = decode_traces(Encoding.PROTOBUF, body)
    assert found.status_message is None
    assert found.events == (replace(event, attributes={"index": 0}),)
    assert b"Hello" not in body


@pytest.mark.parametrize(
    ("body", "left"),
    [
        ("Hello", None),
        (["Hello"], None),
        (
            {"index": 0, "finish_reason": "stop", "message": {"content": "Hello"}},
            {"index": 0, "finish_reason": "stop"},
        ),
    ],
)
def test_log_bodies_go_but_for_metadata(body: Any, left: Any) -> None:
    log = replace(LOG, body=body, attributes={"gen_ai.input.messages": "Hello", "n": 1})
    stripped = strip_content(Signal.LOGS, Encoding.PROTOBUF, encode_logs([log]), every)
    (found,) = decode_logs(Encoding.PROTOBUF, stripped)
    assert (found.body, found.attributes) == (left, {"n": 1})
    assert found.name == log.name


def test_only_the_named_services_lose_content() -> None:
    secret = replace(SPAN, attributes={"input.value": "Hello"})
    open_one = replace(secret, service_name="open", resource={"service.name": "open"})
    body = encode_traces([secret, open_one])
    stripped = strip_content(Signal.TRACES, Encoding.PROTOBUF, body, lambda s: s == "support-bot")
    first, second = decode_traces(Encoding.PROTOBUF, stripped)
    assert (first.attributes, second) == ({}, open_one)
    assert strip_content(Signal.TRACES, Encoding.PROTOBUF, body, lambda s: False) is body
    assert strip_content(Signal.METRICS, Encoding.PROTOBUF, b"any", every) == b"any"


def test_a_json_body_stays_json() -> None:
    log = to_json_body(Signal.LOGS, encode_logs([replace(LOG, body="Hello")]))
    stripped = strip_content(Signal.LOGS, Encoding.JSON, log, every)
    assert b"Hello" not in stripped
    assert orjson.loads(stripped)["resourceLogs"]
    (found,) = decode_logs(Encoding.JSON, stripped)
    assert found == replace(LOG, body=None)


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("genai-anthropic-chat.binpb", (b"gen_ai.input.messages", b"parts")),
        ("openinference-openai-err500.binpb", (b"message.content", b"Error code")),
    ],
)
def test_nothing_of_real_content_is_left(data: Path, name: str, texts: tuple[bytes, ...]) -> None:
    body = (data / "otlp" / name).read_bytes()
    stripped = strip_content(Signal.TRACES, Encoding.PROTOBUF, body, every)
    assert all(text in body and text not in stripped for text in texts)
    before = decode_traces(Encoding.PROTOBUF, body)
    after = decode_traces(Encoding.PROTOBUF, stripped)
    assert [(s.span_id, s.duration_s, s.error_type) for s in after] == [
        (s.span_id, s.duration_s, s.error_type) for s in before
    ]


def words(value: object) -> set[str]:
    """Return the longer texts of a manifest entry: what no stripped body may hold."""
    if isinstance(value, str):
        return {value[:40]} if len(value) > 25 else set()
    if isinstance(value, dict):
        return set().union(*(words(v) for v in value.values()))
    return set().union(*(words(v) for v in value)) if isinstance(value, list) else set()


@pytest.mark.needs_shared
def test_no_content_of_any_capture_is_left(shared: Path) -> None:
    manifest = orjson.loads((shared / "otlp" / "manifest.json").read_bytes())
    for entry in manifest["entries"]:
        body = (shared / "otlp" / entry["file"]).read_bytes()
        if entry["signal"] == "metrics" or entry["content_encoding"] != "identity":
            continue
        stripped = strip_content(Signal(entry["signal"]), Encoding.PROTOBUF, body, every)
        for call in entry.get("model_calls", []):
            for text in words([call.get("input_messages"), call.get("output_texts")]):
                assert text.encode() not in stripped, entry["file"]
