"""Exact checks: what an answer may not make up, whatever the model thinks of the sentence.

Numbers, dates, names, addresses, quotations and citation numbers that stand in a claim and in no
evidence are named as such, with their place. They are reasons for a reader, and features carry the
same facts into the score.
"""

# ruff: noqa: RUF001 - marks of many scripts

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from seakeeping.evaluate.faithfulness.claims import Claim
from seakeeping.evaluate.faithfulness.evidence import Evidence
from seakeeping.evaluate.faithfulness.features import SentenceFacts, is_name, is_number
from seakeeping.evaluate.faithfulness.tokens import Words, forms, places
from seakeeping.evaluate.faithfulness.wordlists import MONTHS

_ADDRESS = re.compile(r"https?://[^\s<>\"'`)\]}]{1,300}")
_QUOTATION = re.compile(r"[\"“„«]([^\"“”„«»\n]{12,300})[\"”“»]")
_CITATION = re.compile(r"\[(\d{1,3}(?:, ?\d{1,3}){0,8})\]")
_QUOTED_WORDS = 3

WORD = "word_not_in_evidence"
"""The reason of a plain word; the others name something exact."""


class Span(NamedTuple):
    """Code points of the answer that lack support, and why."""

    start: int
    end: int
    reason: str


def unsupported_spans(
    answer: str, claim: Claim, fact: SentenceFacts, evidence: Evidence
) -> Iterator[Span]:
    """Yield what stands in a claim and in no evidence, in the order of the answer."""
    start, end = claim.sentence
    found = list(_words(answer, claim, fact.missing, evidence)) if fact.missing else []
    text = answer[start:end]
    if "://" in text:
        found += _addresses(answer, start, end, evidence)
    if '"' in text or "“" in text or "«" in text or "„" in text:
        found += _quotations(answer, start, end, evidence)
    if "[" in text:
        found += _citations(answer, start, end, evidence)
    yield from sorted(found)


def _words(answer: str, claim: Claim, missing: Sequence[int], evidence: Evidence) -> Iterator[Span]:
    """Yield runs of missing words of one kind as one span each."""
    where = [place for segment in claim.segments for place in places(answer, *segment)]
    run: Span | None = None
    for number in missing:
        start, end = where[number]
        reason = _kind(number, claim.words, evidence)
        if run and run.reason == reason and not answer[run.end : start].strip(" \t-'’"):
            run = Span(run.start, end, reason)
            continue
        if run:
            yield run
        run = Span(start, end, reason)
    if run:
        yield run


def _kind(number: int, words: Words, evidence: Evidence) -> str:
    raw, form = words.raws[number], words.forms[number]
    month = MONTHS.get(raw.lower())
    if month is not None:
        in_digits = any(month in source.text.vocabulary for source in evidence.sources)
        return WORD if in_digits else "date_not_in_evidence"  # 25 November is 2026-11-25
    if is_number(raw):
        is_year = len(form) == 4 and form[:2] in ("17", "18", "19", "20")
        return "date_not_in_evidence" if is_year else "number_not_in_evidence"
    return "name_not_in_evidence" if number and is_name(raw) else WORD


def _addresses(answer: str, start: int, end: int, evidence: Evidence) -> Iterator[Span]:
    for match in _ADDRESS.finditer(answer, start, end):
        address = match.group().rstrip(".,;:!?")
        if not _is_run(forms(address), evidence):
            yield Span(match.start(), match.start() + len(address), "url_not_in_evidence")


def _quotations(answer: str, start: int, end: int, evidence: Evidence) -> Iterator[Span]:
    for match in _QUOTATION.finditer(answer, start, end):
        quoted = forms(match[1])
        if len(quoted) >= _QUOTED_WORDS and not _is_run(quoted, evidence):
            yield Span(match.start(), match.end(), "quote_not_in_evidence")


def _citations(answer: str, start: int, end: int, evidence: Evidence) -> Iterator[Span]:
    documents = sum(source.document is not None for source in evidence.sources)
    for match in _CITATION.finditer(answer, start, end):
        numbers = [int(number) for number in match[1].split(",")]
        if documents and any(not 0 <= number <= documents for number in numbers):
            yield Span(match.start(), match.end(), "citation_not_in_evidence")


def _is_run(quoted: Sequence[str], evidence: Evidence) -> bool:
    """Say whether words follow each other like this in one evidence text.

    Runs of two are looked up one by one: exact but for texts that hold all the runs apart.
    """
    return any(
        all(form in source.text.vocabulary for form in quoted)
        and all(pair in source.text.pairs for pair in pairwise(quoted))
        for source in evidence.sources
    )
