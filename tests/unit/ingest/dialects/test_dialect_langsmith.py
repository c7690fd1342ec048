import json

import pytest
from tests.unit.ingest.by_hand import interactions, one, said, span

from seakeeping.records import Document, Json

MESSAGES: dict[str, Json] = {
    "messages": [
        [
            {"lc": 1, "type": "constructor", "id": ["langchain", "messages", "SystemMessage"],
             "kwargs": {"content": "Be brief.", "type": "system"}},
            {"lc": 1, "type": "constructor", "id": ["langchain", "messages", "HumanMessage"],
             "kwargs": {"content": "Which port?", "type": "human"}},
        ]
    ]
}  # fmt: skip
GENERATIONS: dict[str, Json] = {
    "generations": [
        [
            {
                "text": "Bergen.",
                "generation_info": {"finish_reason": "stop"},
                "message": {
                    "lc": 1,
                    "type": "constructor",
                    "id": ["langchain", "schema", "messages", "AIMessage"],
                    "kwargs": {
                        "content": "Bergen.",
                        "response_metadata": {
                            "id": "chatcmpl-1",
                            "model_name": "gpt-4o-2024-08-06",
                        },
                    },
                },
            }
        ]
    ]
}
CALL: dict[str, Json] = {
    "langsmith.span.kind": "llm",
    "gen_ai.operation.name": "chat",
    "gen_ai.system": "langchain",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.prompt": json.dumps(MESSAGES),
    "gen_ai.completion": json.dumps(GENERATIONS),
    "gen_ai.usage.input_tokens": 20,
    "gen_ai.usage.output_tokens": 5,
    "gen_ai.usage.total_tokens": 25,
    "gen_ai.usage.input_token_details": "{'audio': 0, 'cache_read': 12}",
    "langsmith.metadata.ls_provider": "openai",
    "langsmith.metadata.thread_id": "t1",
}


def test_run_inputs_and_outputs_of_langchain_become_messages() -> None:
    found = one(span(CALL))
    assert found.system_instructions == "Be brief."
    assert found.input_messages == (said("user", "Which port?"),)
    assert (found.answer_text, found.response_id) == ("Bergen.", "chatcmpl-1")
    assert (found.provider, found.response_model) == ("openai", "gpt-4o-2024-08-06")
    assert found.finish_reasons == ("stop",)
    assert found.conversation_id == "t1"


def test_details_spelled_as_python_are_read() -> None:
    found = one(span(CALL))
    assert (found.input_tokens, found.cache_read_tokens) == (20, 12)


def test_the_kind_is_trusted_over_the_operation() -> None:
    pages = {"documents": [{"page_content": "Bergen is a port.", "metadata": {"source": "a.md"}}]}
    retriever = span(
        {
            "langsmith.span.kind": "retriever",
            "gen_ai.operation.name": "embeddings",
            "gen_ai.prompt": json.dumps({"query": "Which port?"}),
            "gen_ai.completion": json.dumps(pages),
        },
        lasts=0.1,
    )
    found = one(retriever, span(CALL, at=1))
    assert found.documents == (Document(None, "Bergen is a port.", None, {"source": "a.md"}),)
    assert found.attributes["gen_ai.retrieval.query.text"] == "Which port?"


def test_a_chain_that_repeats_its_call_is_none() -> None:
    chain: dict[str, Json] = {
        **CALL,
        "langsmith.span.kind": "chain",
        "gen_ai.operation.name": "chain",
    }
    outer = span(chain, lasts=3)
    assert len(interactions(outer, span(CALL, under=outer, at=0.5))) == 1


@pytest.mark.parametrize("said_nothing", ['{"output": null}', "{}", '{"choices": []}'])
def test_outputs_that_hold_nothing_are_no_answer(said_nothing: str) -> None:
    found = one(span({**CALL, "gen_ai.completion": said_nothing}))
    assert found.output_messages is None


def test_a_filtered_answer_is_not_its_json() -> None:
    message = {"role": "assistant", "content": None}
    choice = {"index": 0, "finish_reason": "content_filter", "message": message}
    found = one(span({**CALL, "gen_ai.completion": json.dumps({"id": "1", "choices": [choice]})}))
    assert (found.answer_text, found.finish_reasons) == (None, ("filter",))
