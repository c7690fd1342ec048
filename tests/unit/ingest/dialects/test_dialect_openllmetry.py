import json

import pytest
from tests.unit.ingest.by_hand import chat, interactions, one, said, span

from seakeeping.ingest.dialects.messages import text_in
from seakeeping.records import Document, Json

OLD: dict[str, Json] = {
    "llm.request.type": "chat",
    "gen_ai.system": "Anthropic",
    "gen_ai.request.model": "claude-sonnet-4-5",
    "gen_ai.prompt.0.role": "system",
    "gen_ai.prompt.0.content": "Be brief.",
    "gen_ai.prompt.1.role": "user",
    "gen_ai.prompt.1.content": "Which port?",
    "gen_ai.completion.0.role": "assistant",
    "gen_ai.completion.0.content": "Bergen.",
    "gen_ai.completion.0.finish_reason": "end_turn",
    "gen_ai.usage.prompt_tokens": 12,
    "gen_ai.usage.completion_tokens": 3,
}


def test_flattened_messages_are_read_in_the_order_of_their_index() -> None:
    more: dict[str, Json] = {f"gen_ai.prompt.{n}.role": "user" for n in range(2, 12)}
    more |= {f"gen_ai.prompt.{n}.content": f"turn {n}" for n in range(2, 12)}
    found = one(span({**more, **OLD}))
    assert found.system_instructions == "Be brief."
    texts = [text_in(message) for message in found.input_messages or ()]
    assert texts == ["Which port?", *(f"turn {n}" for n in range(2, 12))]


def test_provider_finish_reason_and_tokens_take_their_normal_form() -> None:
    found = one(span(OLD))
    assert found.provider == "anthropic"
    assert found.finish_reasons == ("stop",)
    assert (found.input_tokens, found.output_tokens) == (12, 3)
    assert found.attributes["gen_ai.system"] == "Anthropic"


def test_blocks_that_were_spelled_as_json_are_opened() -> None:
    blocks = json.dumps([{"type": "text", "text": "Look:"}, {"type": "image_url", "image_url": {}}])
    found = one(span({**OLD, "gen_ai.prompt.1.content": blocks}))
    assert found.input_messages is not None
    parts = found.input_messages[0]["parts"]
    assert isinstance(parts, list)
    assert parts[0] == {"type": "text", "content": "Look:"}
    assert len(parts) == 2


def test_a_user_text_that_is_json_stays_a_text() -> None:
    found = one(span({**OLD, "gen_ai.prompt.1.content": '[{"city": "Bergen"}]'}))
    assert found.input_messages == (said("user", '[{"city": "Bergen"}]'),)


def test_functions_become_tool_definitions() -> None:
    schema = {"type": "object", "properties": {}}
    found = one(
        span(
            {
                **OLD,
                "llm.request.functions.0.name": "lookup",
                "llm.request.functions.0.description": "Find it",
                "llm.request.functions.0.parameters": json.dumps(schema),
            }
        )
    )
    expected = {
        "type": "function",
        "name": "lookup",
        "description": "Find it",
        "parameters": schema,
    }
    assert found.tool_definitions == (expected,)


@pytest.mark.parametrize("name", ["retrieve_documents", "VectorStoreRetriever", "search_kb"])
def test_the_output_of_a_task_that_retrieves_grounds_the_call_after_it(name: str) -> None:
    task = span(
        {
            "traceloop.span.kind": "task",
            "traceloop.entity.name": name,
            "traceloop.entity.input": json.dumps({"args": ["Which port?"], "kwargs": {}}),
            "traceloop.entity.output": json.dumps(["Bergen is a port."]),
        },
        lasts=0.1,
    )
    found = one(task, chat("Which port?", "Bergen.", at=1))
    assert found.documents == (Document(None, "Bergen is a port."),)
    assert found.attributes["gen_ai.retrieval.query.text"] == "Which port?"


def test_a_task_that_formats_is_no_retrieval() -> None:
    task = span(
        {
            "traceloop.span.kind": "task",
            "traceloop.entity.name": "format_docs",
            "traceloop.entity.output": json.dumps(["Bergen is a port."]),
        },
        lasts=0.1,
    )
    assert one(task, chat("Which port?", "Bergen.", at=1)).documents == ()


def test_a_workflow_that_names_a_model_is_no_call() -> None:
    workflow = span(
        {
            "traceloop.span.kind": "workflow",
            "traceloop.entity.name": "answer",
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.request.model": "gpt-4o",
        }
    )
    assert interactions(workflow) == []


def test_association_properties_tell_who_and_where() -> None:
    prefix = "traceloop.association.properties."
    told: dict[str, Json] = {
        prefix + "user_id": "u1",
        prefix + "session_id": "s1",
        prefix + "tenant": "t1",
    }
    found = one(span({**OLD, **told, "traceloop.prompt.key": "ask", "traceloop.prompt.version": 3}))
    assert (found.user_id, found.conversation_id, found.tenant) == ("u1", "s1", "t1")
    assert (found.prompt_name, found.prompt_version) == ("ask", "3")
    assert found.attributes["session.id"] == "s1"


def test_a_framework_is_no_provider_but_may_tell_one() -> None:
    properties: dict[str, Json] = {"traceloop.association.properties.ls_provider": "openai"}
    told = chat("Hi", "Ho", more={"gen_ai.provider.name": "langchain", **properties,
                                  "traceloop.workflow.name": "w"})  # fmt: skip
    assert one(told).provider == "openai"
    untold = one(chat("Hi", "Ho", more={"gen_ai.provider.name": "langchain"}))
    assert (untold.provider, untold.attributes["seakeeping.provider"]) == ("openai", "derived")
    own = {"gen_ai.provider.name": "langchain", "gen_ai.request.model": "my-model"}
    assert one(chat("Hi", "Ho", more=own)).provider is None


def test_chunks_of_a_stream_tell_the_first_token() -> None:
    chunks: list[tuple[str, float, dict[str, Json]]] = [
        ("llm.content.completion.chunk", at, {}) for at in (0.4, 0.6)
    ]
    found = one(span({**OLD, "llm.is_streaming": True}, events=chunks))
    assert found.time_to_first_token_s == pytest.approx(0.4)
    assert found.streaming is True


def test_a_tool_call_keeps_its_arguments_as_an_object() -> None:
    found = one(
        span(
            {
                **{k: v for k, v in OLD.items() if k != "gen_ai.completion.0.content"},
                "gen_ai.completion.0.finish_reason": "tool_use",
                "gen_ai.completion.0.tool_calls.0.id": "c1",
                "gen_ai.completion.0.tool_calls.0.name": "lookup",
                "gen_ai.completion.0.tool_calls.0.arguments": '{"port": "Bergen"}',
            }
        )
    )
    call = {"type": "tool_call", "id": "c1", "name": "lookup", "arguments": {"port": "Bergen"}}
    assert found.output_messages == ({"role": "assistant", "parts": [call]},)
    assert not found.is_answer
    assert found.finish_reasons == ("tool",)


def test_the_cost_that_a_proxy_tells_is_kept() -> None:
    assert one(span({**OLD, "gen_ai.cost.total_cost": 0.25})).cost_usd == 0.25
    assert one(span({**OLD, "gen_ai.usage.cost": 0})).cost_usd is None


def test_completions_are_text_completions() -> None:
    assert one(span({**OLD, "llm.request.type": "completion"})).operation == "text_completion"
    assert interactions(span({**OLD, "llm.request.type": "embedding"})) == []


def test_an_anthropic_chat_that_is_called_a_completion_is_a_chat() -> None:
    asked: dict[str, Json] = {**OLD, "llm.request.type": "completion"}
    assert one(span(asked, name="anthropic.chat")).operation == "chat"
    assert one(span(asked, name="openai.completion")).operation == "text_completion"


def test_what_the_model_thought_is_no_answer() -> None:
    thought: dict[str, Json] = {
        "gen_ai.completion.0.role": "thinking",
        "gen_ai.completion.0.content": "A port in the west.",
        "gen_ai.completion.1.role": "assistant",
        "gen_ai.completion.1.content": "Bergen.",
    }
    found = one(span({**OLD, **thought}))
    assert found.answer_text == "Bergen."
    assert found.output_messages is not None
    (message,) = found.output_messages
    assert message["parts"] == [
        {"type": "reasoning", "content": "A port in the west."},
        {"type": "text", "content": "Bergen."},
    ]


def test_thoughts_without_an_answer_are_kept() -> None:
    found = one(span({**OLD, "gen_ai.completion.0.role": "thinking"}))
    assert found.answer_text is None
    assert found.output_messages is not None


def test_a_refusal_is_the_answer_and_a_filtered_one_says_nothing() -> None:
    bare = {k: v for k, v in OLD.items() if k != "gen_ai.completion.0.content"}
    assert one(span({**bare, "gen_ai.completion.0.refusal": "No."})).answer_text == "No."
    filtered = {
        "gen_ai.completion.0.content": "FILTERED",
        "gen_ai.completion.0.finish_reason": "content_filter",
    }
    assert one(span({**OLD, **filtered})).answer_text is None


def test_the_properties_of_a_trace_are_read_on_spans_of_other_libraries() -> None:
    properties: dict[str, Json] = {
        "traceloop.association.properties.user_id": "u1",
        "traceloop.association.properties.session_id": "s1",
    }
    found = one(chat("Which port?", "Bergen.", more=properties))
    assert (found.user_id, found.conversation_id) == ("u1", "s1")
