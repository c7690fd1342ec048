"""Budgets for Prometheus: under the names that Sloth's dashboards read, and under our own.

Two remaining budgets are told, because two things are meant by it. Sloth's
``slo:period_error_budget_remaining:ratio`` averages the bad ratios of five-minute intervals, busy
or not, as recording rules have to; ours is the same average (``interval_remaining_ratio``), so that
a board shows what it would show with Sloth. ``seakeeping_slo_budget_remaining_ratio`` counts
events: one bad call at night weighs one call.

What is not known is absent, never 0: a look-back without events, a detector's uncorrected rate.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeAlias

from prometheus_client import Metric
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
    StateSetMetricFamily,
)
from prometheus_client.registry import Collector
from prometheus_client.samples import Exemplar

from seakeeping.observe.slo_labels import BAD_TOTAL, FLAGGED_TOTAL, VALID_TOTAL, slo_labels
from seakeeping.observe.windows import LOOKS
from seakeeping.records import Budget, BudgetState, EstimateMethod, Reading

LABELS = ("sloth_id", "sloth_service", "sloth_slo")
"""Labels of every family; ``slo:sli_error:ratio_rate*`` also have ``sloth_window``."""

_DAY_S = 86_400

_Value: TypeAlias = Callable[[Reading], float | None]


def _spent(budget: Budget) -> float | None:
    """Return the burn rate of the period as recording rules average it."""
    left = budget.interval_remaining_ratio
    return None if left is None or budget.estimate is None else 1.0 - left


def _remaining(budget: Budget) -> float | None:
    return None if budget.estimate is None else budget.interval_remaining_ratio


def _labels(budget: Budget) -> float | None:
    return None if budget.method is EstimateMethod.COUNTED else float(budget.labels)


def _evidence(reading: Reading) -> float | None:
    known = reading.evidence
    return None if known is None else known.value / known.limit


GAUGES: dict[str, tuple[str, _Value]] = {
    "slo:objective:ratio": (
        "The target: the share of events that must be good",
        lambda reading: reading.budget.objective.target_ratio,
    ),
    "slo:error_budget:ratio": (
        "The share of events that may be bad",
        lambda reading: reading.budget.objective.budget_ratio,
    ),
    "slo:time_period:days": (
        "Length of the objective's window in days",
        lambda reading: reading.budget.objective.window_s / _DAY_S,
    ),
    "slo:current_burn_rate:ratio": (
        "How many times faster than allowed the budget was spent in the last five minutes",
        lambda reading: reading.budget.burn_rates.get("5m"),
    ),
    "slo:period_burn_rate:ratio": (
        "The same over the window, as an average of five-minute ratios",
        lambda reading: _spent(reading.budget),
    ),
    "slo:period_error_budget_remaining:ratio": (
        "What remains of the budget, by an average of five-minute ratios",
        lambda reading: _remaining(reading.budget),
    ),
    "seakeeping_slo_budget_remaining_ratio": (
        "What remains of the budget, by events; below 0 where it is overspent",
        lambda reading: reading.budget.remaining_ratio,
    ),
    "seakeeping_slo_good_ratio": (
        "Share of good events in the window; where a detector judges, corrected by labels",
        lambda reading: reading.budget.estimate,
    ),
    "seakeeping_slo_good_ratio_low": (
        "Lower bound of the good ratio, right at every look",
        lambda reading: reading.budget.low,
    ),
    "seakeeping_slo_good_ratio_high": (
        "Upper bound of the good ratio, right at every look",
        lambda reading: reading.budget.high,
    ),
    "seakeeping_slo_exhaustion_seconds": (
        "How long what remains lasts at the pace of the last six hours",
        lambda reading: reading.budget.time_to_exhaustion_s,
    ),
    "seakeeping_slo_labels": (
        "Labels that correct the detector behind the objective",
        lambda reading: _labels(reading.budget),
    ),
    "seakeeping_slo_labels_needed": (
        "About how many labels more would settle the state",
        lambda reading: reading.budget.labels_needed,
    ),
    "seakeeping_slo_evidence_ratio": (
        "Wealth of the sequential test on quality, as a share of where it alarms",
        _evidence,
    ),
    "seakeeping_slo_last_event_timestamp_seconds": (
        "When the newest valid event began, to ten seconds",
        lambda reading: reading.budget.last_event_at,
    ),
}
"""Gauges by name: what they mean, and what of a reading they tell."""

COUNTERS: dict[str, str] = {
    VALID_TOTAL: "Valid events seen, by sampling weight",
    BAD_TOTAL: "Bad events seen, by sampling weight; with the trace of a recent one",
    FLAGGED_TOTAL: (
        "Events that a detector flagged, by sampling weight, where it estimates: not the share of "
        "bad ones; with the trace of a recent one"
    ),
}
"""Counters by name."""

STATE, INFO = "seakeeping_slo_state", "sloth_slo"

OTHERS: dict[str, tuple[str, str]] = {
    STATE: ("stateset", "OK, BREACH, UNCERTAIN or NO_DATA: one of the four is 1"),
    f"{INFO}_info": ("info", "The objective: its service, window, target, state of estimation"),
    "slo:sli_error:ratio_rate5m": ("gauge", "Share of bad events in the look-back of the name"),
}
"""The rest, with types; ``ratio_rate`` also comes with 30m, 1h, 2h, 6h, 1d, 3d and the window."""


class ReadingsCollector(Collector):
    """Tells the newest readings whenever a registry collects."""

    def __init__(self, newest: Callable[[], Sequence[Reading]]) -> None:
        self._newest = newest

    def collect(self) -> Iterator[Metric]:
        """Yield the families of the newest readings; none where there are none."""
        yield from families(self._newest())


def families(readings: Iterable[Reading]) -> Iterator[Metric]:
    """Yield the families of readings; of objectives that are called alike the first is told."""
    told: dict[tuple[str, ...], Reading] = {}
    for reading in readings:
        told.setdefault(tuple(slo_labels(reading.budget.objective).values()), reading)
    if told:
        yield from _ratios(told)
        yield from _gauges(told)
        yield from _counters(told)
        yield from _descriptions(told)


_Told: TypeAlias = dict[tuple[str, ...], Reading]


def _ratios(told: _Told) -> Iterator[Metric]:
    found: dict[str, GaugeMetricFamily] = {}
    for labels, reading in told.items():
        for window, value in _error_ratios(reading.budget).items():
            if window not in found:
                found[window] = GaugeMetricFamily(
                    f"slo:sli_error:ratio_rate{window}",
                    f"Share of bad events over {window}",
                    labels=(*LABELS, "sloth_window"),
                )
            found[window].add_metric((*labels, window), value)
    return iter(found.values())


def _error_ratios(budget: Budget) -> dict[str, float]:
    """Return the bad ratios by look-back; that of the period is an average of intervals."""
    allowed, period = budget.objective.budget_ratio, budget.objective.window
    ratios = {
        window: rate * allowed
        for window, rate in budget.burn_rates.items()
        if window in LOOKS and window != period and rate is not None
    }
    spent = _spent(budget)
    return ratios if spent is None else {**ratios, period: spent * allowed}


def _gauges(told: _Told) -> Iterator[Metric]:
    for name, (meaning, value_of) in GAUGES.items():
        family = GaugeMetricFamily(name, meaning, labels=LABELS)
        for labels, reading in told.items():
            if (value := value_of(reading)) is not None:
                family.add_metric(labels, value)
        yield family


def _counters(told: _Told) -> Iterator[Metric]:
    valid = CounterMetricFamily(VALID_TOTAL, COUNTERS[VALID_TOTAL], labels=LABELS)
    bad = CounterMetricFamily(BAD_TOTAL, COUNTERS[BAD_TOTAL], labels=LABELS)
    flagged = CounterMetricFamily(FLAGGED_TOTAL, COUNTERS[FLAGGED_TOTAL], labels=LABELS)
    for labels, reading in told.items():
        valid.add_metric(labels, reading.valid_seen)
        trace = reading.bad_trace_id
        exemplar = None if trace is None else Exemplar({"trace_id": trace}, 1.0)
        is_estimate = reading.budget.objective.indicator.is_estimate
        (flagged if is_estimate else bad).add_metric(labels, reading.bad_seen, exemplar=exemplar)
    yield valid
    yield bad
    yield flagged


def _descriptions(told: _Told) -> Iterator[Metric]:
    state = StateSetMetricFamily(STATE, OTHERS[STATE][1], labels=LABELS)
    info = InfoMetricFamily(INFO, OTHERS[f"{INFO}_info"][1], labels=LABELS)
    for labels, reading in told.items():
        budget = reading.budget
        state.add_metric(labels, {one.value: one is budget.state for one in BudgetState})
        objective = budget.objective
        described = {
            "sloth_mode": "seakeeping",
            "sloth_objective": f"{objective.target_ratio * 100:.10g}",
            "sloth_spec": "openslo/v1",
            "method": budget.method.value,
            "window": objective.window,
        }
        info.add_metric(labels, described)
    yield state
    yield info
