"""Read JSON that a length limit cut off: what stands before the cut is still true.

``OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT`` cuts a string attribute at a number of characters, so a
message list ends in the middle of a text. Closing what is open (string, lists, objects) gives back
all that was sent.
"""

import re

import orjson

from seakeeping.records import Json

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)
_TEXT = r'"(?:[^"\\]|\\.)*"'
_DANGLING = re.compile(
    rf"(?:,\s*(?:{_TEXT}\s*:?\s*)?|(?<=\{{)\s*{_TEXT}\s*:?\s*|{_TEXT}\s*:\s*)$", re.DOTALL
)
_CUT_LITERAL = re.compile(r"(?<=[\s:,\[])(?:t|tr|tru|f|fa|fal|fals|n|nu|nul|-)$")
_HALF_PAIR = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}$")
_CUT_ESCAPE = re.compile(r"(?<!\\)((?:\\\\)*)\\(?:u[0-9a-fA-F]{0,3})?$")


def salvaged(text: str) -> Json:
    """Return the value that a cut-off JSON text held so far; the text itself if that fails."""
    open_brackets, string_start = _open_at_end(text)
    kept = text
    if string_start is not None:
        kept = _HALF_PAIR.sub("", _CUT_ESCAPE.sub(r"\1", text)) + '"'
    for candidate in _candidates(kept):
        try:
            found: Json = orjson.loads(candidate + open_brackets)
        except orjson.JSONDecodeError:
            continue
        return found
    return text


def _candidates(kept: str) -> tuple[str, ...]:
    """Return what may be closed: all of it, or without a key or literal that was cut short."""
    bare = _CUT_LITERAL.sub("", kept)
    return kept, bare + "null", _DANGLING.sub("", bare), _DANGLING.sub("", kept)


def _open_at_end(text: str) -> tuple[str, int | None]:
    """Return the brackets to close, and where a string begins that does not end."""
    stack: list[str] = []
    end = 0
    for token in _TOKEN.finditer(text):
        end = token.end()
        mark = token.group()[0]
        if mark in "[{":
            stack.append("]" if mark == "[" else "}")
        elif mark in "]}" and stack:
            stack.pop()
    start = text.find('"', end)
    return "".join(reversed(stack)), None if start < 0 else start
