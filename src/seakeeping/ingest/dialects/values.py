"""Read attribute values that may have any type: emitters disagree, and nothing may raise.

The same attribute arrives as a number or a string, as a JSON string, a native list or a Python
``repr``. Each reader here returns the wanted type or None, so a malformed value is a missing one
and never hides its span.
"""

import ast
import json
import math
from collections.abc import Iterable, Sequence
from datetime import datetime

import orjson

from seakeeping.records import Json, JsonObject

_OPENERS = ("{", "[", '"')
MAX_DEPTH = 48
"""How deep JSON in an attribute may nest; what is deeper stays text."""

_LONGEST_REPR = 100_000


def words(table: str) -> tuple[str, ...]:
    """Return the words of a text: a long list of names that stays readable."""
    return tuple(table.split())


def text_of(value: Json) -> str | None:
    """Return a non-empty string, else None; numbers and flags are spelled out."""
    if isinstance(value, str):
        return value or None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    return None


def number_of(value: Json) -> float | None:
    """Return a finite number, also from a string such as ``"0.5"``, else None."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, (int, float)):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, str):
        return _parsed_number(value)
    return None


def _parsed_number(value: str) -> float | None:
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def count_of(value: Json) -> int | None:
    """Return a number of things (0 or more), else None."""
    if type(value) is int:
        return value if value >= 0 else None
    number = number_of(value)
    return int(number) if number is not None and number >= 0 else None


def flag_of(value: Json) -> bool | None:
    """Return a truth value, also from ``"true"``, else None."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.lower())
    return None


def parsed(value: Json) -> Json:
    """Return what a JSON string holds; a plain, broken or truncated one comes back as it is."""
    if not isinstance(value, str) or not value.lstrip().startswith(_OPENERS):
        return value
    try:
        found: Json = orjson.loads(value)
    except orjson.JSONDecodeError:
        return _from_repr(value)
    return value if _may_be_deep(value) and is_deep(found) else found


def _may_be_deep(text: str) -> bool:
    return text.count("[") + text.count("{") > MAX_DEPTH


def is_deep(value: Json) -> bool:
    """Say whether a value nests deeper than anything that means something."""
    level: list[Json] = [value]
    for _ in range(MAX_DEPTH):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return False
    return True


def _inside(value: Json) -> Iterable[Json]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, (list, tuple)) else ()


def _from_repr(value: str) -> Json:
    """Return what a Python ``repr`` of plain values holds, else the text itself."""
    if "'" not in value or len(value) > _LONGEST_REPR:
        return value
    try:
        found = ast.literal_eval(value)
        if not isinstance(found, (dict, list)) or is_deep(found):
            return value
        plain: Json = orjson.loads(orjson.dumps(found))
        return plain
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return value


def object_of(value: Json) -> JsonObject | None:
    """Return a mapping, also out of a JSON string, else None."""
    found = parsed(value)
    return found if isinstance(found, dict) else None


def list_of(value: Json) -> Sequence[Json] | None:
    """Return a list, also out of a JSON string, else None."""
    found = parsed(value)
    return found if isinstance(found, (list, tuple)) else None


def texts_of(value: Json) -> tuple[str, ...]:
    """Return the strings of a list, a JSON list or a single string."""
    found = parsed(value)
    if isinstance(found, str):
        return (found,) if found else ()
    if isinstance(found, (list, tuple)):
        return tuple(item for item in found if isinstance(item, str) and item)
    return ()


def compact(value: Json) -> str:
    """Spell any JSON value as text; a string stays itself."""
    return value if isinstance(value, str) else json_text(value)


def json_text(value: Json) -> str:
    """Return JSON text of any value, also of half a surrogate pair or a huge number."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        return json.dumps(value, default=str)


def moment_of(value: Json) -> float | None:
    """Return Unix seconds of an ISO time (perhaps JSON-quoted) or of a number of seconds."""
    found = parsed(value)
    if not isinstance(found, str):
        return number_of(found)
    try:
        return datetime.fromisoformat(found).timestamp()
    except (ValueError, OverflowError):
        return None


def dig(value: Json, *path: str | int) -> Json:
    """Follow keys and indices down; None where the way ends."""
    for step in path:
        value = _step(value, step)
        if value is None:
            return None
    return value


def _step(value: Json, step: str | int) -> Json:
    if isinstance(step, str):
        return value.get(step) if isinstance(value, dict) else None
    if not isinstance(value, (list, tuple)):
        return None
    return value[step] if -len(value) <= step < len(value) else None


def first(attributes: JsonObject, *names: str) -> Json:
    """Return the first value that is there and not empty."""
    for name in names:
        value = attributes.get(name)
        if value is not None and value != "":
            return value
    return None


def first_text(attributes: JsonObject, *names: str) -> str | None:
    """Return the first of the named attributes that has text, as text."""
    for name in names:
        value = attributes.get(name)
        if value is not None:
            found = text_of(value)
            if found is not None:
                return found
    return None


def first_count(attributes: JsonObject, *names: str) -> int | None:
    """Return the first of the named attributes that is a count."""
    for name in names:
        value = attributes.get(name)
        if value is not None:
            found = count_of(value)
            if found is not None:
                return found
    return None


def first_number(attributes: JsonObject, *names: str) -> float | None:
    """Return the first of the named attributes that is a number."""
    for name in names:
        value = attributes.get(name)
        if value is not None:
            found = number_of(value)
            if found is not None:
                return found
    return None
