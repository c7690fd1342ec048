"""Dialects: one reader for each way in which AI applications spell their telemetry.

A span is read by the dialect whose keys it carries, never by its scope's name, since
instrumentations change names and copy each other. A reader takes what the span tells into
:class:`Facts` and never raises: a malformed value is a missing one. Spans without any such key are
told apart first, by one look at the keys, because most spans of a trace are not of an AI library.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from seakeeping.ingest.dialects import (
    fallback,
    langfuse,
    langsmith,
    litellm,
    logfire,
    mlflow,
    openinference,
    openllmetry,
    otel_genai,
    vector_store,
    vercel,
)
from seakeeping.ingest.dialects.documents import documents_of
from seakeeping.ingest.dialects.facts import Facts, Score, Step
from seakeeping.ingest.dialects.failures import read_failure
from seakeeping.records import JsonObject, Span

Reader = Callable[[Span], Facts | None]

_DIALECTS = (
    langfuse,
    openinference,
    langsmith,
    mlflow,
    vercel,
    logfire,
    litellm,
    openllmetry,
    otel_genai,
    vector_store,
    fallback,
)
"""In order of precedence: what a framework says of its own span before the common names."""

_READERS: tuple[Reader, ...] = tuple(dialect.read for dialect in _DIALECTS)
_PRECEDENCE: Mapping[str, int] = MappingProxyType(
    {marker: rank for rank, d in reversed(list(enumerate(_DIALECTS))) for marker in d.MARKERS}
)
_MARKERS = frozenset(_PRECEDENCE)
_HINTS: Mapping[str, str] = MappingProxyType({d.NAME: d.CONTENT_HINT for d in _DIALECTS})


def is_step(attributes: JsonObject) -> bool:
    """Say whether attributes hold any key that marks a step of an AI application."""
    return not _MARKERS.isdisjoint(attributes)


def read(span: Span) -> Facts | None:
    """Return what the span tells of a step of an AI application, None where it is none."""
    attributes = span.attributes
    if _MARKERS.isdisjoint(attributes):
        return None
    ranks = sorted({_PRECEDENCE[key] for key in attributes if key in _PRECEDENCE})
    for rank in ranks:
        facts = _READERS[rank](span)
        if facts is not None:
            if facts.step is Step.MODEL:
                _complete_call(span, facts)
            return facts
    return None


def _complete_call(span: Span, facts: Facts) -> None:
    """Read what may stand on a model call of any dialect: its error, its own documents, content."""
    attributes = span.attributes
    read_failure(span, facts)
    facts.response_id = litellm.own_id(facts.response_id)
    if facts.user_id is None and facts.session_id is None and facts.dialect != openllmetry.NAME:
        openllmetry.read_who(facts, attributes)
    if facts.output_messages is None or facts.input_messages is None:
        fallback.fill_content(facts, attributes)
    if "retrieval.documents.0.document.content" in attributes:
        facts.documents = openinference.documents_in(attributes)
    elif "gen_ai.retrieval.documents" in attributes:
        facts.documents = documents_of(attributes["gen_ai.retrieval.documents"])


def content_hint(dialect: str) -> str | None:
    """Return what to set so that the dialect's instrumentation sends message content."""
    return _HINTS.get(dialect)


__all__ = ["Facts", "Score", "Step", "content_hint", "is_step", "read"]
