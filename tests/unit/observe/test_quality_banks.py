"""When labels are read, whose they are, and what a test is held to."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from seakeeping.errors import StoreUnavailable
from seakeeping.observe.exemplars import AT_ONCE, EVERY_S, Exemplars
from seakeeping.observe.quality import FRESH_S, SOON_S, Quality
from seakeeping.observe.testing import Event, MemoryStore
from seakeeping.observe.tiers import Floats
from seakeeping.records import (
    Alerting,
    EstimateMethod,
    Indicator,
    IndicatorSignal,
    LabelKind,
    LabelledScore,
    Objective,
)

NOW = 1_790_000_100.0
QUALITY = Objective(
    "quality", "shop",
    Indicator(
        "faithfulness", "answers", "supported", signal=IndicatorSignal.EVALUATION,
        subject="faithfulness", bad_labels=("unsupported",), is_estimate=True,
    ),
    0.9,
)  # fmt: skip
COUNTED = Objective("availability", "shop", Indicator("availability", "calls", "good"), 0.99)


def labels(count: int, service: str = "shop") -> list[LabelledScore]:
    """Return labels of which a tenth is bad, by a detector that flags a fifth."""
    return [
        LabelledScore(
            f"{n}", f"{n}", service, NOW - n, NOW, float(n % 10 == 0), 0.9 if n % 5 == 0 else 0.1,
            n % 5 == 0, LabelKind.HUMAN, "ann", 0.5,
        )
        for n in range(count)
    ]  # fmt: skip


def refreshed(objectives: Sequence[Objective], store: MemoryStore, *, at: float = NOW) -> Quality:
    quality = Quality(store)
    assert quality.refresh(objectives, at, has_new_labels=False)
    return quality


def columns(valid: float, bad: float) -> list[float]:
    return [valid, bad, valid, bad, bad * 0.9 + (valid - bad) * 0.1, bad * 0.81, 0.0, 0.0]


def past(flagged: float) -> Floats:
    """Return two days of a hundred answers an hour, of which that share is flagged."""
    return np.array([columns(100, 100 * flagged)] * 48)


def test_labels_are_read_when_there_are_new_ones_and_now_and_then() -> None:
    store = MemoryStore()
    quality = refreshed([QUALITY], store)
    asked = store.asked
    assert not quality.refresh([QUALITY], NOW + 5, has_new_labels=False)
    assert store.asked == asked
    assert not quality.refresh([QUALITY], NOW + 6, has_new_labels=True)
    assert quality.refresh([QUALITY], NOW + SOON_S, has_new_labels=False)
    assert quality.refresh([QUALITY], NOW + SOON_S + FRESH_S, has_new_labels=False)
    assert store.asked == asked + 2


def test_labels_that_never_cease_are_read_every_few_seconds() -> None:
    store = MemoryStore()
    quality = refreshed([QUALITY], store)
    for second in range(60):
        quality.refresh([QUALITY], NOW + second, has_new_labels=True)
    assert store.asked == 1 + 60 // int(SOON_S) - 1


def test_labels_of_many_objectives_are_read_a_few_at_a_time() -> None:
    many = [replace(QUALITY, name=f"{n}", service=f"shop {n}") for n in range(12)]
    store = MemoryStore()
    quality = refreshed(many, store)
    assert store.asked == 12
    asked = []
    for second in range(4):
        quality.refresh(many, NOW + SOON_S + second, has_new_labels=second == 0)
        asked.append(store.asked)
    assert asked == [17, 22, 24, 24]


def test_new_labels_are_read_later_where_the_store_is_away() -> None:
    store = MemoryStore()
    quality = refreshed([QUALITY], store)
    store.is_away = True
    with pytest.raises(StoreUnavailable):
        quality.refresh([QUALITY], NOW + SOON_S, has_new_labels=True)
    store.is_away = False
    assert quality.refresh([QUALITY], NOW + SOON_S + 1, has_new_labels=False)


def test_counted_objectives_ask_for_no_labels() -> None:
    store = MemoryStore()
    quality = Quality(store)
    assert not quality.refresh([COUNTED], NOW, has_new_labels=True)
    assert store.asked == 0
    assert quality.estimated(COUNTED, columns(100, 5)) is None


def test_an_objective_that_is_new_gets_its_labels_at_once() -> None:
    store = MemoryStore()
    store.label(labels(100))
    quality = refreshed([COUNTED, QUALITY], store)
    other = replace(QUALITY, name="other", window="7d")
    assert quality.refresh([QUALITY, other], NOW + 1, has_new_labels=False)
    found = quality.estimated(other, columns(1000, 200))
    assert found is not None
    assert found.labels == 100


def test_labels_of_another_service_correct_nothing_here() -> None:
    store = MemoryStore()
    store.label(labels(100, "desk"))
    found = refreshed([QUALITY], store).estimated(QUALITY, columns(1000, 200))
    assert found is not None
    assert found.method is EstimateMethod.COLD_START


def test_an_estimate_is_worked_out_again_only_when_something_changed() -> None:
    store = MemoryStore()
    store.label(labels(100))
    quality = refreshed([QUALITY], store)
    first = quality.estimated(QUALITY, columns(1000, 200))
    assert first is not None
    assert first.method is EstimateMethod.PPI
    assert quality.estimated(QUALITY, columns(1000, 200)) is first
    assert quality.estimated(QUALITY, columns(1001, 200)) is not first
    stricter = replace(QUALITY, target_ratio=0.99)
    other = quality.estimated(stricter, columns(1001, 200))
    assert other is not None
    assert other.state is not first.state


def test_a_test_is_held_to_what_the_detector_flags_at_the_budget() -> None:
    store = MemoryStore()
    quality = refreshed([QUALITY], store)
    shipped = quality.null_ratio(QUALITY, past(0.01))
    assert shipped is not None
    assert shipped > 0.1 * 0.84 + 0.9 * 0.18  # an upper bound of what the model card says
    assert quality.is_cold(QUALITY)
    store.label(labels(400))
    quality.refresh([QUALITY], NOW + SOON_S, has_new_labels=True)
    own = quality.null_ratio(QUALITY, past(0.01))
    assert own is not None
    assert own != shipped
    assert own == quality.null_ratio(QUALITY, past(0.9))
    assert not quality.is_cold(QUALITY)


def test_without_labels_a_service_may_go_on_as_it_was() -> None:
    quality = refreshed([QUALITY], MemoryStore())
    found = quality.null_ratio(QUALITY, past(0.44))
    assert found is not None
    assert 0.44 < found < 0.5


def test_a_service_with_neither_labels_nor_a_past_is_not_tested() -> None:
    quality = refreshed([QUALITY], MemoryStore())
    assert quality.null_ratio(QUALITY, past(0.44)[:0]) is None


def test_a_detector_that_nobody_knows_is_held_to_the_past_alone() -> None:
    foreign = replace(QUALITY, indicator=replace(QUALITY.indicator, evaluator="somebody's"))
    quality = refreshed([foreign], MemoryStore())
    assert quality.null_ratio(foreign, past(0.02)) == pytest.approx(0.02, abs=0.01)
    assert quality.null_ratio(foreign, past(0.02)[:0]) is None


def test_a_test_may_be_asked_for_or_declined() -> None:
    quality = refreshed([QUALITY], MemoryStore())
    declined = replace(QUALITY, alerting=Alerting(evidence=False))
    asked = replace(COUNTED, alerting=Alerting(evidence=True))
    assert quality.null_ratio(declined, past(0.1)) is None
    assert quality.null_ratio(COUNTED, past(0.1)) is None
    assert quality.null_ratio(asked, past(0.1)) == pytest.approx(0.01)


# -- exemplars ------------------------------------------------------------------------------------


def failing(count: int = 3) -> MemoryStore:
    store = MemoryStore()
    store.put(Event(f"e{n}", "shop", NOW - n, is_error=True) for n in range(count))
    return store


def test_a_growing_counter_gets_the_trace_of_a_bad_event() -> None:
    exemplars = Exemplars(failing())
    exemplars.refresh([COUNTED], [0.0], NOW)
    assert exemplars.traces == {}
    exemplars.refresh([COUNTED], [3.0], NOW)
    assert exemplars.traces == {"availability": "e0"}


def test_one_objective_is_asked_for_rarely_and_only_when_it_grew() -> None:
    store = failing()
    exemplars = Exemplars(store)
    for seconds, bad in ((0, 3), (5, 4), (10, 9), (EVERY_S + 1, 9), (2 * EVERY_S + 3, 9)):
        exemplars.refresh([COUNTED], [float(bad)], NOW + seconds)
    assert store.asked == 2


def test_a_tick_asks_for_a_few_and_the_next_for_the_others() -> None:
    store = failing()
    many = [replace(COUNTED, name=f"a{n}") for n in range(AT_ONCE + 1)]
    exemplars = Exemplars(store)
    exemplars.refresh(many, [1.0] * len(many), NOW)
    assert len(exemplars.traces) == AT_ONCE
    exemplars.refresh(many, [1.0] * len(many), NOW + 1)
    assert len(exemplars.traces) == AT_ONCE + 1


def test_what_is_not_about_calls_has_no_trace() -> None:
    store = failing()
    gauge = Indicator("spool", "looks", "ok", signal=IndicatorSignal.METRIC, subject="used")
    Exemplars(store).refresh([replace(COUNTED, indicator=gauge)], [5.0], NOW)
    assert store.asked == 0


def test_an_objective_that_is_gone_leaves_no_trace() -> None:
    exemplars = Exemplars(failing())
    exemplars.refresh([COUNTED], [3.0], NOW)
    exemplars.hold([])
    assert exemplars.traces == {}
