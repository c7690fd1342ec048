"""A forgotten trace, back from the store.

The store holds spans without their content and interactions with it, so a call's step is read from
its span and completed from its interaction. A span of a call without an interaction was a twin.
"""

from collections.abc import Iterable

from seakeeping.ingest.assemble.building import ESTIMATED, OWN_DOCUMENTS, TOKENS
from seakeeping.ingest.assemble.trace import Step as Stored
from seakeeping.ingest.assemble.trace import Told, Trace, add_told, step_of
from seakeeping.ingest.dialects import Facts, Step, read
from seakeeping.ingest.dialects.usage import NO_USAGE, Usage
from seakeeping.records import Interaction, Span


def recall(trace: Trace, spans: Iterable[Span], interactions: Iterable[Interaction]) -> None:
    """Put what the store knows of a trace into it, under what memory already knows better."""
    for span in spans:
        if span.span_id in trace.parents:
            continue
        trace.place(span.span_id, span.parent_span_id)
        trace.from_store.add(span.span_id)
        facts = read(span)
        if facts is not None:
            trace.keep(step_of(span, facts))
    for interaction in interactions:
        _recall_call(trace, interaction)
    trace.needs_history = False


def _recall_call(trace: Trace, interaction: Interaction) -> None:
    span_id = interaction.span_id
    if span_id in trace.told:
        return
    trace.told[span_id] = Told(interaction, interaction.version)
    step = trace.steps.get(span_id)
    if step is None:
        step = step_of(_span_of(interaction), Facts(_dialect(interaction), Step.MODEL))
        trace.steps[span_id] = step
        trace.parents.setdefault(span_id, interaction.parent_span_id)
    if step.facts.step is Step.MODEL:
        complete(step, interaction)
        trace.recalled[span_id] = interaction


def complete(step: Stored, interaction: Interaction) -> None:
    """Let a stored interaction tell what its span does not: content, what twins and events told."""
    add_told(step, facts_of(interaction))
    step.own = step.facts


def _dialect(interaction: Interaction) -> str:
    return str(interaction.attributes.get("seakeeping.dialect", "unknown"))


def facts_of(interaction: Interaction) -> Facts:
    """Return what a stored interaction tells; its documents, if not its own, are found again."""
    return Facts(
        _dialect(interaction),
        Step.MODEL,
        interaction.operation,
        provider=interaction.provider,
        request_model=interaction.request_model,
        response_model=interaction.response_model,
        response_id=interaction.response_id,
        system=interaction.system_instructions,
        input_messages=interaction.input_messages,
        output_messages=interaction.output_messages,
        tool_definitions=interaction.tool_definitions,
        documents=interaction.documents if OWN_DOCUMENTS in interaction.attributes else (),
        usage=_usage(interaction),
        cost_usd=interaction.cost_usd,
        finish_reasons=interaction.finish_reasons,
        time_to_first_token_s=interaction.time_to_first_token_s,
        streaming=interaction.streaming,
        error_type=interaction.error_type,
        conversation_id=interaction.conversation_id,
        user_id=interaction.user_id,
        tenant=interaction.tenant,
        release=interaction.release,
        environment=interaction.environment,
        prompt_name=interaction.prompt_name,
        prompt_version=interaction.prompt_version,
    )


def _usage(interaction: Interaction) -> Usage:
    """Return the tokens that were told; estimates are made again."""
    if interaction.attributes.get(TOKENS) == ESTIMATED:
        return NO_USAGE
    return Usage(
        input=interaction.input_tokens,
        output=interaction.output_tokens,
        cache_read=interaction.cache_read_tokens,
        reasoning=interaction.reasoning_tokens,
    )


def _span_of(interaction: Interaction) -> Span:
    return Span(
        trace_id=interaction.trace_id,
        span_id=interaction.span_id,
        parent_span_id=interaction.parent_span_id,
        name=interaction.operation,
        kind="client",
        started_at=interaction.started_at,
        duration_s=interaction.duration_s,
        status="unset" if interaction.error_type is None else "error",
        error_type=interaction.error_type,
        service_name=interaction.service_name,
        attributes=interaction.attributes,
        sampling_weight=interaction.sampling_weight,
    )
