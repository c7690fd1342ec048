"""What a whole response object says: messages, id, model, finish reasons, usage.

Several dialects keep the provider's answer as one JSON object (OpenInference ``output.value``,
Langfuse, LangSmith and MLflow outputs). Known shapes: OpenAI chat, completions and Responses,
Anthropic, Gemini, Bedrock Converse, Ollama, Cohere and LangChain generations; anything else is read
as messages or text.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from seakeeping.ingest.dialects.messages import Messages, is_empty, messages_of, text_message
from seakeeping.ingest.dialects.parts import parts_of
from seakeeping.ingest.dialects.usage import NO_USAGE, Usage, usage_of
from seakeeping.ingest.dialects.values import compact, dig, parsed, text_of
from seakeeping.records import Json, JsonObject


@dataclass(frozen=True, slots=True)
class Response:
    """What was read from a response object; raw finish reasons; None where not told."""

    messages: Messages | None = None
    response_id: str | None = None
    model: str | None = None
    finish_reasons: tuple[str, ...] = ()
    usage: Usage = NO_USAGE


NO_RESPONSE = Response()

_HOLDERS = ("messages", "output", "outputs", "text", "content", "completion", "response",
            "generated_text", "output_text")  # fmt: skip
_MARKS = frozenset(("id", "model", "usage", "object", "stop_reason", "finish_reason", "messages",
"created",
                    "usage_metadata", "response_metadata"))  # fmt: skip


def response_of(value: Json) -> Response:
    """Read a response object, a message, a list of messages or a text (also as JSON)."""
    found = parsed(value)
    if isinstance(found, dict):
        return _of_object(found, value)
    if isinstance(found, (list, tuple)):
        return _list(found) if not isinstance(value, str) or _is_rich(found) else _as_text(value)
    return Response(messages=_kept(messages_of(found, "assistant")))


def envelope_of(value: Json) -> Response:
    """Read what a response object says around its messages: id, model, finish reasons, usage."""
    found = parsed(value)
    if not isinstance(found, dict):
        return NO_RESPONSE
    generation = dig(found, "generations", 0, 0) or dig(found, "generations", 0)
    if not isinstance(generation, dict):
        return _told(found, None)
    return _generation({**generation, "text": None}, is_whole=False)


def _of_object(found: JsonObject, value: Json) -> Response:
    """Read an object; where nothing in it is known, the JSON text itself is the answer."""
    told = _object(found)
    if isinstance(value, str) and told.messages == (text_message("assistant", compact(found)),):
        return Response(messages=(text_message("assistant", value),))
    return told


def _is_rich(found: Sequence[Json]) -> bool:
    return any(isinstance(item, (dict, list)) for item in found)


def _as_text(value: str) -> Response:
    return Response(messages=(text_message("assistant", value),))


def _kept(messages: Messages | None) -> Messages | None:
    """Drop messages without a part: an error leaves an empty one behind."""
    return tuple(m for m in messages if not is_empty(m)) or None if messages else None


def _list(values: Sequence[Json]) -> Response:
    mappings = [value for value in values if isinstance(value, dict)]
    if mappings and all("message" in m or ("finish_reason" in m and "text" in m) for m in mappings):
        return _choices({"choices": mappings}, mappings)
    return Response(messages=_kept(messages_of(values, "assistant")))


def _object(value: JsonObject) -> Response:
    choices = value.get("choices")
    if isinstance(choices, (list, tuple)) and choices:
        return _choices(value, choices)
    generations = value.get("generations")
    if isinstance(generations, (list, tuple)):
        return _generations(value, generations)
    candidates = value.get("candidates")
    if isinstance(candidates, (list, tuple)):
        return _candidates(value, candidates)
    output = value.get("output")
    if isinstance(output, dict) and "message" in output:
        return _told(value, messages_of(output["message"], "assistant"))
    if isinstance(output, (list, tuple)) and output:
        return _told(value, messages_of(output, "assistant"))
    return _single(value)


def _single(value: JsonObject) -> Response:
    """Read an object that is or holds one message: Anthropic's, Ollama's, a framework's."""
    message = value.get("message")
    if isinstance(message, (dict, str)) and message:
        return _told(value, messages_of(message, "assistant"))
    kind = value.get("type")
    if (
        "role" in value
        or "lc" in value
        or "tool_calls" in value
        or kind in ("ai", "AIMessageChunk")
    ):
        plain = {"role": "assistant", **value} if kind in ("message", None, "ai") else value
        plain = {k: v for k, v in plain.items() if not (k == "type" and v == "message")}
        return _told(value, messages_of(plain, "assistant"))
    if len(value) == 1 or not _MARKS.isdisjoint(value):
        for name in _HOLDERS:
            inner = value.get(name)
            if inner and isinstance(inner, (str, dict, list)):
                return _told(value, _inner(inner))
    is_told = any(item not in (None, "", [], {}) for item in value.values())
    return _told(value, (text_message("assistant", compact(value)),) if is_told else None)


def _inner(value: Json) -> Messages | None:
    if isinstance(value, dict):
        return _object(value).messages
    return messages_of(value, "assistant")


def _told(value: JsonObject, messages: Messages | None) -> Response:
    meta = _metadata(value)
    reason = next(
        (
            text
            for name in (
                "finish_reason",
                "stop_reason",
                "stopReason",
                "done_reason",
                "finishReason",
            )
            if (text := text_of(value.get(name)) or text_of(meta.get(name)))
        ),
        None,
    )
    if reason is None:
        reason = text_of(dig(value, "incomplete_details", "reason"))
    model = (
        value.get("model") or value.get("modelId") or meta.get("model_name") or meta.get("model")
    )
    usage = usage_of(value.get("usage") or value.get("usage_metadata") or meta.get("token_usage"))
    if usage.is_empty and "eval_count" in value:
        usage = usage_of(value)
    return Response(
        messages=_kept(messages),
        response_id=text_of(meta.get("id")) if meta else _own_id(value),
        model=text_of(model) if not isinstance(model, dict) else None,
        finish_reasons=(reason,) if reason else (),
        usage=usage,
    )


def _own_id(value: JsonObject) -> str | None:
    """Return the object's id, unless it is one that LangChain made up for the message."""
    found = text_of(value.get("id")) if "lc" not in value else None
    return None if found is not None and found.startswith(("run-", "lc_run-")) else found


def _metadata(value: JsonObject) -> JsonObject:
    inner = value.get("kwargs") if isinstance(value.get("kwargs"), dict) else value
    meta = dig(inner, "response_metadata")
    return meta if isinstance(meta, dict) else {}


def _choices(value: JsonObject, choices: Sequence[Json]) -> Response:
    """Read choices; their messages may be None: a filter leaves nothing to say."""
    told = _told(value, None)
    messages: list[JsonObject] = []
    reasons: list[str] = []
    for choice in choices:
        message = dig(choice, "message") or dig(choice, "delta") or dig(choice, "text")
        messages.extend(messages_of(message, "assistant") or ())
        reason = text_of(dig(choice, "finish_reason"))
        if reason:
            reasons.append(reason)
    return Response(
        _kept(tuple(messages)), told.response_id, told.model, tuple(reasons), told.usage
    )


def _flat(values: Sequence[Json]) -> Iterable[Json]:
    for value in values:
        if isinstance(value, (list, tuple)):
            yield from value
        else:
            yield value


def _generations(value: JsonObject, generations: Sequence[Json]) -> Response:
    """Read LangChain's result: generations hold a message, or only a text."""
    found = [_generation(item) for item in _flat(generations) if isinstance(item, dict)]
    messages = tuple(m for response in found for m in response.messages or ())
    reasons = tuple(r for response in found for r in response.finish_reasons)
    usage = next((r.usage for r in found if not r.usage.is_empty), NO_USAGE)
    if usage.is_empty:
        usage = usage_of(dig(value, "llm_output", "token_usage"))
    return Response(
        messages or None,
        next((r.response_id for r in found if r.response_id), None),
        next((r.model for r in found if r.model), text_of(dig(value, "llm_output", "model_name"))),
        reasons,
        usage,
    )


def _generation(item: JsonObject, *, is_whole: bool = True) -> Response:
    message, text = item.get("message"), item.get("text")
    told = NO_RESPONSE
    if isinstance(message, dict):
        told = _told(message, messages_of(message, "assistant") if is_whole else None)
    inner = dig(message, "kwargs") or dig(message, "data")
    if isinstance(inner, dict) and told.usage.is_empty:
        told = Response(told.messages, told.response_id, told.model, told.finish_reasons,
                        usage_of(inner.get("usage_metadata")))  # fmt: skip
    messages = told.messages
    if messages is None and isinstance(text, str) and text:
        messages = (text_message("assistant", text),)
    reason = text_of(dig(item, "generation_info", "finish_reason"))
    reasons = (reason,) if reason else told.finish_reasons
    return Response(messages, told.response_id, told.model, reasons, told.usage)


def _candidates(value: JsonObject, candidates: Sequence[Json]) -> Response:
    messages: list[JsonObject] = []
    reasons: list[str] = []
    for candidate in candidates:
        content = dig(candidate, "content")
        parts = parts_of(content.get("parts") if isinstance(content, dict) else content)
        if parts:
            messages.append({"role": "assistant", "parts": parts})
        reason = text_of(dig(candidate, "finish_reason") or dig(candidate, "finishReason"))
        if reason:
            reasons.append(reason)
    usage = usage_of(value.get("usage_metadata") or value.get("usageMetadata"))
    model = text_of(value.get("model_version") or value.get("modelVersion"))
    response_id = text_of(value.get("response_id") or value.get("responseId"))
    return Response(tuple(messages) or None, response_id, model, tuple(reasons), usage)
