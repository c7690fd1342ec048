"""What holds of incidents, their timelines and of changes in every ledger."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import text
from tests.contract.conftest import FakeClock
from tests.unit.decide.by_hand import NOW, alert
from tests.unit.decide.incidents.made import DIAGNOSIS, change

from seakeeping.decide.incidents import machine
from seakeeping.records import Incident, IncidentState
from seakeeping.store.ledger import Ledger, open_at
from seakeeping.store.ledger.changes import Changes
from seakeeping.store.ledger.incidents import Incidents, Step


def opened(ledger: Ledger, incident_id: str = "inc-1", at: float = NOW) -> Incident:
    made = Incidents(ledger).take(machine.opened(incident_id, [alert()], "chat", at))
    assert made is not None
    return made


def lived(ledger: Ledger) -> Incident:
    """Take an incident from its opening to its end."""
    incidents, incident = Incidents(ledger), opened(ledger)
    steps: list[Callable[[Incident], Step]] = [
        lambda it: machine.diagnosed(it, DIAGNOSIS, NOW + 5),
        lambda it: machine.acknowledged(it, "ann", NOW + 60),
        lambda it: machine.resolved(it, "controller", "all its alerts ended", NOW + 600.25),
    ]
    for step in steps:
        taken = incidents.take(step(incident))
        assert taken is not None
        incident = taken
    return incident


def change_rows(ledger: Ledger, statement: str, **values: object) -> None:
    with ledger.transaction() as connection:
        assert connection.execute(text(statement), values).rowcount >= 1


def test_an_incident_reads_as_it_was_written_with_its_timeline(ledger: Ledger) -> None:
    written = lived(ledger)
    found = Incidents(ledger).get("inc-1")
    assert found is not None
    assert replace(found, timeline=()) == written
    assert found.diagnosis == DIAGNOSIS
    actions = [(entry.sequence, entry.action, entry.after) for entry in found.timeline]
    assert actions == [
        (1, "opened", "open"),
        (2, "diagnosed", "diagnosed"),
        (3, "acknowledged", "diagnosed"),
        (4, "resolved", "resolved"),
    ]
    assert found.timeline[2].actor == "ann"
    assert Incidents(ledger).get("no such") is None


def test_every_step_is_audited_with_its_hash(ledger: Ledger) -> None:
    lived(ledger)
    entries = ledger.audit_entries(subject="inc-1")
    assert [entry.action for entry in reversed(entries)] == [
        "incident.opened", "incident.diagnosed", "incident.acknowledged", "incident.resolved",
    ]  # fmt: skip
    verdict = Incidents(ledger).verify("inc-1")
    assert verdict is not None
    assert entries[0].detail["hash"] == verdict.hash


def test_a_step_decided_from_an_older_version_does_nothing(ledger: Ledger) -> None:
    incidents, incident = Incidents(ledger), opened(ledger)
    first = incidents.take(machine.acknowledged(incident, "ann", NOW + 1))
    assert first is not None
    assert incidents.take(machine.acknowledged(incident, "ben", NOW + 1)) is None
    assert incidents.take(machine.opened("inc-1", [alert()], "chat", NOW)) is None
    found = incidents.get("inc-1")
    assert found is not None
    assert (found.acknowledged_by, len(found.timeline)) == ("ann", 2)


def test_of_many_who_take_a_step_at_once_one_does(url: str, ledger: Ledger) -> None:
    incident = opened(ledger)
    nodes = [open_at(url) for _ in range(4)]

    def take(place: int) -> Incident | None:
        step = machine.acknowledged(incident, f"node-{place}", NOW + 1)
        return Incidents(nodes[place]).take(step)

    with ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(take, range(4)))
    assert sum(it is not None for it in taken) == 1
    verdict = Incidents(ledger).verify("inc-1")
    assert verdict is not None
    assert verdict.is_intact
    for node in nodes:
        node.close()


def test_a_timeline_that_nobody_touched_holds(ledger: Ledger) -> None:
    lived(ledger)
    verdict = Incidents(ledger).verify("inc-1")
    assert verdict is not None
    assert (verdict.is_intact, verdict.entries, len(verdict.hash)) == (True, 4, 64)
    assert Incidents(ledger).verify("no such") is None


@pytest.mark.parametrize(
    ("statement", "flaw"),
    [
        ("UPDATE incident_events SET reason = 'nothing' WHERE sequence = 2", "entry 2 was changed"),
        ("UPDATE incident_events SET actor = 'ben' WHERE sequence = 3", "entry 3 was changed"),
        ("UPDATE incident_events SET at = at + 1 WHERE sequence = 1", "entry 1 was changed"),
        ("UPDATE incident_events SET evidence = '{}' WHERE sequence = 2", "entry 2 was changed"),
        ("DELETE FROM incident_events WHERE sequence = 2", "entry 2 is missing"),
        ("DELETE FROM incident_events WHERE sequence = 4", "its timeline at 3"),
        ("DELETE FROM incidents", "the incident is gone"),
        ("UPDATE incidents SET state = 'open'", "columns differ"),
        ("UPDATE incidents SET resolved_at = resolved_at - 60", "columns differ"),
        ("UPDATE incidents SET version = 5", "at version 5"),
    ],
)
def test_what_was_changed_later_is_found(ledger: Ledger, statement: str, flaw: str) -> None:
    lived(ledger)
    change_rows(ledger, statement)
    verdict = Incidents(ledger).verify("inc-1")
    assert verdict is not None
    assert any(flaw in it for it in verdict.flaws), verdict.flaws


def test_an_incident_changed_beside_its_timeline_is_found(ledger: Ledger) -> None:
    lived(ledger)
    with ledger.transaction() as connection:
        document = connection.scalar(text("SELECT document FROM incidents"))
        document = json.loads(document) if isinstance(document, str) else document
        document["acknowledged_by"] = "ben"
    change_rows(ledger, "UPDATE incidents SET document = :it", it=json.dumps(document))
    verdict = Incidents(ledger).verify("inc-1")
    assert verdict is not None
    assert verdict.flaws == ("the incident was changed beside its timeline",)


def test_an_entry_forged_with_a_right_hash_breaks_the_chain_after_it(ledger: Ledger) -> None:
    lived(ledger)
    forged = "0" * 64
    change_rows(ledger, "UPDATE incident_events SET hash = :h WHERE sequence = 2", h=forged)
    verdict = Incidents(ledger).verify("inc-1")
    assert verdict is not None
    assert "entry 3 does not follow the entry before it" in verdict.flaws


def test_all_ids_are_known_also_of_an_incident_that_is_gone(ledger: Ledger) -> None:
    opened(ledger, "inc-1")
    opened(ledger, "inc-2")
    change_rows(ledger, "DELETE FROM incidents WHERE id = 'inc-2'")
    assert Incidents(ledger).ids() == ["inc-1", "inc-2"]


def test_incidents_are_found_by_state_and_service_newest_first(ledger: Ledger) -> None:
    lived(ledger)
    opened(ledger, "inc-2", NOW + 10)
    opened(ledger, "inc-3", NOW + 20)
    incidents = Incidents(ledger)
    assert [it.id for it in incidents.find()] == ["inc-3", "inc-2", "inc-1"]
    assert [it.id for it in incidents.find(states=[IncidentState.RESOLVED])] == ["inc-1"]
    assert incidents.find(service="other") == []
    assert [it.id for it in incidents.find(limit=1)] == ["inc-3"]
    assert incidents.find(resolved_since=NOW + 601) == []


def test_texts_that_a_database_cannot_hold_do_no_harm(ledger: Ledger) -> None:
    incidents, incident = Incidents(ledger), opened(ledger)
    said = machine.resolved(incident, "a\0nn", "zero \0 ünïcode \U0001f600", NOW + 1)
    assert incidents.take(replace(said, evidence={"rate": float("inf")})) is not None
    verdict = incidents.verify("inc-1")
    assert verdict is not None
    assert verdict.is_intact


def test_a_change_told_twice_is_kept_once(ledger: Ledger) -> None:
    changes = Changes(ledger)
    first, later = change("c1", NOW), change("c1", NOW + 5)
    assert changes.put([first, first], by="ci") == [first]
    assert changes.put([later], by="ci") == []
    assert changes.find(start=NOW - 1, end=NOW + 10) == [first]
    assert [entry.actor for entry in ledger.audit_entries(subject="c1")] == ["ci"]


def test_changes_are_found_by_time_and_target(ledger: Ledger) -> None:
    changes = Changes(ledger)
    made = [change(f"c{it}", NOW + it, target="chat" if it % 2 else "shop") for it in range(5)]
    changes.put(made, by="ci")
    assert [it.id for it in changes.find(start=NOW + 1, end=NOW + 4)] == ["c3", "c2", "c1"]
    assert [it.id for it in changes.find(target="shop", start=0, end=NOW + 9)] == ["c4", "c2", "c0"]
    assert [it.id for it in changes.find(start=0, end=NOW + 9, limit=2)] == ["c4", "c3"]
    assert [it.id for it in changes.get(["c3", "none", "c1"])] == ["c1", "c3"]


def test_changes_of_long_ago_are_pruned(ledger: Ledger, clock: FakeClock) -> None:
    changes = Changes(ledger)
    changes.put([change("old", clock.at - 100), change("new", clock.at - 1)], by="ci")
    assert changes.prune(keep_s=50) == 1
    assert [it.id for it in changes.find(start=0, end=clock.at)] == ["new"]
