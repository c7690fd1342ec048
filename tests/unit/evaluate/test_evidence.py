"""What an answer is held against."""

# ruff: noqa: RUF001 - texts of many scripts

from dataclasses import replace
from types import MappingProxyType

import pytest

from seakeeping.evaluate.content import PromptText, as_text, parts, prompt_texts
from seakeeping.evaluate.contract import plain_call
from seakeeping.evaluate.faithfulness.evidence import (
    EVIDENCE_CHARS,
    EVIDENCE_TEXTS,
    gather,
    is_context,
    word_count,
)
from seakeeping.evaluate.faithfulness.index import SENTENCES_LIMIT, IndexCache, build
from seakeeping.records import Interaction, Json, JsonObject

LONG = "The harbour of the old town opens at six in the morning and closes at ten at night. " * 6


def message(role: str, *contents: Json) -> JsonObject:
    return {"role": role, "parts": [{"type": "text", "content": content} for content in contents]}


def asked(*messages: JsonObject, system: str | None = None) -> Interaction:
    call = plain_call(documents=[])
    return replace(call, input_messages=messages, system_instructions=system)


def test_documents_come_first_and_the_prompt_is_left_out() -> None:
    evidence = gather(plain_call(documents=["One text.", "Another."]), IndexCache())
    assert evidence is not None
    assert [source.document for source in evidence.sources] == [0, 1]


def test_empty_documents_keep_their_numbers() -> None:
    evidence = gather(plain_call(documents=[None, " ", "Text."]), IndexCache())
    assert evidence is not None
    assert [source.document for source in evidence.sources] == [2]


def test_what_tools_returned_is_evidence_beside_documents() -> None:
    tool: JsonObject = {
        "role": "tool",
        "parts": [{"type": "tool_call_response", "id": "1", "response": {"temp": "21 degrees"}}],
    }
    call = replace(plain_call(documents=["Text."]), input_messages=(message("user", "?"), tool))
    evidence = gather(call, IndexCache())
    assert evidence is not None
    assert [(s.document, s.message) for s in evidence.sources] == [(0, None), (None, 1)]


@pytest.mark.parametrize(
    "call",
    [
        asked(message("user", "What is the capital of France?")),
        asked(message("user", "Hi"), system="You are a helpful assistant. Answer briefly."),
        asked(message("user", "Hi"), system="Always be polite. " * 60),
        asked(message("user", "Tell me a story"), message("assistant", LONG)),
        asked(),
        asked(
            {
                "role": "tool",
                "parts": [
                    {"type": "tool_call_response", "response": {"a": [1, 2, 3], "city": "Brest"}}
                ],
            }
        ),
    ],
    ids=["bare question", "instructions", "long instructions", "own words", "nothing", "data"],
)
def test_a_bare_question_is_no_context(call: Interaction) -> None:
    assert gather(call, IndexCache()) is None


@pytest.mark.parametrize(
    "call",
    [
        asked(message("user", LONG, "When does it open?")),
        asked(message("user", "When does it open?"), system=f"Context:\n{LONG}"),
        asked(message("user", f"<documents>{LONG[:250]}</documents> When?")),
        asked(message("user", "资料：" + "港口早上六点开放晚上十点关闭。" * 12)),
        asked(message("user", "港口早上六点开放晚上十点关闭。" * 30)),
        asked({"role": "tool", "parts": [{"type": "tool_call_response", "response": LONG}]}),
    ],
    ids=["material", "marked system", "marked user", "marked Chinese", "Chinese", "tool"],
)
def test_a_prompt_with_material_is_context(call: Interaction) -> None:
    evidence = gather(call, IndexCache())
    assert evidence is not None
    assert all(source.document is None for source in evidence.sources)


def test_earlier_turns_of_the_user_count_and_the_models_own_words_do_not() -> None:
    call = asked(message("user", LONG), message("assistant", "Lies."), message("user", "And?"))
    evidence = gather(call, IndexCache())
    assert evidence is not None
    assert [source.message for source in evidence.sources] == [0, 2]
    assert evidence.question == "And?"


def test_more_evidence_than_the_limit_is_cut_and_said_so() -> None:
    evidence = gather(plain_call(documents=["x " * EVIDENCE_CHARS, "Second."]), IndexCache())
    assert evidence is not None
    assert evidence.cut
    assert len(evidence.sources) == 1


def test_more_texts_or_sentences_than_the_limit_are_cut_and_said_so() -> None:
    many = gather(plain_call(documents=["A b."] * (EVIDENCE_TEXTS + 1)), IndexCache())
    dense = gather(plain_call(documents=["Ab. " * (SENTENCES_LIMIT + 1)]), IndexCache())
    assert many is not None
    assert dense is not None
    assert many.cut
    assert dense.cut
    assert len(many.sources) == EVIDENCE_TEXTS


def test_ordinary_evidence_is_not_cut() -> None:
    evidence = gather(plain_call(), IndexCache())
    assert evidence is not None
    assert not evidence.cut


def test_an_index_is_built_once_while_it_is_remembered() -> None:
    cache = IndexCache(limit_chars=20)
    first = cache.get("The tide is high.")
    assert cache.get("The tide is high.") is first
    cache.get("The tide is low now.")
    assert len(cache) == 1
    assert cache.get("The tide is high.") is not first


def test_a_text_longer_than_the_memory_is_indexed_all_the_same() -> None:
    cache = IndexCache(limit_chars=3)
    assert "tid" in cache.get("The tide.").vocabulary
    assert len(cache) == 0


def test_an_index_tells_where_words_stand() -> None:
    index = build("The tide is high. The keel is deep.")
    assert index.postings["keel"] == [1]
    assert ("is", "deep") in index.pairs
    assert "the" not in index.postings


def test_words_are_counted_where_no_spaces_stand() -> None:
    assert word_count("one two three") == 3
    assert word_count("港口早上六点开放晚上") == 3
    assert word_count('{"city": "Brest", "celsius": 21}', prose=True) == 0
    assert word_count("In Brest, it rains (a lot).", prose=True) == 6


def test_prompt_texts_are_read_in_order_with_their_roles() -> None:
    response: JsonObject = {"type": "tool_call_response", "response": {"a": ["x", 7]}}
    plain: JsonObject = {"type": "tool_call_response", "response": "21 degrees"}
    odd: JsonObject = {"role": "user", "parts": [response, plain, {"type": "text"}, 3]}
    call = asked(message("user", "hello", {"url": "data:"}), odd, system="sys")
    assert list(prompt_texts(call)) == [
        PromptText("system", None, 0, "sys"),
        PromptText("user", 0, 0, "hello"),
        PromptText("tool", 1, 0, '{\n  "a": [\n    "x",\n    7\n  ]\n}'),
        PromptText("tool", 1, 1, "21 degrees"),
    ]
    assert parts({"role": "user", "parts": "no list"}) == []
    assert not is_context([])


def test_any_value_has_a_text() -> None:
    deep: Json = 1
    for _ in range(300):
        deep = [deep]
    assert as_text(deep).count("[") == 300
    for _ in range(100_000):
        deep = [deep]
    assert as_text(deep) == ""
    assert "ud800" in as_text({"a": "\ud800"})
    assert as_text(MappingProxyType({"a": 1})) == '{\n  "a": 1\n}'


def test_numbers_that_a_tool_returned_are_evidence() -> None:
    tool: JsonObject = {
        "role": "tool",
        "parts": [{"type": "tool_call_response", "response": {"city": "Brest", "celsius": 21}}],
    }
    call = replace(plain_call(documents=["A text."]), input_messages=(tool,))
    evidence = gather(call, IndexCache())
    assert evidence is not None
    assert "21" in evidence.sources[1].text.vocabulary
