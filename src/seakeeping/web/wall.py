"""The wall: every service with what matters about it now, the worst first.

Honest numbers: the share of answers that a detector flags is no hallucination rate, because no
detector is right every time. Until labels correct it, it is called what it is, with its interval
for one look (Wilson). Budgets are decided elsewhere, from counts, by a confidence sequence.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from seakeeping.errors import Unavailable
from seakeeping.observe.budget import effective_rows
from seakeeping.records import Budget, BudgetState, Counts
from seakeeping.stats.proportion import Interval, wilson
from seakeeping.store.telemetry import SeriesPoint, ServiceSummary
from seakeeping.web import charts, spell

QUIET_S = 900.0
"""A service without a call for this long is called quiet: its numbers are history."""

LONGEST_LAG_S = 1000.0
"""Where the store's histogram of lags ends, e.g. for a history that was sent at once."""

MOST_BUDGETS = 3
"""Budgets of a service on the wall; the others are a click away."""

CAPTURE_VARIABLE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=true"

_ORDER = (BudgetState.BREACH, BudgetState.UNCERTAIN, BudgetState.NO_DATA, BudgetState.OK)
_CSS = {
    BudgetState.OK: "ok", BudgetState.BREACH: "breach", BudgetState.UNCERTAIN: "uncertain",
    BudgetState.NO_DATA: "nodata",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fact:
    """One number: ``is_hot`` draws the eye, ``spark`` is its history."""

    title: str
    value: str
    note: str = ""
    unit: str = ""
    is_hot: bool = False
    spark: str = ""


@dataclass(frozen=True, slots=True)
class Hint:
    """What a reader can do to see more: text, code, rest of the text."""

    text: str
    code: str
    rest: str


@dataclass(frozen=True, slots=True)
class ServiceRow:
    """One service on the wall."""

    summary: ServiceSummary
    budgets: tuple[Budget, ...]
    facts: tuple[Fact, ...]
    state: BudgetState
    is_quiet: bool
    hint: Hint | None
    is_stale: bool = False

    @property
    def css(self) -> str:
        """The look of its state; what is old is grey."""
        return "nodata" if self.is_stale else _CSS[self.state]

    @property
    def shown(self) -> tuple[Budget, ...]:
        """The budgets on the wall, the worst ones."""
        return self.budgets[:MOST_BUDGETS]


@dataclass(frozen=True, slots=True)
class Wall:
    """All services at one moment; ``trouble`` is why they could not be read."""

    at: float
    services: tuple[ServiceRow, ...]
    reach: str
    trouble: Unavailable | None = None
    measured_at: float | None = None

    @property
    def worst(self) -> BudgetState | None:
        """The worst state of any service."""
        return self.services[0].state if self.services else None


def build(
    now: float, window: str, rows: Sequence[ServiceRow], measured_at: float | None = None
) -> Wall:
    """Return the wall, worst service first, then the busiest."""
    ordered = sorted(
        rows, key=lambda r: (_ORDER.index(r.state), -r.summary.calls, r.summary.service_name)
    )
    return Wall(at=now, services=tuple(ordered), reach=window, measured_at=measured_at)


def service_row(
    now: float,
    window: str,
    summary: ServiceSummary,
    budgets: Sequence[Budget],
    points: Sequence[SeriesPoint],
    *,
    is_stale: bool = False,
) -> ServiceRow:
    """Return one service as the wall shows it, its worst budget first."""
    last = summary.last_seen_at
    budgets = sorted(budgets, key=_by_need)
    return ServiceRow(
        summary=summary,
        budgets=tuple(budgets),
        facts=facts(summary, points, now, window),
        state=min((b.state for b in budgets), key=_ORDER.index, default=BudgetState.NO_DATA),
        is_quiet=last is None or now - last > QUIET_S,
        hint=_hint(summary),
        is_stale=is_stale,
    )


def _by_need(budget: Budget) -> tuple[int, float, str]:
    left = budget.remaining_ratio
    return _ORDER.index(budget.state), 2.0 if left is None else left, budget.objective.name


def facts(
    s: ServiceSummary, points: Sequence[SeriesPoint], now: float, window: str
) -> tuple[Fact, ...]:
    """Return the numbers of a service, in the order of the wall."""
    window_s, step_s = charts.WINDOWS[window]
    return (
        Fact(
            "Calls", spell.rate(s.served / window_s * 60), _seen(s, window),
            unit="/min", spark=charts.spark(charts.CALLS, points, step_s, now, 1),
        ),
        Fact(
            "Errors", spell.ratio(charts.share(s.served_errors, s.served)),
            _errors_of(s),
            spark=charts.spark(charts.ERRORS, points, step_s, now, 0.05),
        ),
        Fact(
            "Latency p95", spell.seconds(s.latency_p95_s), f"p50 {spell.seconds(s.latency_p50_s)}",
            spark=charts.spark(charts.LATENCY, points, step_s, now, 0.5),
        ),
        Fact(
            "TTFT p95", spell.seconds(s.ttft_p95_s),
            f"p50 {spell.seconds(s.ttft_p50_s)}" if s.ttft_p95_s is not None else "not reported",
            spark=charts.spark(charts.TTFT, points, step_s, now, 0.5),
        ),
        Fact(
            "Flagged by detector", spell.ratio(charts.share(s.unsupported, s.scored)),
            f"uncorrected, {_of(s.unsupported, s.scored) or 'none judged yet'}",
            spark=charts.spark(charts.FLAGGED, points, step_s, now, 0.1),
        ),
        Fact("Scored", spell.ratio(s.coverage_ratio), _scoring_note(s)),
        Fact("Cost", spell.usd(s.cost_usd), _cost_note(s)),
    )  # fmt: skip


def _seen(s: ServiceSummary, window: str) -> str:
    """Return how many calls were served, and how many of them were seen where that is fewer."""
    shown = f"{spell.count(s.served)} in {window}"
    return shown if s.served < s.calls * 1.01 else f"{shown}, {spell.count(s.calls)} sampled"


def _errors_of(s: ServiceSummary) -> str:
    """Return the failed of all calls seen, and the interval of the share among those served."""
    if s.served <= 0:
        return ""
    rows = effective_rows(Counts(s.served, s.served_errors, s.calls, s.errors))
    return _of(s.errors, s.calls, wilson(min(rows, rows * s.served_errors / s.served), rows))


def _of(part: float, whole: float, bounds: Interval | None = None) -> str:
    """Return ``28 of 741, 2.6-5.4 %``: the counts, and Wilson's interval."""
    if whole <= 0:
        return ""
    bounds = bounds or wilson(min(part, whole), whole)
    low = spell.ratio(bounds.low).removesuffix(" %")
    span = f"{low}{spell.MISSING}{spell.ratio(bounds.high)}"
    return f"{spell.count(part)} of {spell.count(whole)}, {span}"


def _scoring_note(s: ServiceSummary) -> str:
    if s.eligible <= 0:
        return "no answer to judge"
    lag = s.scoring_lag_s
    shown = "over 16 min" if lag is not None and lag >= LONGEST_LAG_S else spell.seconds(lag)
    return f"of {spell.count(s.eligible)} answers, lag p95 {shown}"


def _cost_note(s: ServiceSummary) -> str:
    tokens = f"{spell.count(s.input_tokens + s.output_tokens)} tokens"
    if s.cost_usd is None or s.served <= 0:
        return f"{tokens}, no price known"
    return f"{spell.usd(s.cost_usd / s.served * 1000)} per 1,000, {tokens}"


def _hint(s: ServiceSummary) -> Hint | None:
    if s.calls <= 0 or s.content_ratio is None or s.content_ratio >= 0.5:
        return None
    return Hint(
        f"{spell.ratio(1 - s.content_ratio)} of its calls came without their content, so there is "
        "nothing to score. Set",
        CAPTURE_VARIABLE,
        "where the app runs.",
    )
