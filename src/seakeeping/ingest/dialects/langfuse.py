"""Langfuse SDK: ``langfuse.observation.*``, whose type says what the span is.

Input and output are JSON or plain text in whatever shape the wrapped library has. There is no
response id. Usage comes in OpenAI's spelling from the OpenAI wrapper and in Langfuse's own, whose
input leaves cached tokens out, from the LangChain callback.
"""

from collections.abc import Mapping

from seakeeping.ingest.dialects import otel_genai
from seakeeping.ingest.dialects.documents import documents_of, query_of
from seakeeping.ingest.dialects.facts import Facts, Step
from seakeeping.ingest.dialects.messages import messages_of, split_system
from seakeeping.ingest.dialects.responses import response_of
from seakeeping.ingest.dialects.terms import undated
from seakeeping.ingest.dialects.tools import tools_of
from seakeeping.ingest.dialects.usage import usage_of
from seakeeping.ingest.dialects.values import (
    dig,
    first_text,
    moment_of,
    number_of,
    object_of,
    parsed,
    text_of,
)
from seakeeping.records import Json, JsonObject, Span

NAME = "langfuse"

MARKERS = ("langfuse.observation.type",)

CONTENT_HINT = (
    "capture_input=True, capture_output=True (LANGFUSE_OBSERVE_DECORATOR_IO_CAPTURE_ENABLED)"
)

_STEPS: Mapping[str, tuple[Step, str]] = {
    "generation": (Step.MODEL, "chat"),
    "retriever": (Step.RETRIEVAL, "retrieval"),
    "tool": (Step.TOOL, "execute_tool"),
    "agent": (Step.AGENT, "invoke_agent"),
    "embedding": (Step.EMBEDDING, "embeddings"),
    "evaluator": (Step.JUDGE, "evaluation"),
    "guardrail": (Step.JUDGE, "guardrail"),
}
_OTHER = (Step.WORKFLOW, "invoke_workflow")
_INPUT, _OUTPUT = "langfuse.observation.input", "langfuse.observation.output"
_METADATA = "langfuse.observation.metadata."


def read(span: Span) -> Facts | None:
    """Return what the span's ``langfuse.*`` keys tell."""
    attributes = span.attributes
    kind = text_of(attributes.get("langfuse.observation.type")) or "span"
    step, operation = _STEPS.get(kind.lower(), _OTHER)
    below = otel_genai.read(span) if otel_genai.is_told(attributes) else None
    if step is Step.WORKFLOW and below is not None and below.step is Step.MODEL:
        step, operation = Step.MODEL, below.operation or "chat"
    facts = Facts(NAME, step, operation)
    _read_who(facts, attributes)
    if step is Step.MODEL:
        _read_call(facts, span)
    elif step is Step.RETRIEVAL:
        facts.documents = documents_of(attributes.get(_OUTPUT))
        facts.query = query_of(attributes.get(_INPUT))
    elif step is Step.TOOL:
        facts.query = text_of(attributes.get(_INPUT))
    elif step is Step.WORKFLOW:
        _read_handed_on(facts, attributes.get(_INPUT))
    if below is not None:
        facts.fill(below)
    return facts


def _read_who(facts: Facts, attributes: JsonObject) -> None:
    facts.user_id = first_text(attributes, "user.id", "langfuse.user.id", "langfuse.trace.user_id")
    facts.session_id = first_text(
        attributes, "session.id", "langfuse.session.id", "langfuse.trace.session_id"
    )
    facts.tenant = _plain(attributes.get("langfuse.trace.metadata.tenant"))
    facts.release = text_of(attributes.get("langfuse.release"))
    facts.environment = text_of(attributes.get("langfuse.environment"))
    facts.prompt_name = text_of(attributes.get("langfuse.observation.prompt.name"))
    facts.prompt_version = text_of(attributes.get("langfuse.observation.prompt.version"))


def _plain(value: Json) -> str | None:
    """Return a metadata value, which the SDK writes as JSON, as text."""
    return text_of(parsed(value))


def _read_call(facts: Facts, span: Span) -> None:
    attributes = span.attributes
    model = text_of(attributes.get("langfuse.observation.model.name"))
    asked = _plain(attributes.get(_METADATA + "ls_model_name"))
    facts.request_model, facts.response_model = asked or (undated(model) if model else None), model
    if asked is None and facts.request_model != model:
        facts.extras["seakeeping.request_model"] = "derived"
    facts.provider = _plain(attributes.get(_METADATA + "ls_provider")) or _library(span.name)
    given = parsed(attributes.get(_INPUT))
    facts.system, facts.input_messages = split_system(messages_of(attributes.get(_INPUT)))
    facts.tool_definitions = tools_of(dig(given, "tools")) or _tool_messages(given)
    response = response_of(attributes.get(_OUTPUT))
    facts.output_messages = response.messages
    facts.response_id = response.response_id
    reason = _plain(attributes.get(_METADATA + "finish_reason"))
    facts.finish_reasons = (reason,) if reason else response.finish_reasons
    facts.usage = usage_of(object_of(attributes.get("langfuse.observation.usage_details")))
    costs = object_of(attributes.get("langfuse.observation.cost_details"))
    facts.cost_usd = number_of(dig(costs, "total")) or None
    first_token = attributes.get("langfuse.observation.completion_start_time")
    moment = moment_of(first_token) if first_token is not None else None
    if moment is not None:
        facts.time_to_first_token_s = moment - span.started_at
        facts.streaming = True


def _read_handed_on(facts: Facts, given: Json) -> None:
    """Read the reply that LangChain hands to the next step: only there is its response id."""
    if isinstance(given, str) and '"response_metadata"' in given:
        response = response_of(given)
        facts.response_id, facts.output_messages = response.response_id, response.messages
        facts.finish_reasons = response.finish_reasons


def _library(name: str) -> str | None:
    """Return the provider of the client library that was wrapped: only the span's name tells."""
    return "openai" if name.startswith("OpenAI-") else None


def _tool_messages(given: Json) -> tuple[JsonObject, ...] | None:
    """Return the tools that the LangChain callback appends to the messages."""
    if not isinstance(given, list):
        return None
    tools = [m.get("content") for m in given if isinstance(m, dict) and m.get("role") == "tool"]
    return tools_of([t for t in tools if isinstance(t, dict) and "function" in t])
