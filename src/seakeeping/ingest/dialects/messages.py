"""Messages in normal form, from any shape that SDKs and frameworks put on the wire.

The normal form is OpenTelemetry's: ``{"role", "parts": [{"type", ...}]}`` with parts ``text``,
``tool_call``, ``tool_call_response``, ``reasoning`` and whatever else there is, kept as it came.
Known source shapes: OpenTelemetry parts, OpenAI chat and Responses items, Anthropic and Bedrock
content blocks, Gemini parts, LangChain messages (plain, serialised, constructor), Vercel model
messages, and plain text. The shape is seen in the value itself, so every dialect shares this one
reader.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType

from seakeeping.ingest.dialects.parts import (
    MOST_ITEMS,
    Parts,
    parts_of,
    reasoning_part,
    response_part,
    tool_call_part,
    tool_calls_of,
)
from seakeeping.ingest.dialects.salvage import salvaged
from seakeeping.ingest.dialects.values import compact, dig, parsed, text_of
from seakeeping.records import Json, JsonObject

Messages = tuple[JsonObject, ...]

_ROLES: Mapping[str, str] = MappingProxyType(
    {
        "human": "user",
        "user": "user",
        "ai": "assistant",
        "aimessagechunk": "assistant",
        "assistant": "assistant",
        "model": "assistant",
        "chatbot": "assistant",
        "bot": "assistant",
        "system": "system",
        "developer": "system",
        "function": "tool",
        "tool": "tool",
    }
)
_WRAPPERS = (
    "messages",
    "input_messages",
    "contents",
    "input",
    "inputs",
    "prompts",
    "prompt",
    "history",
)
_MESSAGE_KEYS = frozenset(
    (
        "content",
        "tool_calls",
        "refusal",
        "reasoning_content",
        "annotations",
        "audio",
        "function_call",
    )
)


def role_of(spelling: Json, default: str = "user") -> str:
    """Return system, user, assistant or tool; an unknown role in lower case."""
    if not isinstance(spelling, str) or not spelling:
        return default
    lowered = spelling.lower()
    return _ROLES.get(lowered, lowered)


def text_message(role: str, text: str) -> JsonObject:
    """Return a message of one text part."""
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def messages_of(value: Json, role: str = "user") -> Messages | None:
    """Return messages in normal form, None where there is no content.

    Args:
        value: a message, a list of them, a text, a request or response object, or JSON of these.
        role: of what does not say its own.
    """
    found = parsed(value)
    if found is None or found == "":
        return None
    if isinstance(value, str) and (isinstance(found, str) or not holds_messages(found)):
        return _of_text(value, role)
    if isinstance(found, dict):
        return _messages_of_object(found, role)
    if isinstance(found, (list, tuple)):
        return _messages_of_list(found, role)
    text = text_of(found)
    return (text_message(role, text),) if text else None


def _of_text(value: str, role: str) -> Messages:
    """Read a text that is no JSON of messages: cut-off JSON gives what it held, else itself."""
    if value.lstrip().startswith(("[{", '{"role"', '{"messages"')):
        found = salvaged(value)
        if not isinstance(found, str) and holds_messages(found):
            return messages_of(found, role) or (text_message(role, value),)
    return (text_message(role, value),)


def holds_messages(found: Json) -> bool:
    """Say whether a parsed JSON text is messages, rather than a text that happens to be JSON."""
    if isinstance(found, dict):
        return _is_message(found) or any(found.get(name) for name in _WRAPPERS)
    if not isinstance(found, (list, tuple)):
        return False
    first = found[0] if found else None
    if isinstance(first, dict):
        return _is_message(first) or _is_part(first)
    return isinstance(first, (list, tuple))


def content_of(value: Json) -> Parts:
    """Return content as parts; a JSON text is opened only where it is a list of content blocks."""
    if isinstance(value, str) and value.startswith("[{"):
        found = parsed(value)
        if not isinstance(found, str) and all(map(_is_part, _sequence(found))):
            return parts_of(found)
    return parts_of(value)


def _sequence(value: Json) -> Sequence[Json]:
    return value if isinstance(value, (list, tuple)) else ()


def _messages_of_object(value: JsonObject, role: str) -> Messages | None:
    if _is_message(value):
        message = _message(value, role)
        return (message,) if message is not None else None
    for wrapper in _WRAPPERS:
        inner = value.get(wrapper)
        if inner:
            return _with_instructions(value, messages_of(inner, role))
    return (text_message(role, compact(value)),) if value else None


def _with_instructions(value: JsonObject, found: Messages | None) -> Messages | None:
    """Put the system text that a request carries beside its messages before them."""
    for name in ("instructions", "system", "system_instruction", "systemInstruction", "config"):
        given = dig(value, name, "system_instruction") if name == "config" else value.get(name)
        if given:
            return (_system_message(given), *(found or ()))
    return found


def _system_message(given: Json) -> JsonObject:
    if isinstance(given, dict) and "parts" in given:
        return {"role": "system", "parts": parts_of(given["parts"])}
    return {"role": "system", "parts": parts_of(given)}


def _is_message(value: JsonObject) -> bool:
    if "role" in value or ("content" in value and value.keys() <= _MESSAGE_KEYS):
        return True
    if "kwargs" in value or "data" in value:
        return "lc" in value or "type" in value
    kind = value.get("type")
    return isinstance(kind, str) and (
        kind in _ITEMS or ("content" in value and kind.lower() in _ROLES)
    )


def _messages_of_list(values: Sequence[Json], role: str) -> Messages | None:
    if len(values) == 1 and isinstance(values[0], (list, tuple)):
        return messages_of(values[0], role)
    if values and all(_is_part(value) for value in values):
        return ({"role": role, "parts": parts_of(values)},)
    found = [message for value in values[:MOST_ITEMS] for message in _item(value, role)]
    return tuple(_joined(found)) or None


def _is_part(value: Json) -> bool:
    """Say whether a list item is a content part rather than a message."""
    if not isinstance(value, dict) or _is_message(value):
        return False
    return "type" in value or "text" in value or "toolUse" in value or "toolResult" in value


def _item(value: Json, role: str) -> Iterable[JsonObject]:
    if isinstance(value, str):
        return (text_message(role, value),) if value else ()
    if isinstance(value, dict):
        message = _message(value, role)
        return (message,) if message is not None else ()
    if isinstance(value, (list, tuple)) and len(value) == 2 and isinstance(value[0], str):
        return messages_of(value[1], role_of(value[0], role)) or ()
    return ()


def _joined(messages: Iterable[JsonObject]) -> Iterable[JsonObject]:
    """Join the items of one turn that came apart: a reply's text, calls and reasoning."""
    last: dict[str, Json] | None = None
    for message in messages:
        if last is not None and message.get("_item") and last.get("_item") == message["_item"]:
            last["parts"] = [*_parts(last), *_parts(message)]
            continue
        if last is not None:
            yield _public(last)
        last = dict(message)
    if last is not None:
        yield _public(last)


def _public(message: dict[str, Json]) -> JsonObject:
    message.pop("_item", None)
    return message


def _parts(message: JsonObject) -> Sequence[Json]:
    return _sequence(message.get("parts"))


def _message(value: JsonObject, role: str) -> JsonObject | None:
    """Return one message object in normal form, None when it holds nothing at all."""
    kind = value.get("type")
    if isinstance(kind, str) and kind in _ITEMS and "parts" not in value:
        return _ITEMS[kind](value)
    if "lc" in value or ("data" in value and "content" not in value):
        return _langchain(value, role)
    if "role" not in value and isinstance(kind, str):
        role = role_of(kind, role)
    role = role_of(value.get("role"), role)
    parts = _content_parts(value)
    if "tool_calls" in value or "additional_kwargs" in value or "function_call" in value:
        parts.extend(tool_calls_of(value))
    if role == "tool" or "tool_call_id" in value:
        role, parts = "tool", _as_responses(parts, value)
    elif parts and all(part.get("type") == "tool_call_response" for part in parts):
        role = "tool"
    return _named({"role": role, "parts": parts}, value)


def _named(message: dict[str, Json], value: JsonObject) -> JsonObject:
    name = value.get("name")
    if isinstance(name, str) and name:
        message["name"] = name
    return message


def _content_parts(value: JsonObject) -> Parts:
    given = value.get("parts")
    if given is not None:
        return parts_of(given)
    parts: Parts = []
    thinking = value.get("reasoning_content")
    if isinstance(thinking, str) and thinking:
        parts.append({"type": "reasoning", "content": thinking})
    parts.extend(parts_of(value.get("content")))
    refusal = value.get("refusal")
    if isinstance(refusal, str) and refusal:
        parts.append({"type": "text", "content": refusal})
    return parts


def _as_responses(parts: Parts, value: JsonObject) -> Parts:
    """Return a tool's message as a response part; its text is the response."""
    if parts and all(part.get("type") == "tool_call_response" for part in parts):
        return parts
    call_id = value.get("tool_call_id") or value.get("id") or value.get("toolCallId")
    texts = [str(part["content"]) for part in parts if part.get("type") == "text"]
    response: Json = "\n".join(texts) if len(texts) == len(parts) else parts
    return [{"type": "tool_call_response", "id": text_of(call_id), "response": response}]


def _langchain(value: JsonObject, role: str) -> JsonObject | None:
    inner = value.get("kwargs", value.get("data"))
    if not isinstance(inner, dict):
        return None
    names = value.get("id")
    spelling = inner.get("type") or value.get("type")
    if isinstance(names, (list, tuple)) and names:
        spelling = inner.get("type") or str(names[-1]).removesuffix("Chunk").removesuffix("Message")
    plain = {k: v for k, v in inner.items() if k not in ("type", "id")}
    return _message({"role": role_of(spelling, role), **plain}, role)


def _call_item(value: JsonObject) -> JsonObject:
    return {"role": "assistant", "parts": [tool_call_part(value)], "_item": "assistant"}


def _output_item(value: JsonObject) -> JsonObject:
    return {"role": "tool", "parts": response_part(value)}


def _reasoning_item(value: JsonObject) -> JsonObject:
    return {"role": "assistant", "parts": reasoning_part(value), "_item": "assistant"}


def _message_item(value: JsonObject) -> JsonObject:
    role = role_of(value.get("role"))
    parts = parts_of(value.get("content"))
    item: dict[str, Json] = {"role": role, "parts": parts}
    if role == "assistant":
        item["_item"] = "assistant"
    return item


_ITEMS: Mapping[str, Callable[[JsonObject], JsonObject]] = MappingProxyType(
    {
        "message": _message_item,
        "function_call": _call_item,
        "custom_tool_call": _call_item,
        "function_call_output": _output_item,
        "custom_tool_call_output": _output_item,
        "reasoning": _reasoning_item,
    }
)


def split_system(messages: Messages | None) -> tuple[str | None, Messages | None]:
    """Take the leading system messages off; return their text and the other messages."""
    if not messages or messages[0].get("role") != "system":
        return None, messages
    count = next((i for i, m in enumerate(messages) if m.get("role") != "system"), len(messages))
    texts = [text for message in messages[:count] if (text := text_in(message))]
    return "\n".join(texts) or None, messages[count:] or None


def text_in(message: JsonObject) -> str:
    """Return the text parts of a message, joined by newline."""
    return "\n".join(
        str(part["content"])
        for part in _parts(message)
        if isinstance(part, dict) and part.get("type") == "text" and part.get("content")
    )


def has_tool_call(message: JsonObject) -> bool:
    """Say whether a message asks for a tool."""
    return any(isinstance(p, dict) and p.get("type") == "tool_call" for p in _parts(message))


def call_parts(message: JsonObject) -> list[JsonObject]:
    """Return the parts of a message that ask for a tool."""
    parts = _parts(message)
    return [p for p in parts if isinstance(p, dict) and p.get("type") == "tool_call"]


def with_parts(messages: Messages, parts: Sequence[JsonObject]) -> Messages:
    """Return the messages with parts added to the first."""
    if not parts or not messages:
        return messages
    return ({**messages[0], "parts": [*_parts(messages[0]), *parts]}, *messages[1:])


def joined_thoughts(messages: Sequence[JsonObject]) -> Messages | None:
    """Return the messages; what a model thought, spelled as a message, goes into the next one."""
    kept: list[JsonObject] = []
    thoughts: list[JsonObject] = []
    for message in messages:
        if message.get("role") == "thinking":
            thoughts.append({"type": "reasoning", "content": text_in(message)})
        elif thoughts:
            kept.append({**message, "parts": [*thoughts, *_parts(message)]})
            thoughts = []
        else:
            kept.append(message)
    if thoughts:
        kept.append({"role": "assistant", "parts": thoughts})
    return tuple(kept) or None


def is_empty(message: JsonObject) -> bool:
    """Say whether a message has no part at all."""
    return not _parts(message)
