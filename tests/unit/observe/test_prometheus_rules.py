"""The generated rules: what has rules, under which names, and no text of theirs is code."""

import doctest
from dataclasses import replace

import pytest
import yaml

from seakeeping.observe import rules as rules_module
from seakeeping.observe.objectives import default_objectives, expand
from seakeeping.observe.rules import (
    ALERT_NAME,
    prometheus_rules,
    prometheus_rules_yaml,
    ratio_metric,
    selector,
    why_no_rules,
    window_name,
)
from seakeeping.observe.slo_labels import own_labels, slo_labels
from seakeeping.records import (
    Alerting,
    Budgeting,
    BurnAlert,
    Calendar,
    Indicator,
    Objective,
    Severity,
)
from seakeeping.stats.burn import pyrra_alerts

DAY_S = 86_400
SLO = Objective("chat/works", "chat", Indicator("a", "calls", "good ones"), 0.999)


def rules(objective: Objective) -> list[dict[str, object]]:
    return [one for group in prometheus_rules([objective])["groups"] for one in group["rules"]]


def records(objective: Objective) -> list[object]:
    return [one["record"] for one in rules(objective) if "record" in one]


def test_the_names_that_dashboards_know() -> None:
    looks = ("5m", "30m", "1h", "2h", "6h", "1d", "3d", "30d")
    assert records(SLO) == [
        *(f"slo:sli_error:ratio_rate{look}" for look in looks),
        "slo:objective:ratio", "slo:error_budget:ratio", "slo:time_period:days",
        "slo:current_burn_rate:ratio", "slo:period_burn_rate:ratio",
        "slo:period_error_budget_remaining:ratio", "sloth_slo_info",
    ]  # fmt: skip


def test_three_groups_under_sloths_names() -> None:
    names = [group["name"] for group in prometheus_rules([SLO])["groups"]]
    assert names == [
        "sloth-slo-sli-recordings-chat-works",
        "sloth-slo-meta-recordings-chat-works",
        "sloth-slo-alerts-chat-works",
    ]


@pytest.mark.parametrize(
    ("name", "service", "labels", "told"),
    [
        ("chat/works", "chat", {}, ("chat-works", "chat", "works")),
        ("works", "chat", {}, ("chat-works", "chat", "works")),
        ("web-works", "job", {"sloth_service": "web", "sloth_slo": "works"},
         ("web-works", "web", "works")),
    ],
)  # fmt: skip
def test_an_objective_is_called_as_sloth_would(
    name: str, service: str, labels: dict[str, str], told: tuple[str, str, str]
) -> None:
    objective = replace(SLO, name=name, service=service, labels=labels)
    assert tuple(slo_labels(objective).values()) == told


def test_written_labels_come_along_if_prometheus_can_name_them() -> None:
    labels = {"team": "a", "cost-centre": "b", "__name__": "c", "sloth_slo": "d", "ü": "e"}
    objective = replace(SLO, labels=labels)
    assert own_labels(objective) == {"team": "a"}
    first = rules(objective)[0]
    assert first["labels"] == {
        "team": "a", "sloth_id": "chat-d", "sloth_service": "chat", "sloth_slo": "d",
        "sloth_window": "5m",
    }  # fmt: skip


def test_alerts_by_severity() -> None:
    alerts = [one for one in rules(SLO) if "alert" in one]
    assert [one["alert"] for one in alerts] == [ALERT_NAME, ALERT_NAME]
    page, ticket = (str(one["expr"]) for one in alerts)
    assert page.count("14.4 * (1 - 0.999)") == page.count("6.0 * (1 - 0.999)") == 2
    assert ticket.count("3.0 * (1 - 0.999)") == ticket.count("1.0 * (1 - 0.999)") == 2


def test_alerts_of_others_keep_their_name_labels_and_waits() -> None:
    alerting = Alerting(
        burn=pyrra_alerts(30 * DAY_S),
        alert_name="Burns",
        alert_labels={Severity.PAGE: {"severity": "critical", "team": "a"}},
        alert_annotations={Severity.PAGE: {"runbook": "http://r"}},
    )
    made = replace(SLO, alerting=alerting)
    alerts = [one for one in rules(made) if "alert" in one]
    waits = [(one["labels"]["severity"], one["for"]) for one in alerts]  # type: ignore[index]
    assert waits == [
        ("critical", "2m"), ("critical", "16m"), ("ticket", "64m"), ("ticket", "193m"),
    ]  # fmt: skip
    assert {one["alert"] for one in alerts} == {"Burns"}
    assert alerts[0]["annotations"]["runbook"] == "http://r"  # type: ignore[index]
    assert "slo:sli_error:ratio_rate64m" in records(made)
    assert "slo:sli_error:ratio_rate386m" in records(made)


def test_an_objective_without_alerts_has_no_group_of_them() -> None:
    quiet = replace(SLO, alerting=Alerting(burn=()))
    assert len(prometheus_rules([quiet])["groups"]) == 2


@pytest.mark.parametrize(
    ("odd", "why"),
    [
        (replace(SLO, service="*"), "every service"),
        (replace(SLO, slice_by=("region", "model")), "every value of region and model"),
        (replace(SLO, indicator=replace(SLO.indicator, is_estimate=True)), "raw verdicts"),
        (replace(SLO, calendar=Calendar("2024-01-01 00:00:00")), "fixed moments"),
        (replace(SLO, budgeting=Budgeting.TIMESLICES), "counts Timeslices"),
        (replace(SLO, window="5m"), "no longer than the shortest look-back"),
    ],
)
def test_no_rules_that_would_say_something_untrue(odd: Objective, why: str) -> None:
    assert why in (why_no_rules(odd) or "")
    text = prometheus_rules_yaml([replace(odd, name="a\nb")])
    assert text.splitlines()[1].startswith("# a b is left out: ")
    assert yaml.safe_load(text) == {"groups": []}


def test_short_windows_have_only_shorter_look_backs() -> None:
    assert records(replace(SLO, window="1d"))[:6] == [
        f"slo:sli_error:ratio_rate{w}" for w in ("5m", "30m", "1h", "2h", "6h", "1d")
    ]


def test_names_from_telemetry_are_no_code() -> None:
    odd = replace(SLO, service='a"} or vector(1) #', name="{{ query }}")
    (page, *_) = [one for one in rules(odd) if "alert" in one]
    assert 'sloth_service="a\\"} or vector(1) #"' in str(page["expr"])
    assert page["labels"]["slo"] == '{{"{{"}} query }}'  # type: ignore[index]
    assert selector({"a": "\\\n"}) == '{a="\\\\\\n"}'


def test_the_file_is_yaml_of_the_same_rules() -> None:
    objectives = expand(default_objectives(), ["chat"])
    text = prometheus_rules_yaml(objectives)
    assert yaml.safe_load(text) == prometheus_rules(objectives)
    assert "# chat/faithfulness is left out: its events are a detector's raw verdicts" in text


def test_look_backs_by_name() -> None:
    assert [window_name(s) for s in (300, 3600, 86_400, 3840, 90)] == [
        "5m",
        "1h",
        "1d",
        "64m",
        "90s",
    ]
    assert ratio_metric(300) == "slo:sli_error:ratio_rate5m"


def test_examples_run() -> None:
    assert doctest.testmod(rules_module).failed == 0


def test_rows_of_one_wait_are_one_alert() -> None:
    rows = (BurnAlert(Severity.PAGE, 3600, 300, 5.0), BurnAlert(Severity.PAGE, 7200, 600, 4.0))
    made = replace(SLO, alerting=Alerting(burn=rows))
    (page,) = [one for one in rules(made) if "alert" in one]
    assert str(page["expr"]).count("\nor\n") == 1
    assert "for" not in page
