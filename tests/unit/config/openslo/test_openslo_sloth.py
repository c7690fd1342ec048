"""Sloth's files: what can be counted is imported whole, what cannot is refused with its place."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.config.openslo.reading import complaint, objective, read

from seakeeping.records import Alerting, IndicatorSignal, Match, MetricSelector, Severity
from seakeeping.records.burn import standard_alerts

PAGE, TICKET = Severity.PAGE, Severity.TICKET
ERRORS = 'sum(rate(http_total{job="web",code=~"(5..|429)"}[{{.window}}]))'
TOTAL = 'sum(rate(http_total{job="web"}[{{.window}}]))'
LATENCY = (
    'sum(rate(d_count{v!="W"}[{{.window}}])) - sum(rate(d_bucket{le="0.4",v!="W"}[{{.window}}]))'
)


def sloth(
    errors: str = ERRORS, total: str = TOTAL, *, alerting: str = "{}", more: str = "", top: str = ""
) -> str:
    return (
        "version: prometheus/v1\nservice: web\nlabels: {owner: core, tier: 2}\n"
        f"{top}slos:\n- name: works\n  objective: 99.9\n  description: It works.\n{more}"
        f"  sli:\n    events:\n      error_query: '{errors}'\n      total_query: '{total}'\n"
        f"  alerting: {alerting}\n"
    )


def test_an_slo_of_sloth_keeps_its_identity(tmp_path: Path) -> None:
    made = objective(tmp_path, sloth(more="  labels: {tier: 1}\n"))
    assert (made.name, made.service, made.target_ratio) == ("web-works", "web", 0.999)
    assert (made.window, made.description, made.owner) == ("30d", "It works.", "core")
    assert made.labels == {
        "owner": "core", "tier": "1", "sloth_service": "web", "sloth_slo": "works",
    }  # fmt: skip
    assert made.alerting == Alerting()


def test_what_its_queries_count(tmp_path: Path) -> None:
    made = objective(tmp_path, sloth()).indicator
    code = Match("code", ("(5..|429)",), is_pattern=True)
    assert made.signal is IndicatorSignal.METRIC_RATIO
    assert (made.bad, made.total) == (
        MetricSelector("http_total", (code,)), MetricSelector("http_total"),
    )  # fmt: skip


def test_a_latency_is_a_threshold_on_a_histogram(tmp_path: Path) -> None:
    total = 'sum(rate(d_count{v!="W"}[{{.window}}]))'
    made = objective(tmp_path, sloth(LATENCY, total)).indicator
    assert (made.signal, made.subject) == (IndicatorSignal.METRIC, "d")
    assert (made.op, made.threshold) == ("lte", 0.4)
    assert made.where == (Match("v", ("W",), is_in=False),)


def test_errors_may_be_the_total_without_the_good(tmp_path: Path) -> None:
    made = objective(tmp_path, sloth("a - a{ok='yes'}".replace("'", "''"), "a")).indicator
    assert made.good_of == MetricSelector("a", (Match("ok", ("yes",)),))


def test_its_alerts_come_along(tmp_path: Path) -> None:
    text = (
        "{name: Burns, labels: {a: x}, annotations: {runbook: r}, "
        "page_alert: {labels: {severity: critical}, annotations: {title: t}}, "
        "ticket_alert: {labels: {a: y}}}"
    )
    made = objective(tmp_path, sloth(alerting=text)).alerting
    assert made.alert_name == "Burns"
    assert made.alert_labels == {PAGE: {"a": "x", "severity": "critical"}, TICKET: {"a": "y"}}
    assert made.alert_annotations == {
        PAGE: {"runbook": "r", "title": "t"}, TICKET: {"runbook": "r"},
    }  # fmt: skip


def test_an_alert_that_is_off_stays_off(tmp_path: Path) -> None:
    made = objective(tmp_path, sloth(alerting="{ticket_alert: {disable: true}}")).alerting
    assert (made.severities, made.burn) == ((PAGE,), None)


def test_an_alert_may_wait(tmp_path: Path) -> None:
    made = objective(tmp_path, sloth(alerting="{page_alert: {for: 5m}}")).alerting
    page, *_, ticket = standard_alerts(30 * 86_400)
    assert made.burn is not None
    assert made.burn[0] == replace(page, for_s=300.0)
    assert made.burn[-1] == ticket


def test_another_job_is_counted_and_told(tmp_path: Path) -> None:
    linked, findings = read(tmp_path, sloth().replace("service: web", "service: shop"))
    assert linked.written[0].objective.service == "web"
    assert linked.written[0].objective.name == "shop-works"
    (note,) = findings
    assert note.is_warning
    assert "counts the points of the service 'web'" in note.message


def test_plugins_are_told_not_to_run(tmp_path: Path) -> None:
    _, findings = read(tmp_path, sloth(top="slo_plugins: {chain: [{id: x}]}\n"))
    assert [f.message for f in findings if f.is_warning] == ["plugins of Sloth do not run here"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (sloth(errors="sum_over_time((count(x < 0.75))[{{.window}}:]) OR on() vector(0)"),
         "0.yaml:10: slos[0].sli.events.error_query: this query cannot be read"),
        (sloth(total="sum(rate(x[5m])) by (a)"), "groups the result; write one objective a group"),
        (sloth("a", "a - b"), "the total is one sum"),
        (sloth("a - b", "c"), "is no difference from the total"),
        (sloth(total='x{job="other"}'), "counts another job than the other query"),
        (sloth(total='x{job=~"a|b"}'), "names several jobs"),
        (sloth(total='x{job=~"a.*"}'), "names several jobs"),
        (sloth().replace("events:", "raw: {error_ratio_query: x}\n    events:"),
         "a ratio that was computed before cannot be counted"),
        (sloth().replace("events:", "plugin: {id: x}\n    events:"), "plugins of Sloth"),
        (sloth().replace("99.9", "100"), "a target of 100 % leaves no budget"),
        (sloth().replace("99.9", "most"), "'most' is not a percentage"),
        (sloth().replace("  alerting: {}\n", ""), "slos[0]: has no alerting"),
        (sloth().replace("  objective:", "  target: 1\n  objective:"), "unknown key target"),
        (sloth(alerting="{pagealert: {}}"), "did you mean page_alert?"),
        (sloth(alerting="{page_alert: {for: soon}}"), "unknown window 'soon'"),
        ("apiVersion: sloth.slok.dev/v1\nkind: PrometheusServiceLevel\n", "write its spec as"),
        ("version: prometheus/v1\nslos: []\n", "has no service"),
    ],
)  # fmt: skip
def test_refusals(tmp_path: Path, text: str, told: str) -> None:
    assert told in complaint(tmp_path, text)


def test_two_slos_of_one_name(tmp_path: Path) -> None:
    assert "an objective 'web-works' is written already" in complaint(tmp_path, sloth(), sloth())
