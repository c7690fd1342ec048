"""What an alert means, in words that need no dashboard beside them.

The first sentence (``summary``) says what happens and how bad that is, with the counts behind it;
``description`` goes on with what is promised, what is left of the budget and for how long, and what
a reader must know to believe it. Somebody who was asleep a minute ago reads it on a telephone.
"""

import math

from seakeeping.decide.alerts.conditions import Allowance, Condition
from seakeeping.decide.alerts.rules import RuleKind
from seakeeping.records import BudgetState, Counts, Evidence, Objective, Reading
from seakeeping.records.burn import standard_alerts
from seakeeping.records.codec import iso
from seakeeping.stats.burn import clip_note

_FINEST, _NOTHING = 1e-4, 1e-10  # percent
_UNITS = ((86_400.0, "d"), (3600.0, "h"), (60.0, "min"))


def annotations(condition: Condition) -> dict[str, str]:
    """Return the annotations of an alert: summary, description, budget left, time to exhaustion."""
    budget = condition.reading.budget
    words = {
        "summary": summary(condition),
        "description": " ".join(filter(None, _description(condition))),
        "budget_remaining": _share(budget.remaining_ratio),
        "time_to_exhaustion": exhaustion(condition.reading),
    }
    objective = condition.objective
    if objective.owner:
        words["owner"] = objective.owner
    return {**words, **objective.alerting.alert_annotations.get(condition.rule.severity, {})}


def summary(condition: Condition) -> str:
    """Return in one sentence what happens."""
    name, reading = condition.objective.name, condition.reading
    match condition.rule.kind:
        case RuleKind.BURN:
            return _burn(condition)
        case RuleKind.EVIDENCE if reading.evidence is not None:
            return f"{name}: {_evidence(reading.evidence, condition.objective)}"
        case RuleKind.ABSENCE if reading.budget.last_event_at is not None:
            silent_s = reading.budget.at - reading.budget.last_event_at
            return f"{name}: no event for {duration(silent_s)}, so nobody knows how it is"
    return f"{name}: no data"


def exhaustion(reading: Reading) -> str:
    """Return how long the rest of the budget lasts at the pace of the last six hours."""
    budget = reading.budget
    if budget.remaining_ratio is None:
        return "not known"
    if budget.remaining_ratio <= 0:
        return "already spent"
    if budget.time_to_exhaustion_s is None:
        return "not at this pace"
    return duration(budget.time_to_exhaustion_s)


def duration(seconds: float) -> str:
    """Return a duration in its largest fitting unit.

    >>> duration(5400), duration(42), duration(86_400 * 3)
    ('1.5 h', '42 s', '3 d')
    """
    for unit_s, unit in _UNITS:
        if seconds >= unit_s:
            return f"{round(seconds / unit_s, 1):g} {unit}"
    return f"{seconds:.0f} s"


def percent(ratio: float) -> str:
    """Return a ratio as a percentage with the digits that matter, also near 100 %.

    >>> percent(0.0005), percent(0.123), percent(1.0)
    ('0.05 %', '12.3 %', '100 %')
    >>> percent(0.9999), percent(-0.2), percent(1 - 1e-9)
    ('99.99 %', '-20 %', '>99.9999 %')
    """
    value = ratio * 100
    room = min(abs(value), abs(100 - value))
    if room < _NOTHING:
        return f"{round(value)} %"
    if abs(100 - value) < _FINEST:  # never rounded to a perfection that is not there
        return f"{'>' if value < 100 else '<'}{100 - _FINEST if value < 100 else 100 + _FINEST} %"
    text = f"{value:.{max(2 - math.floor(math.log10(room)), 0)}f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text} %"


def _burn(condition: Condition) -> str:
    row = condition.rule.burns[condition.holding[0] if condition.holding else 0]
    allowed = Allowance.of(condition.reading)
    counts = condition.reading.looks.get(row.long_s, Counts())
    rate = None if allowed is None else allowed.burn_rate(counts)
    name = condition.objective.name
    if allowed is None or rate is None:
        return f"{name}: no event in the last {duration(row.long_s)}"
    what = "were flagged by the detector" if allowed.shift else "were bad"
    return (
        f"{name} spends its error budget {rate:.3g} times too fast: "
        f"{counts.bad:,.0f} of {counts.valid:,.0f} events in the last {duration(row.long_s)} "
        f"{what} ({percent(counts.bad / counts.valid)}), {percent(allowed.null_ratio)} may be"
    )


def _evidence(evidence: Evidence, objective: Objective) -> str:
    began = "" if evidence.since is None else f", it seems since {iso(evidence.since)[:16]}Z"
    budget, usual = percent(objective.budget_ratio), percent(evidence.null_ratio)
    what = f"bad answers are more frequent than the budget of {budget} allows"
    if evidence.is_cold:
        what = f"the detector flags more answers than the {usual} that were usual here"
    return (
        f"{what}{began} (sequential test over {evidence.events:,} answers, "
        f"{_against(evidence.value / evidence.limit)} its limit)"
    )


def _against(times: float) -> str:
    """Return how evidence stands to its limit; an exact number of 1e+60 tells nobody more."""
    return "over 1,000 times" if times > 1000 else f"{times:.2g} times"


def _description(condition: Condition) -> list[str]:
    objective, budget = condition.objective, condition.reading.budget
    indicator = objective.indicator
    return [
        f"Promised: {percent(objective.target_ratio)} good over {objective.window}; "
        f"counted: {indicator.valid}; good: {indicator.good}.",
        _left(condition.reading),
        _certainty(condition.reading),
        budget.note and budget.note.rstrip(".") + ".",
        *_lowered(condition),
        objective.description,
    ]


def _left(reading: Reading) -> str:
    budget = reading.budget
    if budget.remaining_ratio is None:
        return "How much of the budget is left is not known."
    if budget.remaining_ratio <= 0:
        return f"The budget is overspent ({percent(-budget.remaining_ratio)} over)."
    left = f"Budget left: {percent(budget.remaining_ratio)}"
    if budget.time_to_exhaustion_s is None:
        return f"{left}."
    return f"{left}, gone in {duration(budget.time_to_exhaustion_s)} at the last six hours' pace."


def _certainty(reading: Reading) -> str:
    budget = reading.budget
    if not budget.objective.indicator.is_estimate:
        return ""
    if budget.state is BudgetState.BREACH:
        return f"Confirmed by {budget.labels:,} labels."
    needed = budget.labels_needed
    is_told = needed is None or "more labels" in budget.note
    more = "" if is_told else f"; about {needed:,} more labels would settle it"
    return f"A detector says so and labels do not confirm it yet{more}."


def _lowered(condition: Condition) -> list[str]:
    """Return what was changed in the rows that somebody wrote, or the standard has."""
    objective = condition.objective
    if condition.rule.kind is not RuleKind.BURN:
        return []
    written = objective.alerting.burn
    rows = standard_alerts(objective.window_s) if written is None else written
    notes = (
        clip_note(row, objective.target_ratio)
        for row in rows
        if row.severity is condition.rule.severity
    )
    return [f"{note[0].upper()}{note[1:]}." for note in notes if note]


def _share(ratio: float | None) -> str:
    return "not known" if ratio is None else percent(ratio)
