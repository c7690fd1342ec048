"""Does the answer decline, or say that it does not know? Precision first.

Phrases, not topics: a refusal is a first-person statement of not being able or willing, or the
statement that the given material does not hold the answer. It has to open the answer (first two
sentences), and what follows may only be short: "I cannot see your account, but here is how ..."
with three paragraphs behind it did answer. Twelve languages, each with the fixed phrases that
models use. Two kinds: ``declined`` (will not, may not) and ``no_information`` (does not know).
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from seakeeping.evaluate.content import no_answer_reason
from seakeeping.evaluate.phrases import CUES, DECLINED, NO_INFORMATION
from seakeeping.evaluate.verdict import scored, skipped
from seakeeping.protocols import CostClass
from seakeeping.records import Evaluation, Interaction, JsonObject

OPENING_CHARS = 400
"""How far into the answer a refusal may begin."""

REST_CHARS = 240
"""An answer that goes on for longer after the refusing sentence did answer something."""

CONTRAST_CHARS = 100
"""So did one that goes on for this long after "however"."""

REMEMBERED, REMEMBERED_CHARS = 128, 8_000
"""Answers remembered, and how long they may be: two evaluators ask about each."""

Match = re.Match[str]

TOLD_CHARS = 30
"""An answer that lacks one thing and tells another in this many characters is no refusal."""

TURN_CHARS = 40
"""And one whose refusing sentence turns with "but" and goes on for this long."""


_KINDS = tuple(
    (
        kind,
        tuple(
            (CUES[language], re.compile("|".join(f"(?:{pattern})" for pattern in patterns)))
            for language, patterns in table.items()
        ),
    )
    for kind, table in (("no_information", NO_INFORMATION), ("declined", DECLINED))
)
_NO_INFORMATION = _KINDS[0][1]
_PLAIN = dict.fromkeys(map(ord, "\u2019\u2018`\u02bc"), "'")
_BREAK = re.compile("[.!?]\\s|[\u3002\uff01\uff1f\\n]")
_CONCEDES = re.compile(r"\s*(?:while|although|though|even though|obwohl|aunque|bien que)\b", re.I)
_TURN = re.compile(r",? (?:but|however|though)\b", re.I)
_ADVICE = re.compile(
    r"(?:however,? )?(?:please|you (?:may|might|can|could|should|would)"
    r"|i(?:'d| would)? (?:recommend|suggest|be|can)|it (?:may|might|would) be"
    r"|for (?:more|further|the (?:most|latest))|if you|try|ask|let me|feel free|is there|could you"
    r"|can you|would you|do you|contact|check|refer|consult|sorry|i apologi[sz]e"
    r"|i(?:'m| am) sorry)\b",
    re.IGNORECASE,
)
_CONTRAST = re.compile(
    r"(?:however|but|that said|nevertheless|nonetheless|still|in general|generally|based on|it does"
    r"|they do|aber|jedoch|sin embargo|cependant|toutefois)\b",
    re.I,
)


class Refused(NamedTuple):
    """Where an answer declines, in code points, and how: ``declined`` or ``no_information``."""

    start: int
    end: int
    kind: str


def find_refusal(answer: str) -> Refused | None:
    """Return the refusing phrase of an answer that declines, else None.

    >>> find_refusal("I'm sorry, but I can't help with that.").kind
    'declined'
    >>> find_refusal("He could not find the answer, so he asked Ann.") is None
    True
    """
    return _remembered(answer) if len(answer) <= REMEMBERED_CHARS else _found(answer)


def _found(answer: str) -> Refused | None:
    before = len(answer) - len(answer.lstrip())
    text = answer.strip()
    opening = _lowered(text[:OPENING_CHARS])
    for kind, languages in _KINDS:
        match = _match(opening, languages)
        if not match or not _opens(opening, match.start()) or _goes_on(text, *match.span()):
            continue
        if kind == "declined" or not _tells(text, match.end()):
            return Refused(before + match.start(), before + match.end(), kind)
    return None


_remembered = lru_cache(REMEMBERED)(_found)


def _match(text: str, languages: Iterable[tuple[tuple[str, ...], re.Pattern[str]]]) -> Match | None:
    for cues, pattern in languages:
        for cue in cues:
            if cue in text:
                match = pattern.search(text)
                if match:
                    return match
                break
    return None


def _lowered(text: str) -> str:
    """Return the text in lower case with plain apostrophes, each character in its place."""
    if text.isascii():
        return text.lower().replace("`", "'")
    plain = text.translate(_PLAIN)
    lowered = plain.lower()
    if len(lowered) == len(plain):
        return lowered
    return "".join(c.lower() if len(c.lower()) == 1 else c for c in plain)


def _opens(text: str, start: int) -> bool:
    """Say whether ``start`` lies within the first two sentences."""
    return sum(1 for _ in _BREAK.finditer(text, 0, start)) < 2


def _goes_on(text: str, start: int, end: int) -> bool:
    """Say whether the answer answers after all, beside or behind its refusing phrase."""
    sentence_start = max(text.rfind(mark, 0, start) for mark in ".!?\n") + 1
    if _CONCEDES.match(text, sentence_start):
        return True
    stop = _BREAK.search(text, end)
    turn = _TURN.search(text, end, stop.start() if stop else len(text))
    if turn and (stop.start() if stop else len(text)) - turn.end() > TURN_CHARS:
        return True
    rest = text[stop.end() :].strip() if stop else ""
    return len(rest) > (CONTRAST_CHARS if _CONTRAST.match(rest) else REST_CHARS)


def _tells(text: str, end: int) -> bool:
    """Say whether an answer that lacks one thing tells another behind it, advice aside."""
    stop = _BREAK.search(text, end)
    rest = text[stop.end() :] if stop else ""
    told = [piece.strip() for piece in _BREAK.split(rest) if not _ADVICE.match(piece.strip())]
    return sum(len(piece) for piece in told) > TOLD_CHARS


def silence_cues(text: str) -> bool:
    """Say, quickly, whether any sentence of a text could be silent."""
    lowered = _lowered(text)
    return any(cue in lowered for cues, _ in _NO_INFORMATION for cue in cues)


def is_silent(sentence: str) -> bool:
    """Say whether a sentence states that something is not known, and claims nothing else.

    >>> is_silent("The documents do not mention a price.")
    True
    """
    found = _match(_lowered(sentence), _NO_INFORMATION)
    return found is not None and not _goes_on(sentence, *found.span())


class Refusal:
    """The evaluator ``refusal``: 1, ``refused`` where the answer declines, else 0, ``answered``."""

    name = "refusal"
    version = "2"
    needs = frozenset({"answer_text"})
    cost_class = CostClass.FIRST_STAGE

    def evaluate(self, interactions: Sequence[Interaction]) -> list[Evaluation]:
        """Return one evaluation a call, in order."""
        return [self._judge(interaction) for interaction in interactions]

    def _judge(self, interaction: Interaction) -> Evaluation:
        reason = no_answer_reason(interaction)
        if reason is not None:
            return skipped(self, interaction, reason)
        found = find_refusal(interaction.answer_text or "")
        if found is None:
            return scored(self, interaction, 0.0, "answered")
        finding: JsonObject = {
            "start": found.start,
            "end": found.end,
            "score": 1.0,
            "label": "refused",
            "reason": found.kind,
        }
        return scored(self, interaction, 1.0, "refused", evidence=[finding])
