import json

import pytest
from tests.unit.ingest.by_hand import Bench, chat, event, interactions, one, said, span

from seakeeping.records import Document, Json

STRANDS: dict[str, Json] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.system": "strands-agents",
    "gen_ai.request.model": "us.anthropic.claude-sonnet-4",
    "gen_ai.usage.input_tokens": 10,
    "gen_ai.usage.output_tokens": 4,
    "gen_ai.server.time_to_first_token": 229,
}


def test_native_values_are_read_as_json_strings_are() -> None:
    turns: list[Json] = [said("user", "Which port?")]
    native = chat(more={"gen_ai.input.messages": turns, "gen_ai.output.messages": [said("a", "B")]})
    spelled = chat("Which port?")
    assert (
        one(native).input_messages == one(spelled).input_messages == (said("user", "Which port?"),)
    )
    assert one(native).answer_text == "B"


@pytest.mark.parametrize("name", ["gen_ai.provider.name", "gen_ai.system"])
def test_old_and_new_names_are_one(name: str) -> None:
    told: dict[str, Json] = {
        "gen_ai.operation.name": "chat", "gen_ai.request.model": "m", name: "az.ai.openai",
        "gen_ai.usage.prompt_tokens": 3, "gen_ai.usage.completion_tokens": 2,
        "gen_ai.usage.cache_read_input_tokens": 1, "gen_ai.usage.cache_creation.input_tokens": 1,
    }  # fmt: skip
    found = one(span(told))
    assert found.provider == "azure.ai.openai"
    assert (found.input_tokens, found.output_tokens, found.cache_read_tokens) == (3, 2, 1)
    assert found.attributes["gen_ai.usage.cache_write.input_tokens"] == 1


@pytest.mark.parametrize(
    "operation",
    ["embeddings", "execute_tool", "invoke_agent", "create_agent", "invoke_workflow", "plan",
     "fetch_response", "retrieval"],
)  # fmt: skip
def test_only_model_calls_are_interactions(operation: str) -> None:
    told: dict[str, Json] = {
        "gen_ai.operation.name": operation,
        "gen_ai.request.model": "m",
        "gen_ai.usage.input_tokens": 4,
    }
    assert interactions(span(told)) == []


@pytest.mark.parametrize("operation", ["chat", "text_completion", "generate_content"])
def test_every_kind_of_model_call_is_one(operation: str) -> None:
    told: dict[str, Json] = {"gen_ai.operation.name": operation, "gen_ai.request.model": "m"}
    assert one(span(told)).operation == operation


def test_a_call_without_an_operation_is_known_by_its_model() -> None:
    found = one(span({"gen_ai.system": "openai", "gen_ai.request.model": "gpt-4o"}))
    assert found.operation == "chat"
    assert interactions(span({"gen_ai.agent.name": "a", "gen_ai.system": "openai"})) == []


def test_span_events_with_blocks_as_json_are_messages() -> None:
    events: list[tuple[str, float, dict[str, Json]]] = [
        ("gen_ai.user.message", 0.0, {"content": '[{"text": "Weather?"}]'}),
        ("gen_ai.assistant.message", 0.1, {
            "content": '[{"toolUse": {"toolUseId": "t1", "name": "w", "input": {"c": "Oslo"}}}]'}),
        ("gen_ai.tool.message", 0.2, {
            "content": '[{"toolResult": {"toolUseId": "t1", "content": [{"text": "Rain"}]}}]'}),
        ("gen_ai.choice", 0.9, {
            "message": '[{"text": "Rain in Oslo."}]', "finish_reason": "end_turn"}),
    ]  # fmt: skip
    found = one(span(STRANDS, events=events))
    call = {"type": "tool_call", "id": "t1", "name": "w", "arguments": {"c": "Oslo"}}
    result = {"type": "tool_call_response", "id": "t1", "response": "Rain"}
    assert found.input_messages == (
        said("user", "Weather?"),
        {"role": "assistant", "parts": [call]},
        {"role": "tool", "parts": [result]},
    )
    assert (found.answer_text, found.finish_reasons) == ("Rain in Oslo.", ("stop",))


def test_a_first_token_in_milliseconds_is_known_by_its_size() -> None:
    assert one(span(STRANDS)).time_to_first_token_s == pytest.approx(0.229)
    seconds = {**STRANDS, "gen_ai.server.time_to_first_token": 0.4}
    assert one(span(seconds)).time_to_first_token_s == 0.4


def test_a_first_token_after_the_end_is_none() -> None:
    late = chat("Hi", "Ho", more={"gen_ai.response.time_to_first_chunk": 7.5})
    assert one(late).time_to_first_token_s is None
    huge = {**STRANDS, "gen_ai.server.time_to_first_token": 9_000_000}
    assert one(span(huge)).time_to_first_token_s is None
    negative = chat("Hi", "Ho", more={"gen_ai.response.time_to_first_chunk": -1})
    assert one(negative).time_to_first_token_s is None


def test_the_first_chunk_is_preferred_to_the_servers_first_token() -> None:
    told = {**STRANDS, "gen_ai.response.time_to_first_chunk": 0.5}
    assert one(span(told)).time_to_first_token_s == 0.5


def test_content_spelled_as_json_in_an_event_attribute_is_opened() -> None:
    events: list[tuple[str, float, dict[str, Json]]] = [
        ("gen_ai.user.message", 0.0, {"gen_ai.event.content": '{"content": "Which port?"}'}),
        ("gen_ai.choice", 0.5, {"gen_ai.event.content":
            '{"message": {"content": "Bergen."}, "finish_reason": "stop", "index": 0}'}),
    ]  # fmt: skip
    found = one(
        span({"gen_ai.system": "az.ai.inference", "gen_ai.operation.name": "chat"}, events=events)
    )
    assert found.input_messages == (said("user", "Which port?"),)
    assert (found.answer_text, found.provider) == ("Bergen.", "azure.ai.inference")


def test_prompt_and_completion_events_of_the_first_conventions() -> None:
    events: list[tuple[str, float, dict[str, Json]]] = [
        ("gen_ai.content.prompt", 0.0, {"gen_ai.prompt": '[{"role": "user", "content": "Hi"}]'}),
        ("gen_ai.content.completion", 0.9, {"gen_ai.completion": "Ho"}),
    ]
    call = chat()
    found = one(span(call.attributes, events=events))
    assert found.input_messages == (said("user", "Hi"),)
    assert found.answer_text == "Ho"


def test_a_details_event_on_the_span_is_read() -> None:
    details: dict[str, Json] = {
        "gen_ai.input.messages": [said("user", "Hi")],
        "gen_ai.output.messages": [said("assistant", "Ho")],
        "gen_ai.system_instructions": [{"type": "text", "content": "Be brief."}],
    }
    events = [("gen_ai.client.inference.operation.details", 0.9, details)]
    found = one(span(chat().attributes, events=events))
    assert (found.system_instructions, found.answer_text) == ("Be brief.", "Ho")


def test_several_choices_are_several_messages_and_the_first_is_the_answer() -> None:
    answered = json.dumps([said("assistant", "One."), said("assistant", "Two.")])
    found = one(chat("Hi", more={"gen_ai.output.messages": answered}))
    assert found.output_messages is not None
    assert len(found.output_messages) == 2
    assert found.answer_text == "One."


def test_text_parts_of_the_answer_are_joined_by_newline() -> None:
    parts = [{"type": "text", "content": "a"}, {"type": "reasoning", "content": "hm"},
             {"type": "text", "content": "b"}]  # fmt: skip
    told = json.dumps([{"role": "assistant", "parts": parts}])
    assert one(chat("Hi", more={"gen_ai.output.messages": told})).answer_text == "a\nb"


def test_leading_system_messages_become_the_system_instructions() -> None:
    turns = [said("system", "Be brief."), said("developer", "Be kind."), said("user", "Hi")]
    found = one(chat(turns, "Ho"))
    assert found.system_instructions == "Be brief.\nBe kind."
    assert found.input_messages == (said("user", "Hi"),)


def test_a_later_system_message_stays_where_it_was() -> None:
    turns = [said("user", "Hi"), said("system", "Now be kind.")]
    assert one(chat(turns, "Ho")).input_messages == tuple(turns)


def test_documents_on_the_call_itself_are_its_documents() -> None:
    told: dict[str, Json] = {
        "retrieval.documents.0.document.id": "d1",
        "retrieval.documents.0.document.content": "Bergen is a port.",
        "retrieval.documents.0.document.score": 0.5,
    }
    found = one(chat("Which?", "Bergen.", more=told))
    assert found.documents == (Document("d1", "Bergen is a port.", 0.5),)
    as_json = json.dumps([{"id": "d1", "content": "Bergen is a port.", "score": 0.5}])
    same = one(chat("Which?", "Bergen.", more={"gen_ai.retrieval.documents": as_json}))
    assert same.documents == found.documents


def test_documents_of_a_call_are_not_kept_twice() -> None:
    told: dict[str, Json] = {"retrieval.documents.0.document.content": "Bergen is a port."}
    found = Bench().add(chat("Which?", "Bergen.", more=told))
    assert "Bergen is a port." not in repr(found.spans)
    assert "Bergen is a port." in repr(found.interactions)


def test_metadata_alone_makes_a_full_interaction_that_says_what_to_set() -> None:
    found = one(
        chat(more={"gen_ai.usage.input_tokens": 9, "gen_ai.response.finish_reasons": ["stop"]})
    )
    assert found.input_messages is found.output_messages is None
    assert found.answer_text is None
    assert (found.input_tokens, found.finish_reasons) == (9, ("stop",))
    assert found.attributes["seakeeping.content"] == "not_captured"
    hint = found.attributes["seakeeping.content_hint"]
    assert "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT" in str(hint)
    assert found.is_answer


def test_a_call_that_stopped_for_a_tool_is_no_answer_even_without_content() -> None:
    assert not one(chat(more={"gen_ai.response.finish_reasons": ["tool_calls"]})).is_answer


def test_finish_reasons_as_a_json_string_are_a_list() -> None:
    assert one(chat(more={"gen_ai.response.finish_reasons": '["stop"]'})).finish_reasons == (
        "stop",
    )


def test_reasons_on_the_messages_are_taken_where_there_are_no_others() -> None:
    told = json.dumps([{**said("assistant", "x"), "finish_reason": "max_tokens"}])
    assert one(chat(more={"gen_ai.output.messages": told})).finish_reasons == ("length",)


def test_traffic_tenant_route_region_release_and_groups_are_attributes() -> None:
    told: dict[str, Json] = {
        "seakeeping.traffic": "shadow", "seakeeping.tenant": "acme", "seakeeping.route": "ask",
        "seakeeping.region": "eu", "seakeeping.release": "v2", "seakeeping.group.language": "nb",
        "seakeeping.group.tier": 1,
    }  # fmt: skip
    found = one(chat("Hi", "Ho", more=told))
    assert (found.traffic, found.tenant, found.route) == ("shadow", "acme", "ask")
    assert (found.region, found.release) == ("eu", "v2")
    assert found.groups == {"language": "nb", "tier": "1"}
    assert not any(key.startswith("seakeeping.group.") for key in found.attributes)


def test_traffic_may_stand_on_the_resource_and_unknown_traffic_is_live() -> None:
    call = chat("Hi", "Ho").attributes
    assert one(span(call, resource={"seakeeping.traffic": "probe"})).traffic == "probe"
    assert one(span({**call, "seakeeping.traffic": "nonsense"})).traffic == "live"


def test_the_caller_may_override_the_traffic() -> None:
    bench = Bench()
    bench.add(chat("Hi", "Ho"), traffic="challenge")
    assert [i.traffic for i in bench.final()] == ["challenge"]


def test_a_service_without_a_name_takes_that_of_the_span() -> None:
    call = {**chat("Hi", "Ho").attributes, "service.name": "shop"}
    assert one(span(call, service="unknown_service:python")).service_name == "shop"
    assert one(span(call, service="app")).service_name == "app"


def test_unknown_attributes_stay_and_canonical_ones_do_not_repeat() -> None:
    found = one(chat("Hi", "Ho", more={"my.own": 7, "gen_ai.request.temperature": 0.5}))
    assert (found.attributes["my.own"], found.attributes["gen_ai.request.temperature"]) == (7, 0.5)
    assert "gen_ai.request.model" not in found.attributes
    assert "gen_ai.input.messages" not in found.attributes


def test_the_sampling_weight_is_kept() -> None:
    assert one(span(chat("Hi", "Ho").attributes, weight=10.0)).sampling_weight == 10.0


def test_a_log_event_completes_its_span_before_or_after_it() -> None:
    call = chat()
    details: dict[str, Json] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.input.messages": [said("user", "Hi")],
        "gen_ai.output.messages": [said("assistant", "Ho")],
    }
    told = event("gen_ai.client.inference.operation.details", of=call, attributes=details)
    for is_span_first in (True, False):
        bench = Bench()
        bench.add(call if is_span_first else told)
        bench.add(told if is_span_first else call)
        (found,) = bench.final()
        assert (found.answer_text, found.started_at) == ("Ho", call.started_at)
        assert found.input_messages == (said("user", "Hi"),)


def test_message_events_with_bodies_are_put_in_order_of_time() -> None:
    call = chat()
    events = [
        event("gen_ai.choice", {"index": 0, "finish_reason": "stop", "message": {"content": "Ho"}},
              of=call, at=0.9),
        event("gen_ai.user.message", {"content": "Hi"}, of=call, at=0.2),
        event("gen_ai.system.message", {"content": "Be brief."}, of=call, at=0.1),
    ]  # fmt: skip
    found = one(*events, call)
    assert (found.system_instructions, found.answer_text) == ("Be brief.", "Ho")
    assert found.input_messages == (said("user", "Hi"),)


def test_an_event_that_comes_twice_counts_once() -> None:
    call = chat()
    told = event("gen_ai.user.message", {"content": "Hi"}, of=call)
    assert one(call, told, told).input_messages == (said("user", "Hi"),)


def test_events_alone_make_an_interaction_until_their_span_comes() -> None:
    told = event("gen_ai.choice", {"message": {"content": "Ho"}}, trace="a" * 32, span_id="b" * 16)
    found = one(told)
    assert (found.answer_text, found.duration_s) == ("Ho", None)


@pytest.mark.parametrize(
    "body", [None, "text", 3, [], {"message": 7}, {"message": {"content": [3]}}]
)
def test_odd_events_do_no_harm(body: Json) -> None:
    call = chat("Hi", "Ho")
    assert one(call, event("gen_ai.choice", body, of=call)).answer_text == "Ho"


def test_a_stream_without_usage_has_estimated_tokens_that_say_so() -> None:
    found = one(chat("Hi there", "Hello you", more={"gen_ai.request.stream": True}))
    assert (found.input_tokens, found.output_tokens, found.cost_usd) == (2, 3, None)
    assert found.attributes["seakeeping.tokens"] == "estimated"


def test_other_calls_without_usage_have_no_tokens() -> None:
    found = one(chat("Hi there", "Hello you"))
    assert (found.input_tokens, found.output_tokens) == (None, None)
    assert "seakeeping.tokens" not in found.attributes


def test_a_system_message_that_is_told_twice_is_one() -> None:
    messages = json.dumps([said("system", "Be brief."), said("user", "Which port?")])
    instructions = json.dumps([{"type": "text", "content": "Be brief."}])
    told: dict[str, Json] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.input.messages": messages,
        "gen_ai.system_instructions": instructions,
    }
    assert one(span(told)).system_instructions == "Be brief."
