import json
from itertools import permutations

import pytest
from tests.unit.ingest.by_hand import Bench, chat, interactions, one, said, span

from seakeeping.records import Json

SDK: dict[str, Json] = {
    "gen_ai.response.id": "r1",
    "gen_ai.response.time_to_first_chunk": 0.2,
    "gen_ai.usage.output_tokens": 51,
    "gen_ai.usage.input_tokens": 33,
}
LIBRARY: dict[str, Json] = {"gen_ai.response.id": "r1", "gen_ai.usage.output_tokens": 52}


def test_nested_spans_of_one_response_are_one_call_in_any_order() -> None:
    outer = chat("Hi", "Ho", more=LIBRARY)
    inner = chat(more=SDK, under=outer, at=0.1, lasts=0.8, scope="sdk")
    for order in permutations([outer, inner]):
        bench = Bench()
        for item in order:
            bench.add(item)
        (found,) = bench.final()
        assert found.span_id == outer.span_id
        assert found.answer_text == "Ho"


def test_content_comes_from_outside_tokens_and_first_token_from_the_wire() -> None:
    outer = chat("Hi", "Ho", more=LIBRARY)
    found = one(outer, chat(more=SDK, under=outer, at=0.1, lasts=0.8, scope="sdk"))
    assert (found.output_tokens, found.input_tokens) == (51, 33)
    assert found.time_to_first_token_s == 0.2
    assert found.streaming is True


def test_siblings_from_two_libraries_with_one_response_are_one_call() -> None:
    root = span(name="workflow", lasts=5)
    outer = chat("Hi", "Ho", more=LIBRARY, under=root, at=1)
    inner = chat(more=SDK, under=root, at=1.1, lasts=0.8, scope="sdk")
    assert one(root, inner, outer).span_id == outer.span_id


def test_spans_in_two_traces_with_one_response_are_one_call() -> None:
    outer = chat("Hi", "Ho", more=LIBRARY)
    inner = chat(more=SDK, at=0.1, lasts=0.8, scope="sdk", trace="b" * 32)
    for order in permutations([outer, inner]):
        bench = Bench()
        for item in order:
            bench.add(item)
        (found,) = bench.final()
        assert (found.trace_id, found.output_tokens) == (outer.trace_id, 51)


def test_a_twin_that_was_told_is_taken_back() -> None:
    outer = chat("Hi", "Ho", more=LIBRARY)
    inner = chat(more=SDK, under=outer, at=0.1, lasts=0.8, scope="sdk")
    bench = Bench()
    first = bench.add(inner)
    second = bench.add(outer)
    (told,), (taken,) = first.interactions, second.retractions
    assert (taken.trace_id, taken.span_id) == told.key
    assert (taken.service_name, taken.started_at) == (told.service_name, told.started_at)
    assert taken.version > told.version
    assert [i.span_id for i in second.interactions] == [outer.span_id]


def test_a_repeated_id_of_one_library_is_no_twin() -> None:
    first = chat("Hi", "Ho", more=LIBRARY)
    second = chat("Hi", "Ho", more=LIBRARY, at=0.2)
    assert len(interactions(first, second)) == 2


def test_calls_apart_in_time_are_no_twins_whatever_their_id() -> None:
    first = chat("Hi", "Ho", more=LIBRARY)
    second = chat(more=SDK, at=5, scope="sdk")
    assert len(interactions(first, second)) == 2


def test_an_id_that_everybody_answers_with_joins_nothing_across_traces() -> None:
    bench = Bench()
    for number in range(20):
        trace = f"{number:032x}"
        bench.add(chat("Hi", "Ho", more=LIBRARY, trace=trace, scope=f"s{number % 2}"))
    bench.add(chat("Hi", "Ho", more=LIBRARY, trace="f" * 32, scope="other"))
    assert "f" * 32 in {i.trace_id for i in bench.final()}


def test_a_failed_inner_call_is_the_outer_failure() -> None:
    outer = chat("Hi", more={"error.type": "anthropic.OverloadedError"}, status="error")
    failed: dict[str, Json] = {"error.type": "overloaded_error", "http.response.status_code": 529}
    inner = chat(more=failed, under=outer, at=0.1, lasts=0.5, scope="sdk", status="error")
    found = one(outer, inner)
    assert found.error_type == "overloaded"
    assert found.attributes["http.response.status_code"] == 529


def test_attempts_that_were_tried_again_are_one_answered_call() -> None:
    outer = chat("Hi", "Ho", lasts=3)
    limited: dict[str, Json] = {"error.type": "RateLimitError", "http.response.status_code": 429}
    tries = [
        chat(more=limited, under=outer, at=0.1, lasts=0.1, scope="sdk", status="error"),
        chat(more=limited, under=outer, at=1, lasts=0.1, scope="sdk", status="error"),
        chat(more=SDK, under=outer, at=2, lasts=0.8, scope="sdk"),
    ]
    found = one(outer, *tries)
    assert found.error_type is None
    assert found.output_tokens == 51
    assert found.is_answer


def test_a_span_over_several_answered_calls_is_their_sum_and_no_call() -> None:
    outer = chat("Hi", "Ho", lasts=9, more={"gen_ai.usage.input_tokens": 900})
    inner = [
        chat("a", "b", under=outer, at=at, more={"gen_ai.response.id": f"r{at}"})
        for at in (1, 3, 5)
    ]
    for order in permutations([outer, *inner]):
        found = interactions(*order)
        assert [i.span_id for i in found] == [i.span_id for i in inner]


def test_an_inner_call_with_another_id_is_another_call() -> None:
    outer = chat("Hi", "Ho", lasts=9, more=LIBRARY)
    same = chat(more=SDK, under=outer, at=5, scope="sdk")
    other = chat("x", "y", under=outer, at=1, more={"gen_ai.response.id": "r2"})
    assert {i.span_id for i in interactions(same, other, outer)} == {outer.span_id, other.span_id}


def test_a_tool_between_two_calls_keeps_them_apart() -> None:
    outer = chat("Hi", "Ho", lasts=9)
    tool = span({"gen_ai.operation.name": "execute_tool"}, under=outer, at=1, lasts=3)
    inner = chat("x", "y", under=tool, at=1.5)
    assert len(interactions(inner, tool, outer)) == 2


def test_plain_spans_between_twins_do_not_matter() -> None:
    outer = chat("Hi", "Ho", more=LIBRARY)
    http = span({"http.request.method": "POST"}, under=outer, at=0.05, lasts=0.9)
    inner = chat(more=SDK, under=http, at=0.1, lasts=0.8, scope="sdk")
    for order in permutations([outer, http, inner]):
        bench = Bench()
        for item in order:
            bench.add(item)
        assert [i.span_id for i in bench.final()] == [outer.span_id]


def test_agents_that_repeat_tokens_and_messages_of_their_calls_add_nothing() -> None:
    agent = span(
        {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.usage.input_tokens": 70,
            "gen_ai.output.messages": json.dumps([said("assistant", "Ho")]),
        },
        lasts=3,
    )
    call = chat("Hi", "Ho", under=agent, at=1, more={"gen_ai.usage.input_tokens": 70})
    assert one(agent, call).span_id == call.span_id


@pytest.mark.parametrize("depth", [2, 5])
def test_chains_of_twins_keep_the_outermost(depth: int) -> None:
    calls = [chat("Hi", "Ho", more=LIBRARY, lasts=9)]
    for level in range(1, depth):
        calls.append(
            chat(more=SDK, under=calls[-1], at=level * 0.1, lasts=9 - level, scope=f"s{level}")
        )
    assert one(*reversed(calls)).span_id == calls[0].span_id


def test_a_circle_of_parents_does_no_harm() -> None:
    first = chat("Hi", "Ho", span_id="a" * 16, under="b" * 16)
    second = chat("Hi", "Ho", span_id="b" * 16, under="a" * 16)
    own = chat("Hi", "Ho", span_id="c" * 16, under="c" * 16)
    assert len(interactions(first, second, own)) >= 1
