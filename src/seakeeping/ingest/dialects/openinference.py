"""OpenInference (Arize Phoenix and others): flattened ``llm.*`` keys.

``openinference.span.kind`` names the kind. ``input.value`` and ``output.value`` hold the whole
request and response as JSON; the response id, and what the flattened keys leave out, come from
there. There is no TTFT attribute: the time of the span event "First Token Stream Event" tells.
"""

from collections.abc import Mapping

from seakeeping.ingest.dialects import otel_genai
from seakeeping.ingest.dialects.documents import documents_of, query_of
from seakeeping.ingest.dialects.facts import Facts, Score, Step
from seakeeping.ingest.dialects.indexed import items_of, lists_under, unwrapped
from seakeeping.ingest.dialects.messages import (
    Messages,
    content_of,
    is_empty,
    messages_of,
    split_system,
    text_message,
)
from seakeeping.ingest.dialects.parts import tool_call
from seakeeping.ingest.dialects.responses import NO_RESPONSE, Response, envelope_of, response_of
from seakeeping.ingest.dialects.terms import undated
from seakeeping.ingest.dialects.tools import tools_of
from seakeeping.ingest.dialects.usage import Usage, whole_usage
from seakeeping.ingest.dialects.values import (
    first_count,
    first_text,
    flag_of,
    number_of,
    object_of,
    text_of,
)
from seakeeping.records import Document, JsonObject, Span

NAME = "openinference"

MARKERS = (
    "openinference.span.kind",
    "llm.model_name",
    "llm.input_messages.0.message.role",
    "llm.output_messages.0.message.role",
    "retrieval.documents.0.document.content",
    "llm.token_count.prompt",
)

CONTENT_HINT = "unset OPENINFERENCE_HIDE_INPUTS, OPENINFERENCE_HIDE_OUTPUTS and their finer forms"

_STEPS: Mapping[str, tuple[Step, str]] = {
    "LLM": (Step.MODEL, "chat"),
    "EMBEDDING": (Step.EMBEDDING, "embeddings"),
    "RETRIEVER": (Step.RETRIEVAL, "retrieval"),
    "RERANKER": (Step.RERANK, "rerank"),
    "TOOL": (Step.TOOL, "execute_tool"),
    "AGENT": (Step.AGENT, "invoke_agent"),
    "GUARDRAIL": (Step.JUDGE, "guardrail"),
    "EVALUATOR": (Step.JUDGE, "evaluation"),
    "CHAIN": (Step.WORKFLOW, "invoke_workflow"),
    "PROMPT": (Step.WORKFLOW, "prompt"),
}
_FIRST_TOKEN = "First Token Stream Event"

Lists = dict[str, list[JsonObject]]


def read(span: Span) -> Facts | None:
    """Return what the OpenInference keys tell; None where they only add to ``gen_ai.*``."""
    attributes = span.attributes
    told = _step(attributes)
    if told is None:
        return None
    step, operation = told
    facts = Facts(NAME, step, operation)
    _read_who(facts, attributes)
    if step is Step.MODEL:
        _read_call(facts, span)
        if otel_genai.is_told(attributes):
            facts.fill(otel_genai.attribute_facts(attributes, step))
    elif step is Step.RETRIEVAL:
        facts.documents = documents_in(attributes)
        if not facts.documents:
            facts.documents = documents_of(attributes.get("output.value"))
        facts.query = query_of(attributes.get("input.value"))
    elif step is Step.RERANK:
        facts.documents = _documents(attributes, "reranker.output_documents.")
        facts.query = text_of(attributes.get("reranker.query"))
    elif step is Step.TOOL:
        facts.query = first_text(attributes, "input.value", "tool.parameters")
    facts.scores = _scores(attributes)
    return facts


def _step(attributes: JsonObject) -> tuple[Step, str] | None:
    kind = attributes.get("openinference.span.kind")
    if isinstance(kind, str):
        return _STEPS.get(kind.upper(), (Step.WORKFLOW, "invoke_workflow"))
    if otel_genai.is_told(attributes):
        return None
    if "retrieval.documents.0.document.content" in attributes:
        return _STEPS["RETRIEVER"]
    return _STEPS["LLM"]


def _read_who(facts: Facts, attributes: JsonObject) -> None:
    facts.user_id = text_of(attributes.get("user.id"))
    facts.session_id = text_of(attributes.get("session.id"))
    facts.prompt_name = first_text(
        attributes, "prompt.name", "prompt.id", "llm.prompt_template.name"
    )
    facts.prompt_version = first_text(attributes, "prompt.version", "llm.prompt_template.version")
    metadata = object_of(attributes.get("metadata")) if "metadata" in attributes else None
    if metadata is not None:
        facts.user_id = facts.user_id or text_of(metadata.get("user_id"))
        facts.session_id = facts.session_id or text_of(
            metadata.get("session_id") or metadata.get("thread_id")
        )
        facts.conversation_id = text_of(metadata.get("conversation_id"))
        facts.tenant = first_text(metadata, "tenant", "tenant_id")
        facts.provider = text_of(metadata.get("ls_provider"))
        facts.request_model = text_of(metadata.get("ls_model_name"))


def _read_call(facts: Facts, span: Span) -> None:
    attributes = span.attributes
    lists = lists_under(attributes, _LISTS)
    _read_content(facts, attributes, lists)
    response = _response(facts, attributes)
    facts.output_messages = facts.output_messages or response.messages
    _read_model(facts, attributes, response)
    facts.usage = _usage(attributes, response)
    facts.cost_usd = number_of(attributes.get("llm.cost.total")) or None
    reason = first_text(attributes, "llm.finish_reason", "llm.response.finish_reason")
    facts.finish_reasons = (reason,) if reason else response.finish_reasons
    for event in span.events:
        if event.name == _FIRST_TOKEN:
            facts.time_to_first_token_s = event.at - span.started_at
            break


def _response(facts: Facts, attributes: JsonObject) -> Response:
    """Return what the whole response says; its messages only where no other key has them."""
    value = attributes.get("output.value")
    if value is None:
        return NO_RESPONSE
    return response_of(value) if facts.output_messages is None else envelope_of(value)


def _read_model(facts: Facts, attributes: JsonObject, response: Response) -> None:
    parameters = object_of(attributes.get("llm.invocation_parameters")) or {}
    facts.provider = first_text(attributes, "llm.provider", "llm.system") or facts.provider
    facts.response_model = (
        first_text(attributes, "llm.response.model_name")
        or response.model
        or text_of(attributes.get("llm.model_name"))
    )
    asked = first_text(parameters, "model", "model_name", "model_id", "modelId", "engine")
    if asked is not None and "created_at" in parameters and asked == facts.response_model:
        # The parameters are those that the answer repeats, with the model that answered.
        asked = undated(asked)
        facts.extras["seakeeping.request_model"] = "derived"
    facts.request_model = (
        text_of(attributes.get("llm.request.model_name"))
        or asked
        or facts.request_model
        or text_of(attributes.get("llm.model_name"))
    )
    facts.response_id = text_of(attributes.get("llm.response.id")) or response.response_id
    facts.streaming = _streaming(parameters)


def _streaming(parameters: JsonObject) -> bool | None:
    """Return the call's stream flag; a framework's ``false`` is its setting, not what it did."""
    told = flag_of(parameters.get("stream"))
    return None if told is False and "_type" in parameters else told


_LISTS = (
    "llm.input_messages.",
    "llm.output_messages.",
    "llm.tools.",
    "llm.prompts.",
    "llm.choices.",
)


def _read_content(facts: Facts, attributes: JsonObject, lists: Lists) -> None:
    given = _messages(lists.get("llm.input_messages.", []), "user")
    if given is None:
        given = _texts(lists.get("llm.prompts.", []), "prompt", "user")
    if given is None:
        given = messages_of(attributes.get("llm.prompts"))
    if given is None:
        given, facts.is_loose = messages_of(attributes.get("input.value")), True
    facts.system, facts.input_messages = split_system(given)
    facts.output_messages = _messages(lists.get("llm.output_messages.", []), "assistant")
    if facts.output_messages is None:
        facts.output_messages = _texts(lists.get("llm.choices.", []), "completion", "assistant")
    tools = [tool.get("json_schema") for tool in unwrapped(lists.get("llm.tools.", []), "tool")]
    facts.tool_definitions = tools_of(tools) if tools else None
    if "llm.prompts." in lists:
        facts.operation = "text_completion"


def _messages(items: list[JsonObject], role: str) -> Messages | None:
    found = [
        m for item in unwrapped(items, "message") for m in messages_of([_rebuilt(item)], role) or ()
    ]
    return tuple(message for message in found if not is_empty(message)) or None


def _rebuilt(message: JsonObject) -> JsonObject:
    """Return a message as OpenAI would write it, from its flattened fields."""
    parts = content_of(message.get("content"))
    blocks = unwrapped(items_of(message.get("contents")), "message_content")
    found = [part for block in blocks for part in _block(block)]
    # Some instrumentations write a text as a block and as content.
    parts = parts if found == parts else [*parts, *found]
    calls = unwrapped(items_of(message.get("tool_calls")), "tool_call")
    parts.extend(_call(call) for call in calls)
    if message.get("function_call_name"):
        parts.append(
            tool_call(
                None,
                text_of(message["function_call_name"]),
                message.get("function_call_arguments_json"),
            )
        )
    kept = {k: v for k, v in message.items() if k in ("role", "name", "tool_call_id")}
    return {**kept, "parts": parts}


def _block(block: JsonObject) -> list[JsonObject]:
    kind = block.get("type")
    if kind == "image" or "image" in block:
        return [{"type": "image", "image": block.get("image")}]
    if kind in ("tool_use", "tool_call"):
        return [_call(block)]
    return content_of([{"type": "text", **block}]) if "text" in block else []


def _call(call: JsonObject) -> JsonObject:
    function = call.get("function")
    inner: JsonObject = function if isinstance(function, dict) else call
    return tool_call(text_of(call.get("id")), text_of(inner.get("name")), inner.get("arguments"))


def _texts(items: list[JsonObject], name: str, role: str) -> Messages | None:
    texts = [text_of(item.get("text")) for item in unwrapped(items, name)]
    return tuple(text_message(role, text) for text in texts if text) or None


def _usage(attributes: JsonObject, response: Response) -> Usage:
    told = Usage(
        input=first_count(attributes, "llm.token_count.prompt"),
        output=first_count(attributes, "llm.token_count.completion"),
        cache_read=first_count(
            attributes,
            "llm.token_count.prompt_details.cache_read",
            "llm.token_count.prompt_details.cache_input",
        ),
        cache_write=first_count(attributes, "llm.token_count.prompt_details.cache_write"),
        reasoning=first_count(attributes, "llm.token_count.completion_details.reasoning"),
        total=first_count(attributes, "llm.token_count.total"),
    )
    return response.usage if told.is_empty else whole_usage(told)


def documents_in(attributes: JsonObject) -> tuple[Document, ...]:
    """Return the documents in ``retrieval.documents.N.document.*``."""
    return _documents(attributes, "retrieval.documents.")


def _documents(attributes: JsonObject, prefix: str) -> tuple[Document, ...]:
    items = unwrapped(lists_under(attributes, (prefix,)).get(prefix, []), "document")
    return documents_of([_with_metadata(item) for item in items])


def _with_metadata(item: JsonObject) -> JsonObject:
    metadata = object_of(item.get("metadata"))
    return {**item, "metadata": metadata} if metadata is not None else item


_SCORE_LISTS = ("annotations.", "evaluations.")


def _scores(attributes: JsonObject) -> tuple[Score, ...]:
    lists = lists_under(attributes, _SCORE_LISTS)
    items = [
        *unwrapped(lists.get("annotations.", []), "annotation"),
        *unwrapped(lists.get("evaluations.", []), "evaluation"),
    ]
    return tuple(score for item in items if (score := _score(item)) is not None)


def _score(item: JsonObject) -> Score | None:
    name, label = text_of(item.get("name")), text_of(item.get("label"))
    value = number_of(item.get("score"))
    if name is None or (value is None and label is None):
        return None
    return Score(
        name,
        value,
        label,
        text_of(item.get("explanation")),
        text_of(item.get("annotator_kind")) or "",
        text_of(item.get("identifier")) or "",
    )
