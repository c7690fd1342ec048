"""Silences match as Alertmanager's do: whole values, anchored expressions, missing is empty."""

import pytest

from seakeeping.records import Matcher, Silence

LABELS = {"alertname": "ErrorBudgetBurn", "service": "cargo-search", "severity": "page"}


@pytest.mark.parametrize(
    ("matcher", "holds"),
    [
        (Matcher("service", "cargo-search"), True),
        (Matcher("service", "cargo"), False),
        (Matcher("service", "cargo", is_equal=False), True),
        (Matcher("service", "cargo-.*", is_regex=True), True),
        (Matcher("service", "cargo", is_regex=True), False),  # anchored at both ends
        (Matcher("service", "cargo|crew-.*", is_regex=True, is_equal=False), True),
        (Matcher("tenant", ""), True),
        (Matcher("tenant", ".+", is_regex=True), False),
    ],
)
def test_a_matcher_is_true_of_whole_values(matcher: Matcher, holds: bool) -> None:
    assert matcher.matches(LABELS) is holds


def test_a_matcher_is_spelt_as_in_alertmanager() -> None:
    spelt = [
        str(Matcher("a", "b", regex, equal)) for regex in (False, True) for equal in (True, False)
    ]
    assert spelt == ['a="b"', 'a!="b"', 'a=~"b"', 'a!~"b"']


def test_a_silence_needs_all_of_its_matchers_and_lasts_to_its_end() -> None:
    matchers = (Matcher("service", "cargo-search"), Matcher("severity", "ticket"))
    silence = Silence("s", matchers, 100.0, 200.0, "ada", "deploy")
    assert not silence.silences(LABELS)
    assert silence.silences({**LABELS, "severity": "ticket"})
    assert [silence.is_active(at) for at in (99.9, 100.0, 199.9, 200.0)] == [
        False,
        True,
        True,
        False,
    ]
