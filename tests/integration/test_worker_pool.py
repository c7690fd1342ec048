"""The pool over real worker processes."""

from collections.abc import Iterator

import pytest

from seakeeping.evaluate.pool import WorkerPool
from seakeeping.records import Document, Interaction


def call(number: int = 1, answer: str | None = "Paris is the capital of France.") -> Interaction:
    documents = (Document("d", "Paris has been the capital of France since 987."),)
    return Interaction(
        trace_id=f"{number:032x}", span_id=f"{number:016x}", parent_span_id=None, started_at=0.0,
        duration_s=1.0, time_to_first_token_s=None, streaming=None, operation="chat",
        provider="openai", request_model="m", response_model="m", response_id=None,
        service_name="shop", service_version=None, environment=None, system_instructions=None,
        input_messages=None,
        output_messages=({"role": "assistant", "parts": [{"type": "text", "content": answer}]},),
        answer_text=answer, is_answer=True, tool_definitions=None, documents=documents,
        input_tokens=None, output_tokens=None, cache_read_tokens=None, reasoning_tokens=None,
        cost_usd=None, finish_reasons=("stop",), error_type=None, conversation_id=None,
        user_id=None, tenant=None, route=None, region=None, prompt_name=None, prompt_version=None,
        release=None,
    )  # fmt: skip


@pytest.fixture(scope="module")
def pool() -> Iterator[WorkerPool]:
    with WorkerPool(workers=1) as started:
        yield started


def test_every_call_gets_one_evaluation_from_every_evaluator(pool: WorkerPool) -> None:
    calls = [call(number) for number in range(200)]
    evaluations = pool.score(calls)
    names = [facts.name for facts in pool.evaluators]
    expected = [(*c.key, name, name) for c in calls for name in names]
    assert [evaluation.key for evaluation in evaluations] == expected
