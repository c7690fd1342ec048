import json

import pytest
from tests.unit.ingest.by_hand import interactions, one, said, span

from seakeeping.ingest.dialects.litellm import own_id
from seakeeping.records import Json

GATEWAY: dict[str, Json] = {
    "llm.request.type": "completion",
    "gen_ai.operation.name": "chat",
    "gen_ai.system": "anthropic",
    "gen_ai.request.model": "claude-3-7-sonnet",
    "gen_ai.response.id": "chatcmpl-made-up",
    "gen_ai.input.messages": json.dumps([said("user", "Rain?")]),
    "gen_ai.output.messages": json.dumps([said("assistant", "Let me look.")]),
    "gen_ai.response.finish_reasons": '["tool_calls"]',
    "gen_ai.completion.0.function_call.name": "get_weather",
    "gen_ai.completion.0.function_call.arguments": '{"city": "Bergen"}',
    "gen_ai.usage.input_tokens": 155,
    "gen_ai.usage.output_tokens": 20,
    "gen_ai.usage.total_tokens": 175,
}
RAW: dict[str, Json] = {
    "llm.anthropic.messages": "[{'role': 'user', 'content': 'Rain?'}]",
    "llm.anthropic.id": "msg_7",
    "llm.anthropic.type": "message",
    "llm.anthropic.role": "assistant",
    "llm.anthropic.model": "claude-3-7-sonnet-20250219",
    "llm.anthropic.content": "[{'type': 'text', 'text': 'Let me look.'}, {'type': 'tool_use',"
    " 'id': 'call_1', 'name': 'get_weather', 'input': {'city': 'Bergen'}}]",
    "llm.anthropic.stop_sequence": "",
    "llm.anthropic.usage": "{'input_tokens': 91, 'output_tokens': 20,"
    " 'cache_read_input_tokens': 64}",
}


def asked(call_id: str | None) -> dict[str, Json]:
    return {
        "type": "tool_call",
        "id": call_id,
        "name": "get_weather",
        "arguments": {"city": "Bergen"},
    }


def test_the_gateway_alone_tells_calls_without_their_ids() -> None:
    found = one(span(GATEWAY))
    text = {"type": "text", "content": "Let me look."}
    assert found.output_messages == ({"role": "assistant", "parts": [text, asked(None)]},)
    assert not found.is_answer


def test_the_provider_s_own_answer_below_it_completes_the_call() -> None:
    outer = span(GATEWAY, lasts=2.0)
    (found,) = interactions(span(RAW, at=1.0, under=outer), outer)
    assert (found.span_id, found.response_id) == (outer.span_id, "msg_7")
    assert found.output_messages is not None
    assert asked("call_1") in found.output_messages[0]["parts"]  # type: ignore[operator]
    assert (found.input_tokens, found.output_tokens) == (155, 20)
    assert found.cache_read_tokens == 64


def test_an_empty_raw_span_adds_nothing() -> None:
    outer = span(GATEWAY, lasts=2.0)
    raw = span({"llm.anthropic.messages": RAW["llm.anthropic.messages"]}, at=1.0, under=outer)
    (found,) = interactions(outer, raw)
    assert found.response_id == "chatcmpl-made-up"


def test_cached_tokens_are_taken_from_the_usage_in_the_metadata() -> None:
    usage = "{'prompt_tokens': 155, 'prompt_tokens_details': {'cached_tokens': 64}}"
    assert one(span({**GATEWAY, "metadata.usage_object": usage})).cache_read_tokens == 64


@pytest.mark.parametrize(
    ("told", "own"),
    [
        ("resp_bGl0ZWxsbTptb2RlbF9pZDpOb25lO3Jlc3BvbnNlX2lkOnJlc3BfWjA2MHE=", "resp_Z060q"),
        ("resp_Z060q", "resp_Z060q"),
        ("resp_bGl0ZWxsbTo", "resp_bGl0ZWxsbTo"),
        ("chatcmpl-1", "chatcmpl-1"),
        (None, None),
    ],
)
def test_a_packed_response_id_is_opened(told: str | None, own: str | None) -> None:
    assert own_id(told) == own
