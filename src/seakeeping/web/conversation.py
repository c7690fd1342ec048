"""A conversation as turns to show: who said what, which tool was asked, what it returned.

Messages come in the normal form (``role`` and ``parts``), but from anybody's telemetry: an unknown
part is shown as the JSON it is, never dropped and never an error.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import orjson

from seakeeping.records import Interaction, Json
from seakeeping.web.findings import Finding, source_pieces
from seakeeping.web.marks import Piece

LONGEST = 200_000
"""Characters of one text that a page shows; a prompt of 16 MiB would stall the browser."""

TOGETHER = 2_000_000
"""Characters of all texts of one side of a page, roughly: many share them evenly."""

LEAST = 2_000
MOST_TURNS = 400
"""Messages that a page shows, the last ones."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a message.

    ``kind`` is text | tool_call | tool_call_response | reasoning | other; ``title`` is what stands
    above it. ``cut`` is how many characters are left out.
    """

    kind: str
    title: str
    pieces: tuple[Piece, ...]
    cut: int


@dataclass(frozen=True, slots=True)
class Turn:
    """One message."""

    role: str
    parts: tuple[Part, ...]


def room_for(texts: int) -> int:
    """Return how many characters of each of some texts a page shows.

    >>> room_for(1), room_for(100), room_for(5000)
    (200000, 20000, 2000)
    """
    return min(LONGEST, max(LEAST, TOGETHER // max(1, texts)))


def prompt_turns(interaction: Interaction, found: Sequence[Finding]) -> list[Turn]:
    """Return the system instructions and the last input messages, their evidence marked."""
    messages = list(enumerate(interaction.input_messages or ()))
    shown = messages[-MOST_TURNS:]
    room = room_for(len(shown))
    turns = []
    if interaction.system_instructions:
        system = interaction.system_instructions
        part = _part("text", "", system, ("message", None, 0), found, room)
        turns.append(Turn("system", (part,)))
    if len(shown) < len(messages):
        note = f"{len(messages) - len(shown)} earlier messages are not shown"
        turns.append(Turn("", (Part("text", "", (Piece(note),), 0),)))
    turns += [_turn(message, number, found, room) for number, message in shown]
    return turns


def other_output(interaction: Interaction) -> list[Turn]:
    """Return what came out beside the answer: tool calls, reasoning, further choices."""
    turns = []
    for choice, message in enumerate(interaction.output_messages or ()):
        turn = _turn(message, None, (), LONGEST)
        is_answer = choice == 0 and interaction.answer_text is not None
        parts = tuple(p for p in turn.parts if not (is_answer and p.kind == "text"))
        if parts:
            turns.append(Turn(f"{turn.role} (choice {choice + 1})" if choice else turn.role, parts))
    return turns


def _turn(
    message: Mapping[str, Json], number: int | None, found: Sequence[Finding], room: int
) -> Turn:
    role = str(message.get("role") or "user")
    parts = tuple(
        _read(part, ("message", number, place), found, room)
        for place, part in enumerate(_parts(message))
    )
    return Turn(role, parts)


def _parts(message: Mapping[str, Json]) -> Iterable[Json]:
    parts = message.get("parts")
    if isinstance(parts, Sequence) and not isinstance(parts, str):
        return parts
    content = message.get("content")
    return [] if content is None else [content]


def _read(
    part: Json, source: tuple[str, int | None, int], found: Sequence[Finding], room: int
) -> Part:
    if not isinstance(part, Mapping):
        return _part("text" if isinstance(part, str) else "other", "", part, source, found, room)
    kind = part.get("type")
    match kind:
        case "text":
            return _part("text", "", part.get("content"), source, found, room)
        case "reasoning" | "thinking":
            return _part("reasoning", "reasoning", part.get("content"), source, found, room)
        case "tool_call":
            title = f"calls {part.get('name') or 'a tool'}{_id(part)}"
            return _part("tool_call", title, part.get("arguments"), source, found, room)
        case "tool_call_response":
            response = part.get("response", part.get("result"))
            return _part(
                "tool_call_response", f"tool returned{_id(part)}", response, source, found, room
            )
    return _part("other", str(kind or "part"), part, source, found, room)


def _id(part: Mapping[str, Json]) -> str:
    return f" · {part['id']}" if part.get("id") else ""


def _part(
    kind: str,
    title: str,
    content: Json,
    source: tuple[str, int | None, int],
    found: Sequence[Finding],
    room: int,
) -> Part:
    text = content if isinstance(content, str) else _json(content)
    shown = text[:room]
    # offsets are into a string content; pretty-printed JSON has others
    marks = found if isinstance(content, str) else ()
    return Part(kind, title, tuple(source_pieces(shown, source, marks)), len(text) - len(shown))


def _json(content: Json) -> str:
    if content is None:
        return ""
    return orjson.dumps(content, option=orjson.OPT_INDENT_2, default=dict).decode()
