"""Which sentences of an answer claim something.

Code, questions back to the user, courtesies ("I hope this helps") and statements about what the
material does not hold claim nothing that evidence could support; they are not scored.
"""

# ruff: noqa: RUF001 - marks of many scripts

import re
from typing import NamedTuple

from seakeeping.evaluate.faithfulness.sentences import Sentence, fences, split
from seakeeping.evaluate.faithfulness.tokens import STOP, Words, words
from seakeeping.evaluate.refusal import is_silent, silence_cues

ANSWER_CHARS = 60_000
"""Characters of an answer considered; the rest is cut, and the evaluation says so."""

ANSWER_SENTENCES = 400
"""Sentences of an answer considered."""

_COURTESY = re.compile(
    r"(?:i |we )?hope (?:this|that|it)\b|(?:please )?(?:let me know|feel free to)\b"
    r"|if you (?:have|need|want|'d like|would like) (?:any |more |further |to know|me to)"
    r"|(?:i'm|i am) (?:here|happy|glad) to\b|happy to help|you(?:'re| are) welcome"
    r"|(?:sure|certainly|of course|absolutely|great question|thanks?(?: you)?)[!.,]?"
    r"(?: here(?:'s| is| are)[^.]{0,80}:?)?\Z|here(?:'s| is| are)[^.]{0,80}:\Z",
    re.IGNORECASE,
)
_QUESTION = ("?", "？", "؟")
_BRACKETED = re.compile(
    r"\[[\d,\ –-]{1,12}\]|【[^】\n]{1,20}】|\(https?://[^\s)]{1,300}\)|https?://\S{1,300}"
)
_COUNTED = re.compile(
    _BRACKETED.pattern + r"|(?<![^\s:;])\d{1,2}[.)](?=\s|\Z)",
)
_FIRST = re.compile(r"(?<![^\s:;])1[.)]\s")
_SECOND = re.compile(r"(?<![^\s:;])2[.)]\s")
_LIST_NUMBER = re.compile(r"[ \t]{0,8}(?:\d{1,3}[.)]|[-*•#>|]{1,6})[ \t]{1,4}")


class Claim(NamedTuple):
    """A sentence that claims something, with its words; list marks and citations are left out.

    ``segments`` are the stretches of the answer that the words come from.
    """

    sentence: Sentence
    words: Words
    segments: list[tuple[int, int]]


def claims(answer: str) -> tuple[list[Claim], bool]:
    """Return the claims of an answer, and whether the answer was cut for its size."""
    considered = answer[:ANSWER_CHARS]
    code = fences(considered) if "```" in considered or "~~~" in considered else []
    sentences = split(considered, ANSWER_SENTENCES)
    may_be_silent = silence_cues(considered)
    aside = _COUNTED if _FIRST.search(considered) and _SECOND.search(considered) else _BRACKETED
    found = []
    for sentence in sentences:
        if code and _within(sentence, code):
            continue
        claim = _claim(considered, sentence, aside)
        if claim and not (may_be_silent and is_silent(considered[slice(*sentence)])):
            found.append(claim)
    is_cut = len(answer) > ANSWER_CHARS or len(sentences) == ANSWER_SENTENCES
    return found, is_cut


def is_code(answer: str) -> bool:
    """Say whether an answer is fenced code with hardly a sentence around it."""
    blocks = fences(answer[:ANSWER_CHARS])
    if not blocks:
        return False
    fenced = sum(block.end - block.start for block in blocks)
    return len(answer.strip()) - fenced < max(80, fenced // 4)


def _claim(text: str, sentence: Sentence, aside: re.Pattern[str]) -> Claim | None:
    """Return a sentence that claims something with its words, else None."""
    start, end = sentence
    if text[end - 1] in _QUESTION:
        return None
    mark = _LIST_NUMBER.match(text, start, end)
    start = mark.end() if mark else start
    if _COURTESY.match(text, start, end):
        return None
    segments = _segments(text, start, end, aside)
    found = words(text, *segments[0])
    for segment in segments[1:]:
        more = words(text, *segment)
        found.forms.extend(more.forms)
        found.raws.extend(more.raws)
    if len([form for form in found.forms if form not in STOP]) < 2:
        return None
    return Claim(sentence, found, segments)


def _segments(text: str, start: int, end: int, aside: re.Pattern[str]) -> list[tuple[int, int]]:
    """Return the stretches of ``text[start:end]`` between citations, addresses and list numbers."""
    found = []
    for match in aside.finditer(text, start, end):
        found.append((start, match.start()))
        start = match.end()
    found.append((start, end))
    return found


def _within(sentence: Sentence, blocks: list[Sentence]) -> bool:
    return any(block.start <= sentence.start < block.end for block in blocks)
