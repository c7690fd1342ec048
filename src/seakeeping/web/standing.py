"""How an objective stands, in words: what its state means, where its estimate comes from.

A number without its interval, or a detector's rate without a word on who corrects it, is not shown
anywhere; so all pages take their words from here.
"""

from seakeeping.records import Budget, BudgetState, EstimateMethod, IndicatorSignal
from seakeeping.web import spell

STALE_S = 30.0
"""Readings older than this say how things were, not how they are."""


def is_stale(at: float | None, now: float) -> bool:
    """Tell whether readings of ``at`` no longer say how things are."""
    return at is None or now - at > STALE_S


def bounds(low: float | None, high: float | None) -> str:
    """Return an interval: ``99.1 to 99.7 %``."""
    if low is None or high is None:
        return spell.MISSING
    return f"{spell.ratio(low).removesuffix(' %')} to {spell.ratio(high)}"


def sentence(budget: Budget) -> str:
    """Return what the state of a budget means, in one sentence."""
    target, window = spell.ratio(budget.objective.target_ratio), budget.objective.window
    span = bounds(budget.low, budget.high)
    match budget.state:
        case BudgetState.NO_DATA:
            return f"No valid event in the last {window}: nothing is known, and nothing is green."
        case BudgetState.OK:
            return f"Every rate that the evidence leaves possible ({span}) keeps the target."
        case BudgetState.BREACH:
            return f"Every rate that the evidence leaves possible ({span}) misses {target}."
    return f"The evidence leaves {span} possible, {_side(budget)} {target}: {_settling(budget)}."


def _side(budget: Budget) -> str:
    """Return where an interval lies; one side alone decides nothing where labels are missing."""
    target = budget.objective.target_ratio
    if budget.high is not None and budget.high < target:
        return "all below"
    if budget.low is not None and budget.low >= target:
        return "all above"
    return "on both sides of"


def _settling(budget: Budget) -> str:
    if budget.method is EstimateMethod.COUNTED:
        return "more events will tell"
    if budget.labels_needed:
        return f"about {spell.count(budget.labels_needed)} more labels would settle it"
    return "labels would settle it"


def lasts(budget: Budget) -> str:
    """Return how long what is left of a budget lasts at the present pace; a dash for ever."""
    left, seconds = budget.remaining_ratio, budget.time_to_exhaustion_s
    if left is not None and left <= 0:
        return "spent"
    return "over a year" if seconds is not None and seconds > _YEAR_S else spell.seconds(seconds)


def is_unsure(budget: Budget) -> str:
    """Return why an estimate is not to be believed yet, in a word; "" where labels stand behind."""
    return _UNSURE.get(budget.method, "")


_YEAR_S = 365 * 86_400.0
_UNSURE = {EstimateMethod.COLD_START: "cold start", EstimateMethod.UNCORRECTED: "uncorrected"}


def source(budget: Budget) -> str:
    """Return where the estimate comes from, in a few words."""
    rows, labels = spell.count(budget.valid_rows), spell.count(budget.labels)
    match budget.method:
        case EstimateMethod.COUNTED:
            return f"counted, {rows} events"
        case EstimateMethod.PPI:
            return f"PPI++, {rows} answers corrected by {labels} labels"
        case EstimateMethod.LABELS_ONLY:
            return f"from {labels} labels alone"
        case EstimateMethod.COLD_START:
            return "cold start: corrected by the detector's shipped error rates, no labels yet"
    return f"uncorrected: what the detector says of {rows} answers"


def needs_labels(budget: Budget) -> bool:
    """Tell whether labels are what an objective waits for."""
    return (
        budget.method is not EstimateMethod.COUNTED
        and budget.state in (BudgetState.UNCERTAIN,)
        and budget.labels_needed != 0
    )


def subject(budget: Budget) -> str:
    """Return the evaluation that an objective is about, "" for others."""
    indicator = budget.objective.indicator
    is_evaluation = indicator.signal is IndicatorSignal.EVALUATION
    return (indicator.subject or "") if is_evaluation else ""
