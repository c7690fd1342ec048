"""Other people's judgements: ``gen_ai.evaluation.result`` events and annotations on spans.

They name the span they judge, or only the response. Each becomes an evaluation of the interaction
that the span belongs to; its value is kept, its direction is unknown until configured.

What a person said (a reviewer's annotation, a user's thumb) is a label, too: the truth that
detectors are held against. Of a thumb on a whole run the one answer below it is the subject. Nobody
drew these answers for labelling, so they carry no sampling probability.
"""

from collections.abc import Iterator, Mapping

from seakeeping.ingest.assemble.trace import Key, Opinion, Trace
from seakeeping.ingest.dialects import Facts
from seakeeping.ingest.dialects.otel_genai import RESULT_EVENT, score_of
from seakeeping.ingest.dialects.values import text_of
from seakeeping.records import EVALUATION_KINDS, Evaluation, Label, LabelKind, LogEvent, Span

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


_KINDS: Mapping[str, LabelKind] = {
    **dict.fromkeys(("human", "reviewer", "annotator", "expert"), LabelKind.HUMAN),
    **dict.fromkeys(("user", "end_user", "end-user", "enduser"), LabelKind.USER),
}
_FEEDBACK = frozenset({
    "feedback", "user_feedback", "user-feedback", "user feedback", "thumbs", "thumb",
    "thumbs_up", "user_rating",
})  # fmt: skip
"""Names under which applications report what their users thought of an answer."""

_WORDS: Mapping[str, float] = {
    **dict.fromkeys(("thumbs_up", "thumbs-up", "up", "positive", "good", "correct", "pass", "yes",
                     "like", "liked", "true", "helpful", "accept", "accepted"), 1.0),
    **dict.fromkeys(("thumbs_down", "thumbs-down", "down", "negative", "bad", "incorrect", "fail",
                     "no", "dislike", "disliked", "false", "unhelpful", "reject", "rejected"), 0.0),
}  # fmt: skip
_OF_FAITHFULNESS = {"hallucinated": 0.0, "factual": 1.0}
"""What annotators of hallucinations write; their scores go either way."""


def labels_in(trace: Trace) -> Iterator[Label]:
    """Yield the labels of people in a trace that are new, or whose answer is known better now."""
    for opinion, judged in trace.judged.items():
        kind = kind_of(opinion)
        if kind is None:
            continue
        target = judged
        if judged[1] not in trace.told and opinion.span_id is not None:
            target = trace.answer_under(opinion.span_id) or judged
        label = label_of(opinion, target, kind)
        if label is not None and trace.labelled.get(opinion) != target:
            trace.labelled[opinion] = target
            yield label


def kind_of(opinion: Opinion) -> LabelKind | None:
    """Return which kind of person judged, None where it was none."""
    told = _KINDS.get(opinion.score.source.lower())
    if told is None and not opinion.score.source and opinion.score.name.lower() in _FEEDBACK:
        return LabelKind.USER
    return told


def label_of(opinion: Opinion, key: Key, kind: LabelKind) -> Label | None:
    """Return a person's judgement as a label, None where its scale is not 0 to 1."""
    found = _on_scale(opinion)
    if found is None:
        return None
    name, value = found
    author = "" if kind is LabelKind.USER else opinion.score.author or opinion.by
    return Label(*key, name, value, kind, author, opinion.at, comment=opinion.score.explanation)


def _on_scale(opinion: Opinion) -> tuple[str, float] | None:
    """Return the evaluation that is meant, and the value on its own scale."""
    score = opinion.score
    word = (score.label or "").lower()
    if word in _OF_FAITHFULNESS and "hallucination" in score.name.lower():
        return "faithfulness", _OF_FAITHFULNESS[word]
    if score.value is not None:
        value = 0.0 if score.value == -1 else score.value  # thumbs are also told as -1 and 1
        return (score.name, value) if 0.0 <= value <= 1.0 else None
    kind = EVALUATION_KINDS.get(score.name)
    if kind is not None and word in (kind.good_label, kind.bad_label):
        is_high = (word == kind.good_label) == kind.higher_is_better
        return score.name, 1.0 if is_high else 0.0
    return (score.name, _WORDS[word]) if word in _WORDS else None
