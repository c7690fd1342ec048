import json

import pytest
from bench.corpus import SPANS_A_BODY, Body, bodies, renewed
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

START = 1_795_000_000.0


def spans(body: Body) -> list[Span]:
    request = ExportTraceServiceRequest.FromString(body.payload)
    return list(request.resource_spans[0].scope_spans[0].spans)


def keys(body: Body) -> set[tuple[bytes, bytes]]:
    return {(span.trace_id, span.span_id) for span in spans(body)}


def attributes(span: Span) -> dict[str, str]:
    return {pair.key: pair.value.string_value for pair in span.attributes}


def test_corpus_is_a_function_of_its_seed() -> None:
    assert list(bodies(128, seed=3, start=START)) == list(bodies(128, seed=3, start=START))
    (one,), (other,) = bodies(64, seed=3, start=START), bodies(64, seed=4, start=START)
    assert not keys(one) & keys(other)


def test_bodies_are_whole_and_spans_weigh_what_the_dossier_s_did() -> None:
    made = list(bodies(200, start=START))
    assert [body.spans for body in made] == [SPANS_A_BODY] * 4
    assert all(len(keys(body)) == SPANS_A_BODY for body in made)
    size = sum(len(body.payload) for body in made) / sum(body.spans for body in made)
    assert size == pytest.approx(4_226, rel=0.02)


@pytest.mark.parametrize(("share", "calls"), [(0.0, 0), (0.25, 16), (0.5, 32), (1.0, 64)])
def test_share_of_model_calls_is_as_asked_and_as_said(share: float, calls: int) -> None:
    (body,) = bodies(64, model_call_share=share, start=START)
    assert body.model_calls == calls
    assert sum("gen_ai.operation.name" in attributes(span) for span in spans(body)) == calls


def test_model_calls_and_other_spans_weigh_about_the_same() -> None:
    (calls,), (others,) = (bodies(64, model_call_share=share, start=START) for share in (1.0, 0.0))
    assert len(calls.payload) == pytest.approx(len(others.payload), rel=0.1)


def test_answers_rest_in_part_on_their_documents() -> None:
    (body,) = bodies(64, start=START)
    call = next(span for span in spans(body) if "gen_ai.output.messages" in attributes(span))
    facts = attributes(call)
    documents = facts["retrieval.documents.0.document.content"]
    documents += facts["retrieval.documents.1.document.content"]
    (message,) = json.loads(facts["gen_ai.output.messages"])
    sentences = message["parts"][0]["content"].split(". ")
    known = sum(sentence.strip(".") in documents for sentence in sentences)
    assert 0 < known < len(sentences)


def test_each_trace_has_one_root_that_the_others_name() -> None:
    (body,) = bodies(64, start=START)
    by_trace: dict[bytes, list[Span]] = {}
    for span in spans(body):
        by_trace.setdefault(span.trace_id, []).append(span)
    assert set(by_trace) == set(body.trace_ids)
    for trace in by_trace.values():
        (root,) = [span for span in trace if not span.parent_span_id]
        assert {span.parent_span_id for span in trace if span is not root} == {root.span_id}


def test_renewed_body_differs_in_its_traces_alone() -> None:
    (body,) = bodies(64, start=START)
    again = renewed(body, 7)
    assert not set(again.trace_ids) & set(body.trace_ids)
    assert not keys(again) & keys(body)
    assert (again.spans, again.model_calls) == (body.spans, body.model_calls)
    assert [attributes(span) for span in spans(again)] == [attributes(span) for span in spans(body)]
    assert renewed(body, 7) == again != renewed(body, 8)
