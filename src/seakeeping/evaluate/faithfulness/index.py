"""What an evidence text offers: its words by sentence, ready to be met by an answer.

Built once for each text and kept by content: the same chunk of a knowledge base comes with many
answers, and building is the larger half of the cost.
"""

from collections import OrderedDict
from itertools import pairwise
from typing import NamedTuple

from seakeeping.evaluate.faithfulness.sentences import Sentence, split
from seakeeping.evaluate.faithfulness.tokens import STOP, forms

PREFIX_CHARS = 5
"""Two words that share this many first characters are near: "educator", "education"."""

SENTENCES_LIMIT = 10_000
"""Sentences of one text that are indexed."""

CACHE_CHARS = 4_000_000
"""Characters of text whose index is kept, the most recently used."""


class TextIndex(NamedTuple):
    """The index of one evidence text.

    ``postings`` maps a content word to the sentences that hold it; ``sentence_words`` holds all
    words of each sentence; ``vocabulary`` all words; ``pairs`` all runs of two words; ``prefixes``
    the first characters of its longer words.
    """

    sentences: list[Sentence]
    sentence_words: list[frozenset[str]]
    postings: dict[str, list[int]]
    vocabulary: frozenset[str]
    pairs: frozenset[tuple[str, str]]
    prefixes: frozenset[str]


def build(text: str) -> TextIndex:
    """Return the index of a text."""
    sentences = split(text, SENTENCES_LIMIT)
    sentence_words: list[frozenset[str]] = []
    postings: dict[str, list[int]] = {}
    running: list[str] = []
    for number, (start, end) in enumerate(sentences):
        found = forms(text[start:end])
        running += found
        held = frozenset(found)
        sentence_words.append(held)
        for form in held - STOP:
            postings.setdefault(form, []).append(number)
    return TextIndex(
        sentences,
        sentence_words,
        postings,
        frozenset(running),
        frozenset(pairwise(running)),
        frozenset(form[:PREFIX_CHARS] for form in postings if len(form) > PREFIX_CHARS),
    )


class IndexCache:
    """The most recently used indexes, bounded by the characters of their texts."""

    def __init__(self, limit_chars: int = CACHE_CHARS) -> None:
        self._limit_chars = limit_chars
        self._chars = 0
        self._held: OrderedDict[str, TextIndex] = OrderedDict()

    def get(self, text: str) -> TextIndex:
        """Return the index of a text, built now or kept from before."""
        index = self._held.get(text)
        if index is not None:
            self._held.move_to_end(text)
            return index
        index = build(text)
        self._held[text] = index
        self._chars += len(text)
        while self._chars > self._limit_chars:
            dropped, _ = self._held.popitem(last=False)
            self._chars -= len(dropped)
        return index

    def __len__(self) -> int:
        return len(self._held)
