"""Patterns that people write, matched in time that grows with the text and nothing else.

Python's own engine tries one way after the other: ``(a+)+$`` against thirty letters keeps it busy
for minutes, and with it whoever waits for its thread or its lock. RE2 follows all ways at once
(Cox, "Regular Expression Matching Can Be Simple And Fast", 2007). It is also what Alertmanager,
Prometheus and ClickHouse read, so a pattern means the same here and there; what has to go back
(look-around, references) is refused by all of them. Memory is bounded, too: a pattern that unfolds
to more than fits is refused.
"""

from functools import lru_cache
from typing import Any

from seakeeping.errors import BadInput
from seakeeping.metrics import ERRORS

LONGEST = 4096
"""Characters of a pattern."""

LONGEST_TEXT = 1024
"""Characters of a text that are looked at: longer ones are matched by their beginning."""

_MOST_BYTES = 1 << 20


def check(pattern: str, place: str = "") -> None:
    """Refuse what is too long, or no pattern of RE2.

    >>> check("chat|search-.*")

    Raises BadInput.
    """
    if len(pattern) > LONGEST:
        raise BadInput(
            f"a pattern of {len(pattern)} characters is too long", place=place,
            hint=f"at most {LONGEST}; two shorter ones say the same",
        )  # fmt: skip
    try:
        _compiled(pattern)
    except ValueError as error:
        raise BadInput(
            f"{pattern!r} is no regular expression: {error}", place=place,
            hint="the syntax is RE2's: without look-around and references back",
        ) from None  # fmt: skip


def matches(pattern: str, text: str) -> bool | None:
    """Return whether a whole text matches; None, counted, where the pattern cannot be read.

    >>> matches("cargo-.*", "cargo-search"), matches("cargo", "cargo-search"), matches("(", "")
    (True, False, None)
    """
    try:
        found = _compiled(pattern).fullmatch(_encoded(text[:LONGEST_TEXT]))
    except ValueError:  # kept from before it was checked: it must not end whoever asks
        ERRORS.labels("pattern", "unreadable").inc()
        return None
    return found is not None


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> Any:
    """Return what matches; raises ValueError with what is wrong."""
    import re2  # only who matches patterns bears its weight

    options = re2.Options()
    options.log_errors = False
    options.never_capture = True
    options.max_mem = _MOST_BYTES
    try:
        return re2.compile(_encoded(pattern), options)
    except re2.error as error:
        raise ValueError(_said(error)) from None


def _encoded(text: str) -> bytes:
    return text.encode(errors="replace")  # half a surrogate pair is no text, but JSON can spell it


def _said(error: Exception) -> str:
    said = error.args[0] if error.args else error
    return said.decode(errors="replace") if isinstance(said, bytes) else str(said)
