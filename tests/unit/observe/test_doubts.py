"""An objective that holds may promise nothing: whoever wrote it is told, with what was meant."""

from dataclasses import replace

import pytest

from seakeeping.config.openslo import Written
from seakeeping.observe.budget import measure
from seakeeping.observe.doubts import doubts_of, findings_of, note_of
from seakeeping.observe.objectives import default_objectives
from seakeeping.records import Counts, Indicator, IndicatorSignal, MetricSelector, Objective
from seakeeping.records.names import Names

S = IndicatorSignal
NAMES = Names(
    services=("chat", "shop"),
    evaluations={"faithfulness": ("supported", "unsupported"), "tone": ("kind", "rude")},
    measurements=("drift",),
    metrics=("http_requests_total", "latency_seconds", "vllm:num_requests_waiting"),
)


def on(indicator: Indicator, service: str = "chat") -> Objective:
    return Objective("it", service, indicator, 0.9)


def judged(subject: str = "faithfulness", *bad: str) -> Indicator:
    return Indicator("it", "", "", S.EVALUATION, subject=subject, bad_labels=bad)


def value(signal: S, op: str, threshold: float, subject: str | None = None) -> Indicator:
    return Indicator("it", "", "", signal, threshold=threshold, op=op, subject=subject)


def told(indicator: Indicator, names: Names | None = NAMES, service: str = "chat") -> list[str]:
    return [f"{message} | {hint}" for message, hint in doubts_of(on(indicator, service), names)]


@pytest.mark.parametrize(
    "indicator",
    [
        judged("faithfulness", "unsupported"),
        judged("tone", "rude"),
        judged("toxicity", "toxic"),
        value(S.LATENCY, "lte", 2.0),
        value(S.EVALUATION, "gte", 0.5, "faithfulness"),
        value(S.EVALUATION, "lte", 17.0, "tone"),
        value(S.COST, "lte", 0.0),
        value(S.MEASUREMENT, "lt", 0.5, "drift"),
        value(S.METRIC, "lt", -3.0, "vllm:num_requests_waiting"),
        value(S.METRIC, "lt", 0.5, "latency_seconds_bucket"),
        value(S.METRIC, "lt", 0.5, "http_requests"),
        Indicator("it", "", "", S.METRIC_RATIO, total=MetricSelector("http_requests_total")),
    ],
)
def test_what_telemetry_shows_is_not_doubtful(indicator: Indicator) -> None:
    assert told(indicator) == []


def test_no_shipped_objective_is_doubtful() -> None:
    assert [o.name for o in default_objectives() if list(doubts_of(o, NAMES))] == []


@pytest.mark.parametrize(
    ("indicator", "words"),
    [
        (judged("faithfulnes", "x"), "no evaluator here makes faithfulnes: its results have to "
                                     "come with the telemetry | did you mean faithfulness?"),
        (judged("faithfulness", "unsuported"),
         "no result of faithfulness is labelled unsuported | did you mean unsupported?"),
        (judged("tone", "rud"), "no result of tone is labelled rud | did you mean rude?"),
        (value(S.MEASUREMENT, "lt", 0.5, "driftt"),
         "no measurement driftt has come lately | did you mean drift?"),
        (value(S.METRIC, "lt", 0.5, "vllm:num5_requests_watiing"),
         "no metric vllm:num5_requests_watiing has come lately | "
         "did you mean vllm:num_requests_waiting?"),
        (Indicator("it", "", "", S.METRIC_RATIO, total=MetricSelector("http_requests_total"),
                   bad=MetricSelector("zzz")),
         "no metric zzz has come lately | there are http_requests_total, latency_seconds, "
         "vllm:num_requests_waiting"),
    ],
)  # fmt: skip
def test_a_name_that_nothing_was_seen_of_is_told_with_the_nearest(
    indicator: Indicator, words: str
) -> None:
    assert told(indicator) == [words]


def test_a_service_that_sent_nothing_is_told_where_that_is_known() -> None:
    fine = judged("faithfulness", "unsupported")
    assert told(fine, service="chta") == [
        "no service 'chta' has sent anything lately | did you mean chat?"
    ]
    assert told(fine, Names(), service="chat")[0].endswith("| nothing has")
    assert told(fine, None, service="chta") == []
    assert told(fine, service="*") == []


@pytest.mark.parametrize(
    ("signal", "op", "threshold", "verdict"),
    [
        (S.LATENCY, "lte", -3.0, "bad"),
        (S.LATENCY, "lte", 0.0, "bad"),
        (S.LATENCY, "lt", 0.0, "bad"),
        (S.LATENCY, "gte", 0.0, "good"),
        (S.LATENCY, "gt", -1.0, "good"),
        (S.TIME_TO_FIRST_TOKEN, "lte", -1.0, "bad"),
        (S.SCORING_LAG, "lte", -1.0, "bad"),
        (S.COST, "lt", 0.0, "bad"),
        (S.COST, "lte", -0.1, "bad"),
        (S.EVALUATION, "gte", 0.0, "good"),
        (S.EVALUATION, "gt", 1.0, "bad"),
        (S.EVALUATION, "lte", 1.0, "good"),
        (S.EVALUATION, "lt", 0.0, "bad"),
    ],
)
def test_a_threshold_that_no_value_can_miss_or_meet_is_told(
    signal: S, op: str, threshold: float, verdict: str
) -> None:
    subject = "faithfulness" if signal is S.EVALUATION else None
    (said,) = told(value(signal, op, threshold, subject))
    assert said.startswith(f"a threshold of {threshold:g} makes every event {verdict} | ")


def test_doubts_are_warnings_at_the_objectives_place_beside_impossible_alerts() -> None:
    written = Written(replace(on(judged("faithfulness", "x")), target_ratio=0.9), "a.yaml:3: k")
    alert, label = findings_of([written], NAMES)
    assert "can never fire at a burn rate of 14.4" in alert.message
    assert label.message == "no result of faithfulness is labelled x"
    assert {alert.place, label.place} == {"a.yaml:3: k"}
    assert alert.is_warning
    assert label.is_warning


def test_an_evaluator_that_is_installed_needs_no_results_yet() -> None:
    mine = on(judged("mine", "x"))
    assert list(doubts_of(mine, None, ["mine"])) == []
    assert list(doubts_of(mine, None)) != []


def test_the_note_of_a_budget_says_what_needs_no_store_to_be_known() -> None:
    odd = judged("faithfulness", "unsuported")
    assert note_of(odd, has_data=True) == (
        "No result of faithfulness is labelled unsuported (did you mean unsupported?)."
    )
    assert note_of(judged("tone", "x"), has_data=True) == ""  # it came, so somebody makes it
    assert "did you mean faithfulness?" in note_of(judged("faithfulnes", "x"), has_data=False)
    assert note_of(judged("faithfulness", "unsupported"), has_data=False) == ""


def test_a_budget_carries_the_doubt_as_its_note() -> None:
    never = on(value(S.LATENCY, "lte", -3.0))
    assert "every event bad" in measure(never, 0.0, Counts(10.0, 10.0, 10, 10), {}).note
    unmade = on(judged("faithfulnes", "x"))
    assert "did you mean faithfulness?" in measure(unmade, 0.0, Counts(), {}).note
    assert measure(on(value(S.LATENCY, "lte", 3.0)), 0.0, Counts(), {}).note == ""
