"""Which burn rates are worth waking somebody for, and which of them can happen at all.

The burn rate is how many times faster than allowed an error budget is spent. An alert that fires
when a fraction p of the budget of a window W is gone within a look-back L has the factor

    f = p W / L                     (The Site Reliability Workbook, chapter 5)

and watches a second, short look-back (L / 12) so that it ends soon after the trouble does. The
tables that the field uses are in `records.burn`.

With a target t the burn rate never exceeds 1 / (1 - t), the rate at which every event is bad. For a
target of 90 % that is 10, so the standard page at 14.4 can never fire. Such a factor is lowered to
half of the maximum: half of all events bad. Below a target of 75 % half the maximum comes close to
1, the pace that the budget allows, and is then replaced by the square root of the maximum, which
lies between the two (and equals its half at 75 %).
"""

import math
from collections.abc import Sequence
from dataclasses import replace

from seakeeping.errors import BadInput
from seakeeping.records import BurnAlert, Objective
from seakeeping.records.burn import CALMEST, pyrra_alerts, standard_alerts

__all__ = [
    "alert_doubts",
    "alerts_in_force",
    "clip_note",
    "effective",
    "is_reachable",
    "look_backs",
    "max_burn_rate",
    "pyrra_alerts",
    "reachable_factor",
    "standard_alerts",
]


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

    >>> from seakeeping.records import Severity
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


def alert_doubts(objective: Objective) -> tuple[tuple[BurnAlert | None, str], ...]:
    """Return a sentence for each burn alert that cannot fire as written, or fires for nothing.

    Each with the alert that it is about; None: about all of them.
    """
    found: list[tuple[BurnAlert | None, str]] = [
        (row, sentence)
        for row in _written(objective)
        if row.severity in objective.alerting.severities and (sentence := _doubt(row, objective))
    ]
    if objective.alerting.burn is None and not standard_alerts(objective.window_s):
        sentence = f"no burn alert fits into a window of {objective.window}"
        found.append((None, sentence))
    return tuple(found)


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
