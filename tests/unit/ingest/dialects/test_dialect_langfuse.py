import json

import pytest
from tests.unit.ingest.by_hand import chat, interactions, one, said, span

from seakeeping.records import Document, Json


def generation(**told: Json) -> dict[str, Json]:
    return {
        "langfuse.observation.type": "generation",
        "langfuse.observation.input": json.dumps([{"role": "user", "content": "Which port?"}]),
        "langfuse.observation.output": json.dumps({"role": "assistant", "content": "Bergen."}),
        "langfuse.observation.model.name": "gpt-4o-2024-08-06",
        **{f"langfuse.observation.{name}": value for name, value in told.items()},
    }


def test_a_generation_is_a_call_whatever_the_shape_of_its_text() -> None:
    found = one(span(generation()))
    assert found.input_messages == (said("user", "Which port?"),)
    assert found.answer_text == "Bergen."
    plain = one(span(generation(input="Which port?", output="Bergen.")))
    assert (plain.input_messages, plain.answer_text) == (found.input_messages, "Bergen.")


def test_an_answer_that_is_json_stays_as_it_was_written() -> None:
    answer = '{"port":  "Bergen"}'
    assert one(span(generation(output=answer))).answer_text == answer


def test_usage_of_langchain_leaves_cached_tokens_out_of_the_input() -> None:
    usage: dict[str, Json] = {"input": 100, "output": 20, "input_cache_read": 300, "total": 420}
    found = one(span(generation(usage_details=json.dumps(usage))))
    assert (found.input_tokens, found.output_tokens, found.cache_read_tokens) == (400, 20, 300)


def test_usage_of_openai_has_cached_tokens_in_the_input() -> None:
    usage: dict[str, Json] = {
        "prompt_tokens": 400, "completion_tokens": 20, "total_tokens": 420,
        "prompt_tokens_details": {"cached_tokens": 300},
        "completion_tokens_details": {"reasoning_tokens": 8},
    }  # fmt: skip
    found = one(span(generation(usage_details=json.dumps(usage))))
    assert (found.input_tokens, found.cache_read_tokens, found.reasoning_tokens) == (400, 300, 8)


def test_the_first_token_is_a_quoted_time() -> None:
    told = span(generation(completion_start_time='"2027-01-15T08:00:00.250000Z"'))
    found = one(told)
    assert found.time_to_first_token_s == pytest.approx(0.25)
    assert found.streaming is True


def test_an_error_level_is_an_error_and_its_text_tells_the_status() -> None:
    told = generation(level="ERROR", status_message="Error code: 429 - slow down", output=None)
    found = one(span(told))
    assert found.error_type == "rate_limit"
    assert found.attributes["http.response.status_code"] == 429
    assert not found.is_answer


def test_only_a_dated_model_is_told_so_the_asked_one_is_derived_and_marked() -> None:
    found = one(span(generation()))
    assert (found.request_model, found.response_model) == ("gpt-4o", "gpt-4o-2024-08-06")
    assert found.attributes["seakeeping.request_model"] == "derived"


def test_what_langchain_asked_for_is_known() -> None:
    told: dict[str, Json] = {"langfuse.observation.metadata.ls_model_name": '"gpt-4o"',
            "langfuse.observation.metadata.ls_provider": '"openai"'}  # fmt: skip
    found = one(span({**generation(), **told}))
    assert (found.request_model, found.provider) == ("gpt-4o", "openai")
    assert "seakeeping.request_model" not in found.attributes


def test_a_retriever_grounds_the_generation() -> None:
    retriever = span(
        {
            "langfuse.observation.type": "retriever",
            "langfuse.observation.input": "Which port?",
            "langfuse.observation.output": json.dumps([{"id": "1", "content": "Bergen"}]),
        },
        lasts=0.1,
    )
    found = one(retriever, span(generation(), at=1))
    assert found.documents == (Document("1", "Bergen"),)


def test_who_release_and_environment() -> None:
    told: dict[str, Json] = {
        "user.id": "u", "session.id": "s", "langfuse.release": "v7", "langfuse.environment": "prod",
        "langfuse.trace.metadata.tenant": '"acme"', "langfuse.observation.prompt.name": "ask",
        "langfuse.observation.prompt.version": 4,
    }  # fmt: skip
    found = one(span({**generation(), **told}))
    assert (found.user_id, found.conversation_id, found.tenant) == ("u", "s", "acme")
    assert (found.release, found.environment) == ("v7", "prod")
    assert (found.prompt_name, found.prompt_version) == ("ask", "4")


def test_a_plain_observation_is_no_call_but_one_with_a_model_call_below_it_is() -> None:
    plain: dict[str, Json] = {
        "langfuse.observation.type": "span",
        "langfuse.observation.output": "x",
    }
    assert interactions(span(plain)) == []
    call = chat("Hi", "Ho", more={"langfuse.observation.type": "span"})
    assert one(call).answer_text == "Ho"


def test_a_reply_that_is_handed_on_tells_its_response_id() -> None:
    reply: dict[str, Json] = {"content": "Bergen.", "additional_kwargs": {}, "response_metadata":
             {"id": "chatcmpl-7", "finish_reason": "stop"}, "type": "ai"}  # fmt: skip
    parser = span(
        {"langfuse.observation.type": "chain", "langfuse.observation.input": json.dumps(reply)},
        at=2,
    )
    found = one(span(generation()), parser)
    assert found.response_id == "chatcmpl-7"
    assert found.finish_reasons == ("stop",)
