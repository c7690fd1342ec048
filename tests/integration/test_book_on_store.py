"""A book over the real store: new, late, repeated, re-scored and retracted rows, and restarts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from seakeeping.config import Settings
from seakeeping.observe.book import Book
from seakeeping.records import (
    Evaluation,
    Indicator,
    IndicatorSignal,
    Interaction,
    Match,
    Objective,
    Reading,
)
from seakeeping.store.counting import CountingStore
from seakeeping.store.testing import (
    NOON,
    make_empty,
    make_evaluation,
    make_interaction,
    running_store,
)

DAY = 86_400.0
NOW = NOON + 120.0
OBJECTIVES = (
    Objective(
        "availability", "*", Indicator("availability", "calls", "good"), 0.99, source="a.yaml"
    ),
    Objective(
        "latency", "shop",
        Indicator("latency", "calls", "fast", signal=IndicatorSignal.LATENCY, threshold=1.0),
        0.9, window="7d", source="a.yaml",
    ),
    Objective(
        "europe", "shop",
        Indicator("availability", "calls", "good", where=(Match("region", ("eu",)),)),
        0.9, window="1d", source="a.yaml",
    ),
    Objective(
        "quality", "shop",
        Indicator(
            "faithfulness", "answers", "supported", signal=IndicatorSignal.EVALUATION,
            subject="faithfulness", bad_labels=("unsupported",), is_estimate=True,
        ),
        0.9, source="a.yaml",
    ),
)  # fmt: skip


class HandClock:
    def __init__(self, at: float) -> None:
        self.at = at

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at


@dataclass(frozen=True)
class Gone:
    """A call that is taken back."""

    trace_id: str
    span_id: str
    service_name: str
    started_at: float
    version: int


class Traffic:
    """What was sent so far: the oracle, and the way into the store."""

    def __init__(self, store: CountingStore) -> None:
        self._store = store
        self.calls: dict[str, tuple[Interaction, Evaluation]] = {}
        self._version = 1

    def send(self, numbers: Sequence[int], at: float, *, bad: bool = False, **more: Any) -> None:
        """Store calls (again) with their verdicts; of bad ones half failed, too."""
        self._version += 1
        calls = [
            make_interaction(
                number, started_at=at + number / 100, version=self._version,
                error_type="timeout" if bad and number % 2 else None,
                duration_s=2.0 if bad else 0.5, region="eu" if number % 3 else "us", **more,
            )
            for number in numbers
        ]  # fmt: skip
        label = "unsupported" if bad else "supported"
        judged = [
            (
                make_evaluation(
                    call, score_label=label, score_value=0.1 if bad else 0.9,
                    evaluated_at=call.started_at + self._version,
                ),
                call,
            )
            for call in calls
        ]  # fmt: skip
        self.calls |= {call.trace_id: (call, verdict) for verdict, call in judged}
        self._store.insert_interactions(calls, f"calls {self._version}")
        self._store.insert_evaluations(judged, f"verdicts {self._version}")
        self._roll(calls)

    def retract(self, number: int) -> None:
        call, _ = self.calls.pop(f"{number:032x}")
        self._version += 1
        gone = Gone(call.trace_id, call.span_id, call.service_name, call.started_at, self._version)
        self._store.retract([gone], "")
        self._roll([call])

    def _roll(self, calls: Sequence[Interaction]) -> None:
        places = {(call.service_name, call.started_at // 300 * 300) for call in calls}
        self._store.refresh_rollups(places)

    def expected(self, objective: Objective, start: float, end: float) -> tuple[int, int]:
        """Return the valid and the bad rows of a window, counted one by one."""
        verdicts = [
            self._verdict(objective, call, judged)
            for call, judged in self.calls.values()
            if call.service_name == objective.service and start <= call.started_at < end
        ]
        known = [verdict for verdict in verdicts if verdict is not None]
        return len(known), sum(known)

    @staticmethod
    def _verdict(objective: Objective, call: Interaction, judged: Evaluation) -> bool | None:
        indicator = objective.indicator
        if any(call.region not in match.values for match in indicator.where):
            return None
        match indicator.signal:
            case IndicatorSignal.LATENCY:
                return None if call.error_type else (call.duration_s or 0.0) > 1.0
            case IndicatorSignal.EVALUATION:
                return judged.score_label == "unsupported"
        return call.error_type is not None


@pytest.fixture(scope="module")
def engine() -> Iterator[CountingStore]:
    with running_store() as store:
        yield store


@pytest.fixture
def traffic(engine: CountingStore) -> Traffic:
    make_empty(engine)
    return Traffic(engine)


SHORT = Settings(retention_spans_days=1, retention_text_days=1, retention_interactions_days=5)


def new_book(store: CountingStore, clock: HandClock) -> Book:
    book = Book(store, clock)
    book.hold(OBJECTIVES)
    return book


def settle(book: Book, clock: HandClock) -> list[Reading]:
    for _ in range(9):
        book.refresh(clock.at)
    readings = book.readings(clock.at)
    assert not [one.budget.note for one in readings if "Counted" in one.budget.note]
    return readings


def assert_true(readings: Sequence[Reading], traffic: Traffic, now: float) -> None:
    assert {one.budget.objective.name for one in readings} >= {"latency", "europe", "quality"}
    for reading in readings:
        objective, budget = reading.budget.objective, reading.budget
        assert budget.window_start is not None
        found = budget.valid_rows, budget.bad_rows
        assert found == traffic.expected(objective, budget.window_start, now + 600), objective.name
        for seconds, counts in reading.looks.items():
            step = 10 if seconds <= 7200 else 300
            start, end = (now - seconds) // step * step, now // step * step + step
            expected = traffic.expected(objective, start, end)
            assert (counts.valid_rows, counts.bad_rows) == expected, (objective.name, seconds)


def test_whatever_happens_to_rows_the_book_says_what_the_store_holds(
    engine: CountingStore, traffic: Traffic
) -> None:
    clock = HandClock(NOW)
    traffic.send(range(1, 31), NOW - 20 * DAY)
    book = new_book(engine, clock)
    assert_true(settle(book, clock), traffic, clock.at)

    traffic.send(range(31, 61), NOW - 100)  # new
    traffic.send(range(61, 71), NOW - 2 * DAY, bad=True)  # two days late
    assert_true(settle(book, clock), traffic, clock.at)

    traffic.send(range(31, 41), NOW - 100, bad=True)  # sent again, and judged otherwise
    traffic.retract(45)
    traffic.retract(5)
    clock.at += 15
    assert_true(settle(book, clock), traffic, clock.at)

    traffic.send(range(71, 81), NOW - 50, service_name="desk")  # a service that appears
    readings = settle(book, clock)
    assert "desk/availability" in {one.budget.objective.name for one in readings}
    assert_true(readings, traffic, clock.at)


def test_a_restart_goes_on_where_the_book_was(engine: CountingStore, traffic: Traffic) -> None:
    clock = HandClock(NOW)
    traffic.send(range(1, 131), NOW - 9 * DAY, bad=True)
    traffic.send(range(131, 161), NOW - 4000)
    book = new_book(engine, clock)
    before = settle(book, clock)
    checkpoint = book.checkpoint(clock.at)

    clock.at += 1800
    traffic.send(range(161, 191), clock.at - 900)
    traffic.retract(3)
    again = new_book(engine, clock)
    again.restore(checkpoint)
    again.refresh(clock.at)  # one look: all that was kept is read at once
    readings = again.readings(clock.at)
    assert not [one.budget.note for one in readings if "Counted" in one.budget.note]
    assert_true(readings, traffic, clock.at)

    def evidence(found: Sequence[Reading]) -> int:
        (one,) = [r.evidence for r in found if r.budget.objective.name == "quality"]
        assert one is not None
        return one.events

    assert evidence(readings) == evidence(before) + 30


def test_what_retention_drops_is_still_in_the_budget(
    engine: CountingStore, traffic: Traffic
) -> None:
    clock = HandClock(NOW)
    traffic.send(range(1, 31), NOW - 9 * DAY, bad=True)
    traffic.send(range(31, 61), NOW - 100)
    book = new_book(engine, clock)
    before = settle(book, clock)
    checkpoint = book.checkpoint(clock.at)
    engine.apply_retention(SHORT, clock.at)
    assert engine.rows_since() > NOW - 9 * DAY
    restarted, fresh = new_book(engine, clock), new_book(engine, clock)
    restarted.restore(checkpoint)
    for book in (restarted, fresh):  # also a book that never saw the rows
        after = settle(book, clock)
        assert [(r.budget.valid_rows, r.budget.bad_rows) for r in after] == [
            (r.budget.valid_rows, r.budget.bad_rows) for r in before
        ]
