"""Responses that cannot be used as they stand."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seakeeping.evaluate.contract import plain_call
from seakeeping.evaluate.validity import ResponseValidity, asked_for_json, flaws
from seakeeping.records import Interaction, Json, JsonObject

WEATHER: JsonObject = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "required": ["city"], "properties": {"city": {}}},
    },
}
FLAT: JsonObject = {"name": "time", "input_schema": {"type": "object"}}


def tool_call(name: Json, arguments: Json) -> Interaction:
    part: JsonObject = {"type": "tool_call", "id": "call-1", "name": name, "arguments": arguments}
    return replace(
        plain_call(),
        answer_text=None,
        is_answer=False,
        finish_reasons=("tool",),
        output_messages=({"role": "assistant", "parts": [part]},),
        tool_definitions=(WEATHER, FLAT),
    )


def found(call: Interaction) -> list[str]:
    return [flaw.reason for flaw in flaws(call)]


def test_an_ordinary_answer_is_valid() -> None:
    [evaluation] = ResponseValidity().evaluate([plain_call()])
    assert (evaluation.score_value, evaluation.score_label) == (1.0, "valid")


@pytest.mark.parametrize(
    "call",
    [
        plain_call(answer=""),
        plain_call(answer=" \n "),
        replace(plain_call(), answer_text=None, output_messages=()),
        replace(plain_call(), answer_text=None, output_messages=({"role": "a", "parts": []},)),
        replace(plain_call(), answer_text="", output_messages=None),
    ],
)
def test_a_response_without_anything_is_empty(call: Interaction) -> None:
    assert "empty" in found(call)


def test_reasoning_alone_is_empty_and_an_image_is_not() -> None:
    thought: JsonObject = {"role": "assistant", "parts": [{"type": "reasoning", "content": "hm"}]}
    image: JsonObject = {"role": "assistant", "parts": [{"type": "blob", "content": "..."}]}
    call = replace(plain_call(), answer_text=None)
    assert found(replace(call, output_messages=(thought,))) == ["empty"]
    assert found(replace(call, output_messages=(image,))) == []


def test_one_empty_choice_of_two_is_named() -> None:
    good: JsonObject = {"role": "assistant", "parts": [{"type": "text", "content": "yes"}]}
    bad: JsonObject = {"role": "assistant", "parts": [{"type": "text", "content": ""}]}
    [flaw] = flaws(replace(plain_call(), output_messages=(good, bad)))
    assert (flaw.reason, flaw.choice) == ("empty", 1)


def test_a_response_cut_off_by_the_token_limit_is_truncated() -> None:
    assert found(replace(plain_call(), finish_reasons=("length",))) == ["truncated"]


def test_truncation_shows_without_content_and_nothing_else_does() -> None:
    bare = replace(plain_call(), answer_text=None, output_messages=None)
    [cut] = ResponseValidity().evaluate([replace(bare, finish_reasons=("length",))])
    assert cut.explanation == "truncated"
    [unknown] = ResponseValidity().evaluate([bare])
    assert unknown.skipped_reason == "no_content"


def test_failed_calls_and_embeddings_are_skipped() -> None:
    judge = ResponseValidity()
    failed = replace(plain_call(), error_type="RateLimitError")
    assert judge.evaluate([failed])[0].skipped_reason == "call_failed"
    embedding = replace(plain_call(), operation="embeddings")
    assert judge.evaluate([embedding])[0].skipped_reason == "not_an_answer"


@pytest.mark.parametrize(
    "attributes",
    [
        {"gen_ai.output.type": "json"},
        {"gen_ai.openai.request.response_format": "json_schema"},
        {"gen_ai.request.structured_output_schema": '{"type": "object"}'},
        {"llm.invocation_parameters": '{"response_format": {"type": "json_object"}}'},
        {"llm.invocation_parameters": {"text": {"format": {"type": "json_schema"}}}},
        {"langfuse.observation.model.parameters": '{"response_format": "json_object"}'},
        {"gen_ai.request.response_format": {"type": "json_object"}},
    ],
)
def test_a_request_for_json_is_read_in_every_dialect(attributes: JsonObject) -> None:
    assert asked_for_json(attributes)
    call = replace(plain_call(answer='{"a": [1, 2'), attributes=attributes)
    assert found(call) == ["broken_json"]
    assert found(replace(plain_call(answer='```json\n{"a": 1}\n```'), attributes=attributes)) == []


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"gen_ai.output.type": "text"},
        {"llm.invocation_parameters": '{"temperature": 0}'},
        {"llm.invocation_parameters": "{broken"},
        {"llm.invocation_parameters": {"text": "plain"}},
        {"gen_ai.request.response_format": None},
    ],
)
def test_prose_is_no_broken_json_where_none_was_asked_for(attributes: JsonObject) -> None:
    assert not asked_for_json(attributes)
    assert found(replace(plain_call(answer="{not json"), attributes=attributes)) == []


@pytest.mark.parametrize(
    ("answer", "broken"),
    [
        ('```json\n{"a": 1}\n```', False),
        ('```json\n{"a": 1,}\n```', True),
        ('```json\n{"a": [1, 2', True),
        ('Here it is:\n```json\n{"a": ...}\n```', False),
        ("```\nnot json\n```", False),
        ("```python\nx = {\n```", False),
        ("```json\nNaN\n```", True),
    ],
)
def test_an_answer_that_is_one_json_fence_must_parse(answer: str, broken: bool) -> None:
    assert found(plain_call(answer=answer)) == (["broken_json"] if broken else [])


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("weather", '{"city": "Paris"}', []),
        ("weather", {"city": "Paris"}, []),
        ("time", "", []),
        ("time", None, []),
        ("weather", '{"city": ', ["tool_arguments_not_json"]),
        ("weather", "[1]", ["tool_arguments_not_json"]),
        ("weather", "{}", ["tool_argument_missing"]),
        ("wether", "{}", ["unknown_tool"]),
        ("wether", "{", ["tool_arguments_not_json", "unknown_tool"]),
        (None, "{}", []),
    ],
)
def test_tool_calls_are_checked_against_what_was_offered(
    name: Json, arguments: Json, expected: list[str]
) -> None:
    assert found(tool_call(name, arguments)) == expected


def test_tool_names_are_not_judged_where_the_definitions_do_not_tell_them() -> None:
    call = replace(tool_call("anything", "{}"), tool_definitions=({"type": "web_search"}, WEATHER))
    assert found(call) == []
    assert found(replace(call, tool_definitions=None)) == []


def test_findings_name_choice_and_tool_call() -> None:
    [evaluation] = ResponseValidity().evaluate([tool_call("wether", "{}")])
    assert evaluation.score_label == "invalid"
    assert evaluation.evidence == (
        {"score": 0.0, "label": "invalid", "reason": "unknown_tool", "choice": 0,
         "tool_call": "call-1"},
    )  # fmt: skip


def test_deep_nesting_is_broken_json_not_a_crash() -> None:
    attributes: JsonObject = {"gen_ai.output.type": "json"}
    assert found(replace(plain_call(answer="[" * 100_000), attributes=attributes)) == [
        "broken_json"
    ]


@given(st.text(max_size=100), st.text(max_size=100))
def test_any_arguments_and_any_answer_are_judged(arguments: str, answer: str) -> None:
    assert isinstance(found(tool_call("weather", arguments)), list)
    call = replace(plain_call(answer=answer), attributes={"gen_ai.output.type": "json"})
    assert set(found(call)) <= {"empty", "broken_json"}
