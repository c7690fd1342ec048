"""The book of budgets: what its readings say when things change, break or jump."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from seakeeping.errors import StoreUnavailable
from seakeeping.observe.book import STALE_S, Book
from seakeeping.observe.expansion import MOST_SLICES, MOST_VALUES, expanded
from seakeeping.observe.quality import SOON_S
from seakeeping.observe.testing import Event, MemoryStore
from seakeeping.records import (
    Alerting,
    Budgeting,
    BudgetState,
    BurnAlert,
    Calendar,
    Counts,
    EstimateMethod,
    Indicator,
    IndicatorSignal,
    LabelKind,
    LabelledScore,
    Objective,
    Reading,
    Severity,
)

NOON = 1_790_000_100.0
DAY = 86_400.0
AVAILABILITY = Objective(
    "availability", "shop", Indicator("availability", "calls", "good calls"), 0.99,
    source="a.yaml",
)  # fmt: skip
QUALITY = Objective(
    "quality", "shop",
    Indicator(
        "faithfulness", "answers", "supported", signal=IndicatorSignal.EVALUATION,
        subject="faithfulness", bad_labels=("unsupported",), is_estimate=True,
    ),
    0.9, source="a.yaml",
)  # fmt: skip


class HandClock:
    def __init__(self) -> None:
        self.at = NOON

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at


class Scene:
    """A store, a clock and a book."""

    def __init__(self, *objectives: Objective) -> None:
        self.clock, self.store = HandClock(), MemoryStore()
        self.objectives = objectives
        self.book = self.new_book()
        self._sent = 0

    def new_book(self) -> Book:
        book = Book(self.store, self.clock)
        book.hold(self.objectives)
        return book

    def send(self, valid: int, bad: int = 0, *, age: float = 0.0, **more: object) -> list[Event]:
        """Store so many events, the first ``bad`` of them failed or badly judged."""
        self._sent += 1
        event = Event("", "shop", self.clock.at - age)
        events = [
            replace(
                event, id=f"{self._sent}-{n}", is_error=n < bad,
                scores={"faithfulness": 0.9 if n < bad else 0.1}, **more,  # type: ignore[arg-type]
            )
            for n in range(valid)
        ]  # fmt: skip
        self.store.put(events)
        return events

    def tick(self, times: int = 1) -> list[Reading]:
        for _ in range(times):
            self.book.refresh(self.clock.at)
        return self.book.readings(self.clock.at)

    def reading(self, name: str = "availability", times: int = 8) -> Reading:
        (found,) = [one for one in self.tick(times) if one.budget.objective.name == name]
        return found


def names(readings: Sequence[Reading]) -> list[str]:
    return [one.budget.objective.name for one in readings]


# -- what a reading says --------------------------------------------------------------------------


def test_an_event_counts_at_the_next_tick() -> None:
    scene = Scene(AVAILABILITY)
    scene.send(99)
    scene.tick(8)
    scene.clock.at += 1
    scene.send(1, 1)
    reading = scene.reading(times=1)
    assert reading.looks[300] == Counts(100, 1, 100, 1)
    assert reading.budget.burn_rates["5m"] == pytest.approx(1.0)
    assert reading.budget.remaining_ratio == pytest.approx(0.0)
    assert reading.budget.last_event_at == pytest.approx(scene.clock.at, abs=10)


def test_look_backs_forget_what_is_older_than_they_are() -> None:
    scene = Scene(AVAILABILITY)
    scene.send(10, 10)
    scene.tick(8)
    looked: dict[float, int] = {}
    for seconds in (0, 320, 2000, 4000, 7300, 22_000, 90_000, 270_000):
        scene.clock.at = NOON + seconds
        looked[seconds] = sum(one.valid_rows > 0 for one in scene.reading(times=1).looks.values())
    assert list(looked.values()) == [7, 6, 5, 4, 3, 2, 1, 0]
    assert scene.reading().budget.valid_rows == 10
    assert scene.reading().budget.burn_rates["3d"] is None


def test_the_budget_lasts_as_long_as_the_pace_of_six_hours_says() -> None:
    scene = Scene(AVAILABILITY)
    scene.send(1000, 0, age=2 * DAY)
    scene.send(1000, 10)
    budget = scene.reading().budget
    assert budget.remaining_ratio == pytest.approx(0.5)
    assert budget.burn_rates["6h"] == pytest.approx(1.0)
    assert budget.time_to_exhaustion_s == pytest.approx(0.5 * 30 * DAY)
    scene.send(100, 100)
    assert scene.reading(times=1).budget.time_to_exhaustion_s == 0.0
    assert Scene(AVAILABILITY).reading().budget.time_to_exhaustion_s is None


def test_intervals_weigh_alike_in_one_figure_and_events_in_the_other() -> None:
    scene = Scene(AVAILABILITY)
    scene.send(1, 1, age=8 * 3600)  # at night
    scene.send(999)
    budget = scene.reading().budget
    assert budget.remaining_ratio == pytest.approx(1 - 0.001 / 0.01)
    assert budget.interval_remaining_ratio == pytest.approx(1 - 0.5 / 0.01)


def test_no_events_are_no_data_and_a_shipped_objective_is_not_shown() -> None:
    latency = Indicator("latency", "calls", "fast", IndicatorSignal.LATENCY, threshold=1.0)
    shipped = replace(AVAILABILITY, name="shipped", indicator=latency, source="default")
    scene = Scene(AVAILABILITY, shipped)
    readings = scene.tick()
    assert names(readings) == ["availability"]
    assert readings[0].budget.state is BudgetState.NO_DATA
    scene.send(1)
    assert names(scene.tick()) == ["availability", "shipped"]


def test_alerts_get_the_look_backs_that_they_ask_for() -> None:
    burn = (BurnAlert(Severity.TICKET, 345_600, 28_800, 1.0),)
    asking = replace(AVAILABILITY, name="asking", alerting=Alerting(burn=burn))
    scene = Scene(AVAILABILITY, asking)
    scene.send(10, 10, age=3.5 * DAY)
    readings = {one.budget.objective.name: one for one in scene.tick(8)}
    assert readings["asking"].looks[345_600].valid_rows == 10
    assert readings["asking"].budget.burn_rates["4d"] == pytest.approx(100)
    assert set(readings["availability"].looks) == set(readings["asking"].looks) - {345_600, 28_800}
    assert "4d" not in readings["availability"].budget.burn_rates


def test_counters_only_grow_and_lead_to_a_bad_event() -> None:
    scene = Scene(AVAILABILITY)
    scene.send(10, 2)
    first = scene.reading()
    assert (first.valid_seen, first.bad_seen) == (10, 2)
    assert first.bad_trace_id in ("1-0", "1-1")
    scene.store.retract("1-0")
    assert scene.reading(times=1).valid_seen == 10
    scene.clock.at += 5
    scene.send(5, 1)
    again = scene.reading(times=1)
    assert (again.valid_seen, again.bad_seen) == (15, 3)


def test_counters_of_an_objective_that_was_gone_during_a_jump_begin_anew() -> None:
    scene = Scene(AVAILABILITY)
    scene.send(10, 2)
    assert scene.reading().valid_seen == 10
    scene.clock.at += DAY
    scene.tick(2)
    scene.book.hold([])
    scene.tick(1)
    scene.clock.at -= DAY
    scene.book.hold([AVAILABILITY])
    again = scene.reading()
    assert (again.valid_seen, again.bad_seen) == (10, 2)


# -- the store is away ----------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [40, 3600, 90_000])
def test_while_the_store_is_away_readings_stand_still_and_say_so(seconds: float) -> None:
    scene = Scene(AVAILABILITY)
    scene.send(100, 50)
    before = scene.reading()
    scene.store.is_away = True
    scene.clock.at += seconds
    with pytest.raises(StoreUnavailable):
        scene.book.refresh(scene.clock.at)
    (standing,) = scene.book.readings(scene.clock.at)
    assert standing.looks == before.looks
    assert standing.budget.at == before.budget.at
    assert "Not counted since" in standing.budget.note
    assert scene.clock.at - standing.budget.at > STALE_S


def test_what_came_meanwhile_is_counted_once_it_is_back() -> None:
    scene = Scene(AVAILABILITY)
    scene.send(100)
    scene.tick(8)
    scene.store.is_away = True
    scene.clock.at += 60
    scene.send(50, 50)
    with pytest.raises(StoreUnavailable):
        scene.tick()
    scene.store.is_away = False
    reading = scene.reading(times=1)
    assert reading.looks[300].bad == 50
    assert not reading.budget.note


# -- objectives change ----------------------------------------------------------------------------


def test_a_target_that_changes_while_it_burns_takes_its_history_along() -> None:
    scene = Scene(AVAILABILITY)
    scene.send(100, 5)
    assert scene.reading().budget.burn_rates["5m"] == pytest.approx(5.0)
    asked = scene.store.asked
    scene.book.hold([replace(AVAILABILITY, target_ratio=0.9)])
    reading = scene.reading(times=1)
    assert reading.budget.burn_rates["5m"] == pytest.approx(0.5)
    assert scene.store.asked - asked <= 3  # nothing was counted anew


def test_a_deleted_objective_is_gone_and_may_come_back() -> None:
    scene = Scene(AVAILABILITY, QUALITY)
    scene.send(100, 5)
    scene.tick(8)
    scene.book.hold([QUALITY])
    scene.send(100, 5)
    assert names(scene.tick()) == ["quality"]
    scene.book.hold([AVAILABILITY])
    assert scene.reading().budget.valid_rows == 200


def test_a_new_objective_knows_the_present_at_once_and_says_how_far_back_it_is() -> None:
    scene = Scene(AVAILABILITY)
    scene.send(100, 5, age=20 * DAY)
    scene.send(100, 5)
    reading = scene.reading(times=1)
    assert reading.looks[300].bad == 5
    assert "Counted back to" in reading.budget.note
    assert reading.budget.valid_rows == 100
    reading = scene.reading()
    assert not reading.budget.note
    assert reading.budget.valid_rows == 200


def test_an_objective_over_a_longer_window_fills_what_its_row_lacks() -> None:
    scene = Scene(replace(AVAILABILITY, window="1d"))
    scene.send(100, 5, age=20 * DAY)
    scene.tick(8)
    scene.book.hold([replace(AVAILABILITY, window="30d")])
    assert scene.reading().budget.valid_rows == 100


def test_services_that_appear_get_the_objectives_of_every_service() -> None:
    scene = Scene(replace(AVAILABILITY, service="*"))
    assert scene.tick() == []
    scene.send(10)
    assert names(scene.tick()) == ["shop/availability"]
    scene.send(10, service="desk")
    assert sorted(names(scene.tick())) == ["desk/availability", "shop/availability"]


def test_slices_that_appear_get_an_objective_each() -> None:
    scene = Scene(replace(AVAILABILITY, slice_by=("model",), labels={"team": "a"}))
    scene.send(10, dimensions={"model": "small"})
    scene.tick()
    scene.clock.at += 61
    scene.send(20, 20, dimensions={"model": "large"})
    readings = {one.budget.objective.name: one for one in scene.tick(8)}
    assert set(readings) == {"availability[model=small]", "availability[model=large]"}
    large = readings["availability[model=large]"]
    assert large.looks[300] == Counts(20, 20, 20, 20)
    assert large.budget.objective.labels == {"team": "a", "model": "large"}


def test_slices_are_bounded_and_names_are_held_once() -> None:
    values = [f"v{n}" for n in range(1000)]
    sliced = replace(AVAILABILITY, slice_by=("model", "region"))
    assert len(expanded([sliced], [], lambda *_: values)) == MOST_SLICES
    one = replace(AVAILABILITY, slice_by=("model",))
    assert len(expanded([one], [], lambda *_: values)) == MOST_VALUES
    assert expanded([AVAILABILITY, replace(AVAILABILITY, target_ratio=0.5)], [], lambda *_: []) == [
        AVAILABILITY
    ]


# -- slices of time -------------------------------------------------------------------------------


def sliced(method: Budgeting, length: int = 60, target: float = 0.9) -> Objective:
    return replace(
        AVAILABILITY, budgeting=method, slice_window_s=length, slice_target_ratio=target,
        target_ratio=0.95,
    )  # fmt: skip


@pytest.mark.parametrize("length", [60, 300, 3600])
def test_a_slice_of_time_is_bad_as_a_whole(length: int) -> None:
    scene = Scene(sliced(Budgeting.TIMESLICES, length))
    scene.clock.at = NOON // length * length + length / 2
    for n, bad in enumerate([0, 1, 5, 0]):
        scene.send(20, bad, age=n * length)
    budget = scene.reading().budget
    assert (budget.valid_total, budget.bad_total) == (4, 1)  # 5 of 20 miss 90 %, 1 of 20 does not


def test_ratios_of_slices_are_averaged_where_that_is_asked() -> None:
    scene = Scene(sliced(Budgeting.RATIO_TIMESLICES))
    for n, bad in enumerate([0, 1, 5, 0]):
        scene.send(20, bad, age=n * 60)
    budget = scene.reading().budget
    assert budget.valid_total == 4
    assert budget.bad_total == pytest.approx(6 / 20)
    assert budget.estimate == pytest.approx(1 - 6 / 80)
    assert budget.state is BudgetState.UNCERTAIN


def test_a_late_event_judges_its_slice_again() -> None:
    scene = Scene(sliced(Budgeting.TIMESLICES, 3600))
    scene.send(20, 0, age=2 * DAY)
    scene.send(20, 0, age=20 * DAY)
    assert scene.reading().budget.bad_total == 0
    scene.send(20, 20, age=2 * DAY + 60)
    scene.send(20, 20, age=20 * DAY + 1)
    budget = scene.reading(times=1).budget
    assert budget.bad_total == 2
    assert budget.valid_total <= 4


# -- clocks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("jump", [-1.0, -600.0, -7200.0, -3 * DAY, 3600.0, 40 * DAY])
def test_a_clock_that_jumps_and_comes_back_loses_nothing(jump: float) -> None:
    scene = Scene(AVAILABILITY)
    scene.send(100, 5, age=5 * DAY)
    scene.send(100, 5, age=30)
    before = scene.reading()
    scene.clock.at += jump
    scene.tick(2)
    scene.clock.at -= jump
    after = scene.reading()
    assert after.looks == before.looks
    assert (after.valid_seen, after.bad_seen) == (before.valid_seen, before.bad_seen)
    assert after.budget.valid_rows == before.budget.valid_rows
    assert not after.budget.note


def test_events_of_a_clock_that_runs_ahead_count_when_their_time_comes() -> None:
    scene = Scene(AVAILABILITY)
    scene.send(10)
    scene.tick(8)
    scene.send(5, 5, age=-7200)
    assert scene.reading(times=1).looks[300].bad == 0
    scene.clock.at += 7205
    assert scene.reading(times=1).looks[300].bad == 5


def test_a_month_begins_anew() -> None:
    month = replace(AVAILABILITY, window="1M", calendar=Calendar("2026-01-01 00:00:00"))
    scene = Scene(month)
    scene.send(100, 50)
    assert scene.reading().budget.bad_rows == 50
    scene.clock.at += 31 * DAY
    scene.send(10)
    budget = scene.reading(times=1).budget
    assert (budget.valid_rows, budget.bad_rows) == (10, 0)
    assert budget.window_start is not None
    assert budget.window_start % DAY == 0


# -- estimates ------------------------------------------------------------------------------------


def label(number: int, truth: float, score: float, at: float) -> LabelledScore:
    return LabelledScore(
        f"{number}", f"{number}", "shop", at, at, truth, score, score >= 0.5, LabelKind.HUMAN,
        "ann", 0.5,
    )  # fmt: skip


def test_a_detectors_share_is_corrected_or_not_believed() -> None:
    scene = Scene(QUALITY)
    scene.send(1000, 300)
    cold = scene.reading("quality").budget
    assert cold.method is EstimateMethod.COLD_START
    assert cold.state is BudgetState.UNCERTAIN
    assert cold.raw_ratio == pytest.approx(0.7)
    assert cold.estimate is not None
    assert cold.bad_total == pytest.approx(1000 * (1 - cold.estimate))
    assert cold.remaining_ratio == pytest.approx(1 - (1 - cold.estimate) / 0.1)


def test_labels_settle_what_a_detector_cannot() -> None:
    scene = Scene(QUALITY)
    scene.send(1000, 300)
    scene.tick(8)
    scene.store.label(
        label(n, float(n % 10 < 4), 0.9 if n % 10 < 3 else 0.1, scene.clock.at) for n in range(600)
    )
    scene.clock.at += SOON_S
    budget = scene.reading("quality", times=1).budget
    assert budget.method is EstimateMethod.PPI
    assert budget.labels == 600
    assert budget.estimate == pytest.approx(0.6, abs=0.05)
    assert budget.state is BudgetState.BREACH


def test_labels_of_the_last_days_leave_the_month_open() -> None:
    scene = Scene(QUALITY)
    scene.send(300, 90, age=20 * DAY)
    scene.send(700, 210, age=DAY)
    scene.tick(8)
    at = scene.clock.at - DAY
    scene.store.label(
        label(n, float(n % 10 < 4), 0.9 if n % 10 < 3 else 0.1, at) for n in range(600)
    )
    scene.clock.at += SOON_S
    budget = scene.reading("quality", times=2).budget
    assert "Labels speak for 70% of the window's answers" in budget.note
    assert budget.high is not None
    assert budget.high > 0.3 + 0.7 * 0.6


def test_an_unknown_detector_has_no_burn_rates_and_no_remaining_budget() -> None:
    unknown = replace(QUALITY, indicator=replace(QUALITY.indicator, evaluator="somebody's"))
    scene = Scene(unknown)
    scene.send(1000, 300)
    reading = scene.reading("quality")
    assert reading.budget.method is EstimateMethod.UNCORRECTED
    assert reading.budget.remaining_ratio is None
    assert set(reading.budget.burn_rates.values()) == {None}
    assert reading.evidence is None


def test_quality_is_watched_event_by_event() -> None:
    scene = Scene(QUALITY)
    scene.send(500, 50, age=DAY)
    scene.send(200, 40)
    scene.tick(8)
    for _ in range(20):
        scene.clock.at += 5
        scene.send(20, 16)
        reading = scene.reading("quality", times=1)
    assert reading.evidence is not None
    assert reading.evidence.events == 600
    assert reading.evidence.is_alarm
    assert reading.evidence.is_cold
    assert reading.evidence.since == pytest.approx(NOON, abs=600)


def flagging(scene: Scene, bad_of_20: int, times: int = 60) -> Reading:
    """Let 20 answers come every five seconds, for a while."""
    for _ in range(times):
        scene.clock.at += 5
        scene.send(20, bad_of_20)
        scene.tick()
    return scene.reading("quality", times=1)


def test_a_detector_that_always_flagged_half_raises_no_alarm() -> None:
    scene = Scene(QUALITY)
    for hours in range(3, 23):
        scene.send(100, 45, age=hours * 3600)
    scene.tick(8)
    steady = flagging(scene, 9)
    assert steady.evidence is not None
    assert not steady.evidence.is_alarm
    worse = flagging(scene, 16)
    assert worse.evidence is not None
    assert worse.evidence.is_alarm


def test_an_old_incident_does_not_hide_a_new_one() -> None:
    scene = Scene(QUALITY)
    for hours in range(3, 24 * 25, 3):
        was_bad = 240 <= hours < 276
        scene.send(100, 76 if was_bad else 15, age=hours * 3600.0)
    scene.tick(30)
    steady = flagging(scene, 3)
    assert steady.evidence is not None
    assert not steady.evidence.is_alarm
    assert steady.evidence.null_ratio < 0.35
    worse = flagging(scene, 15, times=20)
    assert worse.evidence is not None
    assert worse.evidence.is_alarm


def test_what_an_alarm_is_held_to_does_not_rise_with_the_incident() -> None:
    scene = Scene(QUALITY)
    scene.send(500, 50, age=DAY)
    scene.tick(8)
    alarmed = flagging(scene, 16)
    assert alarmed.evidence is not None
    for _ in range(30):
        scene.clock.at += 1800
        scene.send(100, 80)
        later = scene.reading("quality", times=1)
    assert later.evidence is not None
    assert later.evidence.is_alarm
    assert later.evidence.null_ratio == alarmed.evidence.null_ratio


def test_a_new_service_is_tested_once_it_has_a_past() -> None:
    scene = Scene(QUALITY)
    scene.send(200, 90)
    assert scene.reading("quality").evidence is None
    scene.clock.at += 4 * 3600
    scene.send(1)
    found = scene.reading("quality")
    assert found.evidence is not None
    assert found.evidence.null_ratio > 0.45


# -- restarts -------------------------------------------------------------------------------------


def test_a_restart_reads_what_was_kept_and_counts_only_what_changed() -> None:
    scene = Scene(AVAILABILITY, QUALITY)
    for days in (0, 1, 5, 20):
        scene.send(100, 5, age=days * DAY + 1000)
    before = scene.tick(8)
    checkpoint = scene.book.checkpoint(scene.clock.at)
    scene.store.events = {k: e for k, e in scene.store.events.items() if e.at > NOON - 3 * DAY}
    scene.store.dropped_before = NOON - 3 * DAY  # retention
    scene.book = scene.new_book()
    scene.book.restore(checkpoint)
    after = scene.tick(1)
    assert after[0].looks == before[0].looks
    assert [one.budget.valid_rows for one in after] == [400, 400]
    assert after[1].evidence == before[1].evidence


def test_a_checkpoint_before_the_first_look_is_the_one_restored() -> None:
    scene = Scene(AVAILABILITY)
    scene.send(10)
    scene.tick(8)
    checkpoint = scene.book.checkpoint(scene.clock.at)
    again = scene.new_book()
    again.restore(checkpoint)
    assert again.checkpoint(scene.clock.at) == checkpoint


def test_a_checkpoint_of_something_else_is_refused() -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        Scene(AVAILABILITY).book.restore(b"{}")


def test_a_checkpoint_waits_for_the_store() -> None:
    scene = Scene(AVAILABILITY)
    scene.send(10, age=3000)
    scene.tick(8)
    scene.send(5, age=3000)
    scene.tick()
    scene.store.is_away = True
    with pytest.raises(StoreUnavailable):
        scene.book.checkpoint(scene.clock.at)
    scene.store.is_away = False
    scene.book.checkpoint(scene.clock.at)
    assert max(counts[2] for counts in scene.store.kept.values()) == 15
