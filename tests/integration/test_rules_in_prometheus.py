"""The generated rules in a real Prometheus, beside Sloth's and Pyrra's arithmetic and our own."""

import math
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.receivers import prometheus
from tests.receivers.prometheus import RunningPrometheus, backfill, running_prometheus

from seakeeping.observe.budget import Counted, measure, measure_all
from seakeeping.observe.rules import ALERT_NAME, prometheus_rules, prometheus_rules_yaml
from seakeeping.observe.slo_labels import BAD_TOTAL, VALID_TOTAL, slo_labels
from seakeeping.records import Alerting, Counts, Indicator, Objective, Severity
from seakeeping.stats.burn import alerts_in_force, pyrra_alerts

pytestmark = pytest.mark.needs_prometheus

MINUTE_S, DAY_S = 60, 86_400
HERE = 'sloth_id="chat-works", sloth_service="chat", sloth_slo="works"'
INDICATOR = Indicator("availability", "all calls", "calls that ended without an error")
SLO = Objective(
    "chat/works", "chat", INDICATOR, 0.99, description="Calls {{that}} work.", source="api"
)
PAGING = replace(SLO, alerting=Alerting(severities=(Severity.PAGE,)))
TOLERANCE = 1e-9


def rule(kind: str, name: str, objective: Objective = SLO) -> dict[str, Any]:
    """Return the first rule of a name."""
    rules = [one for group in prometheus_rules([objective])["groups"] for one in group["rules"]]
    return next(one for one in rules if one.get(kind) == name)


# -- promtool: when alerts fire ---------------------------------------------------------------


def write_tests(folder: Path, objective: Objective, bad: str, tests: list[dict[str, Any]]) -> Path:
    """Write a promtool test: a request a second for a day, and bad ones as told."""
    (folder / "rules.yml").write_text(prometheus_rules_yaml([objective]))
    path = folder / "test.yml"
    series = [
        {"series": f"{VALID_TOTAL}{{{HERE}}}", "values": "0+60x1440"},
        {"series": f"{BAD_TOTAL}{{{HERE}}}", "values": bad},
    ]
    document = {
        "rule_files": ["rules.yml"],
        "evaluation_interval": "1m",
        "tests": [{"interval": "1m", "input_series": series, **one} for one in tests],
    }
    path.write_text(yaml.safe_dump(document))
    return path


def alert_at(minute: int, severity: str | None, objective: Objective = SLO) -> dict[str, Any]:
    """Return what promtool is to find at a minute."""
    written = [
        one
        for group in prometheus_rules([objective])["groups"]
        for one in group["rules"]
        if "alert" in one and one["labels"]["severity"] == severity
    ]
    expected = [
        {
            "exp_labels": {
                **one["labels"],
                **slo_labels(objective),
            },
            "exp_annotations": {
                "title": f"({severity}) works of chat burns its error budget too fast",
                "summary": "works: Calls {{that}} work.",
            },
        }
        for one in written
    ]
    return {"eval_time": f"{minute}m", "alertname": ALERT_NAME, "exp_alerts": expected}


def test_promtool_finds_no_fault(tmp_path: Path) -> None:
    odd = replace(SLO, name='we"ird\\\n{{x}}', service="a b", labels={"ok": 'x"', "not ok": "y"})
    pyrra = replace(SLO, name="p", window="2w", alerting=Alerting(burn=pyrra_alerts(14 * DAY_S)))
    (tmp_path / "rules.yml").write_text(prometheus_rules_yaml([SLO, odd, pyrra]))
    prometheus.check_rules(tmp_path / "rules.yml")


def test_a_page_begins_and_ends_when_it_should(tmp_path: Path) -> None:
    # From minute 600 a third of all calls fail, for 30 minutes: the ratio over 1 h passes 14.4 %
    # after 26 minutes, and the page ends with the ratio over 5 min, soon after the trouble.
    bad = "0+0x600 20+20x29 600+0x810"
    times = [(599, None), (625, None), (628, "page"), (632, "page"), (636, None)]
    path = write_tests(
        tmp_path,
        PAGING,
        bad,
        [{"alert_rule_test": [alert_at(minute, severity, PAGING) for minute, severity in times]}],
    )
    prometheus.run_rule_tests(path)


def test_the_lowered_page_of_a_low_target_fires(tmp_path: Path) -> None:
    # At 90 % no burn rate exceeds 10. The factor becomes 5: half of all calls.
    low = replace(PAGING, target_ratio=0.9)
    assert "5.0 * (1 - 0.9)" in rule("alert", ALERT_NAME, low)["expr"]
    path = write_tests(
        tmp_path, low, "0+0x600 36+36x840",
        [{"alert_rule_test": [alert_at(640, None), alert_at(655, "page", low)]}],
    )  # fmt: skip
    prometheus.run_rule_tests(path)


def test_no_events_fire_nothing(tmp_path: Path) -> None:
    path = write_tests(tmp_path, SLO, "0x1440", [{"alert_rule_test": [alert_at(1439, None)]}])
    path.write_text(path.read_text().replace("0+60x1440", "0x1440"))
    prometheus.run_rule_tests(path)


def test_recorded_figures_are_exact(tmp_path: Path) -> None:
    # 15 of 60 calls fail: 1/4 exactly, and with a target of 1/2 the burn rate is exactly 1/2.
    half = replace(SLO, target_ratio=0.5, window="1d")
    figures = {
        "slo:sli_error:ratio_rate5m": 0.25,
        "slo:sli_error:ratio_rate6h": 0.25,
        "slo:sli_error:ratio_rate1d": 0.25,
        "slo:objective:ratio": 0.5,
        "slo:error_budget:ratio": 0.5,
        "slo:time_period:days": 1.0,
        "slo:current_burn_rate:ratio": 0.5,
        "slo:period_burn_rate:ratio": 0.5,
        "slo:period_error_budget_remaining:ratio": 0.5,
        "sloth_slo_info": 1.0,
    }
    expressions = [
        {
            "expr": f"sum({name})",
            "eval_time": "1000m",
            "exp_samples": [{"labels": "{}", "value": value}],
        }
        for name, value in figures.items()
    ]
    path = write_tests(tmp_path, half, "0+15x1440", [{"promql_expr_test": expressions}])
    prometheus.run_rule_tests(path)


# -- a live Prometheus: equal to 1e-9 on the same series ---------------------------------------


@dataclass(frozen=True)
class Live:
    """A Prometheus with thirty days of an uneven traffic, and what went into it."""

    server: RunningPrometheus
    at: float
    valid: list[tuple[float, float]]
    bad: list[tuple[float, float]]
    ratios: list[tuple[float, float]]


def traffic(end: float) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
    """Return two counters, a sample a minute: busy days, quiet nights, and three bad hours."""
    chance = random.Random(3)
    start = end - 31 * DAY_S
    valid, bad = 0, 0
    all_valid, all_bad = [], []
    for minute in range(31 * DAY_S // MINUTE_S + 1):
        at = start + minute * MINUTE_S
        calls = round(20 * (1.2 + math.sin(2 * math.pi * at / DAY_S))) + chance.randrange(3)
        is_bad_hour = at > end - 3 * 3600
        share = 0.2 if is_bad_hour else 0.004
        valid += calls
        bad += sum(chance.random() < share for _ in range(calls))
        all_valid.append((at, float(valid)))
        all_bad.append((at, float(bad)))
    return all_valid, all_bad


def five_minute_ratios(
    valid: list[tuple[float, float]], bad: list[tuple[float, float]]
) -> list[tuple[float, float]]:
    """Return the ratio that a recording rule would have written every five minutes."""
    found = []
    for i in range(4, len(valid), 5):
        calls = valid[i][1] - valid[i - 4][1]
        if calls > 0:
            found.append((valid[i][0], (bad[i][1] - bad[i - 4][1]) / calls))
    return found


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    folder = tmp_path_factory.mktemp("prometheus")
    at = float(int(time.time()) // MINUTE_S * MINUTE_S)
    valid, bad = traffic(at)
    ratios = five_minute_ratios(valid, bad)[:-1]
    name = f'slo:sli_error:ratio_rate5m{{{HERE}, sloth_window="5m"}}'
    backfill(
        folder,
        {f"{VALID_TOTAL}{{{HERE}}}": valid, f"{BAD_TOTAL}{{{HERE}}}": bad, name: ratios},
        {
            VALID_TOTAL.removesuffix("_total"): "counter",
            BAD_TOTAL.removesuffix("_total"): "counter",
            "slo:sli_error:ratio_rate5m": "gauge",
        },
    )
    (folder / "rules.yml").write_text(prometheus_rules_yaml([SLO]))
    config = f"global: {{evaluation_interval: 1s}}\nrule_files: ['{folder / 'rules.yml'}']\n"
    with running_prometheus(folder, config) as server:
        await_rules(server)
        yield Live(server, at, valid, bad, ratios)


def await_rules(server: RunningPrometheus) -> None:
    """Wait until every rule was evaluated without an error, and the last of them had an answer."""
    end = time.monotonic() + 60
    while True:
        rules = [one for group in server.get("rules")["groups"] for one in group["rules"]]
        left = server.series(f"slo:period_error_budget_remaining:ratio{{{HERE}}}", time.time())
        if left and all(one["health"] == "ok" for one in rules):
            time.sleep(3)  # a few evaluations to look back at
            return
        assert time.monotonic() < end, [one for one in rules if one["health"] != "ok"]
        time.sleep(0.2)


def between(series: list[tuple[float, float]], at: float, seconds: float) -> float:
    """Return the increase over a look-back that ends at ``at``, first sample to last."""
    inside = [value for moment, value in series if at - seconds <= moment <= at]
    return inside[-1] - inside[0]


@pytest.mark.parametrize(
    "seconds", [300, 1800, 3600, 7200, 21_600, DAY_S, 3 * DAY_S], ids=lambda s: f"{s}s"
)
def test_every_ratio_is_bad_over_valid(live: Live, seconds: int) -> None:
    name = {300: "5m", 1800: "30m", 3600: "1h", 7200: "2h", 21_600: "6h"}.get(
        seconds, f"{seconds // DAY_S}d"
    )
    found = live.server.value(rule("record", f"slo:sli_error:ratio_rate{name}")["expr"], live.at)
    bad, valid = (between(series, live.at, seconds) for series in (live.bad, live.valid))
    assert found == pytest.approx(bad / valid, rel=TOLERANCE)
    counts = Counts(valid, bad, int(valid), int(bad))
    budget = measure(SLO, live.at, counts, {name: counts})
    assert budget.burn_rates[name] == pytest.approx(found / SLO.budget_ratio, rel=TOLERANCE)


def test_the_period_is_sloths_mean_of_ratios(live: Live) -> None:
    name = "slo:sli_error:ratio_rate30d"
    period = live.server.value(rule("record", name)["expr"], live.at)
    fed = live.server.samples(
        f'slo:sli_error:ratio_rate5m{{{HERE}, sloth_window="5m"}}[30d]', live.at
    )
    assert len(fed) > 8000
    mean = math.fsum(value for _, value in fed) / len(fed)
    assert period == pytest.approx(mean, rel=TOLERANCE)
    # Ours, fed the same ratios.
    bad, valid = (between(series, live.at, 30 * DAY_S) for series in (live.bad, live.valid))
    ratios = math.fsum(value for _, value in fed)
    counted = (valid, bad, valid, bad, 0.0, 0.0, ratios, float(len(fed)))
    (budget,) = measure_all([Counted(SLO, counted)], live.at)
    sloth = 1 - period / (1 - SLO.target_ratio)
    assert budget.interval_remaining_ratio == pytest.approx(sloth, abs=TOLERANCE)
    # Pyrra divides what happened in the whole window, as we do.
    here = f"{{{HERE}}}[30d]"
    failed = f"sum(increase({BAD_TOTAL}{here})) / sum(increase({VALID_TOTAL}{here}))"
    pyrra = live.server.value(
        f"((1 - {SLO.target_ratio}) - {failed}) / (1 - {SLO.target_ratio})", live.at
    )
    assert budget.remaining_ratio == pytest.approx(pyrra, abs=TOLERANCE)
    # Uneven traffic: the two differ, which is why both are shown.
    assert abs(pyrra - sloth) > 0.005


def test_what_the_rules_recorded_hangs_together(live: Live) -> None:
    # The moment of one evaluation of the group, a little ago so that it is all written.
    name = f"slo:period_burn_rate:ratio{{{HERE}}}"
    at = live.server.value(f"timestamp({name})", time.time() - 3)
    read = {
        name: live.server.value(f"{name}{{{HERE}}}", at)
        for name in (
            "slo:sli_error:ratio_rate30d", "slo:error_budget:ratio", "slo:objective:ratio",
            "slo:time_period:days", "slo:period_burn_rate:ratio",
            "slo:period_error_budget_remaining:ratio", "sloth_slo_info",
        )
    }  # fmt: skip
    assert read["slo:objective:ratio"] == 0.99
    assert read["slo:error_budget:ratio"] == pytest.approx(0.01, rel=TOLERANCE)
    assert read["slo:time_period:days"] == 30
    assert read["sloth_slo_info"] == 1
    burn = read["slo:period_burn_rate:ratio"]
    assert burn == pytest.approx(read["slo:sli_error:ratio_rate30d"] / 0.01, rel=TOLERANCE)
    left = read["slo:period_error_budget_remaining:ratio"]
    assert left == pytest.approx(1 - burn, abs=TOLERANCE)


def test_the_page_of_the_bad_hours_fires_as_ours_would(live: Live) -> None:
    firing = [
        one
        for one in live.server.get("alerts")["alerts"]
        if one["state"] == "firing" and one["labels"]["alertname"] == ALERT_NAME
    ]
    expected = {
        alert.severity
        for alert in alerts_in_force(SLO)
        if all(
            between(live.bad, live.at, s) / between(live.valid, live.at, s) / SLO.budget_ratio
            > alert.factor
            for s in (alert.short_s, alert.long_s)
        )
    }
    assert Severity.PAGE in expected
    assert {one["labels"]["severity"] for one in firing} == expected
    assert firing[0]["annotations"]["summary"] == "works: Calls {{that}} work."
