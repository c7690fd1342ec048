"""Files of answers, scored without a server."""

import json
from pathlib import Path
from typing import Any

import pytest

from seakeeping.errors import BadInput
from seakeeping.evaluate.contract import plain_call
from seakeeping.evaluate.offline import BATCH_LINES, evaluate_lines, read_interactions
from seakeeping.records.codec import to_json

GOOD = {
    "id": "one",
    "context": ["Paris is the capital of France. It lies on the Seine."],
    "question": "What is the capital?",
    "answer": "Paris is the capital of France.",
    "label": 0,
}


def line(**changes: object) -> str:
    return json.dumps({**GOOD, **changes})


def scores(document: Any, name: str = "faithfulness") -> Any:
    return next(e for e in document["evaluations"] if e["name"] == name)


def test_a_line_comes_back_with_its_own_keys_and_its_evaluations() -> None:
    [result] = evaluate_lines([line()])
    assert result.error is None
    assert result.document["label"] == 0
    assert [e["name"] for e in result.document["evaluations"]] == [
        "faithfulness", "refusal", "response_validity",
    ]  # fmt: skip
    assert scores(result.document)["score_label"] == "supported"
    assert json.dumps(result.document)


def test_an_interaction_in_our_own_json_is_scored_too() -> None:
    document = to_json(plain_call())
    [result] = evaluate_lines([json.dumps(document)])
    assert result.error is None
    assert result.document["trace_id"] == document["trace_id"]
    assert scores(result.document)["score_label"] == "supported"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "answers.jsonl:2: not JSON"),
        ("[1]", "answers.jsonl:2: not a JSON object"),
        ('{"question": "x"}', "answers.jsonl:2: neither an interaction"),
        (line(answer=7), "answers.jsonl:2: answer: must be a string, not int"),
        (line(context=[7]), "answers.jsonl:2: context: must be a list of strings"),
        (line(context={"a": 1}), "answers.jsonl:2: context: must be a list"),
        ('{"trace_id": "x", "nonsense": 1}', "answers.jsonl:2"),
        ("[" * 100_000, "answers.jsonl:2: not JSON"),
    ],
)
def test_a_bad_line_is_named_and_the_others_are_scored(text: str, complaint: str) -> None:
    results = list(evaluate_lines([line(), text, line(id="two")], source="answers.jsonl"))
    assert [result.error is None for result in results] == [True, False, True]
    assert str(results[1].error).startswith(complaint)
    assert [result.place for result in results] == [f"answers.jsonl:{n}" for n in (1, 2, 3)]


def test_empty_lines_are_passed_over_and_counted() -> None:
    results = list(evaluate_lines(["", line(), "  \n", "{"]))
    assert [result.place for result in results] == ["input:2", "input:4"]


def test_long_files_are_scored_in_order() -> None:
    many = [line(id=f"row-{n}") for n in range(2 * BATCH_LINES + 3)]
    results = evaluate_lines(iter(many))
    assert [result.document["id"] for result in results] == [f"row-{n}" for n in range(len(many))]


def test_a_line_without_context_is_skipped_with_the_reason() -> None:
    [result] = evaluate_lines([line(context=[])])
    assert scores(result.document)["skipped_reason"] == "no_context"


def test_one_context_may_be_a_plain_string() -> None:
    [result] = evaluate_lines([line(context=GOOD["context"][0])])  # type: ignore[index]
    assert scores(result.document)["score_label"] == "supported"


def test_only_the_given_evaluators_are_asked() -> None:
    [result] = evaluate_lines([line()], evaluators=[])
    assert result.document["evaluations"] == []


def test_the_same_line_makes_the_same_ids(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text(f"{line()}\n{line(id='two')}\n{line()}\n{line(id=None)}\n")
    keys = [call.key for call in read_interactions(path)]
    assert keys[0] == keys[2]
    assert len(set(keys)) == 3


def test_reading_stops_at_the_first_bad_line_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text(f"{line()}\nnonsense\n")
    calls = read_interactions(path)
    assert next(calls).answer_text == GOOD["answer"]
    with pytest.raises(BadInput, match=r"in\.jsonl:2: not JSON"):
        next(calls)


def test_bytes_that_are_no_text_are_a_bad_line() -> None:
    [result] = evaluate_lines([b'{"answer": "\xff\xfe"}'])
    assert "not JSON" in str(result.error)
