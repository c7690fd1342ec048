"""What an answer is held against: its documents, and where there are none, its prompt.

Documents first, together with what tools returned to the call. A call without documents is held
against its prompt, but only where the prompt carries something to be faithful to: a tool's
response, a text marked as context, or a user message long enough to be material. A bare question,
or instructions alone, is no context: then there is no score, never a bad one.
"""

# ruff: noqa: RUF001 - marks of many scripts

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from seakeeping.evaluate.content import PromptText, prompt_texts
from seakeeping.evaluate.faithfulness.index import SENTENCES_LIMIT, IndexCache, TextIndex
from seakeeping.records import Interaction

EVIDENCE_CHARS = 400_000
"""Characters of evidence considered for one answer (about 100,000 tokens); the rest is cut."""

EVIDENCE_TEXTS = 1_000
"""Documents or prompt parts considered for one answer."""

MATERIAL_WORDS = 80
"""A user message of this many words is material, not a bare question."""

TOOL_WORDS = 5
"""A tool's response is material from this many words of prose; data alone are told too freely for a
check by words to mean anything."""

MARKED_WORDS = 30
"""A text marked as context needs this many words."""

WORD_CHARS = 3
"""Characters that stand for a word in a script written without spaces."""

_MARK = re.compile(
    r"<(?:context|documents?|passages?|sources?|chunks?)\b|\b(?:context|documents?|passages?|sources?"
    r"|excerpts?|search results?|knowledge base|reference text|article)\b[^\n.]{0,40}[:：]"
    r"|\[(?:doc )?1\]"
    r"|\"\"\"|^#{1,4} |上下文|文档|資料|资料|文脈|kontext|contexte|contexto|contesto",
    re.IGNORECASE | re.MULTILINE,
)


class Source(NamedTuple):
    """One evidence text: a document by its number, or a part of the prompt (document None)."""

    text: TextIndex
    document: int | None
    message: int | None
    part: int


class Evidence(NamedTuple):
    """All evidence for one answer; ``cut`` says that there was more of it than is considered."""

    sources: tuple[Source, ...]
    question: str
    cut: bool


def gather(interaction: Interaction, cache: IndexCache) -> Evidence | None:
    """Return what the answer of a call is held against, or None where there is no context."""
    prompt = list(prompt_texts(interaction))
    documents = [
        (content, number, None, 0)
        for number, document in enumerate(interaction.documents)
        if (content := document.content) and not content.isspace()
    ]
    tools = [text for text in prompt if text.role == "tool"]
    if documents:
        chosen = documents + [_from_prompt(text) for text in tools]
    elif is_context(prompt):
        chosen = [_from_prompt(text) for text in prompt if text.role != "assistant"]
    else:
        return None
    sources, cut = _within_limit(chosen, cache)
    return Evidence(sources, _question(prompt), cut)


def is_context(prompt: Iterable[PromptText]) -> bool:
    """Say whether a prompt holds something that an answer can be faithful to."""
    return any(_is_material(text) for text in prompt)


def _is_material(text: PromptText) -> bool:
    if text.role == "tool":
        return word_count(text.content, prose=True) >= TOOL_WORDS
    count = word_count(text.content)
    if text.role == "user" and count >= MATERIAL_WORDS:
        return True
    if text.role not in ("user", "system", "developer"):
        return False
    return count >= MARKED_WORDS and _MARK.search(text.content, 0, EVIDENCE_CHARS) is not None


def word_count(text: str, *, prose: bool = False) -> int:
    """Return about how many words a text has, also where no spaces stand between them.

    Args:
        text: of which the first 4,000 characters are looked at.
        prose: count only words of letters, as they stand within sentences and not in JSON.
    """
    head = text[:4_000]
    spaced = sum(word.strip(".,;:!?()").isalpha() or not prose for word in head.split())
    dense = sum(1 for character in head if character > "\u0dff") if not head.isascii() else 0
    return max(spaced, dense // WORD_CHARS)


def _from_prompt(text: PromptText) -> tuple[str, int | None, int | None, int]:
    return text.content, None, text.message, text.part


def _within_limit(
    chosen: Sequence[tuple[str, int | None, int | None, int]], cache: IndexCache
) -> tuple[tuple[Source, ...], bool]:
    """Index the chosen texts until the limit; the text at the limit is cut."""
    sources: list[Source] = []
    left = EVIDENCE_CHARS
    is_cut = len(chosen) > EVIDENCE_TEXTS
    for content, document, message, part in chosen[:EVIDENCE_TEXTS]:
        if left <= 0:
            return tuple(sources), True
        index = cache.get(content[:left])
        sources.append(Source(index, document, message, part))
        left -= len(content)
        is_cut = is_cut or len(index.sentences) == SENTENCES_LIMIT
    return tuple(sources), is_cut or left < 0


def _question(prompt: Sequence[PromptText]) -> str:
    """Return the last thing the user said, at most its last 2,000 characters."""
    for text in reversed(prompt):
        if text.role == "user":
            return text.content[-2_000:]
    return ""
