"""Other people's judgements: ``gen_ai.evaluation.result`` events and annotations on spans.

They name the span they judge, or only the response. Each becomes an evaluation of the interaction
that the span belongs to; its value is kept, its direction is unknown until configured.
"""

from seakeeping.ingest.assemble.trace import Key, Opinion
from seakeeping.ingest.dialects import Facts
from seakeeping.ingest.dialects.otel_genai import RESULT_EVENT, score_of
from seakeeping.ingest.dialects.values import text_of
from seakeeping.records import Evaluation, LogEvent, Span

OWN_MARK = "seakeeping.evaluator.name"
"""The attribute by which our own exported scores are known when they come back."""


def opinions_on(span: Span, facts: Facts) -> list[Opinion]:
    """Return the judgements written on a span."""
    return [
        Opinion(span.span_id, None, score, span.started_at, span.scope_name or score.name)
        for score in facts.scores
    ]


def opinion_in(event: LogEvent) -> Opinion | None:
    """Return the judgement that a log event is, None where it is none or our own."""
    if event.name != RESULT_EVENT or OWN_MARK in event.attributes:
        return None
    score = score_of(event.attributes)
    if score is None:
        return None
    response_id = text_of(event.attributes.get("gen_ai.response.id"))
    return Opinion(event.span_id, response_id, score, event.at, score.name)


def evaluation_of(opinion: Opinion, key: Key) -> Evaluation:
    """Return the judgement as an evaluation of the interaction ``key``."""
    trace_id, span_id = key
    score = opinion.score
    return Evaluation(
        trace_id=trace_id,
        span_id=span_id,
        name=score.name,
        score_value=score.value,
        score_label=score.label,
        explanation=score.explanation,
        evidence=(),
        evaluator=f"external:{opinion.by}",
        evaluator_version="",
        evaluated_at=opinion.at,
        duration_s=None,
        cost_usd=None,
        skipped_reason=None,
    )
