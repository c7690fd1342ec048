"""Where the windows of an objective begin, and how finely its past must be known for that.

Four kinds of window. A *look-back* of a burn rate rolls with the clock. The *period* of a rolling
objective begins at a mark, thirty marks a window, because the confidence sequence that decides the
state needs a start that stands still (see ``budget``). The period of a *calendar* objective begins
at a moment of local time and ends where the next begins, so that a month has 28 to 31 days and a
day 23 to 25 hours. Each is rounded outwards to the step in which events are counted: a window is up
to a step longer than it says, never shorter.
"""

import calendar as months
import functools
import math
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from seakeeping.records import Calendar, Objective
from seakeeping.records.objective import WINDOW_UNITS_S
from seakeeping.stats.burn import look_backs

LOOKS: Mapping[str, int] = MappingProxyType({
    "5m": 300, "30m": 1800, "1h": 3600, "2h": 7200, "6h": 21_600, "1d": 86_400, "3d": 259_200,
})  # fmt: skip
"""The look-backs of every burn rate, in seconds."""

MARKS = 30
"""Starts of a rolling window over its own length."""

FINE_S, MIDDLE_S, COARSE_S, QUARTER_S = 10, 300, 3600, 900
"""Steps in which events are counted, in seconds: the younger, the finer."""

FINE_REACH_S, MIDDLE_REACH_S = 7200, 259_200
"""The longest windows that are counted in fine and in middle steps, in seconds."""


@functools.lru_cache(1024)
def look_name(seconds: int) -> str:
    """Return how a look-back is spelt: the largest unit that divides it.

    >>> look_name(300), look_name(7200), look_name(345600), look_name(2592000)
    ('5m', '2h', '4d', '30d')
    """
    for unit in ("d", "h", "m"):
        if seconds % WINDOW_UNITS_S[unit] == 0:
            return f"{seconds // WINDOW_UNITS_S[unit]}{unit}"
    return f"{seconds}s"


def looks_of(objectives: Iterable[Objective]) -> tuple[int, ...]:
    """Return the look-backs, in seconds, that these objectives' alerts and the pages ask for."""
    return tuple(sorted({*look_backs(list(objectives)), *LOOKS.values()}))


def step_of(objective: Objective) -> int:
    """Return the step, in seconds, in which the period of an objective is counted.

    A quarter of an hour where a calendar's zone is no whole number of hours from UTC.
    """
    if objective.window_s <= FINE_REACH_S:
        return FINE_S
    if objective.window_s <= MIDDLE_REACH_S:
        return MIDDLE_S
    if objective.calendar is not None and not _has_whole_hours(objective.calendar):
        return QUARTER_S
    return COARSE_S


def _has_whole_hours(calendar: Calendar) -> bool:
    zone = _zone(calendar.time_zone)
    start = _local_start(calendar)
    offsets = (datetime(_A_YEAR, month, 15, tzinfo=zone).utcoffset() for month in (1, 4, 7, 10))
    return start.minute == start.second == 0 and all(
        offset is not None and offset.seconds % 3600 == 0 for offset in offsets
    )


_A_YEAR = 2026  # offsets of the present; no zone has changed its minutes since 2018


def period_start(objective: Objective, now: float) -> float:
    """Return where the period begins, in Unix seconds, before any rounding to steps."""
    if objective.calendar is not None:
        return calendar_bounds(objective.calendar, objective.window, now)[0]
    return rolling_start(objective.window_s, now)


def rolling_start(window_s: int, now: float) -> float:
    """Return the last mark that leaves at least the whole window."""
    step = window_s / MARKS
    return math.floor((now - window_s) / step) * step


def calendar_bounds(calendar: Calendar, window: str, now: float) -> tuple[float, float]:
    """Return the start and the end, in Unix seconds, of the calendar window that holds ``now``.

    Windows follow one another from ``start_time`` on, in both directions. Units of a month and more
    follow the calendar: a window that starts on the 31st starts on a shorter month's last day.
    Units of a day and a week keep the local time across a change of the clocks; shorter ones are
    fixed numbers of seconds.

    >>> march = calendar_bounds(Calendar("2026-01-01 00:00:00", "Europe/Berlin"), "1M", 1774800000)
    >>> (march[1] - march[0]) / 3600  # 31 days, one of 23 hours
    743.0
    """
    number = _guess(calendar, window, now)
    while _nth(calendar, window, number) > now:
        number -= 1
    while _nth(calendar, window, number + 1) <= now:
        number += 1
    return _nth(calendar, window, number), _nth(calendar, window, number + 1)


def _guess(calendar: Calendar, window: str, now: float) -> int:
    length = int(window[:-1]) * WINDOW_UNITS_S[window[-1]]
    return math.floor((now - _nth(calendar, window, 0)) / length)


@functools.lru_cache(4096)
def _nth(calendar: Calendar, window: str, number: int) -> float:
    """Return where the window of that number begins; number 0 begins at ``start_time``."""
    count, unit = int(window[:-1]) * number, window[-1]
    start, zone = _local_start(calendar), _zone(calendar.time_zone)
    if unit in _MONTHS:
        local = _add_months(start, count * _MONTHS[unit])
    elif unit in "dw":
        local = start + timedelta(seconds=count * WINDOW_UNITS_S[unit])
    else:
        return start.replace(tzinfo=zone).timestamp() + count * WINDOW_UNITS_S[unit]
    return local.replace(tzinfo=zone).timestamp()


_MONTHS: Mapping[str, int] = MappingProxyType({"M": 1, "Q": 3, "Y": 12})


def _add_months(start: datetime, count: int) -> datetime:
    year, month = divmod(start.year * 12 + start.month - 1 + count, 12)
    last = months.monthrange(year, month + 1)[1]
    return start.replace(year=year, month=month + 1, day=min(start.day, last))


def _local_start(calendar: Calendar) -> datetime:
    return datetime.strptime(calendar.start_time, "%Y-%m-%d %H:%M:%S")


@functools.lru_cache(256)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
