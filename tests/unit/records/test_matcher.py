"""Matchers: spelt and read as Alertmanager does, there and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seakeeping.errors import BadInput
from seakeeping.records import Matcher
from seakeeping.records.silence import matcher_of

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.]{0,8}", fullmatch=True)


@given(st.builds(Matcher, NAMES, st.text(), is_equal=st.booleans()))
def test_what_is_spelt_is_read_again(matcher: Matcher) -> None:
    assert matcher_of(str(matcher)) == matcher


@pytest.mark.parametrize(
    ("text", "matcher"),
    [
        ("a=b", Matcher("a", "b")), (" a = b c ", Matcher("a", "b c")), ("a=", Matcher("a", "")),
        ('a="b\\"c\\n"', Matcher("a", 'b"c\n')), ("a!=b", Matcher("a", "b", is_equal=False)),
        ("a=~b|c", Matcher("a", "b|c", is_regex=True)),
        ('a!~"b+"', Matcher("a", "b+", is_regex=True, is_equal=False)),
    ],
)  # fmt: skip
def test_signs_and_quotes_are_alertmanagers(text: str, matcher: Matcher) -> None:
    assert matcher_of(text) == matcher


@pytest.mark.parametrize("text", ["", "a", "=b", "1a=b", 'a="b', 'a="b",c="d"', 'a=b"c', "a=~["])
def test_what_is_no_single_matcher_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        matcher_of(text)
