import time
from collections.abc import Sequence

import numpy as np
import pytest
from tests.unit.decide.by_hand import FAITHFULNESS, objective

from seakeeping.decide.alerts.rules import RuleKind
from seakeeping.decide.backtest import Fired, Series, backtest
from seakeeping.decide.stored_history import series_of
from seakeeping.records import Alerting, BurnAlert, Objective, Severity
from seakeeping.store.cells import cells_of

MINUTE = 60
START = 1_790_000_040


def minutes(*stretches: tuple[int, int, int]) -> Series:
    """Return stretches of (minutes, events a minute, bad ones of them)."""
    rows = [[valid, bad, valid, bad] for n, valid, bad in stretches for _ in range(n)]
    return Series(START, MINUTE, np.array(rows, float).reshape(-1, 4))


def pages(fired: Sequence[Fired]) -> list[tuple[float, float | None]]:
    """Return when pages began and ended, in minutes from the start."""
    return [
        ((f.starts_at - START) / MINUTE, f.ends_at and (f.ends_at - START) / MINUTE)
        for f in fired
        if f.rule.severity is Severity.PAGE
    ]


def test_an_outage_pages_within_minutes_and_ends_with_the_short_look_back() -> None:
    fired = backtest(objective(), minutes((600, 100, 0), (20, 100, 100), (400, 100, 0)))
    ((began, ended),) = pages(fired)
    assert began == 601
    assert ended is not None
    assert 625 <= ended <= 650


def test_a_quiet_history_fires_nothing() -> None:
    assert backtest(objective(), minutes((3000, 100, 0))) == []


def test_what_still_fires_has_no_end() -> None:
    assert pages(backtest(objective(), minutes((600, 100, 0), (60, 100, 50)))) == [(602, None)]


def test_traffic_that_stops_ends_nothing() -> None:
    outage = minutes((600, 100, 0), (10, 100, 100), (2000, 0, 0))
    assert pages(backtest(objective(), outage)) == [(601, None)]


def test_an_alert_waits_for_as_long_as_it_is_told() -> None:
    burn = BurnAlert(Severity.PAGE, 3600, 300, 14.4, for_s=300)
    patient = objective(alerting=Alerting(burn=(burn,)))
    assert pages(backtest(patient, minutes((100, 100, 0), (60, 100, 50)))) == [(107, None)]
    assert pages(backtest(patient, minutes((100, 100, 0), (1, 100, 3), (60, 100, 0)))) == []


def test_an_estimate_without_a_null_fires_nothing() -> None:
    quality = objective(0.9, indicator=FAITHFULNESS)
    flood = minutes((100, 100, 5), (100, 100, 90))
    assert backtest(quality, flood) == []
    known = backtest(quality, flood, null_ratio=0.1)
    assert {f.rule.kind for f in known} == {RuleKind.BURN, RuleKind.EVIDENCE}


def test_evidence_comes_before_any_burn_alert_where_quality_drops() -> None:
    quality = objective(0.9, indicator=FAITHFULNESS)
    (first, *_) = backtest(quality, minutes((600, 10, 1), (200, 10, 4)), null_ratio=0.1)
    assert first.rule.kind is RuleKind.EVIDENCE
    assert first.starts_at - START < (600 + 30) * MINUTE


def test_an_absence_is_noticed() -> None:
    absent = objective(alerting=Alerting(absent_after_s=600))
    fired = backtest(absent, minutes((10, 5, 0), (30, 0, 0), (10, 5, 0)))
    assert pages(fired) == [(21, 41)]


def test_a_series_is_made_of_cells_and_empty_where_there_is_none() -> None:
    cells = cells_of(
        ["a", "chat"], [0, 0, 1, 0], [1, 1, 1, 0], [120, 240, 120, 180],
        [[1, 0, 1, 0, 0, 0], [4, 2, 2, 1, 0, 0], [9, 9, 9, 9, 0, 0], [7, 7, 7, 7, 0, 0]],
    )  # fmt: skip
    series = series_of(cells, 0, "chat", 120, 300, 60)
    assert series.counts.tolist() == [[1, 0, 1, 0], [0, 0, 0, 0], [4, 2, 2, 1]]
    assert series.ends.tolist() == [180, 240, 300]
    assert not series_of(cells, 0, "nobody", 120, 300, 60).counts.any()


def test_a_month_by_the_minute_takes_a_moment() -> None:
    generator = np.random.default_rng(1)
    bad = generator.binomial(600, 0.002, 43_200)
    counts = np.column_stack([np.full(43_200, 600), bad, np.full(43_200, 600), bad]).astype(float)
    begun = time.process_time()
    backtest(objective(), Series(START, MINUTE, counts))
    assert time.process_time() - begun < 2.0


@pytest.mark.parametrize("length", [0, 1])
def test_a_history_of_nothing_fires_nothing(length: int) -> None:
    of: Objective = objective(alerting=Alerting(absent_after_s=60))
    assert backtest(of, minutes((length, 0, 0))) == []
