"""Spans of no known dialect that look like a model call: they name a model and tokens or a prompt.

Also the content that a known dialect left in a place of its own.
"""

from collections.abc import Sequence

from seakeeping.ingest.dialects.facts import Facts, Step
from seakeeping.ingest.dialects.indexed import lists_under
from seakeeping.ingest.dialects.messages import messages_of, split_system
from seakeeping.ingest.dialects.responses import response_of
from seakeeping.ingest.dialects.usage import Usage, whole_usage
from seakeeping.ingest.dialects.values import first_count, first_text
from seakeeping.records import Json, JsonObject, Span

NAME = "fallback"

MARKERS = (
    "llm.request.model",
    "llm.response.model",
    "llm.model",
    "llm.vendor",
    "llm.prompts",
    "llm.prompt.0.content",
    "llm.usage.prompt_tokens",
    "model_name",
)

CONTENT_HINT = (
    "record the prompt and the answer as gen_ai.input.messages and gen_ai.output.messages"
)

_MODELS = (
    "llm.request.model",
    "llm.response.model",
    "llm.model",
    "llm.model.name",
    "model_name",
    "model",
)
_INPUTS = (
    "llm.prompts",
    "llm.prompt",
    "llm.request.messages",
    "gen_ai.request.messages",
    "gcp.vertex.agent.llm_request",
    "input.value",
    "prompt",
)
_OUTPUTS = (
    "llm.completions",
    "llm.completion",
    "llm.response",
    "llm.response.text",
    "gcp.vertex.agent.llm_response",
    "output.value",
    "completion",
)


def read(span: Span) -> Facts | None:
    """Return what a span tells that names a model, and tokens or content; else None."""
    attributes = span.attributes
    model = first_text(attributes, *_MODELS)
    if model is None:
        return None
    facts = Facts(NAME, Step.MODEL, "chat", request_model=model)
    facts.response_model = first_text(attributes, "llm.response.model")
    facts.provider = first_text(attributes, "llm.vendor", "llm.provider", "llm.system", "provider")
    facts.user_id = first_text(attributes, "user.id", "llm.user")
    facts.session_id = first_text(attributes, "session.id")
    facts.usage = whole_usage(
        Usage(
            first_count(attributes, "llm.usage.prompt_tokens", "llm.usage.input_tokens",
                        "prompt_tokens", "input_tokens"),
            first_count(attributes, "llm.usage.completion_tokens", "llm.usage.output_tokens",
                        "completion_tokens", "output_tokens"),
            total=first_count(attributes, "llm.usage.total_tokens", "total_tokens"),
        )
    )  # fmt: skip
    fill_content(facts, attributes)
    has_content = facts.input_messages is not None or facts.output_messages is not None
    return facts if has_content or not facts.usage.is_empty else None


def fill_content(facts: Facts, attributes: JsonObject) -> None:
    """Read content from the places that no convention names, where a call has none yet."""
    if facts.input_messages is None:
        key = _first_key(attributes, _INPUTS)
        given = attributes[key] if key else _listed(attributes, "llm.prompt.")
        if given is not None:
            facts.system, facts.input_messages = split_system(messages_of(given))
            facts.content_keys += (key,) if key else ()
    if facts.output_messages is None:
        key = _first_key(attributes, _OUTPUTS)
        answered = attributes[key] if key else _listed(attributes, "llm.completion.")
        response = response_of(answered)
        facts.output_messages = response.messages
        facts.content_keys += (key,) if key and response.messages else ()
        facts.finish_reasons = facts.finish_reasons or response.finish_reasons
        if facts.usage.is_empty:
            facts.usage = response.usage


def _first_key(attributes: JsonObject, names: Sequence[str]) -> str | None:
    return next((name for name in names if attributes.get(name)), None)


def _listed(attributes: JsonObject, prefix: str) -> Json:
    return lists_under(attributes, (prefix,)).get(prefix)
