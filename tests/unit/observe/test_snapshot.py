"""Readings survive the way through the ledger, whatever is in them."""

from dataclasses import replace

import orjson
import pytest
import zstandard

from seakeeping.errors import BadInput
from seakeeping.observe.snapshot import Decoder, Encoder, decode, encode
from seakeeping.records import (
    Alerting,
    Budget,
    Budgeting,
    BudgetState,
    BurnAlert,
    Calendar,
    Counts,
    EstimateMethod,
    Evidence,
    Indicator,
    IndicatorSignal,
    Match,
    MetricSelector,
    Objective,
    Reading,
    Severity,
)

NOW = 1_790_000_100.25

OBJECTIVE = Objective(
    name="shop/quality[region=eu]",
    service="shop",
    indicator=Indicator(
        "quality", "answers", "good ones", signal=IndicatorSignal.EVALUATION, threshold=0.5,
        subject="faithfulness", bad_labels=("unsupported", "wrong"), is_estimate=True,
        where=(Match("region", ("eu", "us"), is_in=False),),
        bad=MetricSelector("bad", (Match("code", ("5..",)),)), total=MetricSelector("all"),
    ),
    target_ratio=0.9,
    window="1M",
    calendar=Calendar("2026-01-01 00:00:00", "Europe/Berlin"),
    budgeting=Budgeting.TIMESLICES,
    slice_target_ratio=0.8,
    slice_window_s=300,
    labels={"team": "search"},
    alerting=Alerting(
        burn=(BurnAlert(Severity.TICKET, 3600, 300, 5.0, 60.0),), severities=(Severity.PAGE,),
    ),
    source="quality.yaml",
)  # fmt: skip
BUDGET = Budget(
    objective=OBJECTIVE, at=NOW, valid_total=1000.5, bad_total=100.0, estimate=0.9, low=0.85,
    high=0.95, remaining_ratio=-0.1, state=BudgetState.UNCERTAIN,
    burn_rates={"5m": None, "1h": 2.5, "1M": 1.0}, window_start=NOW - 100, valid_rows=900,
    bad_rows=90, time_to_exhaustion_s=0.0, interval_remaining_ratio=0.2,
    method=EstimateMethod.COLD_START, raw_ratio=0.8, labels=12, labels_needed=300,
    last_event_at=NOW - 1, note="Cold start.",
)  # fmt: skip
READING = Reading(
    budget=BUDGET,
    looks={300: Counts(), 3600: Counts(10.5, 1.5, 9, 1, 2.25, 1.125)},
    evidence=Evidence(12.5, 1e6, 0.2, 4000, NOW - 60),
    valid_seen=5000.0,
    bad_seen=20.5,
    bad_trace_id="ab" * 16,
)


def test_readings_come_back_equal_and_with_their_types() -> None:
    other = replace(
        READING,
        budget=replace(
            BUDGET,
            objective=replace(OBJECTIVE, name="plain", calendar=None, alerting=Alerting()),
            estimate=None, state=BudgetState.NO_DATA, method=EstimateMethod.COUNTED,
        ),
        evidence=None,
    )  # fmt: skip
    found = decode(encode([READING, other], NOW))
    assert found.at == NOW
    assert list(found.readings) == [READING, other]
    objective = found.readings[0].budget.objective
    assert objective.indicator.key == OBJECTIVE.indicator.key
    assert isinstance(found.readings[0].budget.state, BudgetState)
    assert isinstance(objective.alerting.severities[0], Severity)


def test_no_readings_are_no_readings() -> None:
    assert list(decode(encode([], NOW)).readings) == []


def test_an_objective_that_did_not_change_stays_the_same_object() -> None:
    encoder, decoder = Encoder(), Decoder()
    first = decoder.decode(encoder.encode([READING], NOW)).readings[0]
    again = decoder.decode(encoder.encode([READING], NOW + 1)).readings[0]
    assert again.budget.objective is first.budget.objective
    changed = replace(BUDGET, objective=replace(OBJECTIVE, target_ratio=0.95))
    third = decoder.decode(encoder.encode([replace(READING, budget=changed)], NOW + 2)).readings[0]
    assert third.budget.objective.target_ratio == 0.95


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no zstd",
        zstandard.compress(b"{"),
        zstandard.compress(b"[]"),
        zstandard.compress(orjson.dumps({"format": 2, "at": 0, "readings": []})),
        zstandard.compress(orjson.dumps({"format": 1, "at": 0, "readings": [{}]})),
    ],
)
def test_anything_else_is_refused(body: bytes) -> None:
    with pytest.raises(BadInput, match="no readings"):
        decode(body)
