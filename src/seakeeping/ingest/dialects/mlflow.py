"""MLflow tracing: ``mlflow.spanInputs``, ``mlflow.spanOutputs``, ``mlflow.spanType``, all JSON.

Inputs are the arguments of the traced call (an OpenAI request, LangChain messages), outputs what it
returned. Token usage and model come as attributes of their own in newer releases.
"""

import re
from collections.abc import Mapping

from seakeeping.ingest.dialects import otel_genai
from seakeeping.ingest.dialects.documents import documents_of, query_of
from seakeeping.ingest.dialects.facts import Facts, Step
from seakeeping.ingest.dialects.messages import messages_of, split_system
from seakeeping.ingest.dialects.responses import response_of
from seakeeping.ingest.dialects.tools import tools_of
from seakeeping.ingest.dialects.usage import usage_of
from seakeeping.ingest.dialects.values import (
    dig,
    flag_of,
    number_of,
    object_of,
    parsed,
    text_of,
)
from seakeeping.records import Json, JsonObject, Span

NAME = "mlflow"

MARKERS = ("mlflow.spanType", "mlflow.spanInputs", "mlflow.spanOutputs", "mlflow.chat.tokenUsage")

CONTENT_HINT = (
    "mlflow.<library>.autolog(log_traces=True); traces hold content unless a filter removes it"
)

_OBJECT = re.compile(r'"?<[\w.]+ object at 0x[0-9a-f]+>"?')

_STEPS: Mapping[str, tuple[Step, str]] = {
    "LLM": (Step.MODEL, "chat"),
    "CHAT_MODEL": (Step.MODEL, "chat"),
    "RETRIEVER": (Step.RETRIEVAL, "retrieval"),
    "RERANKER": (Step.RERANK, "rerank"),
    "TOOL": (Step.TOOL, "execute_tool"),
    "AGENT": (Step.AGENT, "invoke_agent"),
    "EMBEDDING": (Step.EMBEDDING, "embeddings"),
    "EVALUATOR": (Step.JUDGE, "evaluation"),
    "GUARDRAIL": (Step.JUDGE, "guardrail"),
}


def read(span: Span) -> Facts | None:
    """Return what the span's ``mlflow.*`` keys tell."""
    attributes = span.attributes
    kind = _plain(attributes.get("mlflow.spanType")) or "UNKNOWN"
    step, operation = _STEPS.get(kind.upper(), (Step.WORKFLOW, "invoke_workflow"))
    facts = Facts(NAME, step, operation)
    facts.user_id = _plain(attributes.get("mlflow.trace.user")) or text_of(
        attributes.get("user.id")
    )
    session = attributes.get("mlflow.trace.session", attributes.get("session.id"))
    facts.session_id = _plain(session)
    given, answered = attributes.get("mlflow.spanInputs"), attributes.get("mlflow.spanOutputs")
    if step is Step.MODEL:
        _read_call(facts, attributes)
    elif step in (Step.RETRIEVAL, Step.RERANK):
        facts.documents, facts.query = documents_of(answered), query_of(given)
    elif step is Step.TOOL:
        facts.query = text_of(given)
    if otel_genai.is_told(attributes) and step is Step.MODEL:
        facts.fill(otel_genai.attribute_facts(attributes, step))
    return facts


def _plain(value: Json) -> str | None:
    return text_of(parsed(value))


def _read_call(facts: Facts, attributes: JsonObject) -> None:
    given = attributes.get("mlflow.spanInputs")
    request = object_of(given) or {}
    facts.system, facts.input_messages = split_system(messages_of(given))
    answered = attributes.get("mlflow.spanOutputs")
    # A stream that was not followed leaves but the name of its object.
    is_told = not isinstance(answered, str) or _OBJECT.fullmatch(answered) is None
    response = response_of(answered if is_told else None)
    facts.output_messages = response.messages
    facts.response_id, facts.finish_reasons = response.response_id, response.finish_reasons
    model = _plain(attributes.get("mlflow.llm.model"))
    facts.request_model = text_of(request.get("model")) or model
    facts.response_model = response.model or model
    facts.provider = _plain(attributes.get("mlflow.llm.provider"))
    told = usage_of(object_of(attributes.get("mlflow.chat.tokenUsage")))
    facts.usage = response.usage if told.is_empty else told.completed(response.usage)
    facts.cost_usd = (
        number_of(dig(object_of(attributes.get("mlflow.llm.cost")), "total_cost")) or None
    )
    tools = attributes.get("mlflow.chat.tools", request.get("tools"))
    facts.tool_definitions = tools_of(tools)
    facts.streaming = flag_of(request.get("stream"))
