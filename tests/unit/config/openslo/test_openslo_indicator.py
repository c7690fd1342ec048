"""Indicators: every signal, in the form that suits it, and no guess where one is not enough."""

from pathlib import Path

import pytest
from tests.unit.config.openslo.reading import complaint, inline, objective, slo, source

from seakeeping.records import IndicatorSignal, Match, MetricSelector

S = IndicatorSignal


def threshold(signal: str, more: str = "", *, op: str = "lte", value: str = "2") -> str:
    """Return an SLO with a threshold on a signal of ours."""
    return slo(
        f"indicator: {{spec: {{thresholdMetric: {source(signal, more)}}}}}",
        objectives=f"[{{target: 0.95, op: {op}, value: {value}}}]",
    )


def raw(signal: str, more: str = "") -> str:
    """Return an SLO on a signal that is good or bad by itself."""
    return slo(f"indicator: {inline(signal, more)}")


def ratio(spec: str) -> str:
    """Return an SLO on a ratio metric."""
    return slo(f"indicator: {{spec: {{ratioMetric: {{{spec}}}}}}}")


def query(text: str) -> str:
    """Return a Prometheus source."""
    return f"{{metricSource: {{type: Prometheus, spec: {{query: '{text}'}}}}}}"


@pytest.mark.parametrize(
    ("signal", "more", "subject", "valid"),
    [
        ("latency", "", None, "calls that ended without an error"),
        ("time_to_first_token", "", None, "say when the first token came"),
        ("time_per_output_token", "", None, "at least two tokens"),
        ("cost", "", None, "answers with a known price"),
        ("scoring_lag", "", None, "judged answers"),
        ("measurement", ", measurement: drift", "drift", "measurements of drift"),
        ("metric", ", metric: queue", "queue", "points or observations of queue"),
    ],
)
def test_signals_with_a_value(
    tmp_path: Path, signal: str, more: str, subject: str | None, valid: str
) -> None:
    made = objective(tmp_path, threshold(signal, more)).indicator
    assert made.signal is S(signal)
    assert (made.op, made.threshold, made.subject) == ("lte", 2.0, subject)
    assert valid in made.valid
    assert made.good.startswith("those of at most 2")
    assert not made.is_estimate


@pytest.mark.parametrize("signal", ["availability", "coverage"])
def test_signals_that_are_good_or_bad_by_themselves(tmp_path: Path, signal: str) -> None:
    made = objective(tmp_path, raw(signal)).indicator
    assert (made.signal, made.threshold) == (S(signal), None)
    assert made.good


def test_a_raw_ratio_may_bring_its_threshold(tmp_path: Path) -> None:
    made = objective(tmp_path, raw("latency", ", threshold: 0.5, op: lt")).indicator
    assert (made.op, made.threshold) == ("lt", 0.5)
    assert made.good == "those of less than 0.5 s"


def test_a_known_evaluation_needs_no_more_than_its_name(tmp_path: Path) -> None:
    made = objective(tmp_path, raw("evaluation", ", evaluation: faithfulness")).indicator
    assert (made.subject, made.bad_labels) == ("faithfulness", ("unsupported",))
    assert made.is_estimate
    assert made.higher_is_better


def test_an_evaluation_by_score(tmp_path: Path) -> None:
    made = objective(
        tmp_path, threshold("evaluation", ", evaluation: toxicity", op="lt", value="0.2")
    ).indicator
    assert (made.op, made.threshold, made.bad_labels) == ("lt", 0.2, ())
    assert not made.higher_is_better


def test_an_evaluation_of_others(tmp_path: Path) -> None:
    more = ", evaluation: tone, badLabels: [rude, cold], isEstimate: false, evaluator: judge"
    made = objective(tmp_path, raw("evaluation", more)).indicator
    assert (made.bad_labels, made.evaluator) == (("rude", "cold"), "judge")
    assert not made.is_estimate
    scored = objective(tmp_path, threshold("evaluation", ", evaluation: tone", op="gte")).indicator
    assert scored.higher_is_better
    assert scored.is_estimate


def test_what_is_decided_by_rule_needs_no_labels(tmp_path: Path) -> None:
    text = raw("evaluation", ", evaluation: response_validity")
    assert not objective(tmp_path, text).indicator.is_estimate


def test_filters(tmp_path: Path) -> None:
    more = (
        ", filter: {model: gpt-4o, tenant: [a, b], environment: {not: [dev, test]}, "
        "group.plan: {matches: 'pro-.*'}, region: {notMatches: 'eu-.*', not: us}, route: 7}"
    )
    assert objective(tmp_path, raw("availability", more)).indicator.where == (
        Match("model", ("gpt-4o",)),
        Match("tenant", ("a", "b")),
        Match("environment", ("dev", "test"), is_in=False),
        Match("group.plan", ("pro-.*",), is_pattern=True),
        Match("region", ("eu-.*",), is_in=False, is_pattern=True),
        Match("region", ("us",), is_in=False),
        Match("route", ("7",)),
    )


def test_points_are_filtered_by_any_attribute(tmp_path: Path) -> None:
    made = objective(tmp_path, threshold("metric", ", metric: q, filter: [{gpu: a}, {gpu: b}]"))
    assert made.indicator.where == (Match("gpu", ("a",)), Match("gpu", ("b",)))


def test_a_ratio_of_our_counters(tmp_path: Path) -> None:
    good = source("metric_ratio", ", metric: jobs, filter: {state: done}")
    made = objective(
        tmp_path, ratio(f"good: {good}, total: {source('metric_ratio', ', metric: jobs')}")
    ).indicator
    assert made.signal is S.METRIC_RATIO
    assert made.good_of == MetricSelector("jobs", (Match("state", ("done",)),))
    assert made.total == MetricSelector("jobs")
    assert (made.valid, made.good) == ("increments of jobs", "those of jobs{state=done}")


def test_a_ratio_of_prometheus_queries(tmp_path: Path) -> None:
    bad = query('sum(rate(http_total{job="web",code=~"5.."}[{{.window}}]))')
    total = query('sum(rate(http_total{job="web"}[{{.window}}]))')
    made = objective(tmp_path, ratio(f"counter: true, bad: {bad}, total: {total}")).indicator
    assert made.bad == MetricSelector("http_total", (Match("code", ("5..",), is_pattern=True),))
    assert made.total == MetricSelector("http_total")
    assert made.good == "those that are none of http_total{code=~5..}"


def test_buckets_of_a_count_are_a_threshold(tmp_path: Path) -> None:
    good = query('sum(rate(d_bucket{le="0.4",a="b"}[{{.window}}]))')
    total = query('sum(rate(d_count{a="b"}[{{.window}}]))')
    made = objective(tmp_path, ratio(f"good: {good}, total: {total}")).indicator
    assert (made.signal, made.subject, made.threshold) == (S.METRIC, "d", 0.4)
    assert made.where == (Match("a", ("b",)),)
    bad = query(
        'sum(rate(d_count{a="b"}[{{.window}}])) - sum(rate(d_bucket{le="0.4",a="b"}[{{.window}}]))'
    )
    same = objective(tmp_path, ratio(f"bad: {bad}, total: {total}")).indicator
    assert same == made


def test_the_infinite_bucket_is_the_count(tmp_path: Path) -> None:
    good = query('sum(rate(d_bucket{le="1"}[{{.window}}]))')
    total = query('sum(rate(d_bucket{le="+Inf"}[{{.window}}]))')
    made = objective(tmp_path, ratio(f"good: {good}, total: {total}")).indicator
    assert (made.signal, made.threshold, made.where) == (S.METRIC, 1.0, ())


COUNTER = source("metric_ratio", ", metric: jobs")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (threshold("availability"), "availability has no value that a threshold could divide"),
        (threshold("latency", ", threshold: 3"), "has a threshold (that of a thresholdMetric"),
        (threshold("latency", op="eq"), "'eq' is none of lte, lt, gte, gt"),
        (threshold("latency", value="fast"), "objectives[0].value: 'fast' is not a number"),
        (threshold("latnecy"), "'latnecy' is none of"),
        (threshold("latency", ", metric: x"), "metric does not belong to the signal latency"),
        (threshold("latency", ", evaluator: x"), "evaluator belongs to evaluations only"),
        (threshold("metric"), "has no metric"),
        (threshold("latency", ", filter: {modle: x}"), "unknown dimension modle (did you mean"),
        (threshold("latency", ", filter: {group.: x}"), "unknown dimension group."),
        (threshold("latency", ", filter: {model: []}"), "names no value"),
        (threshold("latency", ", filter: {model: {}}"), "says nothing"),
        (threshold("latency", ", filter: {model: {is: x}}"), "unknown key is"),
        (threshold("latency", ", filter: {model: {matches: '('}}"), "is no regular expression"),
        (threshold("evaluation", ", evaluation: toxicity", value="3"), "outside the range of tox"),
        (raw("latency"), "latency needs a threshold"),
        (raw("availability", ", threshold: 1"), "availability has no threshold"),
        (raw("evaluation", ", evaluation: tone"), "nothing says which results of tone are bad"),
        (raw("evaluation", ", evaluation: toxicity, badLabels: [a], threshold: 1"), "has both"),
        (raw("evaluation", ", evaluation: toxicity, op: lt"), "has an op without a threshold"),
        (raw("metric_ratio", ", metric: x"), "a ratio that was computed before cannot be counted"),
        (raw("latency", ", threshold: 2").replace("success", "failure"), "needs an op"),
        (raw("coverage").replace("rawType: success", "counter: yes, rawType: success, bad: x"),
         "bad does not stand beside raw"),
        (ratio(f"total: {COUNTER}"), "needs either good or bad"),
        (ratio(f"good: {COUNTER}, bad: {COUNTER}, total: {COUNTER}"), "needs either good or bad"),
        (ratio(f"good: {COUNTER}"), "has no total"),
        (ratio(f"good: {source('latency')}, total: {COUNTER}"), "latency is no counter"),
        (ratio(f"good: {query('avg(x)')}, total: {COUNTER}"), "it uses avg, which is not read"),
        (ratio(f"bad: {query('a - b')}, total: {query('c')}"), "is no difference from the total"),
        (ratio(f"bad: {query('a')}, total: {query('a - b')}"), "the total is one sum"),
        (ratio(f"good: {COUNTER}, total: {COUNTER}").replace("seakeeping", "Datadog", 1),
         "sources of type Datadog are not read"),
        (raw("coverage").replace("type: seakeeping, ", ""), "neither a type nor a metricSourceRef"),
        (raw("coverage").replace("type: seakeeping", "metricSourceRef: x"), "no DataSource 'x'"),
        (slo("indicator: {spec: {}}"), "needs either a thresholdMetric or a ratioMetric"),
        (threshold("latency", "}, x: {y: 1"), "metricSource.x: unknown key x"),
    ],
)  # fmt: skip
def test_no_guess(tmp_path: Path, text: str, told: str) -> None:
    assert told in complaint(tmp_path, text)


@pytest.mark.parametrize(
    ("failing", "good"), [("gt", "lte"), ("gte", "lt"), ("lt", "gte"), ("lte", "gt")]
)
def test_a_ratio_of_failures_is_the_same_promise(tmp_path: Path, failing: str, good: str) -> None:
    text = raw("latency", f", threshold: 2, op: {failing}").replace("success", "failure")
    indicator = objective(tmp_path, text).indicator
    assert (indicator.op, indicator.threshold) == (good, 2.0)


def test_what_says_itself_which_events_are_bad_does_not_turn_with_the_ratio(tmp_path: Path) -> None:
    for signal, more in (("availability", ""), ("evaluation", ", evaluation: faithfulness")):
        whole = raw(signal, more)
        told = [objective(tmp_path, text).indicator for text in (
            whole, whole.replace("success", "failure"),
        )]  # fmt: skip
        assert told[0] == told[1]


def test_a_threshold_metric_has_one_objective(tmp_path: Path) -> None:
    two = threshold("latency").replace("[{target", "[{target: 0.5, op: lt, value: 1}, {target")
    assert "a thresholdMetric has one objective" in complaint(tmp_path, two)
