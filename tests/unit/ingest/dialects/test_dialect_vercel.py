import json

import pytest
from tests.unit.ingest.by_hand import interactions, one, said, span

from seakeeping.records import Json

OUTER: dict[str, Json] = {
    "ai.operationId": "ai.streamText",
    "ai.model.id": "gpt-4o",
    "ai.prompt": json.dumps({"prompt": "Which port?"}),
    "ai.response.text": "Bergen.",
    "ai.usage.promptTokens": 9,
}
INNER: dict[str, Json] = {
    "ai.operationId": "ai.streamText.doStream",
    "ai.model.id": "gpt-4o",
    "ai.model.provider": "openai.chat",
    "ai.prompt.messages": json.dumps(
        [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "Which port?"}]},
        ]
    ),
    "ai.prompt.tools": ['{"type":"function","name":"find","parameters":{"type":"object"}}'],
    "ai.response.text": "Bergen.",
    "ai.response.finishReason": "stop",
    "ai.response.id": "chatcmpl-1",
    "ai.response.model": "gpt-4o-2024-08-06",
    "ai.response.msToFirstChunk": 250,
    "ai.usage.promptTokens": 9,
    "ai.usage.completionTokens": 3,
    "ai.telemetry.metadata.userId": "u1",
    "ai.telemetry.metadata.sessionId": "s1",
}


def test_the_run_is_no_call_and_its_step_is_one() -> None:
    outer = span(OUTER, lasts=2)
    found = one(outer, span(INNER, under=outer, at=0.1))
    assert found.answer_text == "Bergen."
    assert found.system_instructions == "Be brief."
    assert found.input_messages == (said("user", "Which port?"),)


def test_milliseconds_become_seconds() -> None:
    found = one(span(INNER))
    assert found.time_to_first_token_s == pytest.approx(0.25)
    assert found.streaming is True


def test_provider_models_ids_and_tokens() -> None:
    found = one(span(INNER))
    assert (found.provider, found.request_model) == ("openai", "gpt-4o")
    assert (found.response_model, found.response_id) == ("gpt-4o-2024-08-06", "chatcmpl-1")
    assert (found.input_tokens, found.output_tokens) == (9, 3)
    assert (found.user_id, found.conversation_id) == ("u1", "s1")
    assert found.tool_definitions is not None
    assert found.tool_definitions[0]["name"] == "find"


@pytest.mark.parametrize("name", ["args", "input"])
def test_tool_calls_of_old_and_new_releases(name: str) -> None:
    calls = [{"toolCallId": "c1", "toolName": "find", name: '{"port": "Bergen"}'}]
    told: dict[str, Json] = {
        **INNER,
        "ai.response.text": "",
        "ai.response.toolCalls": json.dumps(calls),
    }
    found = one(span({**told, "ai.response.finishReason": "tool-calls"}))
    part = {"type": "tool_call", "id": "c1", "name": "find", "arguments": {"port": "Bergen"}}
    assert found.output_messages == ({"role": "assistant", "parts": [part]},)
    assert found.finish_reasons == ("tool",)


def test_tool_results_in_the_prompt_are_tool_messages() -> None:
    result: dict[str, Json] = {"type": "tool-result", "toolCallId": "c1", "toolName": "find",
              "output": {"type": "text", "value": "sunny"}}  # fmt: skip
    messages = json.dumps([{"role": "tool", "content": [result]}])
    found = one(span({**INNER, "ai.prompt.messages": messages}))
    response = {"type": "tool_call_response", "id": "c1", "response": "sunny"}
    assert found.input_messages == ({"role": "tool", "parts": [response]},)


def test_an_object_is_an_answer_in_json() -> None:
    told: dict[str, Json] = {**INNER, "ai.operationId": "ai.generateObject.doGenerate"}
    del told["ai.response.text"]
    found = one(span({**told, "ai.response.object": '{"port":"Bergen"}'}))
    assert found.answer_text == '{"port":"Bergen"}'
    assert found.streaming is False


def test_tools_and_embeddings_are_no_calls() -> None:
    tool = span({"ai.operationId": "ai.toolCall", "ai.toolCall.name": "find"})
    embedding = span({"ai.operationId": "ai.embed.doEmbed", "ai.model.id": "text-embedding-3"})
    assert interactions(tool, embedding) == []


def test_the_agent_run_over_several_steps_counts_only_its_steps() -> None:
    outer = span(OUTER, lasts=5)
    first = span({**INNER, "ai.response.id": "a"}, under=outer, at=0.1)
    second = span({**INNER, "ai.response.id": "b"}, under=outer, at=2)
    assert len(interactions(second, first, outer)) == 2


def test_newer_releases_fill_in_common_names() -> None:
    told: dict[str, Json] = {k: v for k, v in INNER.items() if not k.startswith("ai.usage")}
    found = one(span({**told, "gen_ai.usage.input_tokens": 5, "gen_ai.usage.output_tokens": 2}))
    assert (found.input_tokens, found.output_tokens) == (5, 2)
