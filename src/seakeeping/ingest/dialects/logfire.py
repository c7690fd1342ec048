"""Pydantic AI and Logfire: OpenTelemetry names, and some of their own.

A streamed call comes as two spans of one parent: the request, without output, and a span of no
length with the output when the stream has ended; they are one call. Without a parent they lie in
two traces, and only what was asked joins them. A span that is announced before
it ends (``pending_span``) is none. Old releases keep requests and responses as JSON, or messages as
events.
"""

from collections.abc import Sequence
from hashlib import sha256

from seakeeping.ingest.dialects import otel_genai
from seakeeping.ingest.dialects.facts import Facts, Step
from seakeeping.ingest.dialects.messages import messages_of, split_system, text_message
from seakeeping.ingest.dialects.tools import tools_of
from seakeeping.ingest.dialects.usage import usage_of
from seakeeping.ingest.dialects.values import (
    compact,
    dig,
    flag_of,
    list_of,
    number_of,
    object_of,
    text_of,
)
from seakeeping.records import Json, JsonObject, Span

NAME = "logfire"

MARKERS = (
    "logfire.span_type",
    "model_request_parameters",
    "request_data",
    "response_data",
    "pydantic_ai.all_messages",
    "all_messages_events",
)

CONTENT_HINT = "InstrumentationSettings(include_content=True)"


def read(span: Span) -> Facts | None:
    """Return what the span tells; None where it is a plain Logfire span."""
    attributes = span.attributes
    kind = attributes.get("logfire.span_type")
    if kind == "pending_span":
        return Facts(NAME, Step.WORKFLOW, "pending")
    request = object_of(attributes.get("request_data"))
    if not otel_genai.is_told(attributes) and dig(request, "model") is None:
        return None
    facts = otel_genai.read(span) or Facts(NAME)
    facts.dialect = NAME
    if facts.step is Step.WORKFLOW and dig(request, "model") is not None:
        facts = _call_facts(span)
    if facts.step is Step.MODEL:
        _read_data(facts, attributes, request or {})
        _read_old_events(facts, attributes)
        facts.continues = kind == "log" and not span.duration_s and "duration" in attributes
        if kind is not None:
            _read_half(facts, span)
    return facts


def _read_half(facts: Facts, span: Span) -> None:
    """Read what tells the half of a stream: its request names the asked model as the answering."""
    if facts.output_messages is not None and not facts.continues:
        return
    if facts.response_model == facts.request_model and facts.response_id is None:
        facts.response_model = None
    if span.parent_span_id is None and facts.error_type is None:
        asked = [span.service_name, facts.request_model, facts.system, facts.input_messages]
        facts.stream_key = sha256(compact(asked).encode()).hexdigest()


def _call_facts(span: Span) -> Facts:
    facts = otel_genai.attribute_facts(span.attributes, Step.MODEL)
    facts.dialect, facts.operation = NAME, "chat"
    return facts


def _read_data(facts: Facts, attributes: JsonObject, request: JsonObject) -> None:
    facts.request_model = facts.request_model or text_of(request.get("model"))
    if facts.streaming is None:
        facts.streaming = flag_of(request.get("stream"))
    if facts.input_messages is None and ("messages" in request or "input" in request):
        facts.system, facts.input_messages = split_system(messages_of(request))
    if facts.tool_definitions is None:
        facts.tool_definitions = tools_of(request.get("tools"))
    response = object_of(attributes.get("response_data"))
    if response is not None:
        _read_response(facts, response)
    if attributes.get("logfire.span_type") == "log" and number_of(attributes.get("duration")):
        facts.streaming = True


def _read_response(facts: Facts, response: JsonObject) -> None:
    if facts.output_messages is None:
        whole = text_of(response.get("combined_chunk_content") or response.get("text"))
        if whole is not None:
            facts.output_messages = (text_message("assistant", whole),)
        else:
            facts.output_messages = messages_of(response.get("message"), "assistant")
    if facts.usage.is_empty:
        facts.usage = usage_of(response.get("usage"))


def _read_old_events(facts: Facts, attributes: JsonObject) -> None:
    """Read the messages that old instrumentations keep as a JSON list of events."""
    if facts.input_messages is not None or facts.output_messages is not None:
        return
    events = list_of(attributes.get("events"))
    if events is not None:
        facts.fill(otel_genai.event_facts(_named(events)))
        facts.content_keys += ("events",)


def _named(events: Sequence[Json]) -> list[tuple[str, JsonObject]]:
    found = (event for event in events if isinstance(event, dict))
    return [(str(event.get("event.name")), event) for event in found]
