"""Spans that lack support, with their reasons."""

import pytest

from seakeeping.evaluate.contract import plain_call
from seakeeping.evaluate.faithfulness.checks import WORD, unsupported_spans
from seakeeping.evaluate.faithfulness.claims import claims
from seakeeping.evaluate.faithfulness.evidence import Evidence, gather
from seakeeping.evaluate.faithfulness.features import facts, meet
from seakeeping.evaluate.faithfulness.index import IndexCache

LOG = (
    'Captain Ahab wrote on 3 May 1851: "the whale was white as snow". '
    "The Pequod carried 30 men; see https://ship.example/log?id=7 for all."
)


def found(answer: str, *documents: str) -> list[tuple[str, str]]:
    """Return marked text and reason of every span of the first claim."""
    evidence = gather(plain_call(documents=documents or (LOG,)), IndexCache())
    assert isinstance(evidence, Evidence)
    claim = claims(answer)[0][0]
    fact = facts(claim.words, meet(evidence.sources, [claim.words.forms]), {}, frozenset())
    assert fact is not None
    spans = unsupported_spans(answer, claim, fact, evidence)
    return [(answer[span.start : span.end], span.reason) for span in spans]


@pytest.mark.parametrize(
    "answer",
    [
        "Captain Ahab wrote on 3 May 1851.",
        'He wrote "the whale was white as snow" in May.',
        "The Pequod carried 30 men [1].",
        "The Pequod log is at https://ship.example/log?id=7.",
    ],
)
def test_what_the_evidence_holds_is_not_marked(answer: str) -> None:
    assert [reason for _, reason in found(answer) if reason != WORD] == []


def test_neighbouring_words_of_one_kind_are_one_span() -> None:
    assert found("The Pequod carried old Captain Peter Coffin home.") == [
        ("old", WORD),
        ("Peter Coffin", "name_not_in_evidence"),
        ("home", WORD),
    ]


def test_words_with_others_between_them_are_two_spans() -> None:
    marked = found("The green whale was white as bones.")
    assert marked == [("green", WORD), ("bones", WORD)]


@pytest.mark.parametrize(
    ("answer", "text", "reason"),
    [
        ("Ahab wrote on 4 May 1851.", "4", "number_not_in_evidence"),
        ("Ahab wrote it in 1852.", "1852", "date_not_in_evidence"),
        ("Ahab wrote it in June.", "June", "date_not_in_evidence"),
        ("Ahab carried 1,500 men.", "1,500", "number_not_in_evidence"),
        ("Ahab met Starbuck at sea.", "Starbuck", "name_not_in_evidence"),
        ("Ahab wrote “the whale ate my leg” to them.", "“the whale ate my leg”",
         "quote_not_in_evidence"),
        ("Ahab's log: https://other.example/log", "https://other.example/log",
         "url_not_in_evidence"),
        ("Ahab carried 30 men [1, 5].", "[1, 5]", "citation_not_in_evidence"),
    ],
)  # fmt: skip
def test_made_up_things_are_marked_with_their_kind(answer: str, text: str, reason: str) -> None:
    assert (text, reason) in found(answer)


def test_a_month_is_known_where_the_date_stands_in_digits() -> None:
    answer = "It arrives on 25 November 2026 by post."
    reasons = {reason for _, reason in found(answer, "Arrival by post: 2026-11-25.")}
    assert "date_not_in_evidence" not in reasons
    assert ("November", "date_not_in_evidence") in found(answer, "Arrival by post: 25. 2026.")


def test_a_short_quotation_is_a_turn_of_phrase() -> None:
    reasons = [reason for _, reason in found('The "so called" whale was white as snow.')]
    assert "quote_not_in_evidence" not in reasons


def test_a_quotation_put_together_from_two_texts_is_none() -> None:
    answer = 'He wrote "white as snow was the whale" in May 1851.'
    reasons = [reason for _, reason in found(answer)]
    assert "quote_not_in_evidence" in reasons


def test_spans_stand_in_order_and_within_the_claim() -> None:
    answer = 'In 1999 Starbuck said "I never saw any whale at all" [9] to 77 men of Hull.'
    claim = claims(answer)[0][0]
    places = [answer.index(text) for text, _ in found(answer)]
    assert places == sorted(places)
    assert all(claim.sentence.start <= place < claim.sentence.end for place in places)


def test_citation_numbers_mean_nothing_without_documents() -> None:
    call = plain_call(documents=[], question=f"Context: {LOG} {LOG}")
    evidence = gather(call, IndexCache())
    assert evidence is not None
    answer = "The Pequod carried 30 men [9]."
    claim = claims(answer)[0][0]
    fact = facts(claim.words, meet(evidence.sources, [claim.words.forms]), {}, frozenset())
    assert fact is not None
    assert list(unsupported_spans(answer, claim, fact, evidence)) == []
