"""Words of any script, in a normal form that lets an answer meet its evidence.

A word is lower-cased, stripped of a light suffix, and numbers are written one way ("1,000", "1000";
"three", "3"), so that "studies 3,000 cases" meets "studied 3000 case". Scripts written without
spaces are cut into overlapping character pairs (Han, kana, Hangul) or triples (Thai, Lao, Khmer,
Burmese), the usual units of retrieval there. Words are at most 64 characters, so no text makes a
regular expression go back further than that.
"""

# ruff: noqa: RUF001 - marks of many scripts

import re
import unicodedata
from collections.abc import Iterator
from string import ascii_lowercase
from typing import NamedTuple

from seakeeping.evaluate.faithfulness import wordlists

_MARKS = (
    "\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u0610-\u061a\u064b-\u065f\u0670"
    "\u0900-\u0963\u0966-\u0dff\u0e31\u0e34-\u0e3a\u0e47-\u0e4e"
)
_PAIRED = (
    "\u3005\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
)
_TRIPLED = "\u0e00-\u0e4e\u0e80-\u0ecd\u1000-\u1049\u1780-\u17d3"
_DENSE_RUN = re.compile(f"[{_PAIRED}{_TRIPLED}]")
_TRIPLED_CHARACTER = re.compile(f"[{_TRIPLED}]")

_LETTERED = r"(?:(?<=\d)\([a-z]\))?"  # 401(k)
_ASCII_WORD = re.compile(
    r"[A-Za-z0-9]{1,64}(?:['.,][A-Za-z0-9]{1,16}(?<![.,][A-Za-z])){0,4}" + _LETTERED
)
_WORD = re.compile(
    f"[{_PAIRED}]{{1,64}}|[{_TRIPLED}]{{1,64}}"
    f"|(?:(?![{_PAIRED}{_TRIPLED}])[^\\W_]|[{_MARKS}]){{1,64}}"
    r"(?:['’][^\W_]{1,16}|[.,]\d{1,16}){0,4}" + _LETTERED
)

CACHE_WORDS = 200_000
"""Spellings whose normal form is remembered; then the memory starts anew."""


class Words(NamedTuple):
    """The words of a text in order: their normal forms, and how they are written there."""

    forms: list[str]
    raws: list[str]


def words(text: str, start: int, end: int) -> Words:
    """Return the words of ``text[start:end]``.

    >>> words("She studied 1,000 boats.", 0, 24).forms
    ['she', 'study', '1000', 'boat']
    """
    if text.isascii():
        raws = _ASCII_WORD.findall(text, start, end)
        return Words([_FORMS[raw] for raw in raws], raws)
    found = Words([], [])
    for raw in _WORD.findall(text, start, end):
        form = _FORMS[raw]
        if form is _DENSE:
            pieces = [piece for piece, _, _ in _pieces(raw)]
            found.forms.extend(pieces)
            found.raws.extend(pieces)
        else:
            found.forms.append(form)
            found.raws.append(raw)
    return found


def places(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Return where the words of ``text[start:end]`` stand in ``text``, one place a word."""
    pattern = _ASCII_WORD if text.isascii() else _WORD
    found = []
    for match in pattern.finditer(text, start, end):
        if _FORMS[match.group()] is _DENSE:
            at = match.start()
            found += [(at + first, at + last) for _, first, last in _pieces(match.group())]
        else:
            found.append(match.span())
    return found


def forms(text: str) -> list[str]:
    """Return the normal forms of all words of a text, in order."""
    return words(text, 0, len(text)).forms


def _pieces(raw: str) -> Iterator[tuple[str, int, int]]:
    size = 3 if _TRIPLED_CHARACTER.match(raw) else 2
    if len(raw) <= size:
        yield raw, 0, len(raw)
    else:
        for start in range(len(raw) - size + 1):
            yield raw[start : start + size], start, start + size


class _Forms(dict[str, str]):
    """Normal form by spelling, filled as spellings come."""

    def __missing__(self, raw: str) -> str:
        if len(self) >= CACHE_WORDS:
            self.clear()
        form = self[raw] = _DENSE if _DENSE_RUN.match(raw) else normal_form(raw)
        return form


_DENSE = "\0dense"
_FORMS = _Forms()

_CLITICS = frozenset(("s", "t", "re", "ve", "ll", "d", "m"))
_ACCENTS = re.compile("[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670]")
_ORDINAL = re.compile(r"(\d+)(?:st|nd|rd|th|x)\Z")


def normal_form(raw: str) -> str:
    """Return the normal form of one spelling.

    >>> normal_form("Universities"), normal_form("1,000.50"), normal_form("l'eau")
    ('university', '1000.5', 'eau')
    """
    if raw[0].isdecimal():
        return _number(raw.lower())
    word = raw.lower()
    if not word.isascii():
        word = _fold(word)
    if "'" in word:
        head, _, tail = word.partition("'")
        word = word if word.endswith("n't") else head if tail in _CLITICS else tail or head
        if word.endswith("n't"):
            return "not"
    word = word.rstrip(".,")
    return wordlists.NUMBER_WORDS.get(word) or _stem(word)


def _fold(word: str) -> str:
    """Take accents and vowel points off ("café", "cafe"), where they are marks of their own."""
    decomposed = unicodedata.normalize("NFKD", word.replace("’", "'"))
    return _ACCENTS.sub("", decomposed)


def _number(raw: str) -> str:
    ordinal = _ORDINAL.match(raw)
    if ordinal:
        raw = ordinal[1]
    raw = raw.replace(",", "").replace("(", "").replace(")", "")
    if raw.isdecimal():
        return str(int(raw))
    whole, dot, fraction = raw.partition(".")
    if dot and whole.isdecimal() and fraction.isdecimal():
        fraction = fraction.rstrip("0")
        return f"{int(whole)}.{fraction}" if fraction else str(int(whole))
    return raw


def _stem(word: str) -> str:
    """Take off one light English suffix; short words stay."""
    if len(word) < 4 or not word.isascii():
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith("ied") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith("ss"):
        return word
    for suffix, least in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= least:
            return _tidy(word[: len(word) - len(suffix)])
    return _tidy(word)


_SUFFIXES = (("ing", 3), ("ed", 3), ("ly", 4), ("es", 3), ("s", 3))


def _tidy(stem: str) -> str:
    """Let "running" and "run", "make" and "making" meet."""
    if len(stem) > 3 and stem[-1] == stem[-2] and stem[-1] not in "aeiousl":
        return stem[:-1]
    return stem[:-1] if stem.endswith("e") and len(stem) > 3 else stem


STOP = frozenset(map(normal_form, wordlists.STOP_WORDS)) | frozenset(ascii_lowercase)
"""Function words in their normal form, and lone letters."""

NEGATIONS = frozenset(map(normal_form, wordlists.NEGATIONS))
"""Words that turn a statement round, in their normal form."""

POLARITY = frozenset(map(normal_form, wordlists.POLARITY))
"""Words of quantity, order and direction, in their normal form."""
