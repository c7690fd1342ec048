import json

import pytest
from tests.unit.ingest.by_hand import chat, interactions, one, said, span

from seakeeping.ingest.dialects import content_hint, is_step, read
from seakeeping.records import Document, Json


def test_a_span_that_names_a_model_and_tokens_is_a_call() -> None:
    told: dict[str, Json] = {
        "llm.request.model": "gpt-4o", "llm.vendor": "OpenAI", "llm.usage.prompt_tokens": 3,
        "llm.usage.completion_tokens": 2, "llm.prompt.0.role": "user", "llm.prompt.0.content": "Hi",
        "llm.completion.0.content": "Ho",
    }  # fmt: skip
    found = one(span(told))
    assert (found.request_model, found.provider, found.operation) == ("gpt-4o", "openai", "chat")
    assert (found.input_tokens, found.output_tokens) == (3, 2)
    assert found.input_messages == (said("user", "Hi"),)
    assert found.answer_text == "Ho"
    assert found.attributes["seakeeping.dialect"] == "fallback"


def test_a_span_that_only_names_a_model_is_none() -> None:
    assert interactions(span({"model_name": "resnet50"})) == []


def test_plain_prompt_and_completion_are_read() -> None:
    told: dict[str, Json] = {
        "llm.model": "m",
        "prompt": "Hi",
        "completion": "Ho",
        "llm.vendor": "x",
    }
    found = one(span(told))
    assert (found.input_messages, found.answer_text) == ((said("user", "Hi"),), "Ho")


def test_content_in_a_place_of_its_own_completes_a_known_dialect() -> None:
    request = {"model": "gemini-2", "config": {"system_instruction": "Be brief."},
               "contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}  # fmt: skip
    response = {"content": {"role": "model", "parts": [{"text": "Ho"}]}}
    told: dict[str, Json] = {
        "gcp.vertex.agent.llm_request": json.dumps(request),
        "gcp.vertex.agent.llm_response": json.dumps(response),
        "gen_ai.system": "gcp.vertex.agent",
    }
    found = one(chat(more=told))
    assert found.input_messages == (said("user", "Hi"),)
    assert (found.system_instructions, found.answer_text) == ("Be brief.", "Ho")


def test_results_of_a_vector_store_ground_the_call_after_it() -> None:
    row: dict[str, Json] = {
        "db.query.result.id": "d1", "db.query.result.document": "Bergen is a port.",
        "db.query.result.score": 0.5, "db.query.result.metadata": '{"page": 3}',
        "db.query.result.vector": "[0.1, 0.2]",
    }  # fmt: skip
    store = span({"db.system": "chroma"}, lasts=0.1, events=[("db.query.result", 0.05, row)])
    found = one(store, chat("Which?", "Bergen.", at=1))
    assert found.documents == (Document("d1", "Bergen is a port.", 0.5, {"page": 3}),)


def test_other_database_spans_are_no_step() -> None:
    plain = span({"db.system": "postgresql", "db.statement": "select 1"})
    failed = span({"db.system": "postgresql"}, events=[("exception", 0.1, {})])
    assert read(plain) is None
    assert read(failed) is None


def test_spans_of_no_ai_library_are_told_apart_by_one_look() -> None:
    assert not is_step({"http.request.method": "GET", "http.route": "/"})
    assert is_step(chat().attributes)
    assert read(span({"http.request.method": "GET"})) is None


@pytest.mark.parametrize(
    "dialect",
    ["otel-genai", "openinference", "openllmetry", "langfuse", "langsmith", "logfire", "vercel-ai",
     "mlflow", "fallback"],
)  # fmt: skip
def test_each_dialect_says_what_to_set_for_content(dialect: str) -> None:
    assert content_hint(dialect)
    assert content_hint("no such dialect") is None
