"""The tables of burn-rate alerts that the field knows.

The Site Reliability Workbook (chapter 5), which Sloth follows, pages when 2 % of the budget of 30
days is gone within 1 h or 5 % within 6 h, and opens a ticket for 10 % within 1 d or 10 % within
3 d: factors 14.4, 6, 3, 1. Pyrra scales the look-backs with the window instead and keeps the
factors 14, 7, 2, 1.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from seakeeping.records.objective import BurnAlert, Severity

LONG_PER_SHORT = 12
"""How much longer the long look-back is than the short one (SRE workbook)."""

CALMEST: Mapping[Severity, float] = MappingProxyType({Severity.PAGE: 1.0, Severity.TICKET: 0.9})
"""No factor lies below it: 1 is what the budget allows. The slowest ticket of the table for 28
days, Sloth's other one, has 0.93 and keeps it."""

_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86_400


@dataclass(frozen=True, slots=True)
class _Row:
    severity: Severity
    long_s: int
    short_s: int
    budget_share: float


_STANDARD = (
    _Row(Severity.PAGE, _HOUR_S, 5 * _MINUTE_S, 0.02),
    _Row(Severity.PAGE, 6 * _HOUR_S, 30 * _MINUTE_S, 0.05),
    _Row(Severity.TICKET, _DAY_S, 2 * _HOUR_S, 0.10),
    _Row(Severity.TICKET, 3 * _DAY_S, 6 * _HOUR_S, 0.10),
)

_PYRRA_WINDOW_S = 28 * _DAY_S
_PYRRA = (
    BurnAlert(Severity.PAGE, _HOUR_S, 5 * _MINUTE_S, 14.0, 2 * _MINUTE_S),
    BurnAlert(Severity.PAGE, 6 * _HOUR_S, 30 * _MINUTE_S, 7.0, 15 * _MINUTE_S),
    BurnAlert(Severity.TICKET, _DAY_S, 2 * _HOUR_S, 2.0, _HOUR_S),
    BurnAlert(Severity.TICKET, 4 * _DAY_S, 6 * _HOUR_S, 1.0, 3 * _HOUR_S),
)


def standard_alerts(window_s: float) -> tuple[BurnAlert, ...]:
    """Return the workbook's table for a window, the quickest first.

    The look-backs stay what they are and the factors follow the window, so a factor always means
    the same time until the budget is gone (2, 5, 10 and 30 days). A factor below 1 would fire while
    the budget is kept: of several such rows of one severity only the one with the longest look-back
    remains, the calmest, and becomes 1 where it is below `CALMEST`. A look-back longer than the
    window is left out, so a window below an hour has no burn alert.

    >>> [round(alert.factor, 2) for alert in standard_alerts(30 * 86_400)]
    [14.4, 6.0, 3.0, 1.0]
    >>> [round(alert.factor, 2) for alert in standard_alerts(28 * 86_400)]
    [13.44, 5.6, 2.8, 0.93]
    """
    rows = [
        BurnAlert(row.severity, row.long_s, row.short_s, row.budget_share * window_s / row.long_s)
        for row in _STANDARD
        if row.long_s <= window_s
    ]
    calm = {row.severity: row for row in rows if row.factor < 1.0}
    kept = [row for row in rows if row.factor >= 1.0 or row is calm[row.severity]]
    return tuple(
        row if row.factor >= CALMEST[row.severity] else replace(row, factor=1.0) for row in kept
    )


def pyrra_alerts(window_s: float) -> tuple[BurnAlert, ...]:
    """Return Pyrra's table, its look-backs scaled by window / 28 days, in whole minutes.

    >>> [(alert.long_s, alert.short_s, alert.factor) for alert in pyrra_alerts(28 * 86_400)][0]
    (3600, 300, 14.0)
    """
    scale = window_s / _PYRRA_WINDOW_S

    def scaled(seconds: float) -> int:
        return max(1, math.floor(seconds * scale / _MINUTE_S + 0.5)) * _MINUTE_S

    return tuple(
        replace(
            row, long_s=scaled(row.long_s), short_s=scaled(row.short_s), for_s=scaled(row.for_s)
        )
        for row in _PYRRA
    )
