import json
from dataclasses import replace

import pytest
from tests.unit.ingest.by_hand import chat, interactions, one, said, span

from seakeeping.records import Json, Span

REQUEST: dict[str, Json] = {
    "logfire.span_type": "span",
    "request_data": json.dumps({"model": "gpt-4o", "stream": True}),
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.input.messages": json.dumps([said("user", "Which port?")]),
}
END: dict[str, Json] = {
    "logfire.span_type": "log",
    "request_data": json.dumps({"model": "gpt-4o", "stream": True}),
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.response.model": "gpt-4o-2024-08-06",
    "gen_ai.response.id": "chatcmpl-1",
    "gen_ai.output.messages": json.dumps([said("assistant", "Bergen.")]),
    "gen_ai.usage.input_tokens": 9,
    "gen_ai.usage.output_tokens": 3,
    "duration": 1.5,
}


def test_the_two_spans_of_a_stream_are_one_call_in_either_order() -> None:
    root = span(name="answer", lasts=3)
    request = span(REQUEST, under=root, lasts=0.3)
    end = span(END, under=root, at=1.8, lasts=0.0)
    for order in ([root, request, end], [end, request, root], [request, root, end]):
        found = one(*order)
        assert found.span_id == request.span_id
        assert (found.answer_text, found.input_tokens) == ("Bergen.", 9)
        assert found.input_messages == (said("user", "Which port?"),)
        assert found.duration_s == pytest.approx(1.8)
        assert found.streaming is True


def test_two_streams_of_one_parent_keep_their_own_ends() -> None:
    root = span(name="answer", lasts=9)
    first = span(REQUEST, under=root, lasts=0.3)
    first_end = span(END, under=root, at=1.8, lasts=0.0)
    second = span(REQUEST, under=root, at=3, lasts=0.3)
    answer = json.dumps([said("assistant", "Oslo.")])
    other = {**END, "gen_ai.output.messages": answer, "gen_ai.response.id": "chatcmpl-2"}
    second_end = span(other, under=root, at=4, lasts=0.0)
    found = interactions(second_end, first_end, second, first)
    assert [i.answer_text for i in found] == ["Bergen.", "Oslo."]


def test_the_end_of_a_stream_stands_alone_until_its_request_comes() -> None:
    assert one(span(END, lasts=0.0)).answer_text == "Bergen."


def test_a_span_that_is_only_announced_is_none() -> None:
    pending: dict[str, Json] = {**REQUEST, "logfire.span_type": "pending_span"}
    assert interactions(span(pending, lasts=0.0)) == []


def test_a_plain_span_of_logfire_is_no_step() -> None:
    plain: dict[str, Json] = {
        "logfire.span_type": "span",
        "logfire.msg": "hello",
        "user_id": "anon",
    }
    assert interactions(span(plain)) == []


def test_old_releases_keep_request_and_response_as_json() -> None:
    old: dict[str, Json] = {
        "logfire.span_type": "span",
        "request_data": json.dumps(
            {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}]}
        ),
        "response_data": json.dumps(
            {
                "message": {"role": "assistant", "content": "Ho"},
                "usage": {"prompt_tokens": 4, "completion_tokens": 1},
            }
        ),
    }
    found = one(span(old))
    assert (found.request_model, found.answer_text, found.input_tokens) == ("gpt-4o", "Ho", 4)
    assert found.input_messages == (said("user", "Hi"),)


def test_messages_kept_as_events_are_read() -> None:
    events = [
        {"event.name": "gen_ai.system.message", "content": "Be brief.", "role": "system"},
        {"event.name": "gen_ai.user.message", "content": "Hi", "role": "user"},
        {"event.name": "gen_ai.choice", "index": 0,
         "message": {"role": "assistant", "content": "Ho"}},
    ]  # fmt: skip
    call = chat(more={"events": json.dumps(events), "model_request_parameters": "{}"})
    found = one(call)
    assert (found.system_instructions, found.answer_text) == ("Be brief.", "Ho")
    assert found.input_messages == (said("user", "Hi"),)


def test_a_failed_call_without_its_prompt_takes_that_of_its_agent() -> None:
    agent = span(
        {
            "gen_ai.operation.name": "invoke_agent",
            "pydantic_ai.all_messages": json.dumps([said("user", "Translate it.")]),
        },
        lasts=3,
    )
    call = chat(under=agent, more={"error.type": "ModelRateLimitError"}, status="error")
    assert one(call, agent).input_messages == (said("user", "Translate it."),)


def test_the_cost_of_the_operation_is_kept() -> None:
    assert one(chat("Hi", "Ho", more={"operation.cost": 0.0007})).cost_usd == 0.0007


def of_its_own(given: Span, number: int) -> Span:
    """Return the span in a trace of its own, as one without a parent is."""
    return replace(given, trace_id=f"{number:032x}")


def end_of(answer: str, response_id: str) -> dict[str, Json]:
    """Return the end of a stream, which says what was asked again."""
    asked = {"gen_ai.input.messages": REQUEST["gen_ai.input.messages"]}
    told = {"gen_ai.output.messages": json.dumps([said("assistant", answer)])}
    return {**END, **asked, **told, "gen_ai.response.id": response_id}


def test_a_stream_without_a_parent_is_one_call_of_two_traces_in_either_order() -> None:
    request = of_its_own(span(REQUEST, lasts=0.3), 1)
    end = of_its_own(span(end_of("Bergen.", "chatcmpl-1"), at=1.8, lasts=0.0), 2)
    for order in ([request, end], [end, request]):
        found = one(*order)
        assert found.span_id == request.span_id
        assert (found.answer_text, found.response_id) == ("Bergen.", "chatcmpl-1")


def test_the_same_question_twice_keeps_its_own_answers() -> None:
    first = of_its_own(span(REQUEST, lasts=0.3), 1)
    second = of_its_own(span(REQUEST, at=3, lasts=0.3), 3)
    ends = [
        of_its_own(span(end_of("Bergen.", "chatcmpl-1"), at=1.8, lasts=0.0), 2),
        of_its_own(span(end_of("Oslo.", "chatcmpl-2"), at=4.8, lasts=0.0), 4),
    ]
    found = interactions(second, ends[1], ends[0], first)
    assert [(i.span_id, i.answer_text) for i in found] == [
        (first.span_id, "Bergen."),
        (second.span_id, "Oslo."),
    ]


def test_a_request_of_another_question_is_no_half_of_a_stream() -> None:
    other = {**REQUEST, "gen_ai.input.messages": json.dumps([said("user", "Which town?")])}
    request = of_its_own(span(other, lasts=0.3), 1)
    end = of_its_own(span(end_of("Bergen.", "chatcmpl-1"), at=1.8, lasts=0.0), 2)
    assert len(interactions(request, end)) == 2


def test_the_request_of_a_stream_does_not_know_the_model_that_answers() -> None:
    asked: dict[str, Json] = {**REQUEST, "gen_ai.response.model": "gpt-4o"}
    root = span(name="answer", lasts=3)
    found = one(root, span(asked, under=root), span(END, under=root, at=1.8, lasts=0.0))
    assert found.response_model == "gpt-4o-2024-08-06"
