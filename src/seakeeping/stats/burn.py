"""Which burn rates are worth waking somebody for, and which of them can happen at all.

The burn rate is how many times faster than allowed an error budget is spent. An alert that fires
when a fraction p of the budget of a window W is gone within a look-back L has the factor

    f = p W / L                     (The Site Reliability Workbook, chapter 5)

and watches a second, short look-back (L / 12) so that it ends soon after the trouble does. The
workbook's table for 30 days, which Sloth generates, is 2 % in 1 h and 5 % in 6 h to page, 10 % in
1 d and 10 % in 3 d for a ticket: factors 14.4, 6, 3, 1. Pyrra scales the look-backs with the window
instead and keeps the factors 14, 7, 2, 1.

With a target t the burn rate never exceeds 1 / (1 - t), the rate at which every event is bad. For a
target of 90 % that is 10, so the standard page at 14.4 can never fire. Such a factor is lowered to
half of the maximum: half of all events bad. Below a target of 75 % half the maximum comes close to
1, the pace that the budget allows, and is then replaced by the square root of the maximum, which
lies between the two (and equals its half at 75 %).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from seakeeping.errors import BadInput
from seakeeping.records import BurnAlert, Objective, Severity

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


def max_burn_rate(target_ratio: float) -> float:
    """Return the burn rate when every event is bad, 1 / (1 - target).

    Raises BadInput for a target outside (0, 1).
    """
    if not 0.0 < target_ratio < 1.0:
        raise BadInput(f"a target of {target_ratio} leaves no budget", hint="0 < target < 1")
    return 1.0 / (1.0 - target_ratio)


def reachable_factor(target_ratio: float) -> float:
    """Return the highest factor that an unreachable one is lowered to, above 1.

    >>> round(reachable_factor(0.9), 9), round(reachable_factor(0.36), 9)
    (5.0, 1.25)
    """
    most = max_burn_rate(target_ratio)
    return max(most / 2, math.sqrt(most))


def is_reachable(alert: BurnAlert, target_ratio: float) -> bool:
    """Return whether a burn rate above the factor can happen."""
    return alert.factor < max_burn_rate(target_ratio) * (1 - 1e-12)


def effective(alert: BurnAlert, target_ratio: float) -> BurnAlert:
    """Return the alert, its factor lowered where no burn rate could exceed it.

    >>> effective(BurnAlert(Severity.PAGE, 3600, 300, 14.4), 0.9).factor
    5.0
    """
    if is_reachable(alert, target_ratio):
        return alert
    return replace(alert, factor=round(reachable_factor(target_ratio), 9))


def alerts_in_force(objective: Objective) -> tuple[BurnAlert, ...]:
    """Return the burn alerts of an objective as they can fire, of the severities it raises.

    Rows that somebody wrote are lowered only where they could never fire. In the standard table no
    row asks for a higher rate than a quicker one, so where one was lowered later ones follow it.
    """
    kept = objective.alerting.severities
    rows = [row for row in _written(objective) if row.severity in kept]
    lowered = [effective(row, objective.target_ratio) for row in rows]
    if objective.alerting.burn is not None:
        return tuple(lowered)
    ceiling = math.inf
    table = []
    for row in lowered:
        ceiling = min(ceiling, row.factor)
        table.append(replace(row, factor=ceiling))
    return tuple(table)


def look_backs(objectives: Sequence[Objective]) -> tuple[int, ...]:
    """Return every look-back in seconds that burn alerts of these objectives watch, ascending."""
    alerts = (alert for objective in objectives for alert in alerts_in_force(objective))
    return tuple(sorted({seconds for a in alerts for seconds in (a.long_s, a.short_s)}))


def alert_findings(objective: Objective) -> tuple[str, ...]:
    """Return a sentence for each burn alert that cannot fire as written, or fires for nothing."""
    target = objective.target_ratio
    sentences = [
        sentence
        for row in _written(objective)
        if row.severity in objective.alerting.severities and (sentence := _doubt(row, objective))
    ]
    if objective.alerting.burn is None and not standard_alerts(objective.window_s):
        sentences.append(
            f"no burn alert fits into a window of {objective.window}: "
            f"at {target:g} only the budget itself is shown"
        )
    return tuple(sentences)


def clip_note(alert: BurnAlert, target_ratio: float) -> str:
    """Return in a sentence why and how far a factor was lowered; empty where it was not."""
    if is_reachable(alert, target_ratio):
        return ""
    lowered = effective(alert, target_ratio)
    return (
        f"this {alert.severity} can never fire at a burn rate of {alert.factor:g}: the highest "
        f"possible burn rate is {max_burn_rate(target_ratio):.4g}; it fires at "
        f"{lowered.factor:.4g} instead, when {lowered.factor * (1 - target_ratio):.0%} of the "
        "events are bad"
    )


def _doubt(alert: BurnAlert, objective: Objective) -> str:
    if note := clip_note(alert, objective.target_ratio):
        return note
    if alert.factor < CALMEST[alert.severity]:
        return (
            f"this {alert.severity} fires at a burn rate of {alert.factor:g}, "
            "while the budget is kept"
        )
    if alert.long_s > objective.window_s:
        return f"this {alert.severity} looks back longer than the window of {objective.window}"
    return ""


def _written(objective: Objective) -> tuple[BurnAlert, ...]:
    written = objective.alerting.burn
    return standard_alerts(objective.window_s) if written is None else written
