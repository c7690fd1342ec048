"""The burn alerts of an objective as a table: what each watches, what is measured, why it rests.

Where a detector judges there are two burn rates, and they differ. Everywhere on the pages, in the
API and in ``/metrics`` stands the estimated one: how fast answers that are bad spend the budget. An
alert cannot wait for labels, so it goes by flags: how many more than the budget allows, or than
were usual here while no labels say what it allows. In this table both stand, each by its name.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from seakeeping.decide.alerts.conditions import Allowance, row_verdict
from seakeeping.records import Alert, AlertState, BurnAlert, Reading
from seakeeping.stats.burn import alerts_in_force, clip_note, standard_alerts
from seakeeping.web import spell


@dataclass(frozen=True, slots=True)
class BurnRow:
    """One burn alert: what it watches, what is measured, whether it fires.

    ``long_burn`` and ``short_burn`` decide the alert. ``long_estimate`` is what is estimated over
    the long look-back, None where events are counted, which makes both the same, or it is unknown.
    """

    severity: str
    factor: float
    long: str
    short: str
    long_burn: float | None
    short_burn: float | None
    long_estimate: float | None
    long_events: int
    for_s: float
    state: str
    css: str
    note: str


def burn_rows(reading: Reading, alerts: Iterable[Alert]) -> Iterable[BurnRow]:
    """Yield the burn alerts of an objective as they can fire, the quickest first.

    What a row says is what decides its alert: also that too few events were seen to believe it.
    """
    objective = reading.budget.objective
    known = list(alerts)
    written = objective.alerting.burn
    table = standard_alerts(objective.window_s) if written is None else written
    asked = [row for row in table if row.severity in objective.alerting.severities]
    allowed = Allowance.of(reading)
    for row, as_written in zip(alerts_in_force(objective), asked, strict=True):
        counts = reading.looks.get(row.long_s), reading.looks.get(row.short_s)
        burns = [allowed.burn_rate(c) if allowed else None for c in counts]
        state, css = _state_of(row, reading, allowed, known)
        yield BurnRow(
            severity=row.severity,
            factor=row.factor,
            long=look(row.long_s),
            short=look(row.short_s),
            long_burn=burns[0],
            short_burn=burns[1],
            long_estimate=_estimated(reading, row.long_s),
            long_events=counts[0].valid_rows if counts[0] else 0,
            for_s=row.for_s,
            state=state,
            css=css,
            note=clip_note(as_written, objective.target_ratio),
        )


def measured_by(reading: Reading) -> str:
    """Return what the burn rates of alerts are, where they are not those of the budget.

    Empty where events are counted and not estimated.
    """
    evidence, objective = reading.evidence, reading.budget.objective
    if not objective.indicator.is_estimate:
        return ""
    if evidence is None:
        return "for the alert: flags, less what the detector flags beyond what labels found bad"
    allowed = spell.ratio(evidence.null_ratio)
    what = "what was usual here" if evidence.is_cold else "what the budget allows"
    return (
        f"for the alert: flags beyond {what} ({allowed} of answers), over the budget; everywhere "
        "else, and here as estimate: answers that are bad, over the budget"
    )


def _estimated(reading: Reading, seconds: int) -> float | None:
    budget = reading.budget
    return budget.burn_rates.get(look(seconds)) if budget.objective.indicator.is_estimate else None


def _state_of(
    row: BurnAlert, reading: Reading, allowed: Allowance | None, alerts: Iterable[Alert]
) -> tuple[str, str]:
    """Return the state of a row as a word and a look."""
    if allowed is None:
        return "no data", "nodata"
    verdict = row_verdict(row, reading.looks, allowed)
    if verdict is False:
        return "inactive", "nodata"
    if verdict is None:
        counts = reading.looks.get(row.long_s), reading.looks.get(row.short_s)
        rates = [allowed.burn_rate(c) for c in counts]
        return ("no data" if None in rates else "not proven"), "nodata"
    same = (
        a.state
        for a in alerts
        if a.severity is row.severity and a.labels.get("alertname") not in _OTHERS
    )
    state = next(same, AlertState.PENDING)
    return state.value, "breach" if state is AlertState.FIRING else "uncertain"


_OTHERS = ("QualityEvidence", "SLOMetricAbsent")


def look(seconds: int) -> str:
    """Return a look-back as burn rates are keyed: ``5m``, ``6h``, ``3d``.

    >>> look(300), look(21_600), look(86_400), look(5400)
    ('5m', '6h', '1d', '90m')
    """
    for unit_s, unit in ((86_400, "d"), (3600, "h")):
        if seconds % unit_s == 0:
            return f"{seconds // unit_s}{unit}"
    return f"{seconds // 60}m"
