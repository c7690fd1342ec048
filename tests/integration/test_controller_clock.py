"""Ticks on the real store and ledger while the wall clock jumps and comes back."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from tests.integration.test_book_on_store import DAY, HandClock, Traffic

from seakeeping.config.resources import load_resources
from seakeeping.control.deciding import Deciding, Parts
from seakeeping.control.standing import InForce
from seakeeping.decide.incidents.loop import IncidentLoop
from seakeeping.decide.loop import AlertLoop
from seakeeping.observe.book import Book
from seakeeping.observe.snapshot import decode
from seakeeping.records import Alert, AlertState, JsonObject, Reading
from seakeeping.store.counting import CountingStore
from seakeeping.store.ledger import Ledger, open_at
from seakeeping.store.ledger.alerts import Alerts
from seakeeping.store.ledger.incidents import Incidents
from seakeeping.store.ledger.snapshots import READINGS, Snapshots
from seakeeping.store.testing import NOON, make_empty, running_store

TESTED: JsonObject = {
    "apiVersion": "openslo/v1",
    "kind": "SLO",
    "metadata": {"name": "tested", "annotations": {"seakeeping.dev/evidence": "true"}},
    "spec": {
        "service": "shop",
        "indicator": {"spec": {"ratioMetric": {"rawType": "success", "raw": {
            "metricSource": {"type": "seakeeping", "spec": {"signal": "availability"}}}}}},
        "timeWindow": [{"duration": "30d", "isRolling": True}],
        "budgetingMethod": "Occurrences",
        "objectives": [{"target": 0.9}],
    },
}  # fmt: skip
"""An objective with a sequential test, in the place of the shipped one."""


@pytest.fixture(scope="module")
def engine() -> Iterator[CountingStore]:
    with running_store() as store:
        yield store


@pytest.fixture
def traffic(engine: CountingStore) -> Traffic:
    """Return the way into a store with an hour of good calls and ten minutes of bad ones."""
    make_empty(engine)
    traffic = Traffic(engine)
    traffic.send(range(1, 201), NOON - 3600.0)
    traffic.send(range(201, 401), NOON - 300.0, bad=True)
    return traffic


class Node:
    """A controller on a store, a ledger and a clock that can be set."""

    def __init__(self, engine: CountingStore, ledger: Ledger, clock: HandClock) -> None:
        self.clock, self.ledger = clock, ledger
        in_force = InForce(ledger)
        in_force.refresh(load_resources(None)[0])
        self.deciding = Deciding(
            Parts(
                Book(engine, clock), in_force, AlertLoop(ledger),
                IncidentLoop(ledger, None, clock), Snapshots(ledger), clock,
            )
        )  # fmt: skip
        self.deciding.begin()

    def tick(self, times: int = 4) -> None:
        """Look so many times, a second apart."""
        for _ in range(times):
            self.deciding.tick()
            self.clock.at += 1

    def jump(self, seconds: float) -> None:
        """Set the clock, and look some times."""
        self.clock.at += seconds
        self.tick()

    def readings(self) -> dict[str, Reading]:
        kept = Snapshots(self.ledger).get(READINGS)
        assert kept is not None
        return {one.budget.objective.name: one for one in decode(kept.body).readings}

    def firing(self) -> dict[str, Alert]:
        found = Alerts(self.ledger).find(states=[AlertState.FIRING])
        return {one.fingerprint: one for one in found}


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = open_at(f"sqlite:///{tmp_path / 'ledger.db'}", HandClock(NOON))
    ledger.put_resource("SLO", "tested", TESTED, by="ann", expected=0)
    yield ledger
    ledger.close()


@pytest.fixture
def node(engine: CountingStore, traffic: Traffic, ledger: Ledger) -> Node:
    clock = ledger.clock
    assert isinstance(clock, HandClock)
    node = Node(engine, ledger, clock)
    node.tick()
    fired = {(one.objective, one.labels["alertname"]) for one in node.firing().values()}
    assert fired >= {("tested", "ErrorBudgetBurn"), ("tested", "QualityEvidence")}
    return node


def counts(reading: Reading) -> Sequence[float]:
    budget = reading.budget
    return budget.valid_total, budget.bad_total, reading.valid_seen, reading.bad_seen


def fed(readings: Mapping[str, Reading]) -> dict[str, int]:
    """Return how many answers each sequential test was fed."""
    return {name: one.evidence.events for name, one in readings.items() if one.evidence}


def begun(alerts: dict[str, Alert]) -> dict[str, float]:
    return {fingerprint: alert.starts_at for fingerprint, alert in alerts.items()}


@pytest.mark.parametrize("jump", [DAY, -DAY, 7200.0, -7200.0])
def test_a_jump_and_its_way_back_leave_everything_as_it_was(node: Node, jump: float) -> None:
    before, alerts = node.readings(), begun(node.firing())
    node.jump(jump)
    assert begun(node.firing()).items() >= alerts.items(), "silence ends nothing"
    node.jump(-jump)
    after = node.readings()
    assert {name: counts(one) for name, one in after.items()} == {
        name: counts(one) for name, one in before.items()
    }
    assert fed(before)["tested"] == 400
    assert fed(after).items() >= fed(before).items()
    assert begun(node.firing()).items() >= alerts.items()
    (incident,) = Incidents(node.ledger).find()
    verdict = Incidents(node.ledger).verify(incident.id)
    assert verdict is not None
    assert verdict.is_intact


@pytest.mark.parametrize("jump", [DAY, -DAY])
def test_what_comes_during_a_jump_is_counted_when_the_clock_is_right_again(
    node: Node, traffic: Traffic, jump: float
) -> None:
    node.jump(jump)
    traffic.send(range(401, 431), NOON - 60.0, bad=True)  # of services whose clocks are right
    node.tick()
    node.jump(-jump)
    found = node.readings()["tested"]
    assert (found.budget.valid_total, found.budget.bad_total) == (430.0, 115.0)
    assert (found.valid_seen, found.bad_seen) == (430.0, 115.0)
    assert fed(node.readings()) == {"tested": 430}


def test_a_machine_whose_services_jumped_too_counts_their_events_when_their_day_comes(
    node: Node, traffic: Traffic
) -> None:
    node.jump(DAY)
    traffic.send(range(401, 431), NOON + DAY - 60.0)
    node.tick()
    node.jump(-DAY)
    now = node.readings()
    assert now["tested"].budget.valid_total == 400.0
    assert fed(now)["tested"] == 430, "each answer once, when it came"
    node.clock.at += DAY
    node.tick()
    then = node.readings()
    assert (then["tested"].budget.valid_total, then["tested"].valid_seen) == (430.0, 430.0)
    assert fed(then)["tested"] == 430


def test_a_controller_that_dies_during_a_jump_is_followed_by_one_that_goes_on(
    node: Node, engine: CountingStore, traffic: Traffic
) -> None:
    before, alerts = node.readings(), begun(node.firing())
    node.jump(DAY)
    node.tick(12)  # a checkpoint of a day that is not there yet
    node.clock.at -= DAY
    heir = Node(engine, node.ledger, node.clock)
    heir.tick()
    after = heir.readings()
    assert after.keys() == before.keys()
    for name, one in after.items():
        assert one.budget.valid_total == before[name].budget.valid_total, name
        assert not one.budget.note.startswith(("Counted", "Not counted")), name
    assert begun(heir.firing()).items() >= alerts.items()
    assert len(Incidents(node.ledger).find()) == 1
