"""A book equals a plain recount of the store, whatever happened to events, clock and process."""

import math
from collections.abc import Sequence
from dataclasses import replace

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from seakeeping.errors import StoreUnavailable
from seakeeping.observe.book import Book
from seakeeping.observe.history import look_reach
from seakeeping.observe.testing import Event, MemoryStore
from seakeeping.observe.windows import period_start, step_of
from seakeeping.records import (
    Calendar,
    Counts,
    Indicator,
    IndicatorSignal,
    Match,
    Objective,
    Reading,
)

NOON = 1_790_000_100.0
DAY = 86_400.0
SERVICES = ("shop", "desk")

AVAILABILITY = Indicator("availability", "calls", "calls without an error")
LATENCY = Indicator("latency", "calls", "fast ones", signal=IndicatorSignal.LATENCY, threshold=1.0)
QUALITY = Indicator(
    "faithfulness", "answers", "supported ones", signal=IndicatorSignal.EVALUATION,
    subject="faithfulness", bad_labels=("unsupported",), is_estimate=True,
)  # fmt: skip
IN_EUROPE = replace(AVAILABILITY, where=(Match("region", ("eu",)),))

OBJECTIVES = (
    Objective("availability", "*", AVAILABILITY, 0.99, source="a.yaml"),
    Objective("latency", "shop", LATENCY, 0.9, window="7d", source="a.yaml"),
    Objective("hour", "shop", AVAILABILITY, 0.9, window="1h", source="a.yaml"),
    Objective("day", "desk", AVAILABILITY, 0.9, window="1d", source="a.yaml"),
    Objective("quality", "desk", QUALITY, 0.8, source="a.yaml"),
    Objective("europe", "shop", IN_EUROPE, 0.99, source="a.yaml"),
    Objective(
        "month", "shop", AVAILABILITY, 0.99, window="1M", source="a.yaml",
        calendar=Calendar("2026-01-01 00:00:00", "Europe/Berlin"),
    ),
    Objective(
        "kathmandu", "shop", LATENCY, 0.99, window="1M", source="a.yaml",
        calendar=Calendar("2026-01-01 00:00:00", "Asia/Kathmandu"),
    ),
)  # fmt: skip


class HandClock:
    """A clock that is moved by hand, also back."""

    def __init__(self) -> None:
        self.at = NOON

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at


def same(ours: Counts, theirs: Counts) -> bool:
    """Return whether counts are equal up to the rounding of weights."""
    return (ours.valid_rows, ours.bad_rows) == (theirs.valid_rows, theirs.bad_rows) and all(
        math.isclose(getattr(ours, name), getattr(theirs, name), rel_tol=1e-9, abs_tol=1e-9)
        for name in ("valid", "bad", "score_sum", "score_squares")
    )


def assert_equal_to_a_recount(
    store: MemoryStore, readings: Sequence[Reading], at: float, known_until: float
) -> None:
    """Hold readings to the store; ``known_until`` is how far into the future events are taken."""
    for reading in readings:
        budget, objective = reading.budget, reading.budget.objective
        for seconds, counts in reading.looks.items():
            step = look_reach(seconds).step_s
            start, end = (at - seconds) // step * step, min(at // step * step + step, known_until)
            theirs = store.count(objective.indicator, objective.service, start, end)
            assert same(counts, theirs), (objective.name, seconds, counts, theirs)
        step = step_of(objective)
        start = period_start(objective, at) // step * step
        end = min(at // step * step + step, known_until)
        theirs = store.count(objective.indicator, objective.service, start, end)
        is_estimate = objective.indicator.is_estimate  # what is bad is not just counted then
        ours = Counts(
            budget.valid_total, theirs.bad if is_estimate else budget.bad_total,
            budget.valid_rows, budget.bad_rows, theirs.score_sum, theirs.score_squares,
        )  # fmt: skip
        assert same(ours, theirs), (objective.name, objective.window, ours, theirs)


events = st.builds(
    Event,
    id=st.integers(0, 60).map(str),
    service=st.sampled_from(SERVICES),
    at=st.floats(0, 1),
    is_error=st.booleans(),
    duration_s=st.sampled_from([0.5, 2.0]),
    weight=st.sampled_from([1.0, 1.0, 2.0, 1.7]),
    scores=st.sampled_from([{}, {"faithfulness": 0.1}, {"faithfulness": 0.83}]),
    dimensions=st.sampled_from([{}, {"region": "eu"}]),
)
ages = st.one_of(
    st.floats(0, 30), st.floats(0, 2 * 3600), st.floats(0, 2 * DAY), st.floats(0, 40 * DAY)
)


class Books(RuleBasedStateMachine):
    """Events, time, restarts and trouble in any order; after each tick the book is held to it."""

    @initialize()
    def begin(self) -> None:
        self.clock = HandClock()
        self.store = MemoryStore()
        self.checkpoint: bytes | None = None
        self.objectives: tuple[Objective, ...] = OBJECTIVES
        self.book = self.new_book()
        self.is_current = False

    def new_book(self) -> Book:
        book = Book(self.store, self.clock)
        book.hold(self.objectives)
        return book

    @rule(batch=st.lists(st.tuples(events, ages), min_size=1, max_size=8))
    def store_events(self, batch: list[tuple[Event, float]]) -> None:
        self.store.put(replace(event, at=self.clock.at - age) for event, age in batch)
        self.is_current = False

    @rule(ahead=st.floats(0, 2000), event=events)
    def store_an_event_of_the_future(self, ahead: float, event: Event) -> None:
        self.store.put([replace(event, at=self.clock.at + ahead)])
        self.is_current = False

    @precondition(lambda self: self.store.events)
    @rule(data=st.data())
    def take_an_event_back(self, data: st.DataObject) -> None:
        self.store.retract(data.draw(st.sampled_from(sorted(self.store.events))))
        self.is_current = False

    @rule(seconds=st.sampled_from([1, 5, 5, 10, 60, 299, 3600, 20_000, 100_000, 9 * DAY]))
    def let_time_pass(self, seconds: float) -> None:
        self.clock.at += seconds
        self.is_current = False

    @rule(seconds=st.sampled_from([1, 30, 700, 8000, 200_000]))
    def set_the_clock_back(self, seconds: float) -> None:
        self.clock.at -= seconds
        self.is_current = False

    @rule()
    def tick(self) -> None:
        for _ in range(8):  # the past of what is new takes steps
            self.book.refresh(self.clock.at)
        self.is_current = True

    @rule()
    def tick_while_the_store_is_away(self) -> None:
        self.store.is_away = True
        with pytest.raises(StoreUnavailable):
            self.book.refresh(self.clock.at)
        self.store.is_away = False
        self.is_current = False

    @rule()
    def save(self) -> None:
        self.checkpoint = self.book.checkpoint(self.clock.at)

    @rule()
    def restart(self) -> None:
        self.book = self.new_book()
        if self.checkpoint is not None:
            self.book.restore(self.checkpoint)
        self.is_current = False

    @rule(chosen=st.sets(st.sampled_from(range(len(OBJECTIVES))), min_size=1))
    def change_the_objectives(self, chosen: set[int]) -> None:
        self.objectives = tuple(OBJECTIVES[n] for n in sorted(chosen))
        self.book.hold(self.objectives)
        self.is_current = False

    @invariant()
    def the_book_equals_a_recount(self) -> None:
        if getattr(self, "is_current", False):
            readings = self.book.readings(self.clock.at)
            assert not [r.budget.note for r in readings if "Counted" in r.budget.note]
            until = self.book._history.until
            assert_equal_to_a_recount(self.store, readings, self.clock.at, until)


Books.TestCase.settings = settings(
    max_examples=60, stateful_step_count=25, deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)  # fmt: skip
TestBooks = Books.TestCase
