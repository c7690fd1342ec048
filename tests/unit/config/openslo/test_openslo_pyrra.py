"""Pyrra's objectives: four indicators, its table of alerts, and refusals with a place."""

from pathlib import Path

import pytest
from tests.unit.config.openslo.reading import complaint, objective

from seakeeping.records import IndicatorSignal, Match, MetricSelector
from seakeeping.records.burn import pyrra_alerts

RATIO = """ratio: {errors: {metric: 'http_total{job="web",code=~"5.."}'}, total: {metric:
  'http_total{job="web"}'}}"""
LATENCY = """latency: {success: {metric: 'd_bucket{job="web",le="0.5"}'}, total: {metric:
  'd_count{job="web"}'}}"""
NATIVE = """latencyNative: {latency: 500ms, total: {metric: 'd{job="web"}'}}"""
GAUGE = """bool_gauge: {metric: 'probe_success{job="web"}'}"""


def pyrra(indicator: str = RATIO, *, more: str = "", metadata: str = "", window: str = "4w") -> str:
    return (
        "apiVersion: pyrra.dev/v1alpha1\nkind: ServiceLevelObjective\n"
        f"metadata: {{name: web-works, namespace: monitoring, {metadata}}}\n"
        f"spec:\n  target: '99.5'\n  window: {window}\n  indicator: {{{indicator}}}\n{more}"
    )


def test_a_ratio(tmp_path: Path) -> None:
    made = objective(tmp_path, pyrra(more="  description: Works.\n"))
    assert (made.name, made.service, made.target_ratio) == ("web-works", "web", 0.995)
    assert (made.window, made.description) == ("4w", "Works.")
    code = Match("code", ("5..",), is_pattern=True)
    assert made.indicator.bad == MetricSelector("http_total", (code,))
    assert made.indicator.total == MetricSelector("http_total")


def test_a_latency(tmp_path: Path) -> None:
    made = objective(tmp_path, pyrra(LATENCY)).indicator
    assert (made.signal, made.subject, made.threshold) == (IndicatorSignal.METRIC, "d", 0.5)


def test_a_latency_of_a_native_histogram(tmp_path: Path) -> None:
    made = objective(tmp_path, pyrra(NATIVE)).indicator
    assert (made.subject, made.op, made.threshold, made.where) == ("d", "lte", 0.5, ())


def test_a_gauge_that_is_one(tmp_path: Path) -> None:
    made = objective(tmp_path, pyrra(GAUGE)).indicator
    assert (made.subject, made.op, made.threshold) == ("probe_success", "gte", 1.0)


def test_its_alerts_come_along(tmp_path: Path) -> None:
    made = objective(tmp_path, pyrra()).alerting
    assert made.burn == pyrra_alerts(28 * 86_400)
    # Pyrra waits until its quickest alert would fire: 14 (1 - target) 1 h and the wait of 2 min.
    assert made.absent_after_s == round(14 * 0.005 * 3600 + 120)


@pytest.mark.parametrize(
    ("alerting", "has_burn", "has_absent"),
    [
        ("{disabled: true}", False, False),
        ("{burnrates: false}", False, True),
        ("{absent: false}", True, False),
        ("{name: Burns, absentName: Gone}", True, True),
    ],
)
def test_what_is_off_stays_off(
    tmp_path: Path, alerting: str, has_burn: bool, has_absent: bool
) -> None:
    made = objective(tmp_path, pyrra(more=f"  alerting: {alerting}\n")).alerting
    assert bool(made.burn) is has_burn
    assert (made.absent_after_s is not None) is has_absent
    assert made.alert_name == ("Burns" if "name" in alerting else None)


@pytest.mark.parametrize(
    ("written", "window"),
    [("4w", "4w"), ("30d", "30d"), ("12h", "12h"), ("1d12h", "36h"), ("90m", "90m"), ("1y", "365d"),
     ("1h30m", "90m")],
)  # fmt: skip
def test_windows(tmp_path: Path, written: str, window: str) -> None:
    assert objective(tmp_path, pyrra(window=written)).window == window


def test_the_service_may_be_annotated(tmp_path: Path) -> None:
    text = pyrra(
        NATIVE.replace('{job="web"}', ""),
        metadata="labels: {pyrra.dev/team: core, x: y}, annotations: "
        "{seakeeping.dev/service-name: shop}",
    )
    made = objective(tmp_path, text)
    assert (made.service, made.owner, made.labels) == ("shop", "core", {"team": "core"})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (pyrra(NATIVE.replace('{job="web"}', "")), "nothing says which service this is about"),
        (pyrra(RATIO[:-1] + ", grouping: [handler]}"), "grouping cannot be imported"),
        (pyrra(RATIO + ", " + GAUGE), "has 2 indicators"),
        (pyrra(""), "has 0 indicators"),
        (pyrra(RATIO.replace("ratio:", "ration:")), "did you mean ratio?"),
        (pyrra(LATENCY.replace("d_count", "e_count")), "is no bucket of the total"),
        (pyrra(LATENCY.replace(',le="0.5"', "")), "is no bucket of the total"),
        (pyrra(NATIVE.replace("500ms", "fast")), "'fast' is no duration"),
        (pyrra("bool_gauge: {metric: 'a - b'}"), "is a difference"),
        (pyrra(GAUGE.replace("probe_success", "avg(x) or ")), "uses avg, which is not read"),
        (pyrra(window="4 weeks"), "'4 weeks' is no duration"),
        (pyrra(window="90s"), "is no whole number of minutes"),
        (pyrra().replace("99.5", "100"), "a target of 100 % leaves no budget"),
        (pyrra().replace("ServiceLevelObjective", "SLO"), "'SLO' is none of ServiceLevelObjective"),
        (pyrra().replace("v1alpha1", "v1"), "did you mean pyrra.dev/v1alpha1?"),
    ],
)
def test_refusals(tmp_path: Path, text: str, told: str) -> None:
    text = complaint(tmp_path, text)
    assert told in text
    assert text.startswith("0.yaml:")
