"""Burn alerts: the tables of the field, and no alert that cannot fire."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seakeeping.errors import BadInput
from seakeeping.records import Alerting, BurnAlert, Indicator, Objective, Severity
from seakeeping.records.burn import CALMEST, LONG_PER_SHORT
from seakeeping.stats.burn import (
    alert_doubts,
    alerts_in_force,
    clip_note,
    effective,
    is_reachable,
    look_backs,
    max_burn_rate,
    pyrra_alerts,
    reachable_factor,
    standard_alerts,
)

DAY = 86_400
PAGE, TICKET = Severity.PAGE, Severity.TICKET
INDICATOR = Indicator(name="availability", valid="calls", good="calls without an error")


def objective(
    target: float, window: str = "30d", burn: tuple[BurnAlert, ...] | None = None
) -> Objective:
    return Objective("x", "shop", INDICATOR, target, window=window, alerting=Alerting(burn=burn))


def test_thirty_days_have_the_workbooks_table() -> None:
    assert [(a.severity, a.long_s, a.short_s, a.for_s) for a in standard_alerts(30 * DAY)] == [
        (PAGE, 3600, 300, 0),
        (PAGE, 21_600, 1800, 0),
        (TICKET, DAY, 7200, 0),
        (TICKET, 3 * DAY, 21_600, 0),
    ]
    factors = [alert.factor for alert in standard_alerts(30 * DAY)]
    assert factors == pytest.approx([14.4, 6, 3, 1], abs=1e-12)


def test_other_windows_keep_the_share_of_the_budget() -> None:
    assert [a.factor for a in standard_alerts(28 * DAY)] == pytest.approx(
        [13.44, 5.6, 2.8, 14 / 15]
    )
    assert [a.factor for a in standard_alerts(90 * DAY)] == pytest.approx([43.2, 18, 9, 3])


def test_a_week_has_no_alert_below_the_pace_that_the_budget_allows() -> None:
    rows = [(a.severity, a.long_s, a.factor) for a in standard_alerts(7 * DAY)]
    assert rows == [
        (PAGE, 3600, pytest.approx(3.36)),
        (PAGE, 21_600, pytest.approx(1.4)),
        (TICKET, 3 * DAY, 1.0),
    ]


def test_a_look_back_longer_than_the_window_is_left_out() -> None:
    assert [(a.severity, a.long_s) for a in standard_alerts(DAY)] == [(PAGE, 21_600), (TICKET, DAY)]
    assert [a.long_s for a in standard_alerts(3600)] == [3600]
    assert standard_alerts(300) == ()
    ((_, finding),) = alert_doubts(objective(0.99, window="5m"))
    assert "no burn alert fits into a window of 5m" in finding


@given(window=st.integers(3600, 400 * DAY))
def test_every_window_is_ordered_from_quick_to_slow(window: int) -> None:
    rows = standard_alerts(window)
    assert rows
    assert all(row.factor >= CALMEST[row.severity] and row.long_s <= window for row in rows)
    assert all(row.long_s == LONG_PER_SHORT * row.short_s for row in rows)
    assert [row.factor for row in rows] == sorted((row.factor for row in rows), reverse=True)


def test_pyrra_keeps_the_factors_and_scales_the_look_backs() -> None:
    four_weeks = [(a.long_s, a.short_s, a.factor, a.for_s) for a in pyrra_alerts(28 * DAY)]
    assert four_weeks == [
        (3600, 300, 14, 120),
        (21_600, 1800, 7, 900),
        (DAY, 7200, 2, 3600),
        (4 * DAY, 21_600, 1, 10_800),
    ]
    minutes = [(a.long_s / 60, a.short_s / 60, a.for_s / 60) for a in pyrra_alerts(30 * DAY)]
    assert minutes == [(64, 5, 2), (386, 32, 16), (1543, 129, 64), (6171, 386, 193)]
    assert min(a.short_s for a in pyrra_alerts(3600)) == 60  # never a look-back of nothing


@pytest.mark.parametrize(
    ("target", "factor", "is_possible"),
    [
        (0.9306, 14.4, True), (0.9305, 14.4, False),
        (0.834, 6, True), (0.833, 6, False),
        (0.667, 3, True), (0.666, 3, False),
        (0.9, 10, False), (0.01, 1, True),
    ],
)  # fmt: skip
def test_a_factor_is_reachable_below_one_over_the_budget(
    target: float, factor: float, is_possible: bool
) -> None:
    assert is_reachable(BurnAlert(PAGE, 3600, 300, factor), target) is is_possible


def test_the_highest_burn_rate() -> None:
    assert max_burn_rate(0.9) == pytest.approx(10)
    for impossible in (0.0, 1.0, -0.1, float("nan")):
        with pytest.raises(BadInput):
            max_burn_rate(impossible)


def test_half_of_the_maximum_takes_the_place_of_what_cannot_be() -> None:
    page = BurnAlert(PAGE, 3600, 300, 14.4)
    assert effective(page, 0.9).factor == pytest.approx(5)
    assert effective(page, 0.999) is page
    assert clip_note(page, 0.999) == ""
    assert clip_note(page, 0.9) == (
        "this page can never fire at a burn rate of 14.4: the highest possible burn rate is 10; "
        "it fires at 5 instead, when 50% of the events are bad"
    )


@given(target=st.floats(0.001, 0.99999))
def test_what_is_lowered_can_fire_and_never_fires_within_the_budget(target: float) -> None:
    factor = reachable_factor(target)
    assert 1.0 < factor < max_burn_rate(target)
    assert is_reachable(effective(BurnAlert(PAGE, 3600, 300, 1e9), target), target)
    assert factor <= max(0.5 * max_burn_rate(target), 2.0) + 1e-9


@given(target=st.floats(0.001, 0.99999), days=st.integers(1, 400))
def test_every_standard_alert_in_force_can_fire(target: float, days: int) -> None:
    rows = alerts_in_force(objective(target, f"{days}d"))
    assert rows
    assert all(is_reachable(row, target) and row.factor >= CALMEST[row.severity] for row in rows)
    assert [row.factor for row in rows] == sorted((row.factor for row in rows), reverse=True)


def test_a_quality_objective_keeps_the_order_of_its_table() -> None:
    assert [a.factor for a in alerts_in_force(objective(0.9))] == pytest.approx([5, 5, 3, 1])
    assert [a.factor for a in alerts_in_force(objective(0.95))] == pytest.approx([14.4, 6, 3, 1])


def test_a_written_factor_that_can_happen_stays() -> None:
    written = (BurnAlert(PAGE, 3600, 300, 14.0), BurnAlert(PAGE, 21_600, 1800, 9.5))
    held = objective(0.9, burn=written)
    assert [a.factor for a in alerts_in_force(held)] == pytest.approx([5, 9.5])
    ((_, finding),) = alert_doubts(held)
    assert finding.startswith("this page can never fire at a burn rate of 14: the highest")


def test_only_raised_severities_are_judged() -> None:
    held = objective(0.9)
    assert len(alert_doubts(held)) == 1
    tickets = replace(held, alerting=Alerting(severities=(TICKET,)))
    assert alert_doubts(tickets) == ()
    assert [a.severity for a in alerts_in_force(tickets)] == [TICKET, TICKET]
    assert alerts_in_force(objective(0.9, burn=())) == ()
    assert alert_doubts(objective(0.9, burn=())) == ()


def test_alerts_for_nothing_are_doubted() -> None:
    calm, long = BurnAlert(TICKET, 3600, 300, 0.5), BurnAlert(TICKET, 8 * DAY, 300, 2)
    (_, first), (_, second) = alert_doubts(objective(0.99, "7d", (calm, long)))
    assert first == "this ticket fires at a burn rate of 0.5, while the budget is kept"
    assert second == "this ticket looks back longer than the window of 7d"


def test_look_backs_are_those_of_all_alerts() -> None:
    assert look_backs([]) == ()
    assert look_backs([objective(0.999)]) == (300, 1800, 3600, 7200, 21_600, DAY, 3 * DAY)
    pyrra = objective(0.999, burn=pyrra_alerts(30 * DAY)[:1])
    assert look_backs([pyrra, pyrra]) == (300, 3840)
