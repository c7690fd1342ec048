"""Vercel AI SDK: ``ai.*`` keys, kind in ``ai.operationId``.

``ai.generateText`` and its like hold the whole run, one ``...doGenerate`` or ``...doStream`` a
model call; only the latter count. Newer releases write ``gen_ai.*`` beside; times are milliseconds.
"""

from seakeeping.ingest.dialects import otel_genai
from seakeeping.ingest.dialects.facts import Facts, Step
from seakeeping.ingest.dialects.messages import Messages, content_of, messages_of, split_system
from seakeeping.ingest.dialects.parts import tool_call
from seakeeping.ingest.dialects.tools import tools_of
from seakeeping.ingest.dialects.usage import Usage, whole_usage
from seakeeping.ingest.dialects.values import (
    first,
    first_count,
    first_number,
    first_text,
    list_of,
    text_of,
)
from seakeeping.records import JsonObject, Span

NAME = "vercel-ai"

MARKERS = ("ai.operationId", "ai.model.id", "ai.toolCall.name")

CONTENT_HINT = (
    "experimental_telemetry: { isEnabled: true, recordInputs: true, recordOutputs: true }"
)

_METADATA = "ai.telemetry.metadata."


def read(span: Span) -> Facts | None:
    """Return what the span's ``ai.*`` keys tell."""
    attributes = span.attributes
    step, operation = _step(text_of(attributes.get("ai.operationId")) or span.name)
    facts = Facts(NAME, step, operation)
    _read_who(facts, attributes)
    if step is Step.MODEL:
        _read_call(facts, attributes)
        facts.streaming = "doStream" in (text_of(attributes.get("ai.operationId")) or span.name)
        if otel_genai.is_told(attributes):
            facts.fill(otel_genai.attribute_facts(attributes, step))
    elif step is Step.TOOL:
        facts.query = first_text(attributes, "ai.toolCall.args", "ai.toolCall.input")
    elif step is Step.AGENT:
        facts.system, facts.input_messages = split_system(messages_of(attributes.get("ai.prompt")))
    return facts


def _step(operation_id: str) -> tuple[Step, str]:
    name = operation_id.split(" ")[0]
    if name.endswith((".doGenerate", ".doStream")):
        return Step.MODEL, "chat"
    if name == "ai.toolCall":
        return Step.TOOL, "execute_tool"
    if name.startswith("ai.embed"):
        return Step.EMBEDDING, "embeddings"
    if name.startswith("ai.rerank"):
        return Step.RERANK, "rerank"
    if name.startswith(("ai.generate", "ai.stream")):
        return Step.AGENT, "invoke_agent"
    return Step.WORKFLOW, "invoke_workflow"


def _read_who(facts: Facts, attributes: JsonObject) -> None:
    def told(*names: str) -> str | None:
        return first_text(attributes, *(_METADATA + name for name in names))

    facts.user_id = told("userId", "user_id", "user.id")
    facts.session_id = told("sessionId", "session_id", "session.id", "chatId", "threadId")
    facts.conversation_id = told("conversationId", "conversation_id")
    facts.tenant = told("tenant", "tenantId")
    facts.prompt_name = told("promptName") or text_of(attributes.get("ai.telemetry.functionId"))


def _read_call(facts: Facts, attributes: JsonObject) -> None:
    facts.provider = first_text(
        attributes, "gen_ai.provider.name", "ai.model.provider", "gen_ai.system"
    )
    facts.request_model = first_text(attributes, "gen_ai.request.model", "ai.model.id")
    facts.response_model = first_text(attributes, "ai.response.model", "gen_ai.response.model")
    facts.response_id = first_text(attributes, "ai.response.id", "gen_ai.response.id")
    given = first(attributes, "ai.prompt.messages", "ai.prompt")
    facts.system, facts.input_messages = split_system(messages_of(given))
    facts.output_messages = _answer(attributes)
    tools = list_of(attributes.get("ai.prompt.tools"))
    facts.tool_definitions = tools_of(tools) if tools else None
    reason = first_text(attributes, "ai.response.finishReason", "ai.finishReason")
    facts.finish_reasons = (reason,) if reason else ()
    milliseconds = first_number(
        attributes, "ai.response.msToFirstChunk", "ai.stream.msToFirstChunk"
    )
    facts.time_to_first_token_s = milliseconds / 1000 if milliseconds is not None else None
    facts.usage = whole_usage(
        Usage(
            first_count(attributes, "ai.usage.inputTokens", "ai.usage.promptTokens"),
            first_count(attributes, "ai.usage.outputTokens", "ai.usage.completionTokens"),
            first_count(
                attributes,
                "ai.usage.cachedInputTokens",
                "ai.usage.inputTokenDetails.cacheReadTokens",
            ),
            first_count(attributes, "ai.usage.inputTokenDetails.cacheWriteTokens"),
            first_count(
                attributes,
                "ai.usage.reasoningTokens",
                "ai.usage.outputTokenDetails.reasoningTokens",
            ),
            first_count(attributes, "ai.usage.totalTokens"),
        )
    )


def _answer(attributes: JsonObject) -> Messages | None:
    parts = content_of(None)
    reasoning = text_of(attributes.get("ai.response.reasoning"))
    if reasoning is not None:
        parts.append({"type": "reasoning", "content": reasoning})
    text = first_text(attributes, "ai.response.text", "ai.result.text", "ai.response.object",
                      "ai.result.object")  # fmt: skip
    if text is not None:
        parts.append({"type": "text", "content": text})
    for call in list_of(first(attributes, "ai.response.toolCalls", "ai.result.toolCalls")) or ():
        if isinstance(call, dict):
            arguments = call.get("args", call.get("input"))
            parts.append(
                tool_call(text_of(call.get("toolCallId")), text_of(call.get("toolName")), arguments)
            )
    return ({"role": "assistant", "parts": parts},) if parts else None
