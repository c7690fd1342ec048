"""Patterns: RE2's syntax, whole texts, and no pattern that takes longer than a moment."""

import threading
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seakeeping.errors import BadInput
from seakeeping.metrics import ERRORS
from seakeeping.records import Matcher, pattern
from seakeeping.records.silence import LONGEST_VALUE, matcher_of

HOSTILE = [
    "(a+)+$", "(a|a)*b", "(a|aa)+$", "(x+x+)+y", "(.*a){25}", "(.*a.*b){300}c", ".*.*.*.*.*.*=",
    "(((((a?){9})?){9})?){9}", "((((a{1,30}){1,30})))", "(a?|b?){900}", "(" * 1000 + ")" * 1000,
]  # fmt: skip
REFUSED = ["(?=a)", "(?<!a)b", r"(a)\1", "(?P<x>a)(?P=x)", "a++", "(?>a)", "(", "[", "*", "a{2000}"]
TOO_BIG = ["(a{1000}){1000}", r"(\pL{30}){30}", "((a{100}){100}){100}"]


def within(seconds: float, do: Callable[[], object]) -> list[object]:
    """Return what was done within a time; a thread that hangs is left behind and found out."""
    done: list[object] = []
    thread = threading.Thread(target=lambda: done.append(do()), daemon=True)
    thread.start()
    thread.join(seconds)
    return done


@pytest.mark.parametrize("text", HOSTILE, ids=[text[:20] for text in HOSTILE])
def test_a_pattern_that_backtracks_for_ever_elsewhere_is_done_in_a_moment(text: str) -> None:
    found = within(2.0, lambda: [pattern.matches(text, each * 4096) for each in ("a", "ab", "=x")])
    assert found, f"{text} takes longer than 2 s"


@pytest.mark.parametrize("text", REFUSED)
def test_what_re2_refuses_is_refused_and_the_syntax_is_named(text: str) -> None:
    with pytest.raises(BadInput, match=r"^matchers\[0\]: .* is no regular expression: ") as refused:
        pattern.check(text, "matchers[0]")
    assert "RE2" in refused.value.hint


@pytest.mark.parametrize("text", TOO_BIG)
def test_a_short_pattern_that_unfolds_to_a_big_one_is_refused_at_once(text: str) -> None:
    began = time.perf_counter()
    with pytest.raises(BadInput, match="no regular expression"):
        pattern.check(text)
    assert time.perf_counter() - began < 1.0


def test_a_pattern_that_is_too_long_is_refused_by_its_length() -> None:
    pattern.check("a" * pattern.LONGEST)
    with pytest.raises(BadInput, match=f"{pattern.LONGEST + 1} characters is too long"):
        pattern.check("a" * (pattern.LONGEST + 1))


def test_a_long_text_is_matched_by_its_beginning() -> None:
    assert pattern.matches("a+", "a" * pattern.LONGEST_TEXT + "b")
    assert not pattern.matches("a+", "a" * (pattern.LONGEST_TEXT - 1) + "b")


def test_an_unreadable_pattern_is_true_of_nothing_and_counted() -> None:
    before = ERRORS.labels("pattern", "unreadable")._value.get()
    assert pattern.matches("(", "(") is None
    for is_equal in (True, False):
        assert not Matcher("team", "(", is_regex=True, is_equal=is_equal).matches({"team": "a"})
    assert ERRORS.labels("pattern", "unreadable")._value.get() == before + 3


@given(st.text(), st.text())
def test_any_pattern_is_refused_or_answers(text: str, against: str) -> None:
    try:
        pattern.check(text)
    except BadInput:
        assert pattern.matches(text, against) is None
    else:
        assert pattern.matches(text, against) in (True, False)


def test_half_a_surrogate_pair_ends_nobody() -> None:
    assert pattern.matches("a.", "a\ud800")
    assert pattern.matches("a\ud800", "ab") in (True, False, None)


@pytest.mark.parametrize(
    ("matcher", "told"),
    [
        (Matcher("", "a"), "at.name: names no label"),
        (Matcher("a", "(?=b)", is_regex=True), "at.value: '[(][?]=b[)]' is no regular expression"),
        (Matcher("a", "b" * (LONGEST_VALUE + 1)), f"at.value: is longer than {LONGEST_VALUE}"),
    ],
)
def test_a_matcher_that_cannot_be_meant_is_refused_at_its_place(
    matcher: Matcher, told: str
) -> None:
    with pytest.raises(BadInput, match=told):
        matcher.check("at")


def test_a_matcher_that_is_written_down_is_checked() -> None:
    with pytest.raises(BadInput, match="no regular expression"):
        matcher_of("team=~(?!core).*")
