"""Budgets on /metrics: what the official parsers read back, and what must not be told."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from seakeeping.observe.budget import Counted, Estimated, columns_of, measure_all
from seakeeping.observe.exposition import COUNTERS, GAUGES, OTHERS, ReadingsCollector
from seakeeping.records import (
    Budget,
    BudgetState,
    Counts,
    EstimateMethod,
    Evidence,
    Indicator,
    Objective,
    Reading,
)
from seakeeping.web.health import encoder

NOW = 1_790_000_100.0
OPENMETRICS = "application/openmetrics-text; version=1.0.0"
PLAIN_TEXT = "text/plain; version=0.0.4"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
OBJECTIVE = Objective(
    "shop/availability", "shop", Indicator("availability", "calls", "good calls"), 0.995
)
LABELS = {
    "sloth_id": "shop-availability", "sloth_service": "shop", "sloth_slo": "availability",
}  # fmt: skip


def budget_of(objective: Objective = OBJECTIVE, **more: object) -> Budget:
    """Return the budget of 10 bad of 1,000 over the window, in two unlike intervals."""
    period = list(columns_of(Counts(1000, 10, 1000, 10)))
    period[6:] = [0.5 + 0.0, 2.0]  # one of two intervals half bad
    looks = np.array([[columns_of(Counts()), columns_of(Counts(100, 2, 100, 2))]])
    counted = Counted(objective, period, last_event_at=NOW - 7)
    (budget,) = measure_all([counted], NOW, (300, 3600), looks)
    return replace(budget, **more)  # type: ignore[arg-type]


def told(readings: Sequence[Reading], accept: str = OPENMETRICS) -> dict[str, Metric]:
    """Return the families that a scraper reads, by name."""
    registry = CollectorRegistry()
    registry.register(ReadingsCollector(lambda: readings))
    encode, media_type = encoder(accept)
    assert media_type.startswith(accept.split(";")[0])
    parse = parse_openmetrics if accept == OPENMETRICS else parse_text
    found = parse(encode(registry).decode())
    return {family.name: family for family in found}


def value(families: dict[str, Metric], name: str, **more: str) -> float:
    (sample,) = [s for s in families[name].samples if s.labels == {**LABELS, **more}]
    return float(sample.value)


def test_sloths_boards_find_their_names() -> None:
    families = told([Reading(budget_of(), {}, valid_seen=5000.0, bad_seen=41.5)])
    assert value(families, "slo:objective:ratio") == 0.995
    assert value(families, "slo:error_budget:ratio") == pytest.approx(0.005)
    assert value(families, "slo:time_period:days") == 30
    assert value(families, "slo:sli_error:ratio_rate1h", sloth_window="1h") == pytest.approx(0.02)
    (info,) = families["sloth_slo"].samples
    assert info.name == "sloth_slo_info"
    assert info.labels["sloth_objective"] == "99.5"


def test_the_period_is_an_average_of_intervals_and_ours_counts_events() -> None:
    families = told([Reading(budget_of(), {})])
    mean = 0.25  # of 0 and 0.5
    rate = value(families, "slo:sli_error:ratio_rate30d", sloth_window="30d")
    assert rate == pytest.approx(mean)
    assert value(families, "slo:period_burn_rate:ratio") == pytest.approx(mean / 0.005)
    left = value(families, "slo:period_error_budget_remaining:ratio")
    assert left == pytest.approx(1 - mean / 0.005)
    ours = value(families, "seakeeping_slo_budget_remaining_ratio")
    assert ours == pytest.approx(1 - 10 / 1000 / 0.005)


def test_what_is_not_known_is_absent() -> None:
    families = told([Reading(budget_of(), {})])
    assert "slo:sli_error:ratio_rate5m" not in families
    assert not families["slo:current_burn_rate:ratio"].samples
    assert not families["seakeeping_slo_labels_needed"].samples
    assert not families["seakeeping_slo_evidence_ratio"].samples


def test_a_detectors_uncorrected_rate_is_not_told() -> None:
    raw = Estimated(
        None, None, None, 0.8, EstimateMethod.UNCORRECTED, BudgetState.UNCERTAIN, labels=3,
        labels_needed=47,
    )  # fmt: skip
    counted = Counted(OBJECTIVE, [1000, 200, 1000, 200, 0, 0, 0.4, 2], estimated=raw)
    look = np.array([[columns_of(Counts(10, 9, 10, 9))]])
    (budget,) = measure_all([counted], NOW, (300,), look)
    families = told([Reading(budget, {}, Evidence(5e5, 1e6, 0.3, 1000))])
    assert not [name for name in families if name.startswith("slo:sli_error")]
    for name in ("slo:period_error_budget_remaining:ratio", "seakeeping_slo_good_ratio"):
        assert not families[name].samples
    assert value(families, "seakeeping_slo_labels") == 3
    assert value(families, "seakeeping_slo_labels_needed") == 47
    assert value(families, "seakeeping_slo_evidence_ratio") == 0.5


def test_counters_lead_to_a_trace() -> None:
    families = told([Reading(budget_of(), {}, None, 5000.0, 41.5, TRACE)])
    (bad,) = families["seakeeping_slo_bad_events"].samples
    assert (bad.name, bad.value) == ("seakeeping_slo_bad_events_total", 41.5)
    assert bad.exemplar is not None
    assert bad.exemplar.labels == {"trace_id": TRACE}
    (valid,) = families["seakeeping_slo_valid_events"].samples
    assert valid.value == 5000.0


def test_what_a_detector_flagged_is_not_called_bad() -> None:
    estimated = replace(OBJECTIVE, indicator=replace(OBJECTIVE.indicator, is_estimate=True))
    families = told([Reading(budget_of(estimated), {}, None, 5000.0, 41.5, TRACE)])
    assert not families["seakeeping_slo_bad_events"].samples
    (flagged,) = families["seakeeping_slo_flagged_events"].samples
    assert flagged.value == 41.5
    assert flagged.exemplar is not None


def test_one_state_holds() -> None:
    families = told([Reading(budget_of(), {})])
    states = {s.labels["seakeeping_slo_state"]: s.value for s in families[STATE].samples}
    assert states == {"OK": 0, "BREACH": 0, "UNCERTAIN": 1, "NO_DATA": 0}


STATE = "seakeeping_slo_state"


def test_prometheus_text_says_the_same() -> None:
    families = told([Reading(budget_of(), {}, None, 5000.0, 41.5, TRACE)], PLAIN_TEXT)
    assert value(families, "slo:objective:ratio") == 0.995
    assert value(families, "seakeeping_slo_bad_events") == 41.5
    assert families["sloth_slo_info"].samples


@pytest.mark.parametrize("name", ['a"b', "a\\b", "a\nb", "überlast {x=1}", "shop/[region=eu]"])
def test_any_name_is_read_back_as_it_is(name: str) -> None:
    objective = replace(OBJECTIVE, name=name, service='s"h\\op')
    families = told([Reading(budget_of(objective), {})])
    (sample,) = families["slo:objective:ratio"].samples
    assert sample.labels["sloth_slo"] == name
    assert sample.labels["sloth_service"] == 's"h\\op'


def test_of_two_that_are_called_alike_one_is_told() -> None:
    twin = replace(OBJECTIVE, name="availability")
    families = told([Reading(budget_of(), {}), Reading(budget_of(twin), {})])
    assert len(families["slo:objective:ratio"].samples) == 1


def test_no_readings_are_no_families() -> None:
    assert told([]) == {}


def test_every_number_is_finite() -> None:
    families = told([Reading(budget_of(), {}, Evidence(1e308, 2e6, 0.2, 9, NOW))])
    for family in families.values():
        assert all(math.isfinite(sample.value) for sample in family.samples)


def test_every_family_is_in_the_tables() -> None:
    reading = Reading(budget_of(), {}, Evidence(1.0, 2e6, 0.2, 9, NOW))
    named = {*GAUGES, *(name.removesuffix("_total") for name in COUNTERS)}
    named |= {name.removesuffix("_info") for name in OTHERS}
    families = told([reading])
    assert {name for name in families if not name.startswith("slo:sli_error")} <= named
