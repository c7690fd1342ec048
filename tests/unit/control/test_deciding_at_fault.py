"""What is wrong with one objective, or one part of a tick, does not stop the others."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.contract.conftest import FakeClock
from tests.unit.decide.alerts.test_alert_explain import ONE_BAD_MODEL
from tests.unit.decide.by_hand import target

from seakeeping.config.resources import Choice, load_resources
from seakeeping.control.deciding import Deciding, Parts
from seakeeping.control.standing import InForce
from seakeeping.decide.alerts import conditions, rules
from seakeeping.decide.incidents import grouping
from seakeeping.decide.incidents.loop import IncidentLoop
from seakeeping.decide.loop import AlertLoop
from seakeeping.metrics import ERRORS
from seakeeping.observe import quality
from seakeeping.observe.book import Book
from seakeeping.observe.snapshot import decode
from seakeeping.observe.testing import Event, MemoryStore
from seakeeping.records import (
    Alert,
    AlertState,
    BudgetState,
    Indicator,
    NotificationTarget,
    Routing,
)
from seakeeping.store.examples import Example
from seakeeping.store.facts import Facts
from seakeeping.store.ledger import Ledger, open_at
from seakeeping.store.ledger.alerts import Alerts
from seakeeping.store.ledger.outbox import Outbox
from seakeeping.store.ledger.snapshots import READINGS, Snapshots


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def ledger(tmp_path: Path, clock: FakeClock) -> Iterator[Ledger]:
    ledger = open_at(f"sqlite:///{tmp_path / 'ledger.db'}", clock)
    yield ledger
    ledger.close()


@pytest.fixture
def store(clock: FakeClock) -> MemoryStore:
    """Return a store with two services that both fail since ten minutes."""
    store = MemoryStore(clock.now)
    for service in ("chat", "shop"):
        store.put(
            Event(f"{service}{n}", service, clock.at - n * 6, is_error=n <= 100,
                  scores={"faithfulness": 1.0 * (n <= 100)})
            for n in range(1, 601)
        )  # fmt: skip
    return store


class OneTarget(InForce):
    """The shipped objectives that a test wants, told to one target at once."""

    @property
    def targets(self) -> tuple[NotificationTarget, ...]:
        return (target(),)

    @property
    def routing(self) -> Routing:
        return Routing(group_wait_s=0.0)


def controller(
    ledger: Ledger, store: MemoryStore, clock: FakeClock, *,
    objectives: tuple[str, ...] = ("availability",), alerts: AlertLoop | None = None,
    told: Callable[[], None] = lambda: None,
) -> Deciding:  # fmt: skip
    in_force = OneTarget(ledger)
    shipped, _ = load_resources(None)
    in_force.refresh(replace(shipped, default_objectives=Choice(only=objectives)))
    parts = Parts(
        Book(store, clock), in_force, alerts or AlertLoop(ledger),
        IncidentLoop(ledger, None, clock), Snapshots(ledger), clock,
    )  # fmt: skip
    deciding = Deciding(parts, told)
    deciding.begin()
    return deciding


def firing(ledger: Ledger) -> set[str | None]:
    return {alert.objective for alert in Alerts(ledger).find(states=[AlertState.FIRING])}


def shown(ledger: Ledger) -> Mapping[str, BudgetState]:
    kept = Snapshots(ledger).get(READINGS)
    assert kept is not None
    return {it.budget.objective.name: it.budget.state for it in decode(kept.body).readings}


def faults(where: str) -> float:
    value: float = ERRORS.labels(where, "ZeroDivisionError")._value.get()
    return value


def fails_for(
    monkeypatch: pytest.MonkeyPatch, module: Any, name: str, is_meant: Callable[..., bool]
) -> None:
    """Let a function divide by zero where its arguments are meant."""
    real = getattr(module, name)

    def broken(*args: Any, **named: Any) -> Any:
        return 1 / 0 if is_meant(*args) else real(*args, **named)

    monkeypatch.setattr(module, name, broken)


def test_an_objective_that_cannot_be_decided_holds_up_no_other(
    ledger: Ledger, store: MemoryStore, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = faults("decide.alerts")
    fails_for(
        monkeypatch, conditions, "_condition",
        lambda rule, reading, *_: reading.budget.objective.service == "chat",
    )  # fmt: skip
    deciding = controller(ledger, store, clock)
    deciding.tick()
    assert firing(ledger) == {"shop/availability"}
    assert set(shown(ledger)) == {"chat/availability", "shop/availability"}
    assert faults("decide.alerts") == before + 1
    monkeypatch.undo()
    clock.at += 1
    deciding.tick()
    assert firing(ledger) == {"chat/availability", "shop/availability"}


def test_an_alert_that_cannot_be_put_into_words_is_told_all_the_same(
    ledger: Ledger, store: MemoryStore, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seakeeping.decide.loop.annotations", lambda condition: {"x": str(1 / 0)})
    controller(ledger, store, clock).tick()
    messages = [delivery.notification for delivery in Outbox(ledger).due()]
    assert {m.group_labels["service"] for m in messages} == {"chat", "shop"}
    summaries = {alert.annotations["summary"] for m in messages for alert in m.alerts}
    assert summaries == {
        f"{service}/availability: an alert that could not be put into words"
        for service in ("chat", "shop")
    }


def test_rules_that_cannot_be_made_end_no_alert(
    ledger: Ledger, store: MemoryStore, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    controller(ledger, store, clock).tick()
    assert len(firing(ledger)) == 2
    fails_for(monkeypatch, rules.Rulebook, "of", lambda _, objective: objective.service == "chat")
    clock.at += 1
    controller(ledger, store, clock).tick()
    assert firing(ledger) == {"chat/availability", "shop/availability"}


def test_an_estimate_that_cannot_be_made_is_said_and_the_others_are_made(
    ledger: Ledger, store: MemoryStore, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = faults("book")
    fails_for(monkeypatch, quality, "_estimated", lambda objective, *_: objective.service == "chat")
    deciding = controller(ledger, store, clock, objectives=("availability", "faithfulness"))
    deciding.tick()
    assert faults("book") == before + 1
    assert firing(ledger) >= {"chat/availability", "shop/availability"}
    kept = Snapshots(ledger).get(READINGS)
    assert kept is not None
    found = {it.budget.objective.name: it.budget for it in decode(kept.body).readings}
    unknown, known = found["chat/faithfulness"], found["shop/faithfulness"]
    assert (unknown.estimate, unknown.state) == (None, BudgetState.UNCERTAIN)
    assert "cannot be estimated" in unknown.note
    assert known.raw_ratio is not None


def test_incidents_that_fail_take_no_alert_with_them(
    ledger: Ledger, store: MemoryStore, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken, before = list[bool](), faults("controller")
    fails_for(monkeypatch, grouping, "grouped", lambda *_: True)
    deciding = controller(ledger, store, clock, told=lambda: woken.append(True))
    deciding.tick()
    assert len(firing(ledger)) == 2
    assert woken == [True]
    assert faults("controller") == before + 1
    assert shown(ledger)


def test_a_tick_that_decides_nothing_shows_nothing_new(
    ledger: Ledger, store: MemoryStore, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    deciding = controller(ledger, store, clock)
    deciding.tick()
    fails_for(monkeypatch, AlertLoop, "look", lambda *_: True)
    for seconds in (1, 10):
        clock.at += seconds
        with pytest.raises(ZeroDivisionError):
            deciding.tick()
    assert deciding.behind_s == 11.0
    kept = Snapshots(ledger).get(READINGS)
    assert kept is not None
    assert kept.at == clock.at - 11
    monkeypatch.undo()
    deciding.tick()
    assert deciding.behind_s == 0.0


class HangingStore:
    """Events that never come."""

    def __init__(self) -> None:
        self.asked, self.may_answer = threading.Event(), threading.Event()

    def facts(
        self, indicator: Indicator, service: str, start: float, end: float,
        dimensions: Sequence[str] | None = None,
    ) -> Facts:  # fmt: skip
        self.asked.set()
        self.may_answer.wait(30)
        raise TimeoutError("too late")

    def examples(
        self, indicator: Indicator, service: str, start: float, end: float,
        slice: Mapping[str, str] | None = None, limit: int = 5,
    ) -> Sequence[Example]:  # fmt: skip
        return ()


def test_a_store_that_hangs_while_it_explains_delays_no_tick(
    ledger: Ledger, store: MemoryStore, clock: FakeClock
) -> None:
    events = HangingStore()
    deciding = controller(ledger, store, clock, alerts=AlertLoop(ledger, events=events))
    deciding.tick()
    explaining = threading.Thread(target=deciding.explain)
    explaining.start()
    assert events.asked.wait(10)
    clock.at += 1
    deciding.tick()
    assert deciding.behind_s == 0.0
    assert explaining.is_alive()
    events.may_answer.set()
    explaining.join(10)
    assert not explaining.is_alive()
    assert len(firing(ledger)) == 2


def test_what_fires_is_explained_beside_the_ticks(
    ledger: Ledger, store: MemoryStore, clock: FakeClock
) -> None:
    class Answering(HangingStore):
        def facts(self, *_: object, **__: object) -> Facts:
            return ONE_BAD_MODEL

    deciding = controller(ledger, store, clock, alerts=AlertLoop(ledger, events=Answering()))
    assert deciding.explain() == 0
    deciding.tick()
    assert deciding.explain() == 2, "two a time"
    deciding.tick()
    assert deciding.explain() == 2
    explained: list[Alert] = Alerts(ledger).find(states=[AlertState.FIRING])
    assert all(alert.annotations["worst_slices"].startswith("model=b") for alert in explained)
