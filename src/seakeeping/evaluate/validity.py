"""Is the response usable as it stands: there, whole, and well-formed where form was asked for?

Checked on the response as the model gave it, whether it goes to a user or to a program: an empty
message, one cut off by the token limit, broken JSON where JSON was asked for, and tool calls whose
name was never offered or whose arguments do not parse or lack a required one.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import orjson

from seakeeping.evaluate.content import parts
from seakeeping.evaluate.reasons import SkipReason
from seakeeping.evaluate.verdict import scored, skipped
from seakeeping.protocols import CostClass
from seakeeping.records import Evaluation, FinishReason, Interaction, Json, JsonObject

ANSWERING_OPERATIONS = frozenset({"chat", "text_completion", "generate_content"})
"""Operations whose response is text or tool calls."""

_JSON_TYPES = frozenset({"json", "json_object", "json_schema"})
_TYPE_KEYS = ("gen_ai.output.type", "gen_ai.openai.request.response_format")
_SCHEMA_KEYS = (
    "gen_ai.request.structured_output_schema",
    "llm.request.structured_output_schema",
    "ai.schema",
)
_PARAMETER_KEYS = (
    "llm.invocation_parameters",
    "langfuse.observation.model.parameters",
    "gen_ai.request.response_format",
)
_FENCE = re.compile(r"\s*```(json)?[ \t]*\n(.*?)(?:\n[ \t]*```\s*)?\Z", re.DOTALL | re.IGNORECASE)


class Flaw(NamedTuple):
    """One thing wrong with a response; ``choice`` and ``tool_call`` say where."""

    reason: str
    choice: int
    tool_call: str | None = None


def flaws(interaction: Interaction) -> list[Flaw]:
    """Return everything that is wrong with the response of a call."""
    found = [Flaw("truncated", 0)] if FinishReason.LENGTH in interaction.finish_reasons else []
    wants_json = asked_for_json(interaction.attributes)
    offered = _offered_tools(interaction.tool_definitions)
    for choice, message in enumerate(interaction.output_messages or ()):
        found += _flaws_of(message, choice, wants_json, offered)
    if not interaction.output_messages and not (interaction.answer_text or "").strip():
        found.append(Flaw("empty", 0))
    return found


def _flaws_of(
    message: JsonObject, choice: int, wants_json: bool, offered: Mapping[str, JsonObject]
) -> Iterator[Flaw]:
    texts, calls, others = [], [], 0
    for part in parts(message):
        kind, content = part.get("type"), part.get("content")
        if kind == "tool_call":
            calls.append(part)
        elif kind == "text":
            texts.append(content if isinstance(content, str) else "")
        elif kind != "reasoning":
            others += 1  # images, audio, server-side tools: something is there
    text = "\n".join(texts)
    if not text.strip() and not calls and not others:
        yield Flaw("empty", choice)
    elif text.strip() and not calls and _is_broken_json(text, wants_json):
        yield Flaw("broken_json", choice)
    for call in calls:
        yield from _tool_flaws(call, choice, offered)


def _is_broken_json(text: str, wants_json: bool) -> bool:
    """Say whether text that should be JSON is not.

    It should be where the request asked for it, or where the whole answer is one fence marked json.
    """
    fence = _FENCE.match(text)
    if not wants_json and not (fence and fence[1]):
        return False
    return parsed_json(fence[2] if fence else text) is _BROKEN


def _tool_flaws(part: JsonObject, choice: int, offered: Mapping[str, JsonObject]) -> Iterator[Flaw]:
    name, identity = part.get("name"), part.get("id")
    place = identity if isinstance(identity, str) else str(name)
    arguments = part.get("arguments")
    if isinstance(arguments, str):
        arguments = parsed_json(arguments) if arguments.strip() else {}
    if arguments is _BROKEN or not isinstance(arguments, Mapping | None):
        yield Flaw("tool_arguments_not_json", choice, place)
    if offered and isinstance(name, str):
        if name not in offered:
            yield Flaw("unknown_tool", choice, place)
        elif isinstance(arguments, Mapping) and _lacks(offered[name], arguments):
            yield Flaw("tool_argument_missing", choice, place)


def _offered_tools(definitions: Sequence[JsonObject] | None) -> Mapping[str, JsonObject]:
    """Return parameter schemas by tool name; empty where the definitions do not tell all names."""
    offered: dict[str, JsonObject] = {}
    for definition in definitions or ():
        inner = definition.get("function")
        tool = inner if isinstance(inner, Mapping) else definition
        name = tool.get("name")
        if not isinstance(name, str):
            return {}
        schema = tool.get("parameters") or tool.get("input_schema")
        offered[name] = schema if isinstance(schema, Mapping) else {}
    return offered


def _lacks(schema: JsonObject, arguments: Mapping[str, Json]) -> bool:
    required = schema.get("required")
    if not isinstance(required, Sequence) or isinstance(required, str):
        return False
    return any(isinstance(key, str) and key not in arguments for key in required)


_BROKEN: Json = "broken"


def parsed_json(text: str) -> Json:
    """Return the parsed text, or the very object ``_BROKEN`` where it is not JSON."""
    try:
        parsed: Json = orjson.loads(text)
    except ValueError:
        return _BROKEN
    return parsed


def asked_for_json(attributes: JsonObject) -> bool:
    """Say whether the request asked for JSON, in whatever dialect it was reported.

    >>> asked_for_json({"gen_ai.output.type": "json"})
    True
    """
    if any(str(attributes.get(key)) in _JSON_TYPES for key in _TYPE_KEYS):
        return True
    if any(attributes.get(key) for key in _SCHEMA_KEYS):
        return True
    return any(_format_is_json(attributes.get(key)) for key in _PARAMETER_KEYS)


def _format_is_json(value: Json) -> bool:
    """Read ``response_format`` (Chat Completions) or ``text.format`` (Responses)."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        value = parsed_json(value)
    if not isinstance(value, Mapping):
        return str(value) in _JSON_TYPES
    text = value.get("text")
    nested = value.get("response_format") or (
        text.get("format") if isinstance(text, Mapping) else None
    )
    if nested is not None:
        return _format_is_json(nested)
    return str(value.get("type")) in _JSON_TYPES


class ResponseValidity:
    """The evaluator ``response_validity``: 1 and ``valid``, or 0, ``invalid`` and the flaws."""

    name = "response_validity"
    version = "1"
    needs = frozenset({"answer_text", "output_messages"})
    cost_class = CostClass.FIRST_STAGE

    def evaluate(self, interactions: Sequence[Interaction]) -> list[Evaluation]:
        """Return one evaluation a call, in order."""
        return [self._judge(interaction) for interaction in interactions]

    def _judge(self, interaction: Interaction) -> Evaluation:
        if interaction.operation not in ANSWERING_OPERATIONS:
            return skipped(self, interaction, SkipReason.NOT_AN_ANSWER)
        if interaction.error_type is not None:
            return skipped(self, interaction, SkipReason.CALL_FAILED)
        captured = interaction.output_messages is not None or interaction.answer_text is not None
        if not captured and FinishReason.LENGTH not in interaction.finish_reasons:
            return skipped(self, interaction, SkipReason.NO_CONTENT)
        found = flaws(interaction)
        if not captured:
            found = [flaw for flaw in found if flaw.reason != "empty"]
        if not found:
            return scored(self, interaction, 1.0, "valid")
        explanation = ", ".join(dict.fromkeys(flaw.reason for flaw in found))
        findings = [_finding(flaw) for flaw in found]
        return scored(self, interaction, 0.0, "invalid", explanation=explanation, evidence=findings)


def _finding(flaw: Flaw) -> JsonObject:
    finding: dict[str, Json] = {"score": 0.0, "label": "invalid", "reason": flaw.reason}
    finding["choice"] = flaw.choice
    if flaw.tool_call is not None:
        finding["tool_call"] = flaw.tool_call
    return finding
