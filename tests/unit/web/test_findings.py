"""Findings: objections first, both sides numbered, and nobody's evidence can break the page."""

from typing import Any

import pytest

from seakeeping.records import Evaluation, Interaction
from seakeeping.records.codec import evaluation_from_json, interaction_from_json
from seakeeping.web.findings import (
    answer_pieces,
    claim_text,
    findings,
    source_pieces,
    unsupported_words,
)

ANSWER = "🌊 The ferry sails daily. It costs 40 euro."


def evaluation(*evidence: object, **more: Any) -> Evaluation:
    return evaluation_from_json(
        {
            "trace_id": "t", "span_id": "s", "name": "faithfulness", "score_value": 0.2,
            "score_label": "unsupported", "evaluator": "faithfulness", "evaluator_version": "1",
            "evaluated_at": "2026-11-23T15:00:00Z", "evidence": list(evidence), **more,
        }
    )  # fmt: skip


def interaction(answer: str | None = ANSWER) -> Interaction:
    return interaction_from_json(
        {
            "trace_id": "t", "span_id": "s", "started_at": "2026-11-23T15:00:00Z",
            "service_name": "ferry", "answer_text": answer,
        }
    )  # fmt: skip


GOOD = {
    "start": 0, "end": 24, "label": "supported", "score": 0.9, "reason": None, "document": 1,
    "document_start": 4, "document_end": 9,
}  # fmt: skip
BAD = {
    "start": 25, "end": 42, "label": "unsupported", "score": 0.1, "document": None, "message": 2,
    "part": 0, "document_start": 0, "document_end": 3,
    "reason": "number_mismatch,words_not_in_evidence",
    "spans": [{"start": 34, "end": 36, "reason": "number_mismatch"}],
}  # fmt: skip


def test_objections_come_first_and_are_numbered_from_one() -> None:
    found = findings([evaluation(GOOD, BAD)])
    assert [(f.number, f.kind) for f in found] == [(1, "unsupported"), (2, "supported")]


def test_a_claim_is_the_words_it_points_at_by_code_points() -> None:
    bad, good = findings([evaluation(GOOD, BAD)])
    assert claim_text(good, interaction()) == "🌊 The ferry sails daily."
    assert claim_text(bad, interaction()) == "It costs 40 euro."
    assert unsupported_words(bad, interaction()) == ["40"]


def test_evidence_stands_in_a_document_or_in_the_prompt() -> None:
    bad, good = findings([evaluation(GOOD, BAD)])
    assert good.source == ("document", 1, 0)
    assert bad.source == ("message", 2, 0)


def test_a_reason_reads_as_words() -> None:
    bad, good = findings([evaluation(GOOD, BAD)])
    assert bad.reason == "number mismatch, words not in evidence"
    assert good.reason == ""


def test_the_answer_is_cut_at_its_claims() -> None:
    pieces = answer_pieces(ANSWER, findings([evaluation(GOOD, BAD)]))
    assert [(p.text, p.kind, p.is_word, p.ends) for p in pieces] == [
        ("🌊 The ferry sails daily.", "supported", False, (2,)),
        (" ", "", False, ()),
        ("It costs ", "unsupported", False, ()),
        ("40", "unsupported", True, ()),
        (" euro.", "unsupported", False, (1,)),
    ]


def test_a_passage_is_marked_only_in_its_own_document() -> None:
    found = findings([evaluation(GOOD, BAD)])
    assert [p.numbers for p in source_pieces("The ferry.", ("document", 1, 0), found)] == [
        (), (2,), (),
    ]  # fmt: skip
    assert [p.numbers for p in source_pieces("The ferry.", ("document", 0, 0), found)] == [()]


@pytest.mark.parametrize(
    "odd",
    [
        {"start": "0", "end": None},
        {"start": True, "end": 4},
        {"start": 1.5, "end": 4},
        {"start": -9, "end": 10**9, "document": -1, "document_start": -5, "document_end": 10**9},
        {"reason": 7},
        {"reason": "of the whole answer"},
        {"start": 3, "end": 9, "spans": "x"},
        {"start": 3, "end": 9, "spans": [None, {"start": None, "end": 2}], "score": "high"},
    ],
)
def test_foreign_evidence_of_any_shape_is_shown_without_error(odd: dict[str, Any]) -> None:
    found = findings([evaluation(odd)])
    assert len(found) == 1
    assert "".join(p.text for p in answer_pieces(ANSWER, found)) == ANSWER
    assert isinstance(claim_text(found[0], interaction()), str)
    assert unsupported_words(found[0], interaction(None)) == []


def test_evidence_that_is_no_finding_is_left_out() -> None:
    assert findings([evaluation({"model": "judge"}, {})]) == []


def test_a_finding_without_label_takes_its_evaluations_verdict() -> None:
    toxic = evaluation({"start": 0, "end": 3}, name="toxicity", score_label="toxic")
    fine = evaluation({"start": 0, "end": 3}, name="toxicity", score_label="not_toxic")
    assert [f.is_unsupported for f in findings([toxic])] == [True]
    assert [f.is_unsupported for f in findings([fine])] == [False]
