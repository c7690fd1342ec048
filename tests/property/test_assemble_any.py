"""Whatever arrives, in whatever order and however often: no error, and the same end."""

import json
import random
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.ingest.by_hand import TRACE, Bench, SetClock, chat, event, retrieval, said, span

from seakeeping.ingest.dialects import Step, read
from seakeeping.ingest.dialects.messages import messages_of
from seakeeping.ingest.dialects.responses import response_of
from seakeeping.ingest.dialects.salvage import salvaged
from seakeeping.records import Json, LogEvent, Span

scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 10**12), st.floats(), st.text(max_size=12),
    st.sampled_from(['[{"role":"user","content":"hi"}]', '{"a":', "[", '{"parts": 7}', "Infinity",
                     "{'a': 1}", '[["human", "x"]]', "\ud800", "NaN", '{"choices": [3]}']),
)  # fmt: skip
values: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["role", "content", "parts", "type", "text", "tool_calls", "id", "lc",
                             "message", "choices", "usage", "kwargs", "function", "documents"]),
            inner, max_size=4,
        ),
    ),
    max_leaves=8,
)  # fmt: skip

_KEYS = """
gen_ai.operation.name gen_ai.system gen_ai.provider.name gen_ai.request.model gen_ai.response.id
gen_ai.input.messages gen_ai.output.messages gen_ai.system_instructions gen_ai.tool.definitions
gen_ai.usage.input_tokens gen_ai.usage.output_tokens gen_ai.usage.cache_read.input_tokens
gen_ai.usage.raw gen_ai.response.finish_reasons gen_ai.response.time_to_first_chunk
gen_ai.server.time_to_first_token gen_ai.prompt gen_ai.completion gen_ai.prompt.0.role
gen_ai.prompt.0.content gen_ai.prompt.0.tool_calls.0.name gen_ai.prompt.x.y gen_ai.completion.0
gen_ai.completion.0.content gen_ai.retrieval.documents gen_ai.retrieval.query.text
openinference.span.kind llm.input_messages.0.message.role llm.input_messages.0.message.content
llm.input_messages.0.message.contents.0.message_content.text llm.invocation_parameters
llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments llm.token_count.prompt
retrieval.documents.0.document.content retrieval.documents.0.document.metadata input.value
output.value metadata annotations.0.annotation.name annotations.0.annotation.score
langfuse.observation.type langfuse.observation.input langfuse.observation.output
langfuse.observation.usage_details langfuse.observation.completion_start_time
langfuse.observation.model.name langfuse.observation.level langsmith.span.kind
gen_ai.usage.input_token_details mlflow.spanType mlflow.spanInputs mlflow.spanOutputs
mlflow.chat.tokenUsage ai.operationId ai.prompt.messages ai.response.toolCalls ai.prompt.tools
ai.response.msToFirstChunk traceloop.span.kind traceloop.entity.name traceloop.entity.output
traceloop.entity.input llm.request.type logfire.span_type request_data response_data events
duration error.type http.response.status_code db.system llm.request.model
llm.usage.prompt_tokens seakeeping.traffic seakeeping.group.a service.name
"""
KEYS = _KEYS.split()
KINDS = ["chat", "retrieval", "LLM", "RETRIEVER", "generation", "retriever", "llm", "CHAT_MODEL",
         "task", "ai.generateText.doGenerate", "execute_tool", "invoke_agent", "log",
         "pending_span"]  # fmt: skip
attributes = st.dictionaries(
    st.sampled_from(KEYS), st.one_of(st.sampled_from(KINDS), values), max_size=12
)
events = st.lists(
    st.tuples(
        st.sampled_from(["gen_ai.choice", "gen_ai.user.message", "exception", "db.query.result",
                         "gen_ai.client.inference.operation.details", "gen_ai.evaluation.result",
                         "gen_ai.content.prompt", "x.content.completion.chunk"]),
        st.floats(-2, 3),
        st.dictionaries(
            st.sampled_from(["content", "message", "index", "finish_reason", "gen_ai.prompt",
                             "gen_ai.input.messages", "exception.message",
                             "gen_ai.event.content"]),
            values, max_size=3,
        ),
    ),
    max_size=3,
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(attributes=attributes, events=events, status=st.sampled_from(["unset", "error"]))
def test_no_value_of_any_attribute_raises_or_hides_its_span(
    attributes: dict[str, Any], events: list[tuple[str, float, dict[str, Any]]], status: str
) -> None:
    given_span = span(attributes, events=events, status=status)
    bench = Bench()
    found = bench.add(given_span)
    assert [kept.span_id for kept in found.spans] == [given_span.span_id]
    facts = read(given_span)
    calls = [i.span_id for i in bench.final()]
    assert calls == ([given_span.span_id] if facts and facts.step is Step.MODEL else [])
    for one in bench.final():
        assert one.answer_text != ""
        assert one.time_to_first_token_s is None or one.time_to_first_token_s >= 0
        json.dumps(one.attributes)
        for message in (*(one.input_messages or ()), *(one.output_messages or ())):
            assert isinstance(message["role"], str)
            assert isinstance(message["parts"], list)


@settings(max_examples=200, deadline=None)
@given(name=st.sampled_from(["gen_ai.choice", "gen_ai.user.message", "gen_ai.evaluation.result",
                             "gen_ai.client.inference.operation.details"]), body=values,
       told=attributes)  # fmt: skip
def test_no_log_event_raises(name: str, body: Any, told: dict[str, Any]) -> None:
    call = chat("Hi", "Ho")
    bench = Bench()
    bench.add(event(name, body, of=call, attributes=told), call)
    assert [i.answer_text for i in bench.final()] == ["Ho"]


@settings(max_examples=200, deadline=None)
@given(value=values)
def test_any_value_reads_as_messages_in_normal_form_or_none(value: Any) -> None:
    for found in (messages_of(value), response_of(value).messages):
        for message in found or ():
            assert isinstance(message["role"], str)
            assert isinstance(message["parts"], list)
            assert all(isinstance(part, dict) for part in message["parts"])


@pytest.mark.parametrize("depth", [40, 60, 2000, 100_000])
@pytest.mark.parametrize("opener", ["[", '{"content":', '{"parts":[{"content":'])
def test_deep_nesting_stays_text(depth: int, opener: str) -> None:
    closers = {"[": "]", '{"content":': "}", '{"parts":[{"content":': "}]}"}
    text = opener * depth + "1" + closers[opener] * depth
    for key in ("gen_ai.input.messages", "gen_ai.output.messages", "output.value", "request_data"):
        bench = Bench()
        bench.add(span({**chat("Hi", "Ho").attributes, key: text}))
        assert len(bench.final()) == 1


TURNS = [
    said("user", 'Say "hi" \\ to Bergen\n\t\U0001f6a2'),
    said("assistant", "Hi, Bergen."),
    said("user", "ok"),
]
SPELLED = json.dumps(TURNS)


@pytest.mark.parametrize("end", range(0, len(SPELLED)))
def test_every_cut_of_messages_gives_what_stands_before_it(end: int) -> None:
    found = messages_of(SPELLED[:end])
    if end > SPELLED.index("Say") + 4:
        assert found is not None
        whole = messages_of(TURNS) or ()
        assert len(found) <= len(whole) + 1
        text = str(found[0]["parts"][0]["content"])  # type: ignore[index, call-overload]
        assert text.startswith("Say")
        assert str(TURNS[0]["parts"][0]["content"]).startswith(text)  # type: ignore[index, call-overload]


@settings(max_examples=200, deadline=None)
@given(value=values, cut=st.integers(0, 60))
def test_salvage_never_raises(value: Any, cut: int) -> None:
    salvaged(json.dumps(value)[:cut])


def story(seed: int) -> list[Span | LogEvent]:
    """Return a trace of an application with most of what may happen in one."""
    chance = random.Random(seed)
    root = span(name="POST /ask", lasts=60)
    found: list[Span | LogEvent] = [root]
    for turn in range(chance.randrange(1, 5)):
        start = 10.0 * turn
        branch = span({"gen_ai.operation.name": "invoke_workflow"}, under=root, at=start, lasts=9)
        found.append(branch)
        for number in range(chance.randrange(0, 3)):
            texts = [f"text {turn} {number} {n}" for n in range(2)]
            query = chance.choice([None, f"question {turn}"])
            at = start + 0.5 + number
            found.append(retrieval(*texts, query=query, under=chance.choice([root, branch]), at=at))
        more: dict[str, Json] = {"gen_ai.response.id": f"r{turn}"}
        call = chat(
            f"question {turn}, dear model?", f"The answer to {turn} is so and so.",
            under=branch, at=start + 4, lasts=2, more=more,
        )  # fmt: skip
        found.append(call)
        if chance.random() < 0.5:
            found.append(chat(under=call, at=start + 4.1, lasts=1.5, more=more, scope="sdk"))
        if chance.random() < 0.4:
            handed = f"Translate: The answer to {turn} is so and so."
            found.append(chat(handed, f"Svaret på {turn}.", under=branch, at=start + 7))
        if chance.random() < 0.4:
            found.append(event("gen_ai.user.message", {"content": "late"}, of=call, at=start + 4))
        if chance.random() < 0.3:
            failed: dict[str, Json] = {"error.type": "Timeout", **more}
            found.append(chat(under=branch, at=start + 6.5, more=failed, status="error"))
    return found


def told(parts: Sequence[Sequence[Span | LogEvent]]) -> Bench:
    bench = Bench(clock=SetClock())
    for part in parts:
        bench.add(*part)
    return bench


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 10_000), data=st.data())
def test_any_order_split_and_repetition_ends_the_same(seed: int, data: st.DataObject) -> None:
    items = story(seed)
    whole = told([items]).final()
    mixed = data.draw(st.permutations(items + items[:: data.draw(st.integers(1, 4))]))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(mixed)), max_size=8)))
    edges = [0, *cuts, len(mixed)]
    parts = [mixed[a:b] for a, b in pairwise(edges)]
    bench = told(parts)
    assert bench.final() == whole
    again = bench.add(*items)
    assert (again.interactions, again.retractions, again.spans) == ([], [], [])
    assert {i.trace_id for i in whole} == {TRACE}
