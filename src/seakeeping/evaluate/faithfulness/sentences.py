"""Where sentences begin and end, in any script, in code points.

One pass over candidate breaks: closing punctuation before white space, the full stops of scripts
that need no space after them, and line ends. Abbreviations, initials and decimals do not break;
list items, headings and table rows do; a line end inside a wrapped paragraph does not. What is
longer than a sentence can be is cut. Every quantifier is bounded, so the time is linear in the
text.
"""

# ruff: noqa: RUF001 - marks of many scripts

import re
from collections.abc import Iterator
from typing import NamedTuple

LONGEST_CHARS = 420
"""A longer sentence is cut at a clause or a space."""

_BREAK = re.compile(
    r"""[.!?…]{1,8}["'”’»)\]*_]{0,4}(?:\[[\d,\ –-]{1,12}\]){0,4}(?=\s)"""
    r"""|[。！？｡।॥။។؟۔]{1,8}["'”’）」』】]{0,3}|\n""",
)
_LIST_MARK = re.compile(
    r"[ \t]{0,16}(?:[-*•·#>|+]|\d{1,3}[.)]|[a-zA-Z][.)])[ \t]|[ \t]{0,16}(?:\||\Z)"
)
_BLANK = re.compile(r"[^\S\n]{0,64}\n")
_ABBREVIATED = re.compile(
    r"(?:^|[\s(\[\"'“])(?:[A-Za-z]|[A-Za-z](?:\.[A-Za-z]){1,4}|Dr|Mr|Mrs|Ms|Prof|St|Jr|Sr|vs|etc|al|Inc"
    r"|Ltd|Co|Corp|No|Nr|Fig|Figs|Eq|Sec|Art|Vol|pp|ed|eds|approx|ca|cf|Gen|Col|Lt|Sgt|Capt|Rep|Sen"
    r"|Gov|Rev|Hon|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sep|Sept|Oct|Nov|Dec|Mt|Ft|Ave|Blvd|Rd|bzw|usw|Abs"
    r"|M|Mme|Mlle|Sra?|Dra?|Ing)\Z"
)
_LIST_NUMBER = re.compile(r"(?:\A|\n)[ \t]{0,4}\d{1,3}\Z")
_FENCE = re.compile(r"^[ \t]{0,8}(?:```|~~~)", re.MULTILINE)
_CLAUSE = re.compile(r"[;:,，、；：]\s?|\s")


class Sentence(NamedTuple):
    """A sentence: code points ``[start, end)`` without surrounding white space."""

    start: int
    end: int


def split(text: str, limit: int = 1 << 30) -> list[Sentence]:
    """Return the sentences of a text, at most ``limit`` of them.

    >>> text = "Dr. Lee paid $3.50. She left!"
    >>> [text[s.start:s.end] for s in split(text)]
    ['Dr. Lee paid $3.50.', 'She left!']
    """
    found: list[Sentence] = []
    start = 0
    for end in _ends(text):
        found += _pieces(text, start, end)
        start = end
        if len(found) >= limit:
            return found[:limit]
    found += _pieces(text, start, len(text))
    return found[:limit]


def fences(text: str) -> list[Sentence]:
    """Return the fenced code blocks of a text, an open last one to its end."""
    marks = [match.start() for match in _FENCE.finditer(text)]
    blocks = []
    for opening, closing in zip(marks[::2], [*marks[1::2], None], strict=False):
        if closing is None:
            end = len(text)
        else:
            line_end = text.find("\n", closing)
            end = len(text) if line_end < 0 else line_end
        blocks.append(Sentence(opening, end))
    return blocks


def _ends(text: str) -> Iterator[int]:
    line_start = 0
    for match in _BREAK.finditer(text):
        end = match.end()
        mark = text[match.start()]
        if mark == "\n":
            if _line_breaks(text, line_start, end):
                yield end
            line_start = end
        elif not _goes_on(text, match.start(), end):
            yield end


def _line_breaks(text: str, line_start: int, next_line: int) -> bool:
    """Say whether the line end before ``next_line`` ends a sentence.

    A wrapped paragraph has a long line without closing punctuation, and goes on in lower case.
    """
    if _LIST_MARK.match(text, next_line) or _BLANK.match(text, next_line):
        return True
    is_long = next_line - line_start > 50
    goes_on = next_line < len(text) and text[next_line].islower()
    return not (is_long and goes_on)


def _goes_on(text: str, mark: int, end: int) -> bool:
    """Say whether the sentence goes on behind its mark, which stands at ``mark`` to ``end``."""
    if text[mark] not in ".!?":
        return False
    following = text[end : end + 8].lstrip()
    is_spoken = text[end - 1] in '"”’»'
    if is_spoken and following[:1].islower():
        return True  # a quoted sentence within another
    return end - mark == 1 and text[mark] == "." and _is_abbreviation(text, mark, following)


def _is_abbreviation(text: str, dot: int, following: str) -> bool:
    if following[:1] in (",", ";"):
        return True
    before = text[max(0, dot - 12) : dot]
    is_low = following[:1].islower()
    if before[-5:].isalpha() and before[-5:].islower() and before[-5:] != "pprox":
        return False  # an ordinary long word: most sentences end so
    if _LIST_NUMBER.search(before) or (is_low and before[-2:-1] == "."):
        return True
    return _ABBREVIATED.search(before) is not None and not before.endswith(" I")


def _pieces(text: str, start: int, end: int) -> Iterator[Sentence]:
    """Yield ``[start, end)`` trimmed, in pieces no longer than ``LONGEST_CHARS``."""
    held = text[start:end].lstrip()
    start = end - len(held)
    end = start + len(held.rstrip())
    while end - start > LONGEST_CHARS:
        cut = _cut(text, start)
        yield Sentence(start, cut)
        start = cut
        while start < end and text[start].isspace():
            start += 1
    if end > start:
        yield Sentence(start, end)


def _cut(text: str, start: int) -> int:
    """Return where to cut a long sentence: the last clause mark or space, else the length."""
    last = start + LONGEST_CHARS
    cut = last
    for match in _CLAUSE.finditer(text, start + LONGEST_CHARS // 2, last):
        cut = match.start() + 1
    return cut
