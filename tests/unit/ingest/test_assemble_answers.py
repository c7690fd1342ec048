"""Which calls are answers: agent loops, chains, routers, rewriting, judges, conversations."""

import json
from itertools import permutations

import pytest
from tests.unit.ingest.by_hand import Bench, chat, retrieval, said, span

from seakeeping.ingest.assemble.answers import is_label
from seakeeping.records import Json, Span

SUMMARY = "The job saturated two shards and payments failed for 39 minutes."
QUESTION = "Can I get a refund for my annual plan?"


def answers(*spans: Span) -> list[bool]:
    """Return which calls are answers, by start; the same whatever order they arrive in."""
    whole = Bench()
    whole.add(*spans)
    singly = Bench()
    for item in reversed(spans):
        singly.add(item)
    assert whole.final() == singly.final()
    return [i.is_answer for i in whole.final()]


def tool_call(name: str) -> str:
    part = {"type": "tool_call", "id": "c1", "name": name, "arguments": {}}
    return json.dumps([{"role": "assistant", "parts": [part]}])


def test_a_single_reply_is_an_answer() -> None:
    assert answers(chat("Hi", "Ho")) == [True]


def test_in_an_agent_loop_only_the_last_reply_is_an_answer() -> None:
    call = chat(QUESTION, at=0, more={"gen_ai.output.messages": tool_call("find")})
    result: Json = {"role": "tool", "parts": [
        {"type": "tool_call_response", "id": "c1", "response": "30 days"}]}  # fmt: skip
    turns = [said("user", QUESTION), *json.loads(tool_call("find")), result]
    assert answers(call, chat(turns, "Yes, within 30 days.", at=2)) == [False, True]


def test_a_text_that_goes_on_in_the_same_turn_is_no_answer() -> None:
    thought = "I will look at the policy first."
    turns = [said("user", QUESTION), said("assistant", thought)]
    assert answers(chat(QUESTION, thought), chat(turns, "Yes, you can.", at=2)) == [False, True]


def test_what_is_summarised_and_then_translated_is_one_answer() -> None:
    second = chat(f"Translate into Norwegian:\n{SUMMARY}", "Jobben mettet to shards.", at=2)
    assert answers(chat("Summarise the report.", SUMMARY), second) == [False, True]


def test_a_text_handed_on_as_json_is_known_again() -> None:
    summary = 'Two "shards"\nfailed, and the payments with them.'
    handed = json.dumps({"summary": summary})
    second = chat(f"Translate: {handed}", "To shards feilet.", at=2)
    assert answers(chat("Summarise.", summary), second) == [False, True]


def test_each_turn_of_a_conversation_has_an_answer() -> None:
    first = chat("How long do I boil an egg?", "Six minutes, then ice water.")
    turns = [
        said("user", "How long do I boil an egg?"),
        said("assistant", "Six minutes, then ice water."),
        said("user", "And at 2,000 metres?"),
    ]
    assert answers(first, chat(turns, "Seven and a half minutes.", at=5)) == [True, True]


@pytest.mark.parametrize("label", ["refunds", '{"route": "refunds"}', "2"])
def test_a_router_is_no_answer(label: str) -> None:
    router = chat(f"Choose one of refunds, tax.\nRequest: {QUESTION}", label)
    assert answers(router, chat(QUESTION, "Yes, within 30 days.", at=2)) == [False, True]


def test_a_router_is_known_under_another_system_prompt() -> None:
    router = chat([said("system", "Classify."), said("user", QUESTION)], "refunds")
    answer = chat([said("system", "Answer."), said("user", QUESTION)], "Yes, you can.", at=2)
    assert answers(router, answer) == [False, True]


def test_labels_made_by_one_template_are_each_an_answer() -> None:
    calls = [
        chat(f"What is the mood of this review, in one word please?\n{text}", "good", at=n * 2)
        for n, text in enumerate(["I like it.", "It works.", "Nice boat."])
    ]
    assert answers(*calls) == [True, True, True]


def test_a_rewritten_query_that_a_retrieval_takes_is_no_answer() -> None:
    rewrite = chat(f"Rewrite as a search query: {QUESTION}", "refund policy annual plan duration")
    found = retrieval("30 days", query="refund policy annual plan duration", at=1.5)
    answer = chat(f"30 days. {QUESTION}", "Yes, within 30 days.", at=3)
    assert answers(rewrite, found, answer) == [False, True]


def test_several_rewritten_queries_are_each_known() -> None:
    rewrite = chat("Give queries.", "1. refund policy annual plan\n2. cancellation terms")
    found = retrieval("30 days", query="cancellation terms", at=1.5)
    assert answers(rewrite, found, chat(QUESTION, "Yes, you can do that.", at=3)) == [False, True]


def test_a_query_made_by_a_model_and_run_by_a_tool_is_no_answer() -> None:
    sql = "select count(*) from refunds where plan = 'annual'"
    tool = span(
        {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.call.arguments": json.dumps({"q": sql}),
        },
        at=1.5,
        lasts=0.2,
    )
    assert answers(chat("Write SQL.", sql), tool, chat("7 rows", "Seven refunds.", at=3)) == [
        False,
        True,
    ]


def test_another_attempt_at_the_same_question_replaces_the_first() -> None:
    first, second = chat(QUESTION, "No, sadly not."), chat(QUESTION, "Yes, you can.", at=2)
    assert answers(first, second) == [False, True]


def test_calls_at_the_same_time_do_not_work_on_each_other() -> None:
    summary = chat("Summarise the report.", SUMMARY, lasts=2)
    title = chat("Give the report a title.", "Shards under water, a report", at=0.5)
    assert answers(summary, title) == [True, True]


def test_independent_calls_one_after_the_other_are_each_an_answer() -> None:
    calls = [
        chat(f"Summarise page {n}.", f"Page {n} is about topic {n}.", at=2 * n) for n in range(5)
    ]
    assert answers(*calls) == [True] * 5


def test_a_judge_takes_nothing_from_what_it_judges_and_is_no_answer() -> None:
    judge = chat(f"Is this polite? Answer yes or no.\n{SUMMARY}", "yes", at=2)
    assert answers(chat("Summarise.", SUMMARY), judge) == [True, False]


def test_calls_of_an_evaluator_are_no_answers_and_take_nothing() -> None:
    evaluator = span({"openinference.span.kind": "EVALUATOR"}, at=1.5, lasts=3)
    judge = chat(f"Explain whether this is right:\n{SUMMARY}", "It is right because of the shards.",
                 at=2, under=evaluator)  # fmt: skip
    assert answers(chat("Summarise.", SUMMARY), evaluator, judge) == [True, False]


def test_a_sub_agents_text_in_a_tool_result_is_no_answer() -> None:
    response: dict[str, Json] = {"role": "tool", "parts": [
        {"type": "tool_call_response", "id": "c", "response": {"result": SUMMARY}}]}  # fmt: skip
    second = chat([said("user", QUESTION), response], "Here is what happened, in short.", at=2)
    assert answers(chat("Summarise.", SUMMARY), second) == [False, True]


def test_short_texts_are_not_found_by_chance() -> None:
    second = chat("Yesterday we said no to that.", "All right then, noted.", at=2)
    assert answers(chat("Is it so?", "Yes"), second) == [True, True]


def test_an_error_is_no_answer() -> None:
    assert answers(chat("Hi", more={"error.type": "RateLimitError"}, status="error")) == [False]


def test_an_empty_reply_is_no_answer() -> None:
    empty = json.dumps([{"role": "assistant", "parts": []}])
    assert answers(chat("Hi", more={"gen_ai.output.messages": empty})) == [False]
    blank = json.dumps([said("assistant", "  ")])
    assert answers(chat("Hi", more={"gen_ai.output.messages": blank})) == [False]


def test_a_flip_is_a_new_version_of_the_earlier_call() -> None:
    bench = Bench()
    (first,) = bench.add(chat("Summarise the report.", SUMMARY)).interactions
    later = bench.add(chat(f"Translate:\n{SUMMARY}", "Jobben mettet to shards.", at=2))
    flipped = next(i for i in later.interactions if i.key == first.key)
    assert (first.is_answer, flipped.is_answer) == (True, False)
    assert flipped.version > first.version


def test_any_order_of_a_chain_ends_the_same() -> None:
    calls = [
        chat("Summarise the report.", SUMMARY),
        chat(f"Shorten:\n{SUMMARY}", "Two shards failed for a while.", at=2),
        chat("Translate:\nTwo shards failed for a while.", "To shards feilet en stund.", at=4),
    ]
    for order in permutations(calls):
        assert answers(*order) == [False, False, True]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("refunds", True), ("0.7", True), ('{"a": 1}', True), ("[1]", True), ("{not json", False),
     ("Yes, you can.", False), ("It is so.", False), ("a b c d", False)],
)  # fmt: skip
def test_labels_are_told_from_prose(text: str, expected: bool) -> None:
    assert is_label(text) is expected
