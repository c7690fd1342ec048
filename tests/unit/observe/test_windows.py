"""Windows begin where people expect them, in every zone and on every calendar."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seakeeping.observe.windows import (
    COARSE_S,
    FINE_S,
    LOOKS,
    MARKS,
    MIDDLE_S,
    QUARTER_S,
    calendar_bounds,
    look_name,
    looks_of,
    period_start,
    step_of,
)
from seakeeping.records import Alerting, BurnAlert, Calendar, Indicator, Objective, Severity

NOW = 1_774_800_123.0  # 2026-03-29, the night Berlin's clocks went forward
DAY = 86_400
JANUARY = "2026-01-01 00:00:00"


def objective(window: str = "30d", calendar: Calendar | None = None, **more: object) -> Objective:
    indicator = Indicator("availability", "calls", "good calls")
    return Objective(
        "x", "shop", indicator, 0.99, window=window, calendar=calendar, **more  # type: ignore[arg-type]
    )  # fmt: skip


def at(text: str, zone: str = "UTC") -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


def test_a_rolling_window_begins_at_a_mark_and_is_never_short() -> None:
    start = period_start(objective(), NOW)
    assert start % DAY == 0
    assert 30 * DAY <= NOW - start < 31 * DAY


@given(st.sampled_from(["5m", "1h", "1d", "7d", "30d", "4w", "90d"]), st.floats(1e9, 2e9))
def test_a_rolling_start_never_goes_back_and_stands_still_for_a_thirtieth(
    window: str, now: float
) -> None:
    one = objective(window)
    length = one.window_s
    assert length <= now - period_start(one, now) <= length * (1 + 1 / MARKS) + 1e-3
    assert period_start(one, now + length / 100) >= period_start(one, now)


@pytest.mark.parametrize(
    ("window", "zone", "start", "end"),
    [
        ("1M", "Europe/Berlin", "2026-03-01", "2026-04-01"),
        ("1M", "UTC", "2026-03-01", "2026-04-01"),
        ("1Q", "America/New_York", "2026-01-01", "2026-04-01"),
        ("1Y", "Asia/Kathmandu", "2026-01-01", "2027-01-01"),
        ("1d", "Europe/Berlin", "2026-03-29", "2026-03-30"),
        ("1w", "UTC", "2026-03-26", "2026-04-02"),  # weeks from a Thursday
    ],
)
def test_calendar_windows_begin_at_local_midnights(
    window: str, zone: str, start: str, end: str
) -> None:
    now = at("2026-03-29T12:00:00", zone)
    bounds = calendar_bounds(Calendar(JANUARY, zone), window, now)
    assert bounds == (at(start, zone), at(end, zone))


def test_the_day_the_clocks_go_forward_has_23_hours_and_back_25() -> None:
    calendar = Calendar(JANUARY, "Europe/Berlin")
    hours = []
    for day in ("2026-03-28", "2026-03-29", "2026-10-25"):
        start, end = calendar_bounds(calendar, "1d", at(f"{day}T12:00:00", "Europe/Berlin"))
        hours.append((end - start) / 3600)
    assert hours == [24, 23, 25]


def test_a_month_from_the_31st_begins_on_a_short_months_last_day() -> None:
    calendar = Calendar("2026-01-31 00:00:00")
    start, end = calendar_bounds(calendar, "1M", at("2026-03-01"))
    assert (start, end) == (at("2026-02-28"), at("2026-03-31"))


def test_a_calendar_that_begins_in_the_future_cuts_the_past_as_well() -> None:
    calendar = Calendar("2030-07-01 00:00:00")
    assert calendar_bounds(calendar, "1M", at("2026-03-29"))[0] == at("2026-03-01")


@given(
    st.sampled_from(["1d", "3d", "1w", "1M", "2M", "1Q", "1Y", "12h"]),
    st.sampled_from(["UTC", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu"]),
    st.floats(1.6e9, 2e9),
)
def test_calendar_windows_follow_one_another_without_gap(
    window: str, zone: str, now: float
) -> None:
    calendar = Calendar("2024-02-29 02:30:00", zone)
    start, end = calendar_bounds(calendar, window, now)
    assert start <= now < end
    assert calendar_bounds(calendar, window, end)[0] == end
    assert calendar_bounds(calendar, window, start - 1)[1] == start


@pytest.mark.parametrize(
    ("one", "step"),
    [
        (objective("1h"), FINE_S),
        (objective("1d"), MIDDLE_S),
        (objective("3d"), MIDDLE_S),
        (objective("7d"), COARSE_S),
        (objective("1M", Calendar(JANUARY, "Europe/Berlin")), COARSE_S),
        (objective("1M", Calendar(JANUARY, "Asia/Kathmandu")), QUARTER_S),
        (objective("1M", Calendar("2026-01-01 00:15:00")), QUARTER_S),
        (objective("1M", Calendar(JANUARY, "Australia/Lord_Howe")), QUARTER_S),
    ],
)
def test_windows_are_counted_in_steps_that_fit_their_starts(one: Objective, step: int) -> None:
    assert step_of(one) == step
    if one.calendar:
        assert period_start(one, NOW) % step == 0


def test_look_backs_are_the_standard_ones_and_those_of_the_alerts() -> None:
    assert looks_of([objective()]) == tuple(LOOKS.values())
    burn = (BurnAlert(Severity.TICKET, 345_600, 28_800, 1.0),)
    asked = looks_of([objective(alerting=Alerting(burn=burn))])
    assert set(asked) == {*LOOKS.values(), 345_600, 28_800}


def test_look_backs_are_spelt_as_prometheus_does() -> None:
    assert [look_name(seconds) for seconds in LOOKS.values()] == list(LOOKS)
    assert look_name(5400) == "90m"
    assert look_name(45) == "45s"


def test_the_example_of_the_page_is_a_month() -> None:
    start, _ = calendar_bounds(Calendar(JANUARY), "1M", NOW)
    assert datetime.fromtimestamp(start, UTC).isoformat() == "2026-03-01T00:00:00+00:00"
