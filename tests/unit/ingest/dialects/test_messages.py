"""Content shapes of providers and frameworks, each into the normal form."""

import json
from typing import Any

import pytest
from tests.unit.ingest.by_hand import said

from seakeeping.ingest.dialects.messages import messages_of, split_system, text_in
from seakeeping.ingest.dialects.responses import envelope_of, response_of
from seakeeping.ingest.dialects.tools import tools_of
from seakeeping.records import Json, JsonObject

CALL: JsonObject = {"type": "tool_call", "id": "c", "name": "find", "arguments": {"q": "x"}}


def answered(*parts: JsonObject) -> tuple[JsonObject, ...]:
    return ({"role": "assistant", "parts": list(parts)},)


TEXT: JsonObject = {"type": "text", "content": "Bergen."}

REPLIES: dict[str, Any] = {
    "openai": {"role": "assistant", "content": "Bergen.", "tool_calls": [
        {"id": "c", "type": "function", "function": {"name": "find", "arguments": '{"q": "x"}'}}]},
    "anthropic": {"role": "assistant", "content": [
        {"type": "text", "text": "Bergen."},
        {"type": "tool_use", "id": "c", "name": "find", "input": {"q": "x"}}]},
    "bedrock": {"role": "assistant", "content": [
        {"text": "Bergen."},
        {"toolUse": {"toolUseId": "c", "name": "find", "input": {"q": "x"}}}]},
    "gemini": {"role": "model", "parts": [
        {"text": "Bergen."}, {"functionCall": {"id": "c", "name": "find", "args": {"q": "x"}}}]},
    "langchain": {"lc": 1, "type": "constructor", "id": ["langchain", "messages", "AIMessage"],
                  "kwargs": {"content": "Bergen.", "type": "ai", "tool_calls": [
                      {"name": "find", "args": {"q": "x"}, "id": "c", "type": "tool_call"}]}},
    "langchain data": {"type": "ai", "data": {"content": "Bergen.", "tool_calls": [
        {"name": "find", "args": {"q": "x"}, "id": "c"}]}},
    "vercel": {"role": "assistant", "content": [
        {"type": "text", "text": "Bergen."},
        {"type": "tool-call", "toolCallId": "c", "toolName": "find", "args": {"q": "x"}}]},
    "otel": {"role": "assistant", "parts": [TEXT, CALL]},
    "responses": [
        {"type": "message", "role": "assistant",
         "content": [{"type": "output_text", "text": "Bergen."}]},
        {"type": "function_call", "call_id": "c", "name": "find", "arguments": '{"q": "x"}'}],
}  # fmt: skip


@pytest.mark.parametrize("shape", REPLIES)
def test_a_reply_with_text_and_a_tool_call_is_the_same_in_every_shape(shape: str) -> None:
    assert messages_of(REPLIES[shape], "assistant") == answered(TEXT, CALL)
    assert messages_of(json.dumps(REPLIES[shape]), "assistant") == answered(TEXT, CALL)


RESULTS: dict[str, Any] = {
    "openai": {"role": "tool", "tool_call_id": "c", "content": "sunny"},
    "anthropic": {"role": "user", "content": [
        {"type": "tool_result", "tool_use_id": "c",
         "content": [{"type": "text", "text": "sunny"}]}]},
    "bedrock": {"role": "user", "content": [
        {"toolResult": {"toolUseId": "c", "content": [{"text": "sunny"}]}}]},
    "responses": {"type": "function_call_output", "call_id": "c", "output": "sunny"},
    "old otel": {"role": "user", "parts": [
        {"type": "tool_call_response", "id": "c", "name": "find", "result": "sunny"}]},
    "langchain": {"lc": 1, "id": ["langchain", "messages", "ToolMessage"],
                  "kwargs": {"content": "sunny", "type": "tool", "tool_call_id": "c"}},
    "vercel": {"role": "tool", "content": [
        {"type": "tool-result", "toolCallId": "c", "output": {"type": "text", "value": "sunny"}}]},
}  # fmt: skip


@pytest.mark.parametrize("shape", RESULTS)
def test_a_tools_result_is_the_same_in_every_shape(shape: str) -> None:
    part = {"type": "tool_call_response", "id": "c", "response": "sunny"}
    assert messages_of([RESULTS[shape]]) == ({"role": "tool", "parts": [part]},)


REQUESTS: dict[str, Any] = {
    "openai": {"model": "m", "messages": [{"role": "system", "content": "Be brief."},
                                          {"role": "user", "content": "Hi"}]},
    "anthropic": {"system": "Be brief.", "messages": [{"role": "user", "content": "Hi"}]},
    "blocks": {"system": [{"type": "text", "text": "Be brief."}],
               "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]},
    "responses": {"instructions": "Be brief.", "input": "Hi"},
    "gemini": {"system_instruction": {"parts": [{"text": "Be brief."}]},
               "contents": [{"role": "user", "parts": [{"text": "Hi"}]}]},
    "pairs": [["system", "Be brief."], ["human", "Hi"]],
    "batch": {"messages": [[{"type": "system", "content": "Be brief."},
                            {"type": "human", "content": "Hi"}]]},
}  # fmt: skip


@pytest.mark.parametrize("shape", REQUESTS)
def test_a_request_is_the_same_in_every_shape(shape: str) -> None:
    assert split_system(messages_of(REQUESTS[shape])) == ("Be brief.", (said("user", "Hi"),))


@pytest.mark.parametrize("part", [
    {"type": "thinking", "thinking": "hm"}, {"type": "reasoning", "content": "hm"},
    {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]},
    {"reasoningContent": {"reasoningText": {"text": "hm"}}},
])  # fmt: skip
def test_what_a_model_thought_is_no_part_of_its_text(part: JsonObject) -> None:
    (message,) = (
        messages_of([{"role": "assistant", "content": [part, {"type": "text", "text": "a"}]}]) or ()
    )
    assert message["parts"] == [
        {"type": "reasoning", "content": "hm"},
        {"type": "text", "content": "a"},
    ]
    assert text_in(message) == "a"


def test_images_by_address_become_uris_and_other_parts_stay() -> None:
    image: JsonObject = {"type": "image_url", "image_url": {"url": "https://x.test/a.png"}}
    inline: JsonObject = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    (message,) = (
        messages_of([{"role": "user", "content": [image, inline, {"type": "new", "x": 1}]}]) or ()
    )
    uri = {"type": "uri", "modality": "image", "uri": "https://x.test/a.png"}
    assert message["parts"] == [uri, inline, {"type": "new", "x": 1}]


@pytest.mark.parametrize(
    "text", ["plain", '{"answer": 42}', "[1, 2]", '["a", "b"]', "{broken", "[x](y)"]
)
def test_a_text_that_is_no_message_stays_as_it_is(text: str) -> None:
    assert messages_of(text, "assistant") == (said("assistant", text),)
    assert response_of(text).messages == (said("assistant", text),)


@pytest.mark.parametrize("nothing", [None, "", [], {}, "null"])
def test_nothing_is_none_or_itself(nothing: Any) -> None:
    expected = (said("user", "null"),) if nothing == "null" else None
    assert messages_of(nothing) == expected


RESPONSES: dict[str, Any] = {
    "openai": {"id": "r1", "model": "m1", "choices": [
               {"finish_reason": "stop", "message": {"role": "assistant", "content": "Bergen."}}],
               "usage": {"prompt_tokens": 9, "completion_tokens": 3}},
    "completion": {"id": "r1", "model": "m1", "choices": [
                   {"text": "Bergen.", "finish_reason": "stop"}],
                   "usage": {"prompt_tokens": 9, "completion_tokens": 3}},
    "anthropic": {"id": "r1", "type": "message", "role": "assistant", "model": "m1",
                  "content": [{"type": "text", "text": "Bergen."}], "stop_reason": "stop",
                  "usage": {"input_tokens": 9, "output_tokens": 3}},
    "bedrock": {"id": "r1", "model": "m1", "output": {"message": {"role": "assistant",
                "content": [{"text": "Bergen."}]}}, "stopReason": "stop",
                "usage": {"inputTokens": 9, "outputTokens": 3}},
    "gemini": {"responseId": "r1", "modelVersion": "m1", "candidates": [
               {"content": {"role": "model", "parts": [{"text": "Bergen."}]},
                "finishReason": "stop"}],
               "usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": 3}},
    "ollama": {"id": "r1", "model": "m1", "message": {"role": "assistant", "content": "Bergen."},
               "done_reason": "stop", "prompt_eval_count": 9, "eval_count": 3},
    "langchain": {"generations": [[{"text": "Bergen.", "generation_info": {"finish_reason": "stop"},
                  "message": {"lc": 1, "id": ["x", "AIMessage"], "kwargs": {"content": "Bergen.",
                  "id": "run-1", "response_metadata": {"id": "r1", "model_name": "m1"},
                  "usage_metadata": {"input_tokens": 9, "output_tokens": 3}}}}]]},
}  # fmt: skip


@pytest.mark.parametrize("shape", RESPONSES)
def test_a_response_is_the_same_in_every_shape(shape: str) -> None:
    found = response_of(json.dumps(RESPONSES[shape]))
    assert found.messages == (said("assistant", "Bergen."),)
    assert (found.response_id, found.model, found.finish_reasons) == ("r1", "m1", ("stop",))
    assert (found.usage.input, found.usage.output) == (9, 3)


@pytest.mark.parametrize("shape", ["openai", "anthropic", "langchain"])
def test_an_envelope_tells_the_same_without_the_messages(shape: str) -> None:
    whole, envelope = response_of(RESPONSES[shape]), envelope_of(RESPONSES[shape])
    assert envelope.messages is None
    assert (envelope.response_id, envelope.model) == (whole.response_id, whole.model)


def test_a_response_with_an_incomplete_end_tells_why() -> None:
    told: JsonObject = {"id": "r", "output": [{"type": "message", "role": "assistant", "content": [
        {"type": "output_text", "text": "Ber"}]}], "incomplete_details":
        {"reason": "max_output_tokens"}}  # fmt: skip
    assert response_of(told).finish_reasons == ("max_output_tokens",)


@pytest.mark.parametrize(
    "tool",
    [{"type": "function", "function": {"name": "f", "description": "d", "parameters": {"a": 1}}},
     {"name": "f", "description": "d", "input_schema": {"a": 1}},
     {"toolSpec": {"name": "f", "description": "d", "inputSchema": {"json": {"a": 1}}}},
     '{"type": "function", "name": "f", "description": "d", "parameters": {"a": 1}}'],
)  # fmt: skip
def test_a_tool_is_the_same_in_every_shape(tool: Any) -> None:
    expected = {"type": "function", "name": "f", "description": "d", "parameters": {"a": 1}}
    assert tools_of([tool]) == (expected,)


@pytest.mark.parametrize("value", [None, "", "x", 3, [], [3]])
def test_no_tools_are_none(value: Any) -> None:
    assert tools_of(value) is None


def test_a_responses_call_has_the_id_that_its_output_answers_to() -> None:
    item: Json = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f",
            "arguments": "{}"}  # fmt: skip
    (message,) = messages_of([item], "assistant") or ()
    assert message["parts"] == [{"type": "tool_call", "id": "call_1", "name": "f", "arguments": {}}]


def test_a_tool_s_json_output_is_the_text_that_went_to_the_model() -> None:
    result: Json = {
        "type": "tool-result",
        "toolCallId": "c",
        "output": {"type": "json", "value": {"t": 7}},
    }
    (message,) = messages_of([{"role": "tool", "content": [result]}]) or ()
    assert message["parts"] == [{"type": "tool_call_response", "id": "c", "response": '{"t":7}'}]
