"""Which retrieved documents a model call was given.

Those on the call itself; else those of the retrievals of its trace that ended before it started. Of
these the nearest count: the ones under the closest common ancestor, since the last answer there. A
reranker's output replaces what it was given. Late spans change the result, never their order.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from seakeeping.ingest.assemble.trace import Step, Trace
from seakeeping.ingest.assemble.twins import Call
from seakeeping.ingest.dialects import Step as Kind
from seakeeping.records import Document

_SLACK_S = 1e-5
_ROOT = ""
_MOST = 64
_SKEW_S = 3600.0

Levels = dict[str, list[Step]]
"""Retrievals by each span above them, in order of their end."""


def retrievals_of(trace: Trace) -> Levels:
    """Return the retrievals of a trace by every ancestor they have."""
    found = [
        step
        for step in trace.steps.values()
        if step.facts.step in (Kind.RETRIEVAL, Kind.RERANK) and step.facts.documents
    ]
    found.sort(key=lambda step: (step.ended_at, step.span.span_id))
    levels: Levels = {}
    for step in found:
        for span_id in trace.ancestors(step.span.span_id):
            levels.setdefault(span_id, []).append(step)
        levels.setdefault(_ROOT, []).append(step)
    return levels


@dataclass(frozen=True, slots=True)
class Grounds:
    """What a call was given to answer from: the documents, and the question they were found by."""

    documents: tuple[Document, ...] = ()
    query: str | None = None


NO_GROUNDS = Grounds()


def grounds_of(call: Call, trace: Trace, levels: Levels, answer_ends: Sequence[float]) -> Grounds:
    """Return the documents that the call was given, none where there are none.

    Args:
        call: the model call.
        trace: its trace.
        levels: see :func:`retrievals_of`.
        answer_ends: when the answers of the trace ended, ascending.
    """
    own = next((step.facts for step in call.steps if step.facts.documents), None)
    if own is not None:
        return Grounds(own.documents, own.query)
    if not levels:
        return NO_GROUNDS
    start = call.head.span.started_at + _SLACK_S
    index = bisect_right(answer_ends, start)
    since = answer_ends[index - 1] - _SLACK_S if index else None
    for level in (*trace.ancestors(call.head.span.span_id), _ROOT):
        steps = levels.get(level, ())
        before = [*_before(steps, start, since), *_skewed(steps, start, call.head)]
        if before:
            return Grounds(_given(before), _query(before))
    return NO_GROUNDS


def _query(steps: Sequence[Step]) -> str | None:
    return next((step.facts.query for step in reversed(steps) if step.facts.query), None)


def _before(steps: Sequence[Step], start: float, since: float | None) -> Sequence[Step]:
    """Return the retrievals ended by ``start``: those since the last answer, else the last."""
    index = bisect_right(steps, start, key=_end)
    latest = steps[max(0, index - _MOST) : index]
    if since is None:
        return latest
    return [step for step in latest if step.span.started_at >= since] or latest


def _skewed(steps: Sequence[Step], start: float, head: Step) -> list[Step]:
    """Return retrievals of other services whose clocks are so far ahead that times tell nothing."""
    index = bisect_right(steps, start + _SKEW_S, key=_end)
    own = head.span.service_name
    return [step for step in steps[index : index + _MOST] if step.span.service_name != own]


def _end(step: Step) -> float:
    return step.ended_at


def _given(steps: Iterable[Step]) -> tuple[Document, ...]:
    documents: list[Document] = []
    for step in steps:
        if step.facts.step is Kind.RERANK:
            documents = [_named(document, documents) for document in step.facts.documents]
        else:
            documents.extend(step.facts.documents)
    return _distinct(documents)


def _named(reranked: Document, given: list[Document]) -> Document:
    """Return a reranker's document with the text that only the retriever wrote down."""
    if reranked.content is not None:
        return reranked
    for document in given:
        if reranked.id is not None and document.id == reranked.id:
            score = document.score if reranked.score is None else reranked.score
            return Document(document.id, document.content, score, document.metadata)
    return reranked


def _distinct(documents: Iterable[Document]) -> tuple[Document, ...]:
    """Drop repetitions: a retriever and the vector store under it report the same texts."""
    seen: set[str | tuple[str | None, None]] = set()
    kept: list[Document] = []
    for document in documents:
        mark = document.content if document.content is not None else (document.id, None)
        if mark not in seen:
            seen.add(mark)
            kept.append(document)
    return tuple(kept)
