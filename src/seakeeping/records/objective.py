"""What a service promises, and how much of the room for failure is left.

An objective is a target for the share of good events over a window (OpenSLO v1): by default events
are counted, never ratios averaged, so that a bad request at night weighs what it weighs. A budget
is that objective measured at one moment. Ratios are 0..1.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from seakeeping.errors import BadInput

WINDOW_UNITS_S: Mapping[str, int] = MappingProxyType({
    "m": 60, "h": 3600, "d": 86_400, "w": 604_800,
    "M": 2_592_000, "Q": 7_776_000, "Y": 31_536_000,
})  # fmt: skip
"""Seconds of the units of a window, as OpenSLO spells durations (``30d``). A month, a quarter and a
year are 30, 90 and 365 days where no calendar says better."""


def window_seconds(window: str) -> int:
    """Return the seconds of a window such as ``5m``, ``6h``, ``30d``, ``4w`` or ``1M``.

    Raises BadInput.
    """
    count, unit = window[:-1], window[-1:]
    if not (count.isascii() and count.isdigit()) or unit not in WINDOW_UNITS_S or int(count) == 0:
        raise BadInput(
            f"unknown window {window!r}", hint="a number and m, h, d, w, M, Q or Y, e.g. 30d"
        )
    return int(count) * WINDOW_UNITS_S[unit]


class IndicatorSignal(StrEnum):
    """What an indicator counts.

    ``availability``, ``latency``, ``time_to_first_token``, ``time_per_output_token`` and ``cost``
    count model calls; ``evaluation``, ``coverage`` and ``scoring_lag`` count judged answers;
    ``measurement`` counts measurements, ``metric`` and ``metric_ratio`` metric points.
    """

    AVAILABILITY = "availability"
    LATENCY = "latency"
    TIME_TO_FIRST_TOKEN = "time_to_first_token"
    TIME_PER_OUTPUT_TOKEN = "time_per_output_token"
    COST = "cost"
    EVALUATION = "evaluation"
    COVERAGE = "coverage"
    SCORING_LAG = "scoring_lag"
    MEASUREMENT = "measurement"
    METRIC = "metric"
    METRIC_RATIO = "metric_ratio"


DIMENSIONS: tuple[str, ...] = (
    "service_version", "environment", "operation", "provider", "model", "prompt_name",
    "prompt_version", "release", "route", "tenant", "region",
)  # fmt: skip
"""What calls are filtered and sliced by, beside ``group.NAME`` for any declared group. ``model`` is
the response model, or the requested one where that is missing."""


@dataclass(frozen=True, slots=True)
class Match:
    """One condition on a dimension (of calls) or an attribute (of metric points).

    True where the value is one of ``values``; with ``is_in`` False where it is none of them. A
    missing value is the empty string. With ``is_pattern`` the values are RE2 patterns, of which one
    must match the whole value, as in PromQL.
    """

    dimension: str
    values: tuple[str, ...]
    is_in: bool = True
    is_pattern: bool = False


@dataclass(frozen=True, slots=True)
class MetricSelector:
    """Counters of that name whose attributes match.

    ``NAME_count`` stands for the observations of the histogram ``NAME`` too, as in PromQL.
    """

    name: str
    where: tuple[Match, ...] = ()


@dataclass(frozen=True, slots=True)
class Indicator:
    """What is counted: a share of good events among valid ones.

    ``valid`` and ``good`` say in words which events count and which of them are good. A value is
    good where ``value op threshold`` holds (``lte``, ``lt``, ``gte``, ``gt``); thresholds are in
    seconds, US dollars, or the score's own range. ``subject`` names the evaluation, measurement or
    metric. An evaluation without a threshold is bad where its label is one of ``bad_labels``.
    ``is_estimate``: the events are a detector's verdicts, so the share needs labels to be believed.
    ``where`` narrows the events. ``bad`` or ``good_of``, and ``total``, are the counters of a
    ``metric_ratio``.
    """

    name: str
    valid: str
    good: str
    signal: IndicatorSignal = IndicatorSignal.AVAILABILITY
    threshold: float | None = None
    op: str = "lte"
    subject: str | None = None
    evaluator: str | None = None
    bad_labels: tuple[str, ...] = ()
    is_estimate: bool = False
    higher_is_better: bool = True
    where: tuple[Match, ...] = ()
    bad: MetricSelector | None = None
    good_of: MetricSelector | None = None
    total: MetricSelector | None = None

    @property
    def threshold_s(self) -> float | None:
        """The threshold where it is a duration."""
        return self.threshold if self.signal in _DURATIONS else None

    @property
    def key(self) -> str:
        """What the counts depend on, as 16 hexadecimal digits; the words do not matter."""
        counted = {
            "signal": self.signal.value, "threshold": self.threshold, "op": self.op,
            "subject": self.subject, "evaluator": self.evaluator, "bad_labels": self.bad_labels,
            "higher_is_better": self.higher_is_better, "where": _spelt(self.where),
            "bad": _selector(self.bad), "good_of": _selector(self.good_of),
            "total": _selector(self.total),
        }  # fmt: skip
        return hashlib.sha256(json.dumps(counted, sort_keys=True).encode()).hexdigest()[:16]


_DURATIONS = frozenset({
    IndicatorSignal.LATENCY, IndicatorSignal.TIME_TO_FIRST_TOKEN,
    IndicatorSignal.TIME_PER_OUTPUT_TOKEN, IndicatorSignal.SCORING_LAG,
})  # fmt: skip


def _spelt(where: tuple[Match, ...]) -> list[list[object]]:
    return sorted(
        [match.dimension, sorted(match.values), match.is_in, match.is_pattern] for match in where
    )


def _selector(selector: MetricSelector | None) -> list[object] | None:
    return None if selector is None else [selector.name, _spelt(selector.where)]


class Budgeting(StrEnum):
    """How failures are counted (OpenSLO ``budgetingMethod``)."""

    OCCURRENCES = "Occurrences"
    TIMESLICES = "Timeslices"
    RATIO_TIMESLICES = "RatioTimeslices"


class Severity(StrEnum):
    """Whether somebody is woken, or finds it in the morning."""

    PAGE = "page"
    TICKET = "ticket"


@dataclass(frozen=True, slots=True)
class Calendar:
    """A window that begins anew at fixed moments; ``start_time`` is ``YYYY-MM-DD HH:MM:SS``."""

    start_time: str
    time_zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class BurnAlert:
    """Fires while the burn rate exceeds ``factor`` over both look-backs for ``for_s`` seconds."""

    severity: Severity
    long_s: int
    short_s: int
    factor: float
    for_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Alerting:
    """Which alerts an objective raises.

    ``burn``: the multi-window table (None: the standard one for the window; empty: none).
    ``min_events`` valid rows in the long look-back before a burn alert may fire. ``evidence``: the
    sequential test on quality (None: where the indicator is an estimate). ``absent_after_s``: an
    alert when no valid event came for so long after there were some (None: none). ``severities``
    that are raised at all. ``targets`` name AlertNotificationTargets (empty: all of them), and
    ``severity_targets`` those that take their place for alerts of one severity.
    ``alert_name`` takes the place of the usual name of burn alerts; ``alert_labels`` and
    ``alert_annotations`` are added to the alerts of a severity.
    """

    burn: tuple[BurnAlert, ...] | None = None
    min_events: int = 0
    evidence: bool | None = None
    absent_after_s: float | None = None
    severities: tuple[Severity, ...] = (Severity.PAGE, Severity.TICKET)
    targets: tuple[str, ...] = ()
    severity_targets: Mapping[Severity, tuple[str, ...]] = field(default_factory=dict)
    when_resolved: bool = True
    alert_name: str | None = None
    alert_labels: Mapping[Severity, Mapping[str, str]] = field(default_factory=dict)
    alert_annotations: Mapping[Severity, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Objective:
    """A target for one indicator of one service; ``0 < target_ratio < 1``.

    ``service`` is the name telemetry reports; ``"*"`` stands for every service that sends traffic,
    each with an objective of its own. ``slice_by``: one objective for every value of these
    dimensions that is seen. ``slice_target_ratio`` and ``slice_window_s`` belong to the two
    Timeslices methods. ``source`` is ``default``, ``api`` or the file that holds it.
    """

    name: str
    service: str
    indicator: Indicator
    target_ratio: float
    window: str = "30d"
    description: str = ""
    owner: str | None = None
    display_name: str | None = None
    calendar: Calendar | None = None
    budgeting: Budgeting = Budgeting.OCCURRENCES
    slice_target_ratio: float | None = None
    slice_window_s: int | None = None
    slice_by: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    alerting: Alerting = Alerting()
    source: str = "default"

    @property
    def window_s(self) -> int:
        """Seconds of the window; nominal where a calendar cuts it."""
        return window_seconds(self.window)

    @property
    def budget_ratio(self) -> float:
        """The share of events that may be bad."""
        return 1.0 - self.target_ratio


@dataclass(frozen=True, slots=True)
class Counts:
    """Events of a window.

    ``valid`` and ``bad`` are sums of sampling weights (what was served), ``valid_rows`` and
    ``bad_rows`` the rows seen (what is known): totals come from the former, evidence from the
    latter. ``score_sum`` and ``score_squares`` are the weighted sums of the badness score of an
    evaluation (0 good .. 1 bad) and of its square, 0 for every other indicator.
    """

    valid: float = 0.0
    bad: float = 0.0
    valid_rows: int = 0
    bad_rows: int = 0
    score_sum: float = 0.0
    score_squares: float = 0.0


class BudgetState(StrEnum):
    """What the evidence says; no data is never OK."""

    OK = "OK"
    BREACH = "BREACH"
    UNCERTAIN = "UNCERTAIN"
    NO_DATA = "NO_DATA"


class EstimateMethod(StrEnum):
    """Where an estimate comes from, from the surest to the least sure."""

    COUNTED = "counted"
    PPI = "ppi++"
    LABELS_ONLY = "labels only"
    COLD_START = "rogan-gladen, cold start"
    UNCORRECTED = "uncorrected"

    @property
    def is_decisive(self) -> bool:
        """Whether a state may follow from it: everything was counted, or labels correct it."""
        return self in (EstimateMethod.COUNTED, EstimateMethod.PPI, EstimateMethod.LABELS_ONLY)


@dataclass(frozen=True, slots=True)
class Budget:
    """An objective, measured at ``at``.

    ``estimate`` is the share of good events in the window; ``low`` and ``high`` bound the rate
    behind it (a confidence sequence: right at every look, not only at one); None without data.
    ``remaining_ratio`` is 1 with nothing spent, 0 with all of it, below 0 when overspent.
    ``burn_rates`` map a look-back (``5m`` to the window itself) to the speed of spending, 1 = just
    what the window allows, None where the look-back holds no event.
    ``time_to_exhaustion_s`` is how long what remains lasts at the pace of the last six hours, None
    where it lasts for ever or nothing is known. ``interval_remaining_ratio`` is what remains when
    the ratios of five-minute intervals are averaged without their traffic, as recording rules do;
    it differs from ``remaining_ratio`` where traffic is uneven. Where a detector estimates:
    ``raw_ratio`` is the share of good it reports uncorrected, ``labels`` how many labels correct
    it, ``labels_needed`` about how many more would settle the state. ``note`` says in words what a
    reader must know to believe the numbers.
    """

    objective: Objective
    at: float
    valid_total: float
    bad_total: float
    estimate: float | None
    low: float | None
    high: float | None
    remaining_ratio: float | None
    state: BudgetState
    burn_rates: Mapping[str, float | None] = field(default_factory=dict)
    window_start: float | None = None
    valid_rows: int = 0
    bad_rows: int = 0
    time_to_exhaustion_s: float | None = None
    interval_remaining_ratio: float | None = None
    method: EstimateMethod = EstimateMethod.COUNTED
    raw_ratio: float | None = None
    labels: int = 0
    labels_needed: int | None = None
    last_event_at: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the sequential test of a quality objective knows.

    ``value`` is the test's current wealth, ``limit`` where it alarms, ``null_ratio`` the highest
    rate of flagged answers that the budget allows, in the detector's own units. ``since`` is where
    the change seems to have begun, None before there is any. ``events`` were looked at. Where it
    ``is_cold`` no labels say how the detector decides on this service, and ``null_ratio`` is what
    it flagged in the service's own past, if that is more than it may flag elsewhere.
    """

    value: float
    limit: float
    null_ratio: float
    events: int
    since: float | None = None
    is_cold: bool = False

    @property
    def is_alarm(self) -> bool:
        """Whether the rate is over budget beyond the agreed chance of a false alarm."""
        return self.value >= self.limit


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything that alerts are decided from: a budget and the counts behind it.

    ``looks`` map the seconds of a look-back to its counts. ``valid_seen`` and ``bad_seen`` are the
    weights of all events since counting began: they only grow, as counters do. ``bad_trace_id`` is
    the trace of a recent bad event, None where none is known.
    """

    budget: Budget
    looks: Mapping[int, Counts]
    evidence: Evidence | None = None
    valid_seen: float = 0.0
    bad_seen: float = 0.0
    bad_trace_id: str | None = None
