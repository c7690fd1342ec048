"""Log events that carry the content of a call: what they tell, and a span to stand for theirs.

Newer instrumentations write one event with everything in its attributes, older ones an event a
message with the content in its body. Either may come before the span, or alone.
"""

from collections.abc import Sequence

from seakeeping.ingest.dialects import Facts
from seakeeping.ingest.dialects.otel_genai import DETAILS_EVENTS, event_facts
from seakeeping.ingest.dialects.values import first_text
from seakeeping.records import JsonObject, LogEvent, Span


def told_by(events: Sequence[LogEvent]) -> Facts:
    """Return what the content events of one span tell together."""
    told = event_facts(_contents(events))
    if told.provider is None:
        names = (first_text(e.attributes, "gen_ai.provider.name", "gen_ai.system") for e in events)
        told.provider = next(filter(None, names), None)
    return told


def _contents(events: Sequence[LogEvent]) -> list[tuple[str, JsonObject]]:
    """Return events by time; what an event says is in its body, in newer ones in its attributes."""
    ordered = sorted(events, key=lambda event: event.at)
    return [(event.name, _content(event)) for event in ordered]


def _content(event: LogEvent) -> JsonObject:
    if event.name in DETAILS_EVENTS or not isinstance(event.body, dict):
        body = event.body if isinstance(event.body, dict) else {}
        return {**event.attributes, **body}
    return event.body


def span_of(events: Sequence[LogEvent]) -> Span:
    """Return a span that stands for the one that these events belong to until that comes."""
    first = min(events, key=lambda event: event.at)
    attributes = {k: v for event in events for k, v in event.attributes.items()}
    return Span(
        trace_id=first.trace_id or "",
        span_id=first.span_id or "",
        parent_span_id=None,
        name=first.name,
        kind="client",
        started_at=first.at,
        duration_s=None,
        status="unset",
        error_type=None,
        service_name=first.service_name,
        attributes=attributes,
        resource=first.resource,
    )
