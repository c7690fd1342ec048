import json
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import StatusCode

from seakeeping.challenge.answers import load_answers
from seakeeping.challenge.story import Call, Story
from seakeeping.challenge.traffic import Narrator, threshold

STORY = Story(load_answers(), 1_795_000_000.0)
HISTORY = list(STORY.history())


def told(call: Call) -> list[ReadableSpan]:
    return Narrator(STORY).tell(call)


def first(**wanted: object) -> Call:
    return next(
        call
        for call in HISTORY
        if all(getattr(call, name) == value for name, value in wanted.items())
    )


def a_retrieval() -> Call:
    return next(call for call in HISTORY if not call.error_type)


def attributes(span: ReadableSpan) -> dict[str, object]:
    return dict(span.attributes or {})


@given(st.integers(0, 50))
def test_threshold_says_how_many_calls_one_stands_for(power: int) -> None:
    digits = threshold(2**power).ljust(14, "0")
    kept_of = 2**56 / (2**56 - int(digits, 16))
    assert kept_of == pytest.approx(2**power)


def test_call_becomes_workflow_retrieval_and_model_call_of_one_trace() -> None:
    retrieval, chat, workflow = told(a_retrieval())
    assert len({span.context.trace_id for span in (retrieval, chat, workflow) if span.context}) == 1
    assert workflow.parent is None
    assert workflow.context is not None
    for span in (retrieval, chat):
        assert span.parent is not None
        assert span.parent.span_id == workflow.context.span_id
    assert (retrieval.end_time or 0) <= (chat.start_time or 0)
    assert (chat.end_time or 0) <= (workflow.end_time or 0)


def test_spans_carry_the_story_s_times() -> None:
    call = a_retrieval()
    *_, chat, workflow = told(call)
    assert workflow.start_time == pytest.approx(call.at * 1e9, abs=1e3)
    assert workflow.end_time == pytest.approx(call.ends_at * 1e9, abs=1e3)
    assert (chat.end_time or 0) - (chat.start_time or 0) == pytest.approx(
        call.duration_s * 1e9, abs=3e3
    )


def test_model_call_carries_question_answer_tokens_and_first_token() -> None:
    call = a_retrieval()
    _, chat, _ = told(call)
    facts = attributes(chat)
    messages = json.loads(str(facts["gen_ai.input.messages"]))
    assert messages[-1]["parts"][0]["content"] == call.answer.turns[-1].text
    said = json.loads(str(facts["gen_ai.output.messages"]))
    assert said[0]["parts"][0]["content"] == call.answer.text
    assert facts["gen_ai.usage.output_tokens"] == call.output_tokens
    assert facts["gen_ai.response.time_to_first_chunk"] == pytest.approx(call.first_token_s)
    assert facts["gen_ai.provider.name"] == call.service.provider
    assert facts["gen_ai.conversation.id"] == call.conversation_id


def test_retrieval_carries_the_passages() -> None:
    call = a_retrieval()
    retrieval, *_ = told(call)
    documents = json.loads(str(attributes(retrieval)["gen_ai.retrieval.documents"]))
    assert [one["content"] for one in documents] == [one.text for one in call.answer.passages]


def test_failed_call_has_an_error_and_no_answer() -> None:
    call = next(one for one in HISTORY if one.error_type)
    *_, chat, workflow = told(call)
    assert attributes(chat)["error.type"] == call.error_type
    assert "gen_ai.output.messages" not in attributes(chat)
    assert {chat.status.status_code, workflow.status.status_code} == {StatusCode.ERROR}


def test_every_span_is_marked_as_demo_traffic() -> None:
    for span in told(a_retrieval()):
        assert attributes(span)["seakeeping.traffic"] == "demo"
        assert span.resource.attributes["seakeeping.traffic"] == "demo"


def test_resource_names_service_and_release() -> None:
    call = next(one for one in HISTORY if one.release.is_bad)
    resource = told(call)[-1].resource.attributes
    assert resource["service.name"] == "field-guide"
    assert resource["service.version"] == resource["seakeeping.release"] == "2.4.0"


@pytest.mark.parametrize("weight", [8, 128, 256, 2048])
def test_sampled_call_says_so_on_every_span(weight: int) -> None:
    for span in told(first(weight=weight)):
        assert span.context is not None
        assert span.context.trace_state.get("ot") == f"th:{threshold(weight)}"


def test_live_call_is_not_sampled() -> None:
    for span in told(next(STORY.live(STORY.end))):
        assert span.context is not None
        assert not span.context.trace_state


def test_telling_twice_gives_the_same_identifiers_and_no_two_calls_share_one() -> None:
    def ids() -> list[tuple[int, int]]:
        narrator = Narrator(STORY)
        spans = [span for call in islice(HISTORY, 300) for span in narrator.tell(call)]
        return [(one.context.trace_id, one.context.span_id) for one in spans if one.context]

    once = ids()
    assert once == ids()
    assert len(set(once)) == len(once) > 600
