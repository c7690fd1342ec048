import json

from tests.unit.ingest.by_hand import interactions, one, said, span

from seakeeping.records import Document, Json

REQUEST: dict[str, Json] = {
    "model": "gpt-4o",
    "messages": [{"role": "user", "content": "Which port?"}],
    "stream": False,
}
RESPONSE: dict[str, Json] = {
    "id": "chatcmpl-1", "model": "gpt-4o-2024-08-06", "object": "chat.completion",
    "choices": [{"index": 0, "finish_reason": "stop",
                 "message": {"role": "assistant", "content": "Bergen."}}],
    "usage": {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12},
}  # fmt: skip


def told(kind: str, given: Json, answered: Json, **more: Json) -> dict[str, Json]:
    return {
        "mlflow.spanType": json.dumps(kind),
        "mlflow.spanInputs": json.dumps(given),
        "mlflow.spanOutputs": json.dumps(answered),
        **{f"mlflow.{name.replace('__', '.')}": value for name, value in more.items()},
    }


def test_a_chat_model_is_a_call_read_from_request_and_response() -> None:
    found = one(span(told("CHAT_MODEL", REQUEST, RESPONSE)))
    assert found.input_messages == (said("user", "Which port?"),)
    assert found.answer_text == "Bergen."
    assert (found.request_model, found.response_model) == ("gpt-4o", "gpt-4o-2024-08-06")
    assert (found.response_id, found.finish_reasons) == ("chatcmpl-1", ("stop",))
    assert (found.input_tokens, found.output_tokens, found.streaming) == (9, 3, False)


def test_usage_model_provider_and_cost_have_attributes_of_their_own() -> None:
    usage = json.dumps({"input_tokens": 7, "output_tokens": 2, "total_tokens": 9})
    attributes = told(
        "LLM", "Which port?", "Bergen.", chat__tokenUsage=usage, llm__model='"claude-x"',
        llm__provider='"anthropic"', llm__cost='{"total_cost": 0.5}',
    )  # fmt: skip
    found = one(span(attributes))
    assert (found.input_tokens, found.request_model, found.cost_usd) == (7, "claude-x", 0.5)
    assert (found.provider, found.answer_text) == ("anthropic", "Bergen.")


def test_a_retriever_grounds_the_call() -> None:
    pages: list[Json] = [
        {"page_content": "Bergen is a port.", "metadata": {"doc_uri": "a.md"}, "id": "1"}
    ]
    retriever = span(told("RETRIEVER", {"query": "Which port?"}, pages), lasts=0.1)
    found = one(retriever, span(told("CHAT_MODEL", REQUEST, RESPONSE), at=1))
    assert found.documents == (Document("1", "Bergen is a port.", None, {"doc_uri": "a.md"}),)


def test_values_that_are_native_objects_are_read_too() -> None:
    attributes: dict[str, Json] = {"mlflow.spanType": "CHAT_MODEL", "mlflow.spanInputs": REQUEST,
                  "mlflow.spanOutputs": RESPONSE}  # fmt: skip
    assert one(span(attributes)).answer_text == "Bergen."


def test_chains_tools_and_agents_are_no_calls() -> None:
    kinds = ("CHAIN", "TOOL", "AGENT", "EMBEDDING", "PARSER", "UNKNOWN")
    assert interactions(*(span(told(kind, "a", "b")) for kind in kinds)) == []


def test_anthropic_and_langchain_outputs_are_read() -> None:
    message: dict[str, Json] = {
        "id": "msg_1", "type": "message", "role": "assistant", "stop_reason": "end_turn",
        "content": [{"type": "text", "text": "Bergen."}], "model": "claude-x",
        "usage": {"input_tokens": 5, "output_tokens": 2, "cache_read_input_tokens": 100},
    }  # fmt: skip
    found = one(span(told("CHAT_MODEL", REQUEST, message)))
    assert (found.answer_text, found.finish_reasons) == ("Bergen.", ("stop",))
    assert (found.input_tokens, found.cache_read_tokens) == (105, 100)
    generations: dict[str, Json] = {
        "generations": [[{"text": "Oslo.", "message": {"content": "Oslo.", "type": "ai"}}]]
    }
    assert one(span(told("CHAT_MODEL", REQUEST, generations))).answer_text == "Oslo."


def test_the_name_of_a_stream_is_no_answer() -> None:
    told: dict[str, Json] = {
        "mlflow.spanType": '"CHAT_MODEL"',
        "mlflow.spanInputs": json.dumps({"model": "claude-3-7-sonnet"}),
        "mlflow.spanOutputs": '"<anthropic.Stream object at 0x7f67f4299b90>"',
    }
    assert one(span(told)).output_messages is None


def test_the_answer_completes_the_usage() -> None:
    usage = {"prompt_tokens": 9, "completion_tokens": 7,
             "completion_tokens_details": {"reasoning_tokens": 5}}  # fmt: skip
    told: dict[str, Json] = {
        "mlflow.spanType": '"CHAT_MODEL"',
        "mlflow.chat.tokenUsage": '{"input_tokens": 9, "output_tokens": 7}',
        "mlflow.spanOutputs": json.dumps(
            {"choices": [{"message": {"role": "assistant", "content": "Oslo."}}], "usage": usage}
        ),
    }
    assert one(span(told)).reasoning_tokens == 5
