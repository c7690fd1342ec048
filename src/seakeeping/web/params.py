"""Query parameters: typed, bounded, and strict.

A misspelt filter that is silently ignored answers a different question than was asked, so an
unknown parameter is a 400 that names its nearest neighbour, and so is a value of the wrong type.
One table per route states the parameters; the OpenAPI document is made from the same table.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.datastructures import QueryParams

from seakeeping.errors import BadInput
from seakeeping.records.codec import moment, near

DEFAULT_LIMIT = 50
MOST = 500
"""The largest page of a list."""

MAX_LENGTH = 2000
"""Characters of one value."""


@dataclass(frozen=True, slots=True)
class Param:
    """One query parameter: how it is read, and its JSON schema."""

    name: str
    read: Callable[[str, str], Any]
    help: str
    schema: Mapping[str, object] = field(default_factory=lambda: {"type": "string"})
    is_required: bool = False


def read(query: QueryParams, params: Sequence[Param]) -> dict[str, Any]:
    """Return the values given, by name; an empty value counts as not given. Raises BadInput."""
    known = {param.name: param for param in params}
    values: dict[str, Any] = {}
    for name, text in query.multi_items():
        if name not in known:
            raise BadInput(f"unknown parameter {name!r}", hint=near(name, known))
        if name in values:
            raise BadInput(f"{name} is given twice")
        if len(text) > MAX_LENGTH:
            raise BadInput(f"{name} is longer than {MAX_LENGTH} characters")
        if text:
            values[name] = known[name].read(name, text)
    for param in params:
        if param.is_required and param.name not in values:
            raise BadInput(f"{param.name} is missing", hint=param.help)
    return values


def text(name: str, value: str) -> str:
    """Take a value as it is."""
    return value


def flag(name: str, value: str) -> bool:
    """Read ``true`` or ``false``."""
    if value not in ("true", "false"):
        raise BadInput(f"{name} must be true or false, not {value!r}")
    return value == "true"


def at(name: str, value: str) -> float:
    """Read a moment: ISO-8601 with a zone (a ``+`` may have become a space on the way)."""
    return moment(value.replace(" ", "+"), name)


def limit(name: str, value: str) -> int:
    """Read the size of a page, 1 to ``MOST``; a larger one is cut to it."""
    if not (value.isascii() and value.isdigit()) or int(value) < 1:
        raise BadInput(f"{name} must be a whole number from 1 to {MOST}, not {value!r}")
    return min(int(value), MOST)


def one_of(*words: str) -> Callable[[str, str], str]:
    """Read one of some words."""

    def chosen(name: str, value: str) -> str:
        if value not in words:
            raise BadInput(f"{name} {value!r} is unknown", hint=near(value, words))
        return value

    return chosen
