"""Diagnoses on a real store: the bad release is named in seconds, and nothing where nothing is."""

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.contract.conftest import FakeClock
from tests.unit.decide.by_hand import alert

from seakeeping.decide.diagnose.diagnostician import Diagnostician
from seakeeping.decide.incidents.foreign import receive
from seakeeping.decide.incidents.loop import IncidentLoop
from seakeeping.decide.notify.received import alerts_from_webhook
from seakeeping.observe.snapshot import encode
from seakeeping.records import (
    Budget,
    BudgetState,
    ChangeKind,
    Diagnosis,
    Indicator,
    Interaction,
    MetricPoint,
    Objective,
    Reading,
)
from seakeeping.store.counting import CountingStore
from seakeeping.store.ledger import Ledger, open_at
from seakeeping.store.ledger.alerts import Alerts
from seakeeping.store.ledger.changes import Changes
from seakeeping.store.ledger.snapshots import READINGS, Snapshots
from seakeeping.store.testing import make_interaction, running_store

HOUR_S = 3600.0
NOON = (time.time() - 5 * HOUR_S) // 300 * 300  # the store knows the metrics of the last week only
BEGAN = NOON + 4 * HOUR_S
NOW = BEGAN + 0.5 * HOUR_S
AVAILABILITY = Indicator("availability", "all calls", "calls that ended without an error")


def traffic(service: str, seed: int, *, release_errors: float) -> list[Interaction]:
    """Return the calls of four and a half hours, the last half hour half of them to v2."""
    source, made = random.Random(seed), []
    for number in range(6_000):
        at = NOON + source.random() * 4.5 * HOUR_S
        is_new = at >= BEGAN and source.random() < 0.5
        tenant, region = source.choice("abcdefgh"), source.choice(["eu", "us", "ap"])
        fails = source.random() < (release_errors if is_new else 0.03 + 0.02 * (region == "us"))
        made.append(
            make_interaction(
                seed * 1_000_000 + number, started_at=at, service_name=service, tenant=tenant,
                region=region, release="v2" if is_new else "v1",
                error_type="timeout" if fails else None, is_answer=not fails,
            )
        )  # fmt: skip
    return made


def queue_points(service: str) -> list[MetricPoint]:
    source = random.Random(5)
    return [
        MetricPoint("queue_depth", "1", "gauge", NOON + 60.0 * it, service, {}, {},
                    (40.0 if NOON + 60.0 * it >= BEGAN else 4.0) + source.random())
        for it in range(270)
    ]  # fmt: skip


@pytest.fixture(scope="module")
def store() -> Iterator[CountingStore]:
    with running_store() as store:
        for seed, (service, errors) in enumerate([("bad", 0.3), ("well", 0.04)], start=1):
            calls = traffic(service, seed, release_errors=errors)
            store.insert_interactions(calls, f"calls-{service}")
            store.insert_metric_points(queue_points(service), f"points-{service}")
        yield store


@pytest.fixture
def clock() -> FakeClock:
    clock = FakeClock()
    clock.at = NOW
    return clock


@pytest.fixture
def ledger(tmp_path: Path, clock: FakeClock) -> Iterator[Ledger]:
    ledger = open_at(f"sqlite:///{tmp_path / 'ledger.db'}", clock)
    yield ledger
    ledger.close()


def objective(service: str) -> Objective:
    return Objective(f"{service}/availability", service, AVAILABILITY, 0.99)


def diagnosed(
    store: CountingStore, ledger: Ledger, clock: FakeClock, service: str
) -> tuple[Diagnosis, float]:
    maker = Diagnostician(store, ledger, clock)
    began = time.monotonic()
    made = maker.of_objective("inc-1", objective(service), BEGAN + 600, NOW)
    return made, time.monotonic() - began


def test_the_bad_release_is_the_first_cause_with_its_change(
    store: CountingStore, ledger: Ledger, clock: FakeClock
) -> None:
    made, took = diagnosed(store, ledger, clock, "bad")
    first = made.causes[0]
    assert (first.kind, dict(first.slice)) == ("new", {"release": "v2"})
    assert first.low > 0.15
    assert first.during_ratio == pytest.approx(0.3, abs=0.06)
    assert first.share_explained > 0.7
    assert first.change is not None
    assert (first.change.kind, first.change.after) == (ChangeKind.DEPLOY, "v2")
    assert made.onset == pytest.approx(BEGAN, abs=300)
    assert "release=v2" in made.summary
    assert took < 5.0


def test_its_examples_are_of_the_slice_and_its_signals_went_along(
    store: CountingStore, ledger: Ledger, clock: FakeClock
) -> None:
    made, _ = diagnosed(store, ledger, clock, "bad")
    assert len(made.examples) == 5
    assert {example["release"] for example in made.examples} == {"v2"}
    (signal,) = [it for it in made.causes if it.kind == "metric"]
    assert signal.slice["metric"] == "queue_depth"
    assert made.causes.index(signal) > 0


def test_a_change_seen_in_the_telemetry_is_kept(
    store: CountingStore, ledger: Ledger, clock: FakeClock
) -> None:
    diagnosed(store, ledger, clock, "bad")
    kept = Changes(ledger).find(start=NOON, end=NOW, target="bad")
    assert [(it.dimension, it.after, it.by) for it in kept] == [("release", "v2", "telemetry")]


def test_a_service_that_is_well_has_no_slice_to_blame(
    store: CountingStore, ledger: Ledger, clock: FakeClock
) -> None:
    made, _ = diagnosed(store, ledger, clock, "well")
    assert [it for it in made.causes if it.kind != "metric"] == []
    assert made.slices_tested > 20


def test_a_service_without_calls_has_no_cause(
    store: CountingStore, ledger: Ledger, clock: FakeClock
) -> None:
    made, _ = diagnosed(store, ledger, clock, "nobody")
    assert made.causes == ()
    assert "No cause found" in made.summary


def reading(of: Objective) -> Reading:
    budget = Budget(of, NOW, 100.0, 9.0, 0.91, 0.8, 0.95, -8.0, BudgetState.BREACH)
    return Reading(budget, {})


def test_an_incident_is_diagnosed_from_its_alert(
    store: CountingStore, ledger: Ledger, clock: FakeClock
) -> None:
    Snapshots(ledger).put(READINGS, NOW, encode([reading(objective("bad"))], NOW))
    loop = IncidentLoop(ledger, store, clock)
    one = alert("bad/availability", service="bad", starts_at=NOW)
    with ledger.transaction() as connection:
        Alerts(ledger).save(connection, [one])
    (opened,) = loop.step([one], NOW)
    (incident,) = loop.diagnose_due()
    assert incident.id == opened.id
    assert incident.diagnosis is not None
    assert dict(incident.diagnosis.causes[0].slice) == {"release": "v2"}
    assert len(incident.changes) == 1


def test_an_incident_of_an_alertmanager_is_diagnosed_once_our_alert_joins(
    store: CountingStore, ledger: Ledger, clock: FakeClock
) -> None:
    Snapshots(ledger).put(READINGS, NOW, encode([reading(objective("bad"))], NOW))
    loop = IncidentLoop(ledger, store, clock)
    told = {"alertname": "HighErrorRate", "job": "bad"}
    body = {"status": "firing", "labels": told, "startsAt": "2026-01-01T00:00:00Z"}
    foreign = receive(ledger, alerts_from_webhook({"version": "4", "alerts": [body]}))
    loop.step(foreign, NOW)
    (opened,) = loop.diagnose_due()
    assert opened.diagnosis is not None
    assert "no objective" in opened.diagnosis.summary
    clock.at = NOW + 90
    one = alert("bad/availability", service="bad", starts_at=clock.at)
    with ledger.transaction() as connection:
        Alerts(ledger).save(connection, [one])
        standing = Alerts(ledger).standing(connection)
    (joined,) = loop.step(standing, clock.at)
    assert joined.id == opened.id
    (incident,) = loop.diagnose_due()
    assert incident.diagnosis is not None
    assert incident.diagnosis.objective == "bad/availability"
    assert set(incident.diagnosis.alerts) == {foreign[0].fingerprint, one.fingerprint}
    assert dict(incident.diagnosis.causes[0].slice) == {"release": "v2"}


def test_an_alert_of_an_unknown_objective_is_told_so(
    store: CountingStore, ledger: Ledger, clock: FakeClock
) -> None:
    loop = IncidentLoop(ledger, store, clock)
    one = alert("other", service="other", starts_at=NOW)
    with ledger.transaction() as connection:
        Alerts(ledger).save(connection, [one])
    loop.step([one], NOW)
    (incident,) = loop.diagnose_due()
    assert incident.diagnosis is not None
    assert incident.diagnosis.causes == ()
    assert "no objective" in incident.diagnosis.summary
