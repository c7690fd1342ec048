"""One interaction out of the spans of one call, its documents and what is known of its trace.

The outermost span speaks; what it does not say is taken from its twins, and the one nearest to the
wire is believed about tokens and the first token. Fields get their normal forms here, raw spellings
stay in ``attributes``.
"""

from dataclasses import replace

from seakeeping.ingest.assemble.grounding import Grounds
from seakeeping.ingest.assemble.trace import Trace
from seakeeping.ingest.assemble.twins import Call
from seakeeping.ingest.dialects import Facts, content_hint
from seakeeping.ingest.dialects import Step as Kind
from seakeeping.ingest.dialects.keys import GROUP_PREFIX, Place, place_of
from seakeeping.ingest.dialects.messages import (
    Messages,
    call_parts,
    has_tool_call,
    text_in,
)
from seakeeping.ingest.dialects.otel_genai import CONTENT_EVENTS
from seakeeping.ingest.dialects.terms import (
    finish_reasons_of,
    provider_in_model,
    provider_of,
)
from seakeeping.ingest.dialects.usage import Usage
from seakeeping.records import FinishReason, Interaction, Json, JsonObject, Span, Traffic

TOKENS, ESTIMATED = "seakeeping.tokens", "estimated"
"""Says that the tokens were told by nobody, but estimated from the text."""

OWN_DOCUMENTS = "seakeeping.own_documents"
"""Says that the call itself told its documents, so none are looked for in its trace."""

_TRAFFIC = frozenset(traffic.value for traffic in Traffic)
_CHARACTERS_A_TOKEN = 4


def merged_facts(call: Call) -> Facts:
    """Return what all spans of the call tell together."""
    head = call.head.facts
    if not call.twins:
        return head
    facts = replace(head, extras=dict(head.extras))
    for twin in call.twins:
        facts.fill(twin.facts if head.error_type is not None else _without_error(twin.facts))
    inner = sorted(call.twins, key=lambda step: step.order, reverse=True)
    counted = next((s.facts.usage for s in inner if not s.facts.usage.is_empty), None)
    if counted is not None and head.error_type is None:
        facts.usage = counted.completed(head.usage)
    first_token = next(
        (s.facts.time_to_first_token_s for s in inner if s.facts.time_to_first_token_s), None
    )
    facts.time_to_first_token_s = first_token or facts.time_to_first_token_s
    exact = next((s.facts for s in call.twins if _has_exact_input(s.facts)), None)
    if head.is_loose and exact is not None:
        facts.system, facts.input_messages = exact.system, exact.input_messages
    facts.response_id = facts.wire_id or facts.response_id
    facts.output_messages = _with_call_ids(facts.output_messages, call)
    return facts


def _has_exact_input(facts: Facts) -> bool:
    return facts.input_messages is not None and not facts.is_loose


def _with_call_ids(messages: Messages | None, call: Call) -> Messages | None:
    """Return what a twin answered in the same number of calls, where it alone tells their ids."""
    asked = [part for message in messages or () for part in call_parts(message)]
    if not asked or any(part.get("id") for part in asked):
        return messages
    for twin in call.twins:
        given = [p for message in twin.facts.output_messages or () for p in call_parts(message)]
        if len(given) == len(asked) and all(part.get("id") for part in given):
            return twin.facts.output_messages
    return messages


def completed(trace: Trace, call: Call, facts: Facts) -> Facts:
    """Return the facts with what only other spans of the trace tell.

    Whom a call is for may stand on the run above it alone. A failed call may lack its prompt, which
    the agent run that it was made for has; a call may lack its response id, which the reply carries
    where it is handed to the next step.
    """
    facts = _with_owner(trace, call, facts)
    if facts.error_type is not None and facts.input_messages is None:
        return _with_prompt(trace, call, facts)
    if facts.response_id is None and facts.output_messages and trace.handed_on:
        return _with_response_id(trace, call, facts)
    return facts


def _with_owner(trace: Trace, call: Call, facts: Facts) -> Facts:
    user, session, conversation = facts.user_id, facts.session_id, facts.conversation_id
    if user is not None and (session is not None or conversation is not None):
        return facts
    for span_id in trace.ancestors(call.head.span.span_id):
        above = trace.steps.get(span_id)
        if above is not None:
            user = user or above.facts.user_id
            session = session or above.facts.session_id
            conversation = conversation or above.facts.conversation_id
    told = facts.user_id, facts.session_id, facts.conversation_id
    if (user, session, conversation) == told:
        return facts
    return replace(facts, user_id=user, session_id=session, conversation_id=conversation)


def _with_prompt(trace: Trace, call: Call, facts: Facts) -> Facts:
    for span_id in trace.ancestors(call.head.span.span_id):
        above = trace.steps.get(span_id)
        if above is not None and above.facts.step is Kind.AGENT:
            given, system = above.facts.input_messages, above.facts.system
            return replace(facts, system=facts.system or system, input_messages=given)
    return facts


def _with_response_id(trace: Trace, call: Call, facts: Facts) -> Facts:
    text = text_in(facts.output_messages[0]) if facts.output_messages else ""
    for step in trace.handed_on.get(call.head.span.parent_span_id, ()):
        reply = step.facts.output_messages
        if (
            reply
            and text_in(reply[0]) == text
            and step.span.started_at >= call.head.ended_at - 1e-5
        ):
            reasons = facts.finish_reasons or step.facts.finish_reasons
            return replace(facts, response_id=step.facts.response_id, finish_reasons=reasons)
    return facts


def _without_error(facts: Facts) -> Facts:
    """Return the facts of a twin without its error: an attempt that was tried again."""
    if facts.error_type is None:
        return facts
    return replace(facts, error_type=None, error_text="", http_status=None, output_messages=None)


def duration_of(call: Call) -> float | None:
    """Return how long the call took: until its stream ended, where that is reported apart."""
    head = call.head
    ends = [twin.ended_at for twin in call.twins if twin.facts.continues]
    if ends:
        return max(head.ended_at, *ends) - head.span.started_at
    return head.span.duration_s if head.facts.duration_s is None else head.facts.duration_s


def build(
    call: Call,
    facts: Facts,
    grounds: Grounds,
    *,
    is_answer: bool,
    cost_usd: float | None,
    version: int,
) -> Interaction:
    """Return the interaction.

    Args:
        call: the spans of the call.
        facts: see :func:`merged_facts`.
        grounds: the documents that the call was given.
        is_answer: whether its text goes to a user.
        cost_usd: what the call cost.
        version: of the interaction.
    """
    span = call.head.span
    resource = span.resource
    duration_s = duration_of(call)
    ttft = first_token_in(facts, duration_s)
    attributes, groups = split_attributes(span, facts)
    provider = provider_of(facts.provider)
    if provider is None:
        provider = provider_in_model(facts.request_model or facts.response_model)
        attributes.update({"seakeeping.provider": "derived"} if provider is not None else {})
    if grounds.query is not None and grounds.documents:
        attributes["gen_ai.retrieval.query.text"] = grounds.query
    usage = _usage_with_estimate(facts, attributes)
    messages = facts.output_messages
    return Interaction(
        trace_id=span.trace_id, span_id=span.span_id, parent_span_id=span.parent_span_id,
        started_at=span.started_at, duration_s=duration_s, time_to_first_token_s=ttft,
        streaming=True if facts.streaming is None and ttft is not None else facts.streaming,
        operation=facts.operation or "chat", provider=provider,
        request_model=facts.request_model, response_model=facts.response_model,
        response_id=facts.response_id, service_name=service_of(span),
        service_version=_text(resource, "service.version"),
        environment=facts.environment or _environment(resource),
        system_instructions=facts.system, input_messages=facts.input_messages,
        output_messages=messages,
        answer_text=(text_in(messages[0]) or None) if messages else None, is_answer=is_answer,
        tool_definitions=facts.tool_definitions, documents=grounds.documents,
        input_tokens=usage.input, output_tokens=usage.output, cache_read_tokens=usage.cache_read,
        reasoning_tokens=usage.reasoning, cost_usd=cost_usd,
        finish_reasons=_finish_reasons(facts), error_type=facts.error_type,
        conversation_id=facts.conversation_id or facts.session_id, user_id=facts.user_id,
        tenant=_told(span, "seakeeping.tenant") or facts.tenant,
        route=_told(span, "seakeeping.route"),
        region=_told(span, "seakeeping.region") or _text(resource, "cloud.region"),
        prompt_name=facts.prompt_name, prompt_version=facts.prompt_version,
        release=_told(span, "seakeeping.release") or facts.release,
        traffic=call.head.traffic or traffic_of(span), sampling_weight=span.sampling_weight,
        groups=groups, attributes=attributes, version=version,
    )  # fmt: skip


def _finish_reasons(facts: Facts) -> tuple[str, ...]:
    """Return why the answers ended; some emitters write ``stop`` for every complete one."""
    reasons = finish_reasons_of(facts.finish_reasons)
    answers = facts.output_messages or ()
    if FinishReason.STOP in reasons and answers and all(map(has_tool_call, answers)):
        return tuple(FinishReason.TOOL.value if r == FinishReason.STOP else r for r in reasons)
    return reasons


def service_of(span: Span) -> str:
    """Return the service's name; some emitters repeat it on the span when the resource has none."""
    if span.service_name.startswith("unknown_service"):
        return _text(span.attributes, "service.name") or span.service_name
    return span.service_name


def _text(attributes: JsonObject, *names: str) -> str | None:
    for name in names:
        value = attributes.get(name)
        if isinstance(value, str) and value:
            return value
    return None


def _environment(resource: JsonObject) -> str | None:
    return _text(resource, "deployment.environment.name", "deployment.environment")


def _told(span: Span, name: str) -> str | None:
    value = span.attributes.get(name) or span.resource.get(name)
    return value if isinstance(value, str) else None


def traffic_of(span: Span) -> str:
    """Return where the call comes from, as its span or resource says; else live."""
    told = _told(span, "seakeeping.traffic")
    return told if told in _TRAFFIC else Traffic.LIVE


def first_token_in(facts: Facts, duration_s: float | None) -> float | None:
    """Return the time to first token in seconds, never negative or over the call's duration.

    ``gen_ai.server.time_to_first_token`` is seconds in some emitters and milliseconds in others: a
    value over the duration is read as milliseconds.
    """
    given = facts.time_to_first_token_s
    if given is not None:
        return given if _fits(given, duration_s) else None
    told = facts.extras.get("server_ttft")
    if not isinstance(told, (int, float)) or isinstance(told, bool):
        return None
    if _fits(told, duration_s) and not (isinstance(told, int) and duration_s is None):
        return float(told)
    return told / 1000 if _fits(told / 1000, duration_s) else None


def _fits(seconds: float, duration_s: float | None) -> bool:
    return seconds >= 0 and (duration_s is None or seconds <= duration_s + 1e-6)


def split_attributes(span: Span, facts: Facts) -> tuple[dict[str, Json], dict[str, str]]:
    """Return what no field of the interaction holds, and the groups the call belongs to."""
    rest: dict[str, Json] = {}
    groups: dict[str, str] = {}
    for key, value in span.attributes.items():
        place = place_of(key)
        if place is Place.REST or (place in _CONTENT_PLACES and not holds(facts, place)):
            rest[key] = value
        elif place is Place.GROUP and value is not None:
            groups[key.removeprefix(GROUP_PREFIX)] = str(value)
    _add_notes(rest, facts)
    return rest, groups


_CONTENT_PLACES = frozenset((Place.INPUT, Place.OUTPUT, Place.TOOLS, Place.DOCUMENTS))


def holds(facts: Facts, place: Place) -> bool:
    """Say whether the interaction holds the content of that place in normal form."""
    if place is Place.INPUT:
        return facts.input_messages is not None or facts.system is not None
    if place is Place.OUTPUT:
        return facts.output_messages is not None
    if place is Place.DOCUMENTS:
        return bool(facts.documents)
    return facts.tool_definitions is not None


def _add_notes(rest: dict[str, Json], facts: Facts) -> None:
    rest["seakeeping.dialect"] = facts.dialect
    rest.update({key: value for key, value in facts.extras.items() if "." in key})
    if facts.session_id is not None:
        rest["session.id"] = facts.session_id
    if facts.http_status is not None:
        rest.setdefault("http.response.status_code", facts.http_status)
    if facts.error_text:
        rest.setdefault("error.message", facts.error_text)
    if facts.finish_reasons:
        rest["gen_ai.response.finish_reasons"] = list(facts.finish_reasons)
    if facts.documents:
        rest[OWN_DOCUMENTS] = True
    if facts.truncated:
        rest["seakeeping.truncated"] = list(facts.truncated)
    if facts.usage.cache_write:
        rest.setdefault("gen_ai.usage.cache_write.input_tokens", facts.usage.cache_write)
    if facts.output_messages is None and facts.input_messages is None:
        rest["seakeeping.content"] = "not_captured"
        rest["seakeeping.content_hint"] = content_hint(facts.dialect)


def _usage_with_estimate(facts: Facts, attributes: dict[str, Json]) -> Usage:
    """Return the usage; a stream that tells none gets an estimate from its text, marked as one."""
    is_streamed = facts.streaming or facts.time_to_first_token_s is not None
    if not facts.usage.is_empty or not facts.output_messages or not is_streamed:
        return facts.usage
    attributes[TOKENS] = ESTIMATED
    given = sum(len(text_in(m)) for m in facts.input_messages or ()) + len(facts.system or "")
    answered = sum(len(text_in(message)) for message in facts.output_messages)
    return Usage(
        input=_tokens(given) if given else None, output=_tokens(answered) if answered else None
    )


def _tokens(characters: int) -> int:
    return -(-characters // _CHARACTERS_A_TOKEN)


def stored_span(span: Span, facts: Facts) -> Span:
    """Return the span of a call as it is kept: without the content that the interaction holds."""
    attributes = span.attributes
    held = {place for place in _CONTENT_PLACES if holds(facts, place)}
    unusual = facts.content_keys
    kept = {
        key: value
        for key, value in attributes.items()
        if place_of(key) not in held and key not in unusual
    }
    events = span.events
    if events:
        events = tuple(event for event in events if event.name not in CONTENT_EVENTS)
    if len(kept) == len(attributes) and len(events) == len(span.events):
        return span
    return Span(
        span.trace_id,
        span.span_id,
        span.parent_span_id,
        span.name,
        span.kind,
        span.started_at,
        span.duration_s,
        span.status,
        span.error_type,
        span.service_name,
        kept,
        events,
        span.resource,
        span.scope_name,
        span.status_message,
        span.sampling_weight,
    )
