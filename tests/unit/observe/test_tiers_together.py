"""Tiers together: what is put once is found in every window, and hours are made of minutes."""

from dataclasses import replace

import numpy as np
import pytest

from seakeeping.observe.counting import as_intervals
from seakeeping.observe.history import (
    AHEAD_S,
    FINE,
    MIDDLE,
    History,
    Reach,
    look_reach,
    reach_of,
)
from seakeeping.observe.readout import Readout, reaches_of
from seakeeping.observe.tiers import COLUMNS, INTERVALS, RATIOS, VALID, Floats
from seakeeping.observe.windows import COARSE_S, QUARTER_S
from seakeeping.records import Alerting, BurnAlert, Calendar, Indicator, Objective, Severity

NOON = 1_790_000_100.0
DAY = 86_400
ROWS = np.array([0, 1])
MONTH = reach_of(30 * DAY, COARSE_S)


def history() -> History:
    made = History(NOON)
    for row in ROWS.tolist():
        made.admit(row, [MONTH])
    return made


def five_minutes(slots: int, valid: float = 10.0, bad: float = 1.0) -> Floats:
    block = np.zeros((slots, len(ROWS), COLUMNS))
    block[..., 0] = block[..., 2] = valid
    block[..., 1] = block[..., 3] = bad
    return as_intervals(block)


def test_five_minutes_are_found_in_their_hour() -> None:
    found = history()
    start = int(NOON // 300 * 300)
    found.put(start, ROWS, five_minutes(1))
    sums = found.since(ROWS, MONTH, NOON - 30 * DAY, NOON)
    assert sums[:, VALID].tolist() == [10, 10]
    found.put(start - 300, ROWS, five_minutes(1, 4.0))
    found.put(start, ROWS, five_minutes(1, 2.0))
    sums = found.since(ROWS, MONTH, NOON - 30 * DAY, NOON)
    assert sums[:, VALID].tolist() == [6, 6]
    assert sums[:, INTERVALS].tolist() == [2, 2]
    assert sums[:, RATIOS] == pytest.approx([0.25 + 0.5] * 2)


def test_whole_hours_of_the_distant_past_are_put_at_once() -> None:
    found = history()
    start = int((NOON - 20 * DAY) // COARSE_S * COARSE_S)
    assert start < found.middle_from
    found.put(start, ROWS, five_minutes(24))
    assert found.since(ROWS, MONTH, NOON - 30 * DAY, NOON)[0, VALID] == 240
    assert found.since(ROWS, MONTH, start + COARSE_S, NOON, "later")[0, VALID] == 120
    assert not found.five_minutes(start, ROWS).any()


def test_a_block_across_the_border_of_the_middle_tier_is_put_on_both_sides() -> None:
    found = history()
    start = found.middle_from - 2 * COARSE_S
    found.put(start, ROWS, five_minutes(48))
    assert found.since(ROWS, MONTH, NOON - 30 * DAY, NOON)[0, VALID] == 480
    assert found.five_minutes(found.middle_from, ROWS)[0, VALID] == 10


def test_windows_over_quarters_of_an_hour_begin_where_zones_need_it() -> None:
    found = History(NOON)
    quarter = reach_of(30 * DAY, QUARTER_S)
    found.admit(0, [quarter])
    start = int(NOON // QUARTER_S * QUARTER_S) - QUARTER_S
    found.put(start, ROWS[:1], five_minutes(6)[:, :1])
    assert found.since(ROWS[:1], quarter, start, NOON, "both")[0, VALID] == 60
    assert found.since(ROWS[:1], quarter, start + QUARTER_S, NOON, "one")[0, VALID] == 30


def test_the_last_event_is_known_and_looked_for_when_it_is_gone() -> None:
    found = history()
    start = int(NOON // 300 * 300)
    assert found.last_event_at(0) is None
    fine = np.zeros((30, 2, COLUMNS))
    fine[7, :, VALID] = 1.0
    found.put_fine(start, ROWS, fine)
    found.put(start, ROWS, five_minutes(1, 1.0, 0.0))
    found.put(start - 3000, ROWS, five_minutes(1, 1.0, 0.0))
    assert found.last_event_at(0) == start + 70
    found.put_fine(start, ROWS[:1], np.zeros((30, 1, COLUMNS)))
    found.put(start, ROWS[:1], np.zeros((1, 1, COLUMNS)))
    assert found.last_event_at(0) == start - 3000
    assert found.last_event_at(1) == start + 70


def test_a_clock_may_go_back_a_little_but_not_beyond_what_is_kept() -> None:
    found = history()
    assert found.move(NOON + 5)
    assert found.move(NOON - 60)
    assert not found.move(NOON - 1200)


def test_time_to_come_is_held_in_whole_five_minutes() -> None:
    found = history()
    assert found.until % 300 == 0
    assert NOON + AHEAD_S < found.until <= NOON + AHEAD_S + 300
    fine = np.zeros((30, 2, COLUMNS))
    fine[29, :, VALID] = 1.0
    found.put_fine(found.until - 300, ROWS, fine)  # the last fine slot there is
    found.move(NOON + AHEAD_S + 310)
    assert found.looks(ROWS, [300], found.now)[0, 0, VALID] == 1


def test_windows_that_nobody_asks_for_are_forgotten() -> None:
    found = history()
    found.looks(ROWS, [300, 3600], NOON)
    found.settle({FINE: [300]})
    assert list(found._tiers[FINE].looks) == [300]


@pytest.mark.parametrize(
    ("window_s", "step_s", "expected"),
    [
        (3600, 10, FINE),
        (2 * DAY, 300, MIDDLE),
        (30 * DAY, COARSE_S, Reach(COARSE_S, 33 * DAY)),
        (90 * DAY, COARSE_S, Reach(COARSE_S, 96 * DAY)),
        (365 * DAY, COARSE_S, Reach(COARSE_S, 384 * DAY)),
        (1000 * DAY, COARSE_S, Reach(COARSE_S, 1000 * DAY + 1000 * DAY // 30 + DAY)),
    ],
)
def test_windows_share_tiers_that_reach_far_enough(
    window_s: int, step_s: int, expected: Reach
) -> None:
    assert reach_of(window_s, step_s) == expected
    assert expected.reach_s >= window_s


def test_look_backs_are_summed_in_the_finest_tier_that_reaches() -> None:
    assert [look_reach(s) for s in (300, 7200, 7201, 259_200)] == [FINE, FINE, MIDDLE, MIDDLE]
    assert look_reach(345_600).step_s == COARSE_S


# -- readouts -------------------------------------------------------------------------------------

OBJECTIVE = Objective("x", "shop", Indicator("availability", "calls", "good"), 0.99)


def test_objectives_with_one_window_are_summed_once() -> None:
    month = replace(OBJECTIVE, window="1M", calendar=Calendar("2026-01-01 00:00:00"))
    readout = Readout([OBJECTIVE, OBJECTIVE, month], np.array([0, 1, 0]))
    assert len(readout.windows[MONTH]) == 2
    found = history()
    found.put(int(NOON // 300 * 300), ROWS, five_minutes(1))
    sums, starts = readout.periods(found, NOON)
    assert sums[:, VALID].tolist() == [10, 10, 10]
    assert starts[0] == starts[1] != starts[2]


def test_an_objective_needs_the_tiers_of_its_window_and_of_its_alerts() -> None:
    burn = (BurnAlert(Severity.TICKET, 345_600, 28_800, 1.0),)
    assert reaches_of(OBJECTIVE) == {FINE, MIDDLE, MONTH}
    short = replace(OBJECTIVE, window="1d", alerting=Alerting(burn=burn))
    assert reaches_of(short) == {FINE, MIDDLE, look_reach(345_600)}
