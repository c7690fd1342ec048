"""Examples of whoever chose them: what is missing is left out."""

import pytest

from seakeeping.records import JsonObject
from seakeeping.records.codec import iso
from seakeeping.web.examples import example_rows, told_examples

WHOLE: JsonObject = {
    "trace_id": "t", "span_id": "s", "started_at": iso(1_764_000_000.0), "score": 0.9,
    "label": "unsupported", "text": "An answer.", "release": "v42", "model": None,
}  # fmt: skip


def test_a_whole_example_shows_when_what_and_where() -> None:
    (row,) = example_rows([WHOLE])
    assert (row.href, row.at, row.label, row.score) == (
        "/interactions/t/s", 1_764_000_000.0, "unsupported", 0.9,
    )  # fmt: skip
    assert (row.text, row.tags) == ("An answer.", ("release v42",))


@pytest.mark.parametrize("missing", ["trace_id", "span_id"])
def test_an_example_that_names_no_call_is_left_out(missing: str) -> None:
    assert example_rows([{k: v for k, v in WHOLE.items() if k != missing}]) == []


@pytest.mark.parametrize("at", [None, "yesterday", [], {}, "2026-11-23T15:00:00"])
def test_a_time_that_cannot_be_read_is_no_time(at: object) -> None:
    (row,) = example_rows([{**WHOLE, "started_at": at}])  # type: ignore[dict-item]
    assert row.at is None


def test_a_failed_call_is_named_by_its_error() -> None:
    (row,) = example_rows([{"trace_id": "t", "span_id": "s", "error_type": "429", "started_at": 5}])
    assert (row.label, row.at, row.score, row.text) == ("429", 5.0, None, "")


def test_a_long_answer_is_clipped() -> None:
    (row,) = example_rows([{**WHOLE, "text": "word " * 500}])
    assert len(row.text) <= 220
    assert row.text.endswith("…")


def test_examples_told_in_an_annotation_are_read_back() -> None:
    text = (
        "/interactions/t1/s1 at 2026-11-23T15:00:00Z (429, gpt-5); "
        "/interactions/t2/s2 at 2026-11-23T15:00:01Z"
    )
    first, second = told_examples(text)
    assert (first.href, first.text) == ("/interactions/t1/s1", "429, gpt-5")
    assert (second.href, second.text) == ("/interactions/t2/s2", "")
    assert second.at == (first.at or 0) + 1


@pytest.mark.parametrize("text", ["", "none", "javascript:alert(1) at x", "//evil/a/b at c"])
def test_only_calls_become_links(text: str) -> None:
    assert told_examples(text) == []
