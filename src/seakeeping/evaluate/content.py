"""What a call holds for a scorer to look at: its texts by role, and whether there is an answer."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import orjson

from seakeeping.evaluate.reasons import SkipReason
from seakeeping.records import Interaction, Json, JsonObject


class PromptText(NamedTuple):
    """One text of the prompt. ``message`` is None for the system instructions."""

    role: str
    message: int | None
    part: int
    content: str


def no_answer_reason(interaction: Interaction) -> SkipReason | None:
    """Return why there is no answer to judge, or None where ``answer_text`` can be judged."""
    if interaction.error_type is not None:
        return SkipReason.CALL_FAILED
    if interaction.answer_text is None and interaction.output_messages is None:
        return SkipReason.NO_CONTENT
    if not interaction.is_answer:
        return SkipReason.NOT_AN_ANSWER
    if not (interaction.answer_text or "").strip():
        return SkipReason.NO_ANSWER
    return None


def prompt_texts(interaction: Interaction) -> Iterator[PromptText]:
    """Yield the texts of the prompt in order: system instructions first, then message parts.

    A tool's response has the role ``tool``, whatever message carries it; one that is no plain text
    is read as its JSON, indented by two.
    """
    if interaction.system_instructions:
        yield PromptText("system", None, 0, interaction.system_instructions)
    for index, message in enumerate(interaction.input_messages or ()):
        role = str(message.get("role") or "user")
        for place, part in enumerate(parts(message)):
            is_tool = part.get("type") == "tool_call_response"
            content = part.get("response") if is_tool else part.get("content")
            if is_tool and content is not None and not isinstance(content, str):
                content = as_text(content)
            if isinstance(content, str) and content:
                yield PromptText("tool" if is_tool else role, index, place, content)


def as_text(value: Json) -> str:
    """Return a value as JSON, indented by two; "" for one that is nested too deep to write.

    >>> print(as_text({"temperature": 21}))
    {
      "temperature": 21
    }
    """
    try:
        return orjson.dumps(value, option=orjson.OPT_INDENT_2, default=dict).decode()
    except TypeError:  # a lone surrogate, or a nesting over 254
        pass
    try:
        return json.dumps(value, indent=2, default=dict)
    except RecursionError:
        return ""


def parts(message: JsonObject) -> list[JsonObject]:
    """Return the parts of a message in the normal form; what is not a part is left out.

    >>> parts({"role": "user", "parts": [{"type": "text", "content": "hi"}, 7]})
    [{'type': 'text', 'content': 'hi'}]
    """
    found = message.get("parts")
    if not isinstance(found, Sequence) or isinstance(found, str):
        return []
    return [part for part in found if isinstance(part, Mapping)]
