"""LangSmith's OpenTelemetry export: ``langsmith.span.kind`` and whole inputs and outputs as JSON.

``gen_ai.prompt`` and ``gen_ai.completion`` are not indexed: they hold LangChain's run inputs and
outputs. The operation name is not to be trusted (a retriever says ``embeddings``), the kind is.
Details of usage are spelled as Python.
"""

from collections.abc import Mapping

from seakeeping.ingest.dialects import otel_genai
from seakeeping.ingest.dialects.documents import documents_of, query_of
from seakeeping.ingest.dialects.facts import Facts, Step
from seakeeping.ingest.dialects.messages import messages_of, split_system
from seakeeping.ingest.dialects.responses import response_of
from seakeeping.ingest.dialects.tools import tools_of
from seakeeping.ingest.dialects.usage import Usage, whole_usage
from seakeeping.ingest.dialects.values import (
    dig,
    first_count,
    first_text,
    object_of,
    text_of,
)
from seakeeping.records import JsonObject, Span

NAME = "langsmith"

MARKERS = ("langsmith.span.kind",)

CONTENT_HINT = "LANGSMITH_HIDE_INPUTS=false, LANGSMITH_HIDE_OUTPUTS=false"

_STEPS: Mapping[str, tuple[Step, str]] = {
    "llm": (Step.MODEL, "chat"),
    "retriever": (Step.RETRIEVAL, "retrieval"),
    "tool": (Step.TOOL, "execute_tool"),
    "embedding": (Step.EMBEDDING, "embeddings"),
}
_METADATA = "langsmith.metadata."
_RUN = frozenset(("gen_ai.prompt", "gen_ai.completion"))


def read(span: Span) -> Facts | None:
    """Return what the span's ``langsmith.*`` and ``gen_ai.*`` keys tell."""
    attributes = span.attributes
    kind = text_of(attributes.get("langsmith.span.kind")) or "chain"
    step, operation = _STEPS.get(kind.lower(), (Step.WORKFLOW, "invoke_workflow"))
    facts = Facts(NAME, step, operation)
    _read_who(facts, attributes)
    given, answered = attributes.get("gen_ai.prompt"), attributes.get("gen_ai.completion")
    if step is Step.MODEL:
        _read_call(facts, attributes)
    elif step is Step.RETRIEVAL:
        facts.documents, facts.query = documents_of(answered), query_of(given)
    elif step is Step.TOOL:
        facts.query = text_of(given)
    if otel_genai.is_told(attributes) and step is Step.MODEL:
        # The run's inputs and outputs were read above, as what they are.
        common = {k: v for k, v in attributes.items() if k not in _RUN}
        facts.fill(otel_genai.attribute_facts(common, step))
    return facts


def _read_who(facts: Facts, attributes: JsonObject) -> None:
    def told(*names: str) -> str | None:
        return first_text(attributes, *(_METADATA + name for name in names))

    facts.user_id = told("user_id", "userId")
    facts.session_id = told("session_id", "thread_id")
    facts.conversation_id = told("conversation_id")
    facts.tenant = told("tenant", "tenant_id")
    facts.provider = told("ls_provider")
    facts.request_model = text_of(attributes.get("gen_ai.request.model")) or told("ls_model_name")


def _read_call(facts: Facts, attributes: JsonObject) -> None:
    given = attributes.get("gen_ai.prompt")
    if given is not None:
        facts.system, facts.input_messages = split_system(messages_of(given))
        facts.tool_definitions = tools_of(dig(object_of(given), "tools"))
    response = response_of(attributes.get("gen_ai.completion"))
    facts.output_messages = response.messages
    facts.response_model = text_of(attributes.get("gen_ai.response.model")) or response.model
    facts.response_id = response.response_id
    facts.finish_reasons = response.finish_reasons
    given_details = object_of(attributes.get("gen_ai.usage.input_token_details")) or {}
    answer_details = object_of(attributes.get("gen_ai.usage.output_token_details")) or {}
    told = Usage(
        input=first_count(attributes, "gen_ai.usage.input_tokens"),
        output=first_count(attributes, "gen_ai.usage.output_tokens"),
        cache_read=first_count(given_details, "cache_read", "cached_tokens"),
        cache_write=first_count(given_details, "cache_creation"),
        reasoning=first_count(answer_details, "reasoning", "reasoning_tokens"),
        total=first_count(attributes, "gen_ai.usage.total_tokens"),
    )
    facts.usage = response.usage if told.is_empty else whole_usage(told)
