"""Everything the page of one objective shows: three numbers, what they mean, and what is behind."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from seakeeping.records import (
    Alert,
    AlertState,
    Budget,
    Change,
    EstimateMethod,
    IndicatorSignal,
    JsonObject,
    Reading,
)
from seakeeping.stats.proportion import wilson
from seakeeping.web import history, objective_list, spell, standing
from seakeeping.web.burn_table import BurnRow, burn_rows, measured_by
from seakeeping.web.charts import Chart, share
from seakeeping.web.examples import ExampleRow, example_rows
from seakeeping.web.whisker import Whisker, of_budget, whisker

MOST_SLICES = 12
"""Rows of the table of slices."""

LEAST_ROWS = 20
"""A slice of fewer events is not shown: its interval says nothing."""


@dataclass(frozen=True, slots=True)
class Slice:
    """The events of one value of one dimension: sums of weights, and rows."""

    dimension: str
    value: str
    valid: float
    bad: float
    valid_rows: int
    bad_rows: int


@dataclass(frozen=True, slots=True)
class BigNumber:
    """One of the three numbers at the top."""

    title: str
    value: str
    note: str
    css: str = ""


@dataclass(frozen=True, slots=True)
class SliceRow:
    """One slice: its bad share with the interval, beside all others."""

    dimension: str
    value: str
    rows: int
    bad: float | None
    bounds: str
    whisker: Whisker
    part: float | None
    href: str


@dataclass(frozen=True, slots=True)
class Background:
    """What is read from the telemetry store for the page; ``trouble`` says why it could not be.

    ``doubts`` say why the objective may promise nothing: names that nothing was seen of, verdicts
    that no result carries.
    """

    steps: Sequence[history.Step] = ()
    slices: Sequence[Slice] = ()
    examples: Sequence[JsonObject] = ()
    changes: Sequence[Change] = ()
    trouble: str = ""
    doubts: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class ObjectivePage:
    """The page."""

    reading: Reading
    budget: Budget
    title: str
    numbers: tuple[BigNumber, ...]
    sentence: str
    source: str
    whisker: Whisker | None
    facts: tuple[tuple[str, str], ...]
    burns: tuple[BurnRow, ...]
    burns_of: str
    evidence: str
    alerts: tuple[Alert, ...]
    charts: tuple[Chart, ...]
    slices: tuple[SliceRow, ...]
    examples: tuple[ExampleRow, ...]
    document: str
    is_owned: bool
    review_href: str
    calls_href: str
    chips: tuple[str, ...]


def build(
    reading: Reading, alerts: Iterable[Alert], behind: Background, document: str, *, is_owned: bool
) -> ObjectivePage:
    """Return the page of an objective; ``document`` is its YAML, ``is_owned``: by the API."""
    budget, objective = reading.budget, reading.budget.objective
    own = [
        a for a in alerts if a.objective == objective.name and a.state is not AlertState.RESOLVED
    ]
    step_s = history.step_for(objective.window_s)
    calls = calls_href(budget)
    return ObjectivePage(
        reading=reading,
        budget=budget,
        title=objective.display_name or objective.name,
        numbers=(_promise(budget), _found(budget), _left(budget)),
        sentence=standing.sentence(budget),
        source=standing.source(budget),
        whisker=of_budget(budget),
        facts=tuple(_facts(budget)),
        burns=tuple(burn_rows(reading, own)),
        burns_of=measured_by(reading),
        evidence=_evidence(reading),
        alerts=tuple(own),
        charts=tuple(history.charts(reading, behind.steps, step_s, behind.changes, calls))
        if behind.steps else (),
        slices=tuple(slice_rows(behind.slices, budget, _allowed(reading))),
        examples=tuple(example_rows(behind.examples)),
        document=document,
        is_owned=is_owned,
        review_href=_review(budget),
        calls_href=calls,
        chips=objective_list.labels_of(budget),
    )  # fmt: skip


def calls_href(budget: Budget) -> str:
    """Return the list of calls behind an objective, narrowed as far as its filters can say."""
    indicator, service = budget.objective.indicator, budget.objective.service
    asked = {"service": service}
    if indicator.signal is IndicatorSignal.AVAILABILITY:
        asked["error"] = "true"
    elif indicator.bad_labels:
        asked["label"] = indicator.bad_labels[0]
    return f"/interactions?{urlencode(asked)}"


def _promise(budget: Budget) -> BigNumber:
    objective = budget.objective
    note = f"in {objective.window}, {objective.budgeting.lower()}"
    if objective.calendar is not None:
        note = f"a calendar window of {objective.window} from {objective.calendar.start_time}"
    return BigNumber("Objective", spell.ratio(objective.target_ratio), note)


def _found(budget: Budget) -> BigNumber:
    if budget.estimate is None:
        return BigNumber("Good events", spell.MISSING, "nothing counted", "nodata")
    note = f"{standing.bounds(budget.low, budget.high)}, however often one looks"
    if budget.raw_ratio is not None:
        note += f"; the detector alone says {spell.ratio(budget.raw_ratio)}"
    return BigNumber("Good events", spell.ratio(budget.estimate), note, budget.state.lower())


def _left(budget: Budget) -> BigNumber:
    left = budget.remaining_ratio
    if left is None:
        return BigNumber("Error budget left", spell.MISSING, "no data", "nodata")
    allowed = budget.valid_total * budget.objective.budget_ratio
    note = f"{spell.count(budget.bad_total)} bad of {spell.count(allowed)} allowed"
    if budget.method is not EstimateMethod.COUNTED:
        note = f"by the estimate, of {spell.count(allowed)} bad answers allowed"
    if budget.time_to_exhaustion_s is not None and left > 0:
        note += f"; lasts {standing.lasts(budget)} at this pace"
    return BigNumber("Error budget left", spell.whole_ratio(left), note, budget.state.lower())


def _facts(budget: Budget) -> Iterable[tuple[str, str]]:
    objective, indicator = budget.objective, budget.objective.indicator
    yield "good means", f"of {indicator.valid}, {indicator.good}"
    yield "events", f"{spell.count(budget.valid_total)} valid, {spell.count(budget.bad_total)} bad"
    if budget.valid_rows != round(budget.valid_total):
        yield "seen", f"{spell.count(budget.valid_rows)} rows, the others sampled away"
    if budget.last_event_at is not None:
        yield "last event", spell.utc(budget.last_event_at)
    if budget.interval_remaining_ratio is not None:
        yield "as Sloth counts", _as_rules(budget)
    yield "owner", objective.owner or spell.MISSING
    yield "held in", "the default pack" if objective.source == "default" else objective.source
    if budget.note:
        yield "note", budget.note


def _as_rules(budget: Budget) -> str:
    left = spell.whole_ratio(budget.interval_remaining_ratio)
    return f"{left} left (five-minute ratios averaged without their traffic)"


_BEYOND_DOUBT = 1000  # times the limit: more digits tell nobody more


def _evidence(reading: Reading) -> str:
    evidence = reading.evidence
    if evidence is None:
        return ""
    value = spell.count(evidence.value)
    if evidence.value > _BEYOND_DOUBT * evidence.limit:
        value = f"over {_BEYOND_DOUBT:,} times its limit"
    limit = f"evidence {value}, fires at {spell.count(evidence.limit)},"
    held_to = "until now it was usual that" if evidence.is_cold else "on budget"
    rate = f"{held_to} the detector flags at most {spell.ratio(evidence.null_ratio)}"
    text = f"{limit} after {spell.count(evidence.events)} answers; {rate}"
    if evidence.since is not None:
        text += f"; the rate seems to have changed at {spell.utc(evidence.since)}"
    return text


def _allowed(reading: Reading) -> float:
    """Return the bad share that the budget allows, in what the slices are counted in."""
    evidence, objective = reading.evidence, reading.budget.objective
    is_flagged = objective.indicator.is_estimate and evidence is not None
    return evidence.null_ratio if is_flagged and evidence else objective.budget_ratio


def slice_rows(slices: Sequence[Slice], budget: Budget, allowed: float) -> list[SliceRow]:
    """Return the slices whose bad share is the worst, by the low end of their interval."""
    known = [s for s in slices if s.valid_rows >= LEAST_ROWS]
    all_bad = {s.dimension: 0.0 for s in known}
    for one in slices:
        all_bad[one.dimension] = all_bad.get(one.dimension, 0.0) + one.bad
    found = [(wilson(s.bad_rows, s.valid_rows), s) for s in known if s.bad_rows]
    found.sort(key=lambda pair: (-pair[0].low, pair[1].dimension, pair[1].value))
    most = max((bounds.high for bounds, _ in found[:MOST_SLICES]), default=1.0)
    return [
        SliceRow(
            dimension=s.dimension,
            value=s.value,
            rows=s.valid_rows,
            bad=share(s.bad, s.valid),
            bounds=standing.bounds(bounds.low, bounds.high),
            whisker=whisker(
                bounds.low,
                s.bad_rows / s.valid_rows,
                bounds.high,
                allowed,
                (0.0, max(most, allowed * 1.2)),
            ),
            part=share(s.bad, all_bad[s.dimension]),
            href=slice_href(budget.objective.service, s.dimension, s.value),
        )
        for bounds, s in found[:MOST_SLICES]
    ]


_FILTERS = ("environment", "operation", "provider", "model", "release")


def slice_href(service: str, dimension: str, value: str) -> str:
    """Return the calls of a slice; only of its service where no filter of the list says more."""
    asked = {"service": service}
    if dimension in _FILTERS and value:
        asked[dimension] = value
    return f"/interactions?{urlencode(asked)}"


def _review(budget: Budget) -> str:
    subject = standing.subject(budget)
    if not subject or budget.method is EstimateMethod.COUNTED:
        return ""
    return f"/review?{urlencode({'service': budget.objective.service, 'name': subject})}"
