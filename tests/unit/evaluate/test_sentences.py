"""Where sentences begin and end."""

# ruff: noqa: RUF001 - texts of many scripts

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seakeeping.evaluate.faithfulness.sentences import LONGEST_CHARS, fences, split


def texts(text: str) -> list[str]:
    return [text[start:end] for start, end in split(text)]


@pytest.mark.parametrize(
    "expected",
    [
        ["Dr. Lee paid $3.50 to J. K. Rowling at 5 p.m. on Jan. 3.", "She left!"],
        ['"Really?" he said.', "He is from the U.S. Army.", "See e.g. this."],
        ["yeah i love it.", "do you like it too?", "we came at 5 p.m. and left."],
        ["天空是藍色的。", "因為瑞利散射！", "真的嗎？", "是的。"],
        ["आकाश नीला है।", "यह सच है।"],
        ["السماء زرقاء.", "هل هذا صحيح؟", "نعم."],
        ["Fact one.[1][2]", "Fact two [3].", "Fact three."],
        ["Version v1.2.3 is out.", "It is 2.5 times as fast."],
        ["Wait...", "What?!", "No."],
        ["Das ist z. B. gut.", "Siehe Nr. 5 und Abs. 2."],
        ["So did I.", "Then we left."],
    ],
)
def test_sentences_end_where_a_reader_ends_them(expected: list[str]) -> None:
    joint = "" if "。" in expected[0] else " "
    assert texts(joint.join(expected)) == expected


def test_lists_headings_and_tables_are_split_by_line() -> None:
    text = "Steps:\n1. Open it.\n2. Read it\n- item a\n* item b\n\n# Heading\n| a | b |\n| 1 | 2 |"
    assert texts(text) == [
        "Steps:", "1. Open it.", "2. Read it", "- item a", "* item b", "# Heading", "| a | b |",
        "| 1 | 2 |",
    ]  # fmt: skip


def test_a_wrapped_paragraph_is_not_split_at_line_ends() -> None:
    text = "This paragraph has been wrapped by somebody's mail program\nat sixty columns. Yes."
    assert len(texts(text)) == 2


def test_code_fences_are_found_open_or_closed() -> None:
    text = "See:\n```python\nx = 1\n```\nand\n~~~\ny"
    assert [text[start:end] for start, end in fences(text)] == ["```python\nx = 1\n```", "~~~\ny"]


def test_the_number_of_sentences_can_be_limited() -> None:
    assert len(split("One. Two. Three. Four.", limit=2)) == 2


@given(st.text(alphabet=st.sampled_from(list("aB1 .!?。\n\t\"')]`*-|…؟")), max_size=300))
def test_sentences_are_in_order_trimmed_and_lose_nothing_but_space(text: str) -> None:
    at = 0
    for start, end in split(text):
        assert at <= start < end <= at + len(text)
        assert text[at:start].strip() == ""
        assert text[start:end] == text[start:end].strip()
        assert end - start <= LONGEST_CHARS
        at = end
    assert text[at:].strip() == ""


@given(st.text(max_size=1000))
def test_any_text_can_be_split(text: str) -> None:
    assert all(0 <= start < end <= len(text) for start, end in split(text))


@pytest.mark.parametrize("unit", [".", "!", "\n", " ", '"', "a", "[1]", "。", "`", "1.", "a. "])
def test_time_is_linear_in_the_text(unit: str) -> None:
    text = (unit * 300_000)[:300_000]
    began = time.process_time()
    split(text)
    fences(text)
    assert time.process_time() - began < 3
