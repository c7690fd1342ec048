"""Does the answer decline, or say that it does not know? Precision first.

Phrases, not topics: a refusal is a first-person statement of not being able or willing, or the
statement that the given material does not hold the answer. It has to open the answer (first two
sentences), and what follows may only be short: "I cannot see your account, but here is how ..."
with three paragraphs behind it did answer. Twelve languages, each with the fixed phrases that
models use. Two kinds: ``declined`` (will not, may not) and ``no_information`` (does not know).
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from seakeeping.evaluate.content import no_answer_reason
from seakeeping.evaluate.phrases import DECLINED, NO_INFORMATION
from seakeeping.evaluate.verdict import scored, skipped
from seakeeping.protocols import CostClass
from seakeeping.records import Evaluation, Interaction, JsonObject

OPENING_CHARS = 400
"""How far into the answer a refusal may begin."""

LONG_ANSWER_CHARS = 700
"""An answer this much longer than the refusing sentence did answer something."""


def _compiled(table: dict[str, tuple[str, ...]]) -> re.Pattern[str]:
    alternatives = (pattern for patterns in table.values() for pattern in patterns)
    return re.compile("|".join(f"(?:{pattern})" for pattern in alternatives))


_KINDS = (("declined", _compiled(DECLINED)), ("no_information", _compiled(NO_INFORMATION)))
_PLAIN = str.maketrans("\u2019\u2018`\u02bc", "''''")
_BREAK = re.compile("[.!?]\\s|[\u3002\uff01\uff1f\\n]")


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
    skipped_chars = len(answer) - len(answer.lstrip())
    text = answer.strip()
    opening = text[:OPENING_CHARS].translate(_PLAIN)
    lowered = opening.lower()
    if len(lowered) != len(opening):  # a letter whose lower case is longer would shift offsets
        lowered = "".join(c if len(c.lower()) != 1 else c.lower() for c in opening)
    for kind, pattern in _KINDS:
        found = pattern.search(lowered)
        if found and _opens(lowered, found.start()) and len(text) - found.end() < LONG_ANSWER_CHARS:
            return Refused(skipped_chars + found.start(), skipped_chars + found.end(), kind)
    return None


def _opens(text: str, start: int) -> bool:
    """Say whether ``start`` lies within the first two sentences."""
    return sum(1 for _ in _BREAK.finditer(text, 0, start)) < 2


class Refusal:
    """The evaluator ``refusal``: 1, ``refused`` where the answer declines, else 0, ``answered``."""

    name = "refusal"
    version = "1"
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
