"""PromQL that counts events is read; anything that would have to be guessed is refused."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seakeeping.config.openslo.promql import (
    Counted,
    NotPlain,
    match_of,
    read_counted,
    read_pattern,
)
from seakeeping.records import Match, MetricSelector

ERRORS = MetricSelector(
    "http_requests_total",
    (Match("job", ("web",)), Match("code", ("5..|429",), is_pattern=True)),
)
WINDOW = "[{{.window}}]"


@pytest.mark.parametrize(
    "text",
    [
        'sum(rate(http_requests_total{job="web",code=~"5..|429"}[{{.window}}]))',
        'sum( increase( http_requests_total { job = "web" , code =~ "5..|429" , } [5m] ) )',
        "(sum(rate(http_requests_total{job='web',code=~`5..|429`}[{{ .window }}])))",
        'rate(http_requests_total{job="web",code=~"5..|429"}[{{.window}}])',
        'sum(rate({__name__="http_requests_total",job="web",code=~"5..|429"}[1h]))',
        'sum(http_requests_total{job="web",code=~"5..|429"})',
        'sum(rate(http_requests_total{job="web",code=~"5..|429"}[5m])) or vector(0)',
        'sum(rate(http_requests_total{job="web",code=~"5..|429"}[5m])) OR on() vector(0)',
        '\n(\n  sum(rate(http_requests_total{job="web",code=~"5..|429"}[5m]))\n)\n',
    ],
)
def test_one_sum_in_all_its_spellings(text: str) -> None:
    assert read_counted(text) == Counted(ERRORS)


def test_a_difference_takes_away() -> None:
    text = f'sum(rate(x_count{WINDOW})) - sum(rate(x_bucket{{le="0.4"}}{WINDOW}))'
    counted = Counted(
        MetricSelector("x_count"), MetricSelector("x_bucket", (Match("le", ("0.4",)),))
    )
    assert read_counted(text) == counted
    assert read_counted(f"({text})") == counted
    assert (
        read_counted(f"sum(rate(x_count{WINDOW}) - rate(x_bucket{{le='0.4'}}{WINDOW}))") == counted
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "has 'the end', where a metric belongs"),
        ("sum(rate(x[5m])) by (job)", "groups the result"),
        ("sum by (job) (rate(x[5m]))", "uses sum, which is not read"),
        ("sum(rate(x[5m] offset 1h))", "has 'offset'"),
        ("sum(rate(x[5m])) * 2", "does not end before '*'"),
        ("1 - sum(rate(x[5m]))", "has '1', where a metric belongs"),
        ("sum(rate(x[5m])) - sum(rate(y[5m])) - sum(rate(z[5m]))", "does not end before '-'"),
        ("(a - b) - c", "takes away more than once"),
        ("avg(rate(x[5m]))", "uses avg, which is not read"),
        ("sum_over_time((count(x < 0.75))[1h:]) OR on() vector(0)", "is not read"),
        ("histogram_quantile(0.9, x)", "is not read"),
        ("sum(rate(x[5m])) or vector(1)", "adds a number"),
        ("sum(rate(x))", "where a range belongs"),
        ("x[5m]", "is a range"),
        ('x{a>"1"}', "'>' compares no label"),
        ('x{a=~"("}', "is no regular expression"),
        ('x{a=~"(?=b)c"}', "RE2"),
        ('{a="b"}', "names no single metric"),
        ('{__name__=~"a|b"}', "names no single metric"),
        ('x{__name__="y"}', "names no single metric"),
        ("sum(rate(x[5m])", "where ')' belongs"),
        ('x{a="b', "cannot be read at"),
        ("x ; y", "cannot be read at ';"),
        ("x or y", "does not end before 'or'"),
    ],
)
def test_everything_else_is_refused_with_a_reason(text: str, why: str) -> None:
    with pytest.raises(NotPlain) as refused:
        read_counted(text)
    assert why in str(refused.value)


def test_depth_is_bounded() -> None:
    with pytest.raises(NotPlain, match="nested too deep"):
        read_counted("(" * 5000)


def test_a_metric_may_be_called_like_a_function() -> None:
    assert read_counted("sum(rate(rate[5m]))").plus.name == "rate"
    assert read_counted("sum").plus.name == "sum"


@pytest.mark.parametrize(
    ("sign", "value", "match"),
    [
        ("=", "a", Match("l", ("a",))),
        ("!=", "", Match("l", ("",), is_in=False)),
        ("=~", "a|b|a", Match("l", ("a", "b"))),
        ("=~", "(GET|POST)", Match("l", ("GET", "POST"))),
        ("!~", "WATCH", Match("l", ("WATCH",), is_in=False)),
        ("=~", "5..", Match("l", ("5..",), is_pattern=True)),
        ("!~", "a.*", Match("l", ("a.*",), is_in=False, is_pattern=True)),
        ("=~", "a|", Match("l", ("a|",), is_pattern=True)),
    ],
)
def test_matchers(sign: str, value: str, match: Match) -> None:
    assert match_of("l", sign, value) == match


def test_escapes_are_those_of_promql() -> None:
    selector = read_counted(r'x{path="a\\b\"c\n", raw=`a\b`}').plus
    assert [match.values for match in selector.where] == [('a\\b"c\n',), ("a\\b",)]


@pytest.mark.parametrize("pattern", ["(?<=a)b", "(?!a)b", r"(a)\1", "a++", "["])
def test_patterns_that_re2_cannot_read(pattern: str) -> None:
    with pytest.raises(NotPlain):
        read_pattern(pattern)


@given(st.text(alphabet="sumrate()[]{}{{.window}}x_=~!\"'`,- or vector0 \\|", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(NotPlain):
        assert read_counted(text).plus.name
