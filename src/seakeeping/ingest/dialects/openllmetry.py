"""OpenLLMetry (Traceloop), old and new, and what copies it: LiteLLM's callback, OpenLIT's forks.

New releases write OpenTelemetry names beside ``traceloop.*``; old ones, very widespread, flatten
messages into ``gen_ai.prompt.N.*`` and ``gen_ai.completion.N.*``. Retrieved documents have no
attribute of their own: they are the output of a task whose name says so.
"""

import re
from collections.abc import Mapping

from seakeeping.ingest.dialects import otel_genai
from seakeeping.ingest.dialects.documents import documents_of, query_of
from seakeeping.ingest.dialects.facts import Facts, Step
from seakeeping.ingest.dialects.indexed import items_of, lists_under
from seakeeping.ingest.dialects.messages import (
    Messages,
    call_parts,
    content_of,
    has_tool_call,
    is_empty,
    joined_thoughts,
    messages_of,
    split_system,
    with_parts,
)
from seakeeping.ingest.dialects.parts import tool_call
from seakeeping.ingest.dialects.terms import operation_of
from seakeeping.ingest.dialects.tools import tools_of
from seakeeping.ingest.dialects.usage import usage_of
from seakeeping.ingest.dialects.values import first_text, object_of, text_of
from seakeeping.records import JsonObject, Span

NAME = "openllmetry"

MARKERS = (
    "llm.request.type",
    "traceloop.span.kind",
    "traceloop.workflow.name",
    "traceloop.entity.name",
    "gen_ai.prompt.0.content",
    "gen_ai.prompt.0.role",
    "gen_ai.completion.0.content",
    "gen_ai.completion.0.role",
    "gen_ai.completion.0.finish_reason",
    "llm.is_streaming",
)

CONTENT_HINT = "TRACELOOP_TRACE_CONTENT=true"

_REQUEST_STEPS: Mapping[str, Step] = {
    "chat": Step.MODEL,
    "completion": Step.MODEL,
    "embedding": Step.EMBEDDING,
    "rerank": Step.RERANK,
}
_LAYER_STEPS: Mapping[str, tuple[Step, str]] = {
    "tool": (Step.TOOL, "execute_tool"),
    "agent": (Step.AGENT, "invoke_agent"),
    "task": (Step.WORKFLOW, "invoke_workflow"),
    "workflow": (Step.WORKFLOW, "invoke_workflow"),
}
_RETRIEVING = re.compile(
    r"retriev|search|fetch_(?:docs|documents|context)|vector_?(?:db|store)", re.I
)
_LISTS = ("gen_ai.prompt.", "gen_ai.completion.", "llm.request.functions.")
_PROPERTIES = "traceloop.association.properties."


def read(span: Span) -> Facts | None:
    """Return what the span's ``traceloop.*``, ``llm.*`` and ``gen_ai.*`` keys tell."""
    attributes = span.attributes
    facts = otel_genai.read(span) or Facts(NAME)
    facts.dialect = NAME
    _read_step(facts, attributes)
    read_who(facts, attributes)
    if facts.step is Step.MODEL:
        if facts.operation == "text_completion" and span.name.endswith(".chat"):
            facts.operation = "chat"
        _read_lists(facts, attributes)
        if "metadata.usage_object" in attributes:
            facts.usage = facts.usage.completed(
                usage_of(object_of(attributes["metadata.usage_object"]))
            )
    elif facts.step is Step.RETRIEVAL and not facts.documents:
        facts.documents = documents_of(attributes.get("traceloop.entity.output"))
        facts.query = query_of(attributes.get("traceloop.entity.input"))
    elif facts.step is Step.TOOL and facts.query is None:
        facts.query = text_of(attributes.get("traceloop.entity.input"))
    return facts


def _read_step(facts: Facts, attributes: JsonObject) -> None:
    kind = text_of(attributes.get("llm.request.type")) or ""
    if kind in _REQUEST_STEPS:
        facts.step, facts.operation = _REQUEST_STEPS[kind], facts.operation or operation_of(kind)
        if facts.step is Step.MODEL:
            _read_call_again(facts, attributes)
        return
    layer = text_of(attributes.get("traceloop.span.kind")) or ""
    if layer in _LAYER_STEPS and facts.step is not Step.RETRIEVAL:
        facts.step, facts.operation = _LAYER_STEPS[layer]
        name = text_of(attributes.get("traceloop.entity.name")) or ""
        if layer in ("task", "tool") and _RETRIEVING.search(name):
            facts.step, facts.operation = Step.RETRIEVAL, "retrieval"
    elif facts.operation is None and facts.request_model is None and not _has_messages(attributes):
        facts.step = Step.WORKFLOW
    elif facts.operation is None:
        facts.step, facts.operation = Step.MODEL, "chat"


def _read_call_again(facts: Facts, attributes: JsonObject) -> None:
    """Read what only calls have, where no OpenTelemetry operation said that this is one."""
    if facts.usage.is_empty and facts.input_messages is None:
        told = otel_genai.attribute_facts(attributes, Step.MODEL)
        facts.fill(told)


def _has_messages(attributes: JsonObject) -> bool:
    return "gen_ai.prompt.0.content" in attributes or "gen_ai.completion.0.content" in attributes


def read_who(facts: Facts, attributes: JsonObject) -> None:
    """Read whom the call is for; the SDK writes that on the spans of other libraries too."""

    def told(*names: str) -> str | None:
        return first_text(attributes, *(_PROPERTIES + name for name in names))

    facts.user_id = facts.user_id or told("user_id", "userId", "user")
    facts.user_id = facts.user_id or first_text(attributes, "metadata.user_api_key_user_id")
    facts.session_id = facts.session_id or told("session_id", "sessionId", "chat_id", "thread_id")
    facts.conversation_id = facts.conversation_id or told("conversation_id", "thread_id")
    facts.tenant = facts.tenant or told("tenant", "tenant_id")
    facts.prompt_name = facts.prompt_name or text_of(attributes.get("traceloop.prompt.key"))
    facts.prompt_version = facts.prompt_version or first_text(
        attributes, "traceloop.prompt.version", "traceloop.prompt.version_name"
    )
    if facts.provider is None or facts.provider == "langchain":
        facts.provider = told("ls_provider") or facts.provider


def _read_lists(facts: Facts, attributes: JsonObject) -> None:
    lists = lists_under(attributes, _LISTS)
    given = lists.get("gen_ai.prompt.")
    if given and facts.input_messages is None:
        facts.system, facts.input_messages = split_system(_messages(given, "user"))
    answered = lists.get("gen_ai.completion.")
    if answered:
        _read_answers(facts, answered)
        if not facts.finish_reasons:
            reasons = (text_of(choice.get("finish_reason")) for choice in answered)
            facts.finish_reasons = tuple(reason for reason in reasons if reason)
    functions = lists.get("llm.request.functions.")
    if functions and facts.tool_definitions is None:
        facts.tool_definitions = tools_of(functions)


def _read_answers(facts: Facts, answered: list[JsonObject]) -> None:
    """Read the choices; what is told of calls alone completes messages that leave them out."""
    found = tuple(m for m in _messages(answered, "assistant") or () if not is_empty(m))
    if facts.output_messages is None:
        facts.output_messages = found or None
    elif not any(has_tool_call(message) for message in facts.output_messages):
        calls = [part for message in found for part in call_parts(message)]
        facts.output_messages = with_parts(facts.output_messages, calls)


def _messages(items: list[JsonObject], role: str) -> Messages | None:
    return joined_thoughts([m for i in items for m in messages_of([_rebuilt(i)], role) or ()])


def _rebuilt(item: JsonObject) -> JsonObject:
    content = item.get("content")
    if item.get("finish_reason") == "content_filter" and content == "FILTERED":
        content = None  # the instrumentation's own word: the model said nothing
    parts = content_of(content if content else item.get("refusal"))
    reasoning = text_of(item.get("reasoning"))
    if reasoning:
        parts.insert(0, {"type": "reasoning", "content": reasoning})
    parts.extend(
        tool_call(text_of(call.get("id")), text_of(call.get("name")), call.get("arguments"))
        for call in items_of(item.get("tool_calls"))
    )
    function = item.get("function_call")
    if isinstance(function, dict) and function.get("name"):
        parts.append(tool_call(None, text_of(function["name"]), function.get("arguments")))
    kept = {k: v for k, v in item.items() if k in ("role", "name", "tool_call_id")}
    return {**kept, "parts": parts}
