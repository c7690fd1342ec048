"""What a call holds for a scorer to look at: its texts by role, and whether there is an answer."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from seakeeping.evaluate.reasons import SkipReason
from seakeeping.records import Interaction, JsonObject


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

    A tool's response has the role ``tool``, whatever message carries it.
    """
    if interaction.system_instructions:
        yield PromptText("system", None, 0, interaction.system_instructions)
    for index, message in enumerate(interaction.input_messages or ()):
        role = str(message.get("role") or "user")
        for place, part in enumerate(parts(message)):
            if part.get("type") == "tool_call_response":
                yield from _texts("tool", index, place, part.get("response"))
            else:
                yield from _texts(role, index, place, part.get("content"))


def _texts(role: str, message: int, part: int, value: object) -> Iterator[PromptText]:
    if isinstance(value, str):
        if value:
            yield PromptText(role, message, part, value)
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(role, message, part, inner)
    elif isinstance(value, Sequence):
        for inner in value:
            yield from _texts(role, message, part, inner)


def parts(message: JsonObject) -> list[JsonObject]:
    """Return the parts of a message in the normal form; what is not a part is left out.

    >>> parts({"role": "user", "parts": [{"type": "text", "content": "hi"}, 7]})
    [{'type': 'text', 'content': 'hi'}]
    """
    found = message.get("parts")
    if not isinstance(found, Sequence) or isinstance(found, str):
        return []
    return [part for part in found if isinstance(part, Mapping)]
