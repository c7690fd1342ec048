"""An interaction written as the spans that an instrumented app would have sent.

``seakeeping send`` uses it for JSONL files: what comes from a file takes the same way, through the
receivers and the normaliser, as what comes from an app. Attribute names are those of the
OpenTelemetry GenAI conventions (1.37 and newer); what these lack stands under ``seakeeping.``.
"""

import hashlib
from collections.abc import Iterator, Mapping

import orjson

from seakeeping.records import Document, Interaction, Json, JsonObject, Span

_PLAIN = {
    "gen_ai.operation.name": "operation",
    "gen_ai.provider.name": "provider",
    "gen_ai.request.model": "request_model",
    "gen_ai.response.model": "response_model",
    "gen_ai.response.id": "response_id",
    "gen_ai.request.stream": "streaming",
    "gen_ai.response.time_to_first_chunk": "time_to_first_token_s",
    "gen_ai.usage.input_tokens": "input_tokens",
    "gen_ai.usage.output_tokens": "output_tokens",
    "gen_ai.usage.cache_read.input_tokens": "cache_read_tokens",
    "gen_ai.usage.reasoning.output_tokens": "reasoning_tokens",
    "gen_ai.usage.cost": "cost_usd",
    "gen_ai.conversation.id": "conversation_id",
    "gen_ai.prompt.name": "prompt_name",
    "gen_ai.prompt.version": "prompt_version",
    "error.type": "error_type",
    "user.id": "user_id",
    "seakeeping.tenant": "tenant",
    "seakeeping.route": "route",
    "seakeeping.region": "region",
    "seakeeping.release": "release",
    "seakeeping.traffic": "traffic",
}

_RESOURCE = {
    "service.name": "service_name",
    "service.version": "service_version",
    "deployment.environment.name": "environment",
}


def as_spans(interaction: Interaction) -> list[Span]:
    """Return the call's span, and before it a retrieval span where documents were given."""
    call = _call_span(interaction)
    return [*_retrieval_spans(interaction, call), call]


def _call_span(interaction: Interaction) -> Span:
    return Span(
        trace_id=interaction.trace_id,
        span_id=interaction.span_id,
        parent_span_id=interaction.parent_span_id,
        name=f"{interaction.operation} {interaction.request_model or ''}".strip(),
        kind="client",
        started_at=interaction.started_at,
        duration_s=interaction.duration_s,
        status="error" if interaction.error_type else "unset",
        error_type=interaction.error_type,
        service_name=interaction.service_name,
        attributes={**interaction.attributes, **dict(_attributes(interaction))},
        resource=dict(_named(interaction, _RESOURCE)),
        scope_name="seakeeping.send",
        sampling_weight=interaction.sampling_weight,
    )


def _named(interaction: Interaction, names: Mapping[str, str]) -> Iterator[tuple[str, Json]]:
    for attribute, field in names.items():
        if (value := getattr(interaction, field)) is not None:
            yield attribute, value


def _attributes(interaction: Interaction) -> Iterator[tuple[str, Json]]:
    yield from _named(interaction, _PLAIN)
    if interaction.finish_reasons:
        yield "gen_ai.response.finish_reasons", list(interaction.finish_reasons)
    if interaction.system_instructions is not None:
        yield "gen_ai.system_instructions", _json([_text_part(interaction.system_instructions)])
    for name, messages in (
        ("gen_ai.input.messages", interaction.input_messages),
        ("gen_ai.output.messages", interaction.output_messages),
        ("gen_ai.tool.definitions", interaction.tool_definitions),
    ):
        if messages is not None:
            yield name, _json(list(messages))
    for group, value in interaction.groups.items():
        yield f"seakeeping.group.{group}", value
    if interaction.sampling_weight > 1:
        yield "SampleRate", interaction.sampling_weight


def _retrieval_spans(interaction: Interaction, call: Span) -> Iterator[Span]:
    if not interaction.documents:
        return
    yield Span(
        trace_id=call.trace_id,
        span_id=derived_id(call.trace_id, call.span_id, "retrieval"),
        parent_span_id=call.parent_span_id,
        name="retrieval",
        kind="client",
        started_at=call.started_at,
        duration_s=0.0,
        status="unset",
        error_type=None,
        service_name=call.service_name,
        attributes={
            "gen_ai.operation.name": "retrieval",
            "gen_ai.retrieval.documents": _json([_document(d) for d in interaction.documents]),
            "seakeeping.traffic": interaction.traffic,
        },
        resource=call.resource,
        scope_name=call.scope_name,
    )


def derived_id(*parts: str) -> str:
    """Return a span id that follows from the parts, so that sending twice counts once.

    >>> derived_id("a", "b") == derived_id("a", "b")
    True
    """
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _document(document: Document) -> JsonObject:
    facts: dict[str, Json] = {"id": document.id, "content": document.content}
    if document.score is not None:
        facts["score"] = document.score
    if document.metadata:
        facts["metadata"] = document.metadata
    return facts


def _text_part(text: str) -> JsonObject:
    return {"type": "text", "content": text}


def _json(value: Json) -> str:
    return orjson.dumps(value).decode()
