"""Words of any script in normal form."""

# ruff: noqa: RUF001 - texts of many scripts

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seakeeping.evaluate.faithfulness.tokens import (
    CACHE_WORDS,
    NEGATIONS,
    POLARITY,
    STOP,
    _Forms,
    forms,
    normal_form,
    places,
    words,
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Studies", "studied"), ("1,000", "1000"), ("3.50", "3.5"), ("twenty", "20"),
        ("running", "run"), ("making", "makes"), ("President's", "president"), ("café", "CAFE"),
        ("3rd", "3"), ("007", "7"), ("l’eau", "eau"),
        ("401(k)", "401k"), ("25x", "25"), ("companies", "company"),
        ("السَّماء", "السماء"), ("ＡＢＣ１", "abc1"), ("don't", "cannot"[3:]),
    ],
)  # fmt: skip
def test_spellings_of_one_word_meet(one: str, other: str) -> None:
    assert normal_form(one) == normal_form(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("3.5", "35"), ("1998", "1999"), ("bass", "bas"), ("universe", "university"), ("is", "it")],
)
def test_different_words_stay_apart(one: str, other: str) -> None:
    assert normal_form(one) != normal_form(other)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("天空是藍", ["天空", "空是", "是藍"]),
        ("天", ["天"]),
        ("ท้องฟ้า", ["ท้อ", "้อง", "องฟ", "งฟ้", "ฟ้า"]),
        ("하늘은 파랗다", ["하늘", "늘은", "파랗", "랗다"]),
        ("आकाश नीला", ["आकाश", "नीला"]),
        ("iPhone 15, v1.2", ["iphon", "15", "v1.2"]),
        ("snake_case a-b", ["snak", "cas", "a", "b"]),
        ("", []),
        ("...!?", []),
    ],
)
def test_every_script_has_words(text: str, expected: list[str]) -> None:
    assert forms(text) == expected


@given(st.text(max_size=200))
def test_places_tell_where_each_word_stands(text: str) -> None:
    found = words(text, 0, len(text))
    where = places(text, 0, len(text))
    assert [text[start:end] for start, end in where] == found.raws
    assert len(found.forms) == len(found.raws)
    assert all(form for form in found.forms)


@given(st.text(max_size=80), st.integers(0, 80), st.integers(0, 80))
def test_words_of_a_stretch_lie_within_it(text: str, one: int, other: int) -> None:
    start, end = sorted((min(one, len(text)), min(other, len(text))))
    assert all(start <= first < last <= end for first, last in places(text, start, end))


def test_a_giant_word_is_cut() -> None:
    assert max(map(len, words("a" * 1000, 0, 1000).raws)) <= 64


def test_word_lists_are_in_normal_form() -> None:
    assert {"the", "thi", "doe"} <= STOP
    assert normal_form("doesn't") in NEGATIONS
    assert normal_form("increased") in POLARITY


def test_the_memory_of_spellings_is_bounded() -> None:
    memory = _Forms()
    for number in range(CACHE_WORDS + 10):
        memory[f"x{number}"]
    assert len(memory) <= CACHE_WORDS
