"""The parts of a message in normal form: text, tool calls and their responses, reasoning.

Each provider's content blocks name their kind by a ``type`` or by a key; one table each says how to
read them. A part of another kind stays as it came.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from seakeeping.ingest.dialects.values import compact, dig, parsed, text_of
from seakeeping.records import Json, JsonObject

Parts = list[JsonObject]
MOST_ITEMS = 10_000
"""How many items of one list are read."""


def tool_calls_of(value: JsonObject) -> Parts:
    """Return the tool calls that a message carries beside its content."""
    calls = parsed(value.get("tool_calls"))
    if calls is None and not value.get("function_call"):
        calls = (
            dig(value, "additional_kwargs", "tool_calls") if "additional_kwargs" in value else None
        )
    if isinstance(calls, dict):
        calls = list(calls.values())
    found: Parts = []
    if isinstance(calls, (list, tuple)):
        found = [tool_call_part(call) for call in calls if isinstance(call, dict)]
    single = value.get("function_call")
    if isinstance(single, dict) and single.get("name"):
        found.append(tool_call_part(single))
    return found


def tool_call_part(call: JsonObject) -> JsonObject:
    """Return a tool call of any provider as a part."""
    if isinstance(call.get("tool_call"), dict):
        call = mapping_of(call["tool_call"])
    inner = mapping_of(call.get("function")) or call
    arguments = next(
        (inner[name] for name in ("arguments", "args", "input", "parameters") if name in inner),
        None,
    )
    # A Responses item has an id of its own beside the one that its output answers to.
    call_id = (
        call.get("call_id") or call.get("id") or call.get("toolCallId") or call.get("toolUseId")
    )
    name = inner.get("name") or call.get("name") or call.get("toolName")
    return tool_call(text_of(call_id), text_of(name), arguments)


def tool_call(call_id: str | None, name: str | None, arguments: Json) -> JsonObject:
    """Return a tool-call part; arguments are an object wherever they parse to one."""
    found = parsed(arguments)
    if not isinstance(found, dict):
        found = arguments
    return {"type": "tool_call", "id": call_id, "name": name, "arguments": found}


def mapping_of(value: Json) -> JsonObject:
    """Return an object, an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def parts_of(content: Json) -> Parts:
    """Return content (text, blocks or parts of any provider) as parts in normal form."""
    if content is None or content == "":
        return []
    if isinstance(content, str):
        return [{"type": "text", "content": content}]
    if isinstance(content, dict):
        return _part(content)
    if isinstance(content, (list, tuple)):
        return [part for item in content[:MOST_ITEMS] for part in _any_part(item)]
    return [{"type": "text", "content": compact(content)}]


def _any_part(item: Json) -> Parts:
    if isinstance(item, str):
        return [{"type": "text", "content": item}] if item else []
    return _part(item) if isinstance(item, dict) else []


def _part(part: JsonObject) -> Parts:
    kind = part.get("type")
    if kind == "text":
        return _text_part(part)
    if isinstance(kind, str):
        reader = _PARTS.get(kind)
        return reader(part) if reader is not None else [part]
    return _untyped_part(part)


def _text_part(part: JsonObject) -> Parts:
    text = part.get("content")
    if text is None:
        text = part.get("text")
    if isinstance(text, dict):
        text = text.get("value")
    spelled = text_of(text)
    return [{"type": "text", "content": spelled}] if spelled else []


def _untyped_part(part: JsonObject) -> Parts:
    """Read the parts that name their kind by a key: Gemini's and Bedrock's."""
    for key, reader in _KEYED_PARTS.items():
        if key in part:
            return reader(part)
    return [{"type": "text", "content": compact(part)}] if part else []


def _call_part(part: JsonObject) -> Parts:
    return [tool_call_part(part)]


def _keyed_call(key: str) -> Callable[[JsonObject], Parts]:
    return lambda part: [tool_call_part(mapping_of(part[key]))]


def response_part(part: JsonObject) -> Parts:
    """Return a tool's result of any provider as a part."""
    call_id = next(
        (
            part[name]
            for name in ("id", "tool_use_id", "call_id", "toolCallId", "tool_call_id", "toolUseId")
            if part.get(name)
        ),
        None,
    )
    response = next(
        (
            part[n]
            for n in ("response", "result", "content", "output", "parts")
            if part.get(n) is not None
        ),
        None,
    )
    return [{"type": "tool_call_response", "id": text_of(call_id), "response": _plain(response)}]


def _keyed_response(key: str) -> Callable[[JsonObject], Parts]:
    return lambda part: response_part(mapping_of(part[key]))


def _plain(response: Json) -> Json:
    """Return a tool's result as one text where it is text blocks, else as it came."""
    if isinstance(response, dict) and response.get("type") in ("text", "json"):
        found: Json = response.get("value", response)
        return compact(found) if response["type"] == "json" else found
    if not isinstance(response, (list, tuple)):
        return response
    texts = [_block_text(item) for item in response]
    return "\n".join(t for t in texts if t) if all(t is not None for t in texts) else response


def _block_text(item: Json) -> str | None:
    if isinstance(item, str):
        return item
    if not isinstance(item, dict):
        return None
    text = item.get("text")
    if isinstance(text, str):
        return text
    return compact(item["json"]) if "json" in item else None


def reasoning_part(part: JsonObject) -> Parts:
    """Return what a model thought as a part, none where it is hidden."""
    text = part.get("content") or part.get("thinking") or part.get("text") or part.get("reasoning")
    if not text:
        summary = part.get("summary")
        text = "\n".join(str(p["content"]) for p in parts_of(summary) if p.get("type") == "text")
    spelled = text_of(text)
    return [{"type": "reasoning", "content": spelled}] if spelled else []


def _bedrock_reasoning(part: JsonObject) -> Parts:
    text = text_of(dig(part, "reasoningContent", "reasoningText", "text"))
    return [{"type": "reasoning", "content": text}] if text else []


def _uri_part(part: JsonObject) -> Parts:
    given = part.get("image_url")
    uri = given.get("url") if isinstance(given, dict) else given
    if isinstance(uri, str) and uri and not uri.startswith("data:"):
        return [{"type": "uri", "modality": "image", "uri": uri}]
    return [part]


def _refusal_part(part: JsonObject) -> Parts:
    text = text_of(part.get("refusal"))
    return [{"type": "text", "content": text}] if text else []


_PARTS: Mapping[str, Callable[[JsonObject], Parts]] = MappingProxyType(
    {
        "text": _text_part,
        "input_text": _text_part,
        "output_text": _text_part,
        "text_delta": _text_part,
        "summary_text": _text_part,
        "refusal": _refusal_part,
        "tool_call": _call_part,
        "tool_use": _call_part,
        "tool-call": _call_part,
        "function_call": _call_part,
        "tool_call_response": response_part,
        "tool_result": response_part,
        "tool-result": response_part,
        "function_call_output": response_part,
        "reasoning": reasoning_part,
        "thinking": reasoning_part,
        "image_url": _uri_part,
        "input_image": _uri_part,
    }
)
_KEYED_PARTS: Mapping[str, Callable[[JsonObject], Parts]] = MappingProxyType(
    {
        "function_call": _keyed_call("function_call"),
        "functionCall": _keyed_call("functionCall"),
        "toolUse": _keyed_call("toolUse"),
        "function_response": _keyed_response("function_response"),
        "functionResponse": _keyed_response("functionResponse"),
        "toolResult": _keyed_response("toolResult"),
        "reasoningContent": _bedrock_reasoning,
        "text": _text_part,
        "content": _text_part,
    }
)
