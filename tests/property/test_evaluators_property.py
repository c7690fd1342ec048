"""Ours over whatever hypothesis thinks of: never an exception, never a place outside the text."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seakeeping.evaluate.contract import (
    check_determinism,
    check_findings,
    check_json,
    check_order,
    check_result,
    plain_call,
)
from seakeeping.evaluate.registry import load_evaluators
from seakeeping.protocols import Evaluator
from seakeeping.records import Document, FinishReason, Interaction, Json, JsonObject

OURS = ("faithfulness", "refusal", "response_validity")

pieces = st.sampled_from(
    [
        "The tide rises at noon. ", "Paris is the capital of France. ", "1,000 ", "[1][2] ",
        "\n", "- item\n", "1. first 2. second ", "```json\n", "```\n", '{"a": ', "}",
        "“quoted words here” ", "I'm sorry, but I can't ", "The documents do not mention ",
        "https://a.example/b ", "天空是藍色的。", "ท้องฟ้า", "السماء ", "e.g. ", "Dr. ",
        "?", "!", "\u0301", "\u200d", "İ", "\x00", "Anne Kerjean ",
    ]
)  # fmt: skip
texts = st.lists(pieces | st.text(max_size=12), max_size=14).map("".join)
scalars = st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=False) | texts
values: st.SearchStrategy[Json] = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
parts: st.SearchStrategy[JsonObject] = st.fixed_dictionaries(
    {"type": st.sampled_from(["text", "tool_call", "tool_call_response", "reasoning", "blob"])},
    optional={
        "content": values,
        "response": values,
        "arguments": values,
        "name": st.sampled_from(["weather", "time"]) | values,
        "id": values,
    },
)
messages: st.SearchStrategy[JsonObject] = st.fixed_dictionaries(
    {
        "role": st.sampled_from(["user", "assistant", "tool", "system"]) | values,
        "parts": st.lists(parts, max_size=3) | values,
    }
)
tools: st.SearchStrategy[JsonObject] = st.fixed_dictionaries(
    {"name": st.sampled_from(["weather", "time"]) | values}, optional={"parameters": values}
)
attributes: st.SearchStrategy[JsonObject] = st.dictionaries(
    st.sampled_from(["gen_ai.output.type", "llm.invocation_parameters", "ai.schema", "x"]),
    st.just("json") | values,
    max_size=3,
)


@st.composite
def calls(draw: st.DrawFn) -> Interaction:
    """Draw a model call of which any part may be missing or odd."""
    several = st.none() | st.lists(messages, max_size=3).map(tuple)
    contents = draw(st.lists(st.none() | texts, max_size=3))
    return replace(
        plain_call(number=draw(st.integers(0, 1000))),
        answer_text=draw(st.none() | texts),
        is_answer=draw(st.booleans() | st.just(True)),
        error_type=draw(st.sampled_from([None, None, None, "Timeout"])),
        operation=draw(st.sampled_from(["chat", "chat", "text_completion", "embeddings"])),
        system_instructions=draw(st.none() | texts),
        input_messages=draw(several),
        output_messages=draw(several),
        documents=tuple(Document(None, content) for content in contents),
        tool_definitions=draw(st.none() | st.lists(tools, max_size=2).map(tuple)),
        finish_reasons=tuple(draw(st.lists(st.sampled_from(FinishReason), max_size=2))),
        attributes=draw(attributes),
    )


@pytest.mark.parametrize("evaluator", load_evaluators(OURS), ids=lambda e: str(e.name))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(batch=st.lists(calls(), max_size=4))
def test_any_call_is_judged_or_skipped_with_a_reason(
    evaluator: Evaluator, batch: list[Interaction]
) -> None:
    evaluations = list(evaluator.evaluate(batch))
    check_order(evaluator, batch, evaluations)
    for call, evaluation in zip(batch, evaluations, strict=True):
        check_result(evaluation)
        check_findings(call, evaluation)
        check_json(evaluation)
    check_determinism(evaluator, batch, evaluations)
