"""What was decided, in a real ledger: objectives, alerts and silences through the pages' eyes."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from seakeeping.config import Resources
from seakeeping.config.openslo import document_of
from seakeeping.decide.incidents import machine
from seakeeping.errors import BadInput, NotFound, Refused
from seakeeping.observe.snapshot import encode
from seakeeping.observe.testing import standard_objectives
from seakeeping.records import Alert, AlertState, Change, ChangeKind, JsonObject, Matcher
from seakeeping.store.ledger import Ledger, open_at
from seakeeping.store.ledger.alerts import Alerts
from seakeeping.store.ledger.incidents import Incidents
from seakeeping.store.ledger.snapshots import READINGS, Snapshots
from seakeeping.store.ledger.tables import INCIDENT_EVENTS
from seakeeping.web.decided import IncidentFilter
from seakeeping.web.ledgered import LedgerDecided, named
from seakeeping.web.testing import MemoryDecided, StillClock, fill_decided

CLOCK = StillClock()
OBJECTIVE = replace(standard_objectives("shop")[0], name="shop-availability", source="api")
DOCUMENT = document_of(OBJECTIVE)
FILE = replace(OBJECTIVE, name="held-in-a-file", source="slo.yaml")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    made = open_at(f"sqlite:///{tmp_path / 'ledger.sqlite'}", StillClock())
    yield made
    made.close()


@pytest.fixture
def decided(ledger: Ledger) -> LedgerDecided:
    files = cast(Resources, SimpleNamespace(objectives=(FILE,), entries=()))
    return LedgerDecided(ledger, lambda: files)


def changed(**spec: Any) -> JsonObject:
    document = cast(dict[str, Any], DOCUMENT)
    return {**document, "spec": {**document["spec"], **spec}}


# readings


def test_nothing_is_measured_until_the_controller_wrote(decided: LedgerDecided) -> None:
    assert decided.readings().at is None


def test_readings_come_back_as_they_were_written(ledger: Ledger, decided: LedgerDecided) -> None:
    measured = fill_decided(MemoryDecided(CLOCK), CLOCK.now()).measured
    Snapshots(ledger).put(READINGS, 5.0, encode(measured, 5.0))
    first = decided.readings()
    assert first.at == 5.0
    assert [r.budget for r in first.readings] == [r.budget for r in measured]
    assert decided.readings() is first  # the same bytes are not read twice
    Snapshots(ledger).put(READINGS, 6.0, encode(measured[:1], 6.0))
    assert len(decided.readings().readings) == 1


def test_readings_of_another_version_leave_the_last_known(
    ledger: Ledger, decided: LedgerDecided
) -> None:
    Snapshots(ledger).put(READINGS, 5.0, encode([], 5.0))
    before = decided.readings()
    Snapshots(ledger).put(READINGS, 6.0, b"of a newer version")
    assert decided.readings() is before


# objectives


def test_a_document_is_kept_with_a_version_for_each_change(
    ledger: Ledger, decided: LedgerDecided
) -> None:
    name = OBJECTIVE.name
    (made,) = decided.put_objective(name, DOCUMENT, "ada").objectives
    assert (made.name, made.source, made.target_ratio) == (name, "api", 0.995)
    decided.put_objective(name, DOCUMENT, "ada")  # the same again changes nothing
    assert decided.document(name) == DOCUMENT
    found = ledger.resource("SLO", name)
    assert found is not None
    assert (found.version, found.updated_by) == (1, "ada")
    decided.put_objective(name, changed(description="Other words."), "grace")
    found = ledger.resource("SLO", name)
    assert found is not None
    assert (found.version, found.updated_by) == (2, "grace")


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({**DOCUMENT, "kind": "SLI"}, "kind: must be 'SLO'"),
        ({**DOCUMENT, "metadata": {"name": "other"}}, "the document is named 'other'"),
        ({**DOCUMENT, "metadata": 3}, "the document is named None"),
        ({**DOCUMENT, "spec": {}}, "api/SLO/shop-availability"),
        (changed(objectives=[{"target": 2}]), "target"),
        (changed(budgetingMethod="Ocurrences"), "budgetingMethod"),
        ({**DOCUMENT, "apiVersion": "openslo/v9"}, "apiVersion"),
        ({**DOCUMENT, "spce": {}}, "spce"),
    ],
)
def test_a_document_that_does_not_hold_is_refused_and_the_old_one_stays(
    decided: LedgerDecided, document: JsonObject, message: str
) -> None:
    decided.put_objective(OBJECTIVE.name, DOCUMENT, "ada")
    with pytest.raises(BadInput, match=message):
        decided.put_objective(OBJECTIVE.name, document, "ada")
    assert decided.document(OBJECTIVE.name) == DOCUMENT


def test_what_a_file_holds_is_read_only(decided: LedgerDecided) -> None:
    document = document_of(FILE)
    with pytest.raises(Refused, match=r"is held in slo\.yaml"):
        decided.put_objective(FILE.name, document, "ada")
    with pytest.raises(Refused, match=r"is held in slo\.yaml"):
        decided.delete_objective(FILE.name, "ada")


def test_a_document_is_removed_once(ledger: Ledger, decided: LedgerDecided) -> None:
    decided.put_objective(OBJECTIVE.name, DOCUMENT, "ada")
    decided.delete_objective(OBJECTIVE.name, "ada")
    assert decided.document(OBJECTIVE.name) is None
    with pytest.raises(NotFound, match="the API owns no objective"):
        decided.delete_objective(OBJECTIVE.name, "ada")
    actions = [entry.action for entry in ledger.audit_entries(subject=OBJECTIVE.name)]
    assert actions == ["SLO.delete", "SLO.put"]


@pytest.mark.parametrize("document", [{}, {"metadata": None}, {"metadata": {"name": 5}}])
def test_a_document_without_a_name_has_none(document: dict[str, Any]) -> None:
    assert named(document) is None


# alerts


def fire(ledger: Ledger, **labels: str) -> Alert:
    alert = Alert({"alertname": "ErrorBudgetBurn", **labels}, {}, 5.0, objective="shop/latency")
    with ledger.transaction() as connection:
        Alerts(ledger).save(connection, [alert])
    return alert


def test_an_alert_is_acknowledged_by_the_first(ledger: Ledger, decided: LedgerDecided) -> None:
    alert = fire(ledger)
    assert [a.fingerprint for a in decided.alerts()] == [alert.fingerprint]
    assert decided.acknowledge_alert(alert.fingerprint, "ada").acknowledged_by == "ada"
    assert decided.acknowledge_alert(alert.fingerprint, "grace").acknowledged_by == "ada"
    with pytest.raises(NotFound, match="no alert 'none' stands"):
        decided.acknowledge_alert("none", "ada")


def stranger(state: AlertState = AlertState.FIRING, **changes: Any) -> Alert:
    ends_at = 9.0 if state is AlertState.RESOLVED else None
    return Alert(
        {"alertname": "NodeDown", "severity": "page"}, {"summary": "down"}, 5.0, state=state,
        ends_at=ends_at, **changes,
    )  # fmt: skip


def test_an_alert_of_somebody_else_is_kept_and_ends(ledger: Ledger, decided: LedgerDecided) -> None:
    for _ in range(2):
        decided.receive_alerts([stranger()])
    (kept,) = decided.alerts()
    assert (kept.objective, kept.state, kept.updated_at) == (None, "firing", ledger.clock.now())
    decided.acknowledge_alert(kept.fingerprint, "ada")
    decided.receive_alerts([stranger()])
    assert decided.alerts()[0].acknowledged_by == "ada"  # told again, it is still seen
    decided.receive_alerts([stranger(AlertState.RESOLVED)])
    (ended,) = decided.alerts()
    assert (ended.state, ended.ends_at, ended.acknowledged_by) == ("resolved", 9.0, "ada")


def test_an_end_that_nobody_began_is_nothing(decided: LedgerDecided) -> None:
    decided.receive_alerts([stranger(AlertState.RESOLVED)])
    assert decided.alerts() == []


def test_an_alert_of_ours_that_comes_back_is_decided_here(
    ledger: Ledger, decided: LedgerDecided
) -> None:
    ours = fire(ledger)
    back = replace(ours, objective=None, state=AlertState.RESOLVED, ends_at=9.0)
    decided.receive_alerts([back])
    (kept,) = decided.alerts()
    assert (kept.state, kept.objective) == ("firing", "shop/latency")


# silences


def test_a_silence_is_made_and_ended(ledger: Ledger, decided: LedgerDecided) -> None:
    now = ledger.clock.now()
    made = decided.silence([Matcher("service", "shop")], now, now + 60, "ada", "moving")
    assert [s.id for s in decided.silences()] == [made.id]
    for _ in range(2):
        assert decided.end_silence(made.id, "ada").ends_at == now
    with pytest.raises(NotFound, match="no silence 'none'"):
        decided.end_silence("none", "ada")


# incidents and changes


def open_one(ledger: Ledger, incident_id: str = "inc-1", service: str = "shop") -> None:
    alert = Alert({"alertname": "ErrorBudgetBurn", "service": service}, {"summary": "slow"}, 5.0)
    step = machine.opened(incident_id, [alert], service, ledger.clock.now())
    assert Incidents(ledger).take(step) is not None


def test_incidents_are_listed_by_state_and_service(ledger: Ledger, decided: LedgerDecided) -> None:
    open_one(ledger)
    open_one(ledger, "inc-2", "cargo")
    decided.resolve_incident("inc-2", "ada", "rolled back")

    def ids(**where: Any) -> set[str]:
        return {i.id for i in decided.incidents(IncidentFilter(**where), limit=10)}

    assert ids() == {"inc-1", "inc-2"}
    assert ids(is_open=True) == {"inc-1"}
    assert ids(is_open=False) == {"inc-2"}
    assert ids(service="shop") == {"inc-1"}
    assert len(decided.incidents(IncidentFilter(), limit=1)) == 1


def test_what_is_done_by_hand_is_in_the_timeline_once(
    ledger: Ledger, decided: LedgerDecided
) -> None:
    open_one(ledger)
    for by in ("ada", "grace"):
        assert decided.acknowledge_incident("inc-1", by).acknowledged_by == "ada"
        assert decided.resolve_incident("inc-1", by, "rolled back").state == "resolved"
    found = decided.incident("inc-1")
    assert found is not None
    assert [(e.action, e.actor) for e in found.timeline] == [
        ("opened", "controller"), ("acknowledged", "ada"), ("resolved", "ada"),
    ]  # fmt: skip
    assert decided.flaws("inc-1") == ()
    assert decided.incident("none") is None
    for act in (decided.acknowledge_incident, partial(decided.resolve_incident, reason="x")):
        with pytest.raises(NotFound, match="no incident 'none'"):
            act("none", by="ada")


def test_a_timeline_that_was_changed_is_found(ledger: Ledger, decided: LedgerDecided) -> None:
    open_one(ledger)
    with ledger.transaction() as connection:
        connection.execute(INCIDENT_EVENTS.update().values(actor="nobody"))
    assert decided.flaws("inc-1") == ("entry 1 was changed",)
    assert decided.flaws("none") == ()


def test_changes_are_kept_once_and_found_by_service_and_time(
    ledger: Ledger, decided: LedgerDecided
) -> None:
    one = Change("c1", ChangeKind.DEPLOY, "shop", 50.0, after="v2")
    decided.put_changes([one, replace(one, id="c2", target="cargo", at=90.0)], "argo")
    decided.put_changes([replace(one, after="v3")], "argo")
    find = partial(decided.changes, start=0.0, end=100.0, limit=10)
    assert [c.id for c in find(target=None)] == ["c2", "c1"]
    assert find(target="shop") == [one]
    assert decided.changes(target=None, start=60.0, end=90.0, limit=10) == []
