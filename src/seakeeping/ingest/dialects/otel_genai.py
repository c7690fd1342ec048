"""OpenTelemetry GenAI conventions: 1.36 and older, newer, and the names after the move.

Old and new names arrive mixed in one payload, so both are read everywhere. Content stands in
attributes (JSON string or native value), in span events (Strands, old instrumentations) or in log
events, which carry the same names and are read by the same functions. Most other dialects put
``gen_ai.*`` beside their own keys; their readers begin with what this one finds.
"""

from collections.abc import Iterable, Mapping

from seakeeping.ingest.dialects.documents import documents_of
from seakeeping.ingest.dialects.facts import Facts, Score, Step
from seakeeping.ingest.dialects.messages import (
    Messages,
    content_of,
    holds_messages,
    messages_of,
    role_of,
    split_system,
)
from seakeeping.ingest.dialects.parts import parts_of
from seakeeping.ingest.dialects.salvage import salvaged
from seakeeping.ingest.dialects.terms import operation_of
from seakeeping.ingest.dialects.tools import tools_of
from seakeeping.ingest.dialects.usage import Usage, usage_of, whole_usage
from seakeeping.ingest.dialects.values import (
    count_of,
    first,
    first_count,
    first_number,
    first_text,
    flag_of,
    number_of,
    object_of,
    parsed,
    text_of,
    texts_of,
)
from seakeeping.records import Json, JsonObject, Span

NAME = "otel-genai"

MARKERS = (
    "gen_ai.operation.name",
    "gen_ai.provider.name",
    "gen_ai.system",
    "gen_ai.request.model",
    "gen_ai.response.model",
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.output_tokens",
    "gen_ai.response.id",
    "gen_ai.tool.name",
    "gen_ai.retrieval.documents",
    "gen_ai.evaluation.name",
)

_MARKS = frozenset(MARKERS)

CONTENT_HINT = (
    "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=SPAN_ONLY (older instrumentations: true)"
)

_STEPS: Mapping[str, Step] = {
    "chat": Step.MODEL,
    "text_completion": Step.MODEL,
    "generate_content": Step.MODEL,
    "embeddings": Step.EMBEDDING,
    "retrieval": Step.RETRIEVAL,
    "search_memory": Step.RETRIEVAL,
    "rerank": Step.RERANK,
    "execute_tool": Step.TOOL,
    "create_agent": Step.AGENT,
    "invoke_agent": Step.AGENT,
    "invoke_workflow": Step.WORKFLOW,
}


def read(span: Span) -> Facts | None:
    """Return what the span's ``gen_ai.*`` attributes and events tell; None where there are none."""
    attributes = span.attributes
    operation = _operation(attributes)
    step = _STEPS.get(operation or "chat", Step.WORKFLOW)
    if operation is None and not _looks_like_call(attributes):
        step = Step.WORKFLOW
    facts = attribute_facts(attributes, step)
    facts.operation = operation
    if span.events:
        _read_events(span, facts)
    return facts


def is_told(attributes: JsonObject) -> bool:
    """Say whether any of the common ``gen_ai.*`` keys is there."""
    return not _MARKS.isdisjoint(attributes)


def _operation(attributes: JsonObject) -> str | None:
    raw = attributes.get("gen_ai.operation.name")
    if isinstance(raw, str) and raw:
        return raw if raw in _STEPS else operation_of(raw)
    if "gen_ai.tool.name" in attributes and "gen_ai.request.model" not in attributes:
        return "execute_tool"
    return "retrieval" if "gen_ai.retrieval.documents" in attributes else None


def _looks_like_call(attributes: JsonObject) -> bool:
    """Say whether a span without an operation is a call: it names a model, and what came of it."""
    if "gen_ai.agent.name" in attributes and "gen_ai.request.model" not in attributes:
        return False
    return "gen_ai.request.model" in attributes or "gen_ai.response.model" in attributes


def attribute_facts(attributes: JsonObject, step: Step) -> Facts:
    """Return what ``gen_ai.*`` attributes tell, on a span or on a details event."""
    facts = Facts(NAME, step)
    get = attributes.get
    facts.provider = first_text(attributes, "gen_ai.provider.name", "gen_ai.system")
    facts.request_model = text_of(get("gen_ai.request.model"))
    facts.response_model = text_of(get("gen_ai.response.model"))
    facts.response_id = text_of(get("gen_ai.response.id"))
    facts.conversation_id = text_of(get("gen_ai.conversation.id"))
    reasons = get("gen_ai.response.finish_reasons")
    if reasons is not None:
        facts.finish_reasons = texts_of(reasons)
    _read_who(facts, attributes)
    if step is Step.MODEL:
        _read_call(facts, attributes)
    elif step in (Step.RETRIEVAL, Step.RERANK):
        _read_retrieval(facts, attributes)
    elif step is Step.TOOL:
        facts.query = text_of(first(attributes, "gen_ai.tool.call.arguments", "tool_arguments"))
    elif step is Step.AGENT:
        _read_agent(facts, attributes)
    return facts


def _read_who(facts: Facts, attributes: JsonObject) -> None:
    facts.user_id = first_text(attributes, "user.id", "enduser.id", "gen_ai.user", "llm.user")
    facts.session_id = text_of(attributes.get("session.id"))
    facts.prompt_name = text_of(attributes.get("gen_ai.prompt.name"))
    facts.prompt_version = text_of(attributes.get("gen_ai.prompt.version"))


def _read_call(facts: Facts, attributes: JsonObject) -> None:
    facts.usage = usage_in(attributes)
    facts.cost_usd = cost_in(attributes)
    facts.streaming = _streaming(attributes)
    facts.time_to_first_token_s = first_number(
        attributes,
        "gen_ai.response.time_to_first_chunk",
        "gen_ai.client.time_to_first_chunk",
        "gen_ai.latency.time_to_first_token",
    )
    if facts.time_to_first_token_s is None and "gen_ai.server.time_to_first_token" in attributes:
        facts.extras["server_ttft"] = attributes["gen_ai.server.time_to_first_token"]
    _read_content(facts, attributes)


def _streaming(attributes: JsonObject) -> bool | None:
    for name in ("gen_ai.request.stream", "gen_ai.is_streaming", "llm.is_streaming",
                 "gen_ai.request.is_stream"):  # fmt: skip
        value = attributes.get(name)
        if value is not None:
            return flag_of(value)
    return None


def _read_content(facts: Facts, attributes: JsonObject) -> None:
    given = attributes.get("gen_ai.input.messages")
    if given is None:
        given = attributes.get("gen_ai.prompt")
    system = attributes.get("gen_ai.system_instructions")
    if given is not None or system is not None:
        read_input(facts, given, system)
    answered = attributes.get("gen_ai.output.messages")
    if answered is None:
        answered = attributes.get("gen_ai.completion")
    if answered is not None:
        read_output(facts, answered)
    tools = first(attributes, "gen_ai.tool.definitions", "gen_ai.request.tools")
    if tools is not None:
        facts.tool_definitions = tools_of(tools)


def read_input(facts: Facts, given: Json, system: Json = None) -> None:
    """Read input messages and system text into ``facts``; marks what a length limit cut."""
    found, is_cut = opened(given)
    facts.system, facts.input_messages = split_system(messages_of(found))
    if system is not None:
        told, is_system_cut = opened(system)
        is_cut = is_cut or is_system_cut
        texts = [str(p["content"]) for p in parts_of(told) if p.get("type") == "text"]
        whole = "\n".join(texts)
        # Some instrumentations tell a system message twice: here, and among the messages.
        is_new = bool(whole) and whole != facts.system
        facts.system = "\n".join(t for t in (whole if is_new else "", facts.system) if t) or None
    if is_cut:
        facts.truncated += ("input_messages",)


def read_output(facts: Facts, answered: Json) -> None:
    """Read output messages and their finish reasons into ``facts``."""
    found, is_cut = opened(answered)
    facts.output_messages = messages_of(found, "assistant")
    if is_cut:
        facts.truncated += ("output_messages",)
    if not facts.finish_reasons and isinstance(found, (list, tuple)):
        reasons = (m.get("finish_reason") for m in found if isinstance(m, dict))
        facts.finish_reasons = tuple(r for r in reasons if isinstance(r, str) and r)


def opened(value: Json) -> tuple[Json, bool]:
    """Return what a JSON list of messages holds, and whether a length limit cut it off.

    Any other text, also one that happens to be JSON, comes back as it is.
    """
    found = parsed(value)
    if isinstance(found, str):
        is_cut = found.lstrip().startswith(("[{", '{"'))
        rest = salvaged(found) if is_cut else found
        return (rest if isinstance(rest, list) else found), is_cut
    return (found, False) if isinstance(found, list) and holds_messages(found) else (value, False)


def usage_in(attributes: JsonObject) -> Usage:
    """Return the tokens that ``gen_ai.usage.*`` attributes tell, under any of their names."""
    tokens_in = first_count(
        attributes,
        "gen_ai.usage.input_tokens",
        "gen_ai.usage.prompt_tokens",
        "llm.usage.prompt_tokens",
    )
    tokens_out = first_count(
        attributes,
        "gen_ai.usage.output_tokens",
        "gen_ai.usage.completion_tokens",
        "llm.usage.completion_tokens",
    )
    cache_read = first_count(
        attributes,
        "gen_ai.usage.cache_read.input_tokens",
        "gen_ai.usage.cache_read_input_tokens",
        "gen_ai.usage.details.cache_read_tokens",
        "gen_ai.usage.details.cached_tokens",
        "gen_ai.usage.cached_tokens",
    )
    cache_write = first_count(
        attributes,
        "gen_ai.usage.cache_write.input_tokens",
        "gen_ai.usage.cache_creation.input_tokens",
        "gen_ai.usage.cache_creation_input_tokens",
        "gen_ai.usage.cache_write_input_tokens",
        "gen_ai.usage.details.cache_write_tokens",
    )
    reasoning = first_count(
        attributes,
        "gen_ai.usage.reasoning.output_tokens",
        "gen_ai.usage.reasoning_tokens",
        "gen_ai.usage.details.reasoning_tokens",
        "llm.usage.reasoning_tokens",
    )
    total = first_count(attributes, "gen_ai.usage.total_tokens", "llm.usage.total_tokens")
    told = whole_usage(Usage(tokens_in, tokens_out, cache_read, cache_write, reasoning, total))
    raw = attributes.get("gen_ai.usage.raw")
    return told if raw is None else told.completed(usage_of(object_of(raw)))


def cost_in(attributes: JsonObject) -> float | None:
    """Return the US dollars that the span itself tells; 0 from emitters without a price is none."""
    for name in ("operation.cost", "gen_ai.usage.cost", "gen_ai.cost.total_cost", "llm.cost.total",
                 "gen_ai.usage.total_cost"):  # fmt: skip
        value = attributes.get(name)
        if value is not None:
            cost = number_of(value)
            if cost:
                return cost
    return None


def _read_retrieval(facts: Facts, attributes: JsonObject) -> None:
    found = first(attributes, "gen_ai.retrieval.documents", "gen_ai.memory.records")
    if found is None:
        found = attributes.get("gen_ai.output.messages")
    facts.documents = documents_of(found) if found is not None else ()
    facts.query = first_text(
        attributes,
        "gen_ai.retrieval.query.text",
        "gen_ai.memory.query.text",
        "gen_ai.retrieval.query",
    )


def _read_agent(facts: Facts, attributes: JsonObject) -> None:
    given = first(attributes, "pydantic_ai.all_messages", "gen_ai.input.messages")
    if given is not None:
        read_input(facts, given, attributes.get("gen_ai.system_instructions"))


# Events: the same names as span events (attributes) and as log events (body).

_MESSAGE_EVENTS: Mapping[str, str] = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
}
DETAILS_EVENTS = frozenset(
    {"gen_ai.client.inference.operation.details", "gen_ai.client.inference.details"}
)
_OLD_EVENTS = ("gen_ai.content.prompt", "gen_ai.content.completion")
CONTENT_EVENTS = frozenset({*_MESSAGE_EVENTS, "gen_ai.choice", *DETAILS_EVENTS, *_OLD_EVENTS})
"""Span and log events whose content an interaction holds."""

_CHUNK_EVENT = "content.completion.chunk"
RESULT_EVENT = "gen_ai.evaluation.result"


def _read_events(span: Span, facts: Facts) -> None:
    scores = [
        score for e in span.events if e.name == RESULT_EVENT and (score := score_of(e.attributes))
    ]
    facts.scores = tuple(scores)
    if facts.step is not Step.MODEL:
        return
    told = [(e.name, e.attributes) for e in span.events if e.name in CONTENT_EVENTS]
    if told:
        facts.fill(event_facts(told))
    chunk = next((e for e in span.events if e.name.endswith(_CHUNK_EVENT)), None)
    if chunk is not None and facts.time_to_first_token_s is None:
        facts.time_to_first_token_s = chunk.at - span.started_at
    for event in span.events:
        if event.name == "gen_ai.content.prompt" and facts.input_messages is None:
            read_input(facts, event.attributes.get("gen_ai.prompt"))
        elif event.name == "gen_ai.content.completion" and facts.output_messages is None:
            read_output(facts, event.attributes.get("gen_ai.completion"))


def event_facts(events: Iterable[tuple[str, JsonObject]]) -> Facts:
    """Return what events of one call tell, given as ``(name, body or attributes)`` in order."""
    facts = Facts(NAME)
    given: list[JsonObject] = []
    choices: dict[int, tuple[JsonObject, str | None]] = {}
    for name, told in events:
        body = _body(told)
        if name in DETAILS_EVENTS:
            _fill_from_details(facts, body)
        elif name == "gen_ai.choice":
            index = count_of(body.get("index"))
            place = len(choices) if index is None else index
            choices[place] = _choice(body)
        elif name in _MESSAGE_EVENTS:
            given.extend(_event_message(_MESSAGE_EVENTS[name], body))
    if given and facts.input_messages is None:
        facts.system, facts.input_messages = split_system(tuple(given))
    if choices and facts.output_messages is None:
        ordered = [choices[place] for place in sorted(choices)]
        facts.output_messages = tuple(message for message, _ in ordered if message["parts"]) or None
        facts.finish_reasons = tuple(reason for _, reason in ordered if reason)
    return facts


def _body(told: JsonObject) -> JsonObject:
    """Return an event's body; the Azure SDKs spell it as JSON in one attribute."""
    content = told.get("gen_ai.event.content")
    found = object_of(content) if content is not None else None
    return told if found is None else found


def _fill_from_details(facts: Facts, body: JsonObject) -> None:
    told = attribute_facts(body, Step.MODEL)
    told.operation = _operation(body)
    facts.operation = facts.operation or told.operation
    if facts.usage.is_empty:
        facts.usage = told.usage
    facts.fill(told)


def _event_message(role: str, body: JsonObject) -> Messages:
    parts = content_of(body.get("content"))
    message = {**body, "role": role_of(body.get("role"), role), "content": None, "parts": parts}
    return messages_of([message], role) or ()


def _choice(body: JsonObject) -> tuple[JsonObject, str | None]:
    """Return the message (from an object, blocks or JSON) and finish reason of a choice."""
    inner = parsed(body.get("message"))
    holder = inner if isinstance(inner, dict) else {}
    given = {**body, **holder} if isinstance(inner, dict) else {**body, "content": inner}
    parts = content_of(given.get("content"))
    cleaned = {
        k: v for k, v in given.items() if k in ("tool_calls", "refusal", "reasoning_content")
    }
    found = messages_of([{"role": "assistant", "parts": parts, **cleaned}], "assistant")
    message = found[0] if found else {"role": "assistant", "parts": []}
    return message, text_of(body.get("finish_reason")) or text_of(holder.get("finish_reason"))


def score_of(attributes: JsonObject) -> Score | None:
    """Return the judgement in ``gen_ai.evaluation.*``, None without a name or result."""
    name = text_of(attributes.get("gen_ai.evaluation.name"))
    value = first_number(attributes, "gen_ai.evaluation.score.value", "gen_ai.evaluation.score")
    label = first_text(attributes, "gen_ai.evaluation.score.label", "gen_ai.evaluation.label")
    if name is None or (value is None and label is None):
        return None
    explanation = text_of(attributes.get("gen_ai.evaluation.explanation"))
    return Score(name, value, label, explanation, first_text(attributes, *_SOURCES) or "")


_SOURCES = (
    "gen_ai.evaluation.source", "gen_ai.evaluation.source.type",
    "gen_ai.evaluation.evaluator.type", "gen_ai.evaluation.annotator_kind",
)  # fmt: skip
"""No convention says who judged; these are what emitters write beside a result."""
