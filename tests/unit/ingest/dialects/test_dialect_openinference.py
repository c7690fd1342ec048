import json

import pytest
from tests.unit.ingest.by_hand import Bench, chat, interactions, one, said, span

from seakeeping.ingest.assemble import Assembled
from seakeeping.ingest.dialects.documents import documents_of
from seakeeping.records import Document, Json


def llm(**told: Json) -> dict[str, Json]:
    return {
        "openinference.span.kind": "LLM",
        "llm.model_name": "gpt-4o-2024-08-06",
        "llm.provider": "openai",
        "llm.invocation_parameters": json.dumps({"model": "gpt-4o", "stream": True}),
        "llm.input_messages.0.message.role": "user",
        "llm.input_messages.0.message.content": "Which port?",
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.content": "Bergen.",
        **{name.replace("__", "."): value for name, value in told.items()},
    }


def test_flattened_keys_make_a_call() -> None:
    found = one(span(llm()))
    assert found.input_messages == (said("user", "Which port?"),)
    assert (found.answer_text, found.provider) == ("Bergen.", "openai")
    assert (found.request_model, found.response_model) == ("gpt-4o", "gpt-4o-2024-08-06")
    assert found.streaming is True


@pytest.mark.parametrize("kind", ["CHAIN", "TOOL", "AGENT", "EMBEDDING", "EVALUATOR", "x"])
def test_other_kinds_are_no_calls_though_they_repeat_one(kind: str) -> None:
    assert interactions(span(llm(openinference__span__kind=kind))) == []


def test_contents_and_images_are_parts() -> None:
    prefix = "llm.input_messages.0.message.contents."
    told = llm(llm__input_messages__0__message__content=None)
    told |= {
        prefix + "0.message_content.type": "text",
        prefix + "0.message_content.text": "What is this?",
        prefix + "1.message_content.type": "image",
        prefix + "1.message_content.image.image.url": "https://x.test/a.png",
    }
    found = one(span(told))
    assert found.input_messages is not None
    parts = found.input_messages[0]["parts"]
    assert isinstance(parts, list)
    assert parts[0] == {"type": "text", "content": "What is this?"}
    assert "https://x.test/a.png" in repr(parts[1])


def test_prompts_and_choices_are_a_text_completion() -> None:
    told: dict[str, Json] = {
        "openinference.span.kind": "LLM",
        "llm.prompts.0.prompt.text": "Once",
        "llm.choices.0.completion.text": " upon a time",
    }
    found = one(span(told))
    assert found.operation == "text_completion"
    assert found.input_messages == (said("user", "Once"),)
    assert found.answer_text == " upon a time"


def test_whole_values_stand_in_where_flattened_keys_are_missing() -> None:
    request = {"messages": [{"role": "user", "content": "Which port?"}], "model": "gpt-4o"}
    choice = {"message": {"content": "Bergen."}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 3, "completion_tokens": 2}
    answer = {"id": "chatcmpl-1", "choices": [choice], "usage": usage}
    told: dict[str, Json] = {
        "openinference.span.kind": "LLM",
        "input.value": json.dumps(request),
        "output.value": json.dumps(answer),
    }
    found = one(span(told))
    assert found.input_messages == (said("user", "Which port?"),)
    assert (found.answer_text, found.response_id) == ("Bergen.", "chatcmpl-1")
    assert (found.input_tokens, found.output_tokens) == (3, 2)


def test_the_event_of_the_first_token_tells_its_time() -> None:
    found = one(span(llm(), events=[("First Token Stream Event", 0.4, {})]))
    assert found.time_to_first_token_s == pytest.approx(0.4)


def test_costs_and_details_of_tokens() -> None:
    told = llm(
        llm__token_count__prompt=100,
        llm__token_count__completion=20,
        llm__token_count__prompt_details__cache_read=80,
        llm__token_count__completion_details__reasoning=5,
        llm__cost__total=0.25,
    )
    found = one(span(told))
    assert (found.input_tokens, found.output_tokens) == (100, 20)
    assert (found.cache_read_tokens, found.reasoning_tokens, found.cost_usd) == (80, 5, 0.25)


def documents(prefix: str, *texts: str) -> dict[str, Json]:
    told: dict[str, Json] = {}
    for n, text in enumerate(texts):
        told[f"{prefix}.{n}.document.content"] = text
        told[f"{prefix}.{n}.document.id"] = text[:1]
    return told


def test_the_output_of_a_reranker_replaces_what_it_was_given() -> None:
    root = span({"openinference.span.kind": "CHAIN"}, lasts=9)
    found_by: dict[str, Json] = {"openinference.span.kind": "RETRIEVER", "input.value": "Which?"}
    retriever = span(found_by | documents("retrieval.documents", "a text", "b text"), under=root,
                     lasts=0.1)  # fmt: skip
    ranked: dict[str, Json] = {"openinference.span.kind": "RERANKER", "reranker.query": "Which?"}
    reranker = span(ranked | documents("reranker.output_documents", "b text"), under=root, at=0.2,
                    lasts=0.1)  # fmt: skip
    call = span(llm(), under=root, at=1)
    for order in ([root, retriever, reranker, call], [call, reranker, retriever, root]):
        assert one(*order).documents == (Document("b", "b text"),)


def test_metadata_of_documents_is_opened() -> None:
    told: dict[str, Json] = {
        "openinference.span.kind": "RETRIEVER",
        "retrieval.documents.0.document.content": "a text",
        "retrieval.documents.0.document.metadata": '{"source": "a.md"}',
    }
    found = one(span(told, lasts=0.1), span(llm(), at=1))
    assert found.documents == (Document(None, "a text", None, {"source": "a.md"}),)


def add(*spans: dict[str, Json]) -> Assembled:
    return Bench().add(*(span(attributes) for attributes in spans))


@pytest.mark.parametrize("prefix", ["annotations.0.annotation.", "evaluations.0.evaluation."])
def test_annotations_are_foreign_evaluations(prefix: str) -> None:
    told = llm() | {prefix + "name": "relevance", prefix + "score": 0.8, prefix + "label": "good",
                    prefix + "explanation": "fits"}  # fmt: skip
    (found,) = add(told).evaluations
    assert (found.name, found.score_value, found.score_label) == ("relevance", 0.8, "good")
    assert (found.explanation, found.evaluator) == ("fits", "external:scope")


def test_an_annotation_without_a_result_is_none() -> None:
    assert add(llm() | {"annotations.0.annotation.name": "relevance"}).evaluations == []


def test_a_span_with_common_names_too_fills_in_what_is_missing() -> None:
    told = llm() | {"gen_ai.response.id": "chatcmpl-9", "gen_ai.usage.input_tokens": 7}
    found = one(span(told))
    assert (found.response_id, found.input_tokens) == ("chatcmpl-9", 7)


def test_errors_in_an_exception_event_tell_their_status() -> None:
    exception: dict[str, Json] = {
        "exception.type": "openai.RateLimitError",
        "exception.message": "Error code: 429 - {'error': {'message': 'slow down'}}",
    }
    found = one(span(llm(), status="error", events=[("exception", 0.9, exception)]))
    assert found.error_type == "rate_limit"
    assert found.attributes["http.response.status_code"] == 429
    assert found.attributes["error.type"] == "openai.RateLimitError"


def test_a_guardrails_call_is_no_answer() -> None:
    guard = span({"openinference.span.kind": "GUARDRAIL"}, lasts=3)
    assert not one(guard, span(llm(), under=guard, at=1)).is_answer


def test_a_flattened_tool_turn_is_a_response() -> None:
    prefix = "llm.input_messages.1.message."
    told = llm() | {
        prefix + "role": "tool",
        prefix + "content": "sunny",
        prefix + "tool_call_id": "c",
    }
    found = one(span(told))
    assert found.input_messages is not None
    response = {"type": "tool_call_response", "id": "c", "response": "sunny"}
    assert found.input_messages[1] == {"role": "tool", "parts": [response]}


def test_the_dialect_is_known_by_its_keys_not_by_its_scope() -> None:
    found = one(span(llm(), scope="opentelemetry.instrumentation.openai_v2"))
    assert found.attributes["seakeeping.dialect"] == "openinference"
    assert (
        one(chat("Hi", "Ho", scope="openinference")).attributes["seakeeping.dialect"]
        == "otel-genai"
    )


def test_a_text_told_as_block_and_as_content_is_one_text() -> None:
    at = "llm.output_messages.0.message."
    told: dict[str, Json] = {
        "openinference.span.kind": "LLM",
        at + "role": "assistant",
        at + "content": "Bergen.",
        at + "contents.0.message_content.type": "text",
        at + "contents.0.message_content.text": "Bergen.",
    }
    assert one(span(told)).answer_text == "Bergen."


def test_an_answer_of_calls_alone_did_not_just_stop() -> None:
    call = "llm.output_messages.0.message.tool_calls.0.tool_call."
    told: dict[str, Json] = {
        "openinference.span.kind": "LLM",
        "llm.finish_reason": "stop",
        call + "id": "c",
        call + "function.name": "f",
        call + "function.arguments": "{}",
    }
    assert one(span(told)).finish_reasons == ("tool",)


def test_the_asked_model_is_derived_where_the_parameters_are_the_answer_s() -> None:
    parameters = {"id": "resp_1", "created_at": 1.0, "model": "gpt-4o-2024-08-06"}
    told: dict[str, Json] = {
        "openinference.span.kind": "LLM",
        "llm.model_name": "gpt-4o-2024-08-06",
        "llm.invocation_parameters": json.dumps(parameters),
    }
    found = one(span(told))
    assert (found.request_model, found.response_model) == ("gpt-4o", "gpt-4o-2024-08-06")
    assert found.attributes["seakeeping.request_model"] == "derived"


def test_messages_of_the_inner_call_stand_for_a_framework_s_arguments() -> None:
    outer = span({"openinference.span.kind": "LLM", "input.value": '{"prompt": "Template(...)"}'},
                 lasts=2.0)  # fmt: skip
    told: dict[str, Json] = {
        "openinference.span.kind": "LLM",
        "llm.input_messages.0.message.role": "user",
        "llm.input_messages.0.message.content": "Which port?",
    }
    (found,) = interactions(outer, span(told, at=0.5, under=outer))
    assert found.span_id == outer.span_id
    assert found.input_messages == (said("user", "Which port?"),)


def test_prompts_in_one_list_are_the_input() -> None:
    told: dict[str, Json] = {
        "openinference.span.kind": "LLM",
        "llm.prompts": ["Go on"],
        "input.value": '{"args": ["Go on"]}',
    }
    assert one(span(told)).input_messages == (said("user", "Go on"),)


def test_names_of_objects_in_memory_are_no_documents() -> None:
    assert documents_of('["<NodeWithScore(node=TextNode(id_=1), score=1.0)>"]') == ()
    assert [d.content for d in documents_of('["<b>Refunds</b>"]')] == ["<b>Refunds</b>"]


@pytest.mark.parametrize("is_late", [False, True])
def test_whom_a_call_is_for_may_stand_on_the_run_above_it_alone(is_late: bool) -> None:
    run = span({"openinference.span.kind": "AGENT", "user.id": "u1", "session.id": "s1"}, lasts=3)
    call = span({"openinference.span.kind": "LLM", "output.value": "Oslo."}, at=1, under=run)
    bench = Bench()
    for given in (call, run) if is_late else (run, call):
        bench.add(given)
    (found,) = bench.final()
    assert (found.user_id, found.conversation_id) == ("u1", "s1")


def test_what_a_call_says_of_its_user_goes_before_the_run_above_it() -> None:
    run = span({"openinference.span.kind": "AGENT", "user.id": "u1", "session.id": "s1"}, lasts=3)
    told: dict[str, Json] = {"openinference.span.kind": "LLM", "user.id": "u2"}
    (found,) = interactions(run, span(told, at=1, under=run))
    assert (found.user_id, found.conversation_id) == ("u2", "s1")
