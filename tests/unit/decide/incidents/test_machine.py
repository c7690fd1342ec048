"""An incident takes the steps that its state allows, and no others."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.decide.by_hand import NOW, alert
from tests.unit.decide.incidents.made import DIAGNOSIS, cause, diagnosis

from seakeeping.decide.incidents import machine
from seakeeping.decide.incidents.machine import ALLOWED
from seakeeping.errors import BadInput
from seakeeping.records import Incident, IncidentState, Severity

OPENED = replace(machine.opened("inc-1", [alert()], "chat", NOW).incident, version=1)


def at(state: IncidentState) -> Incident:
    return replace(OPENED, state=state)


def test_an_incident_begins_open_with_its_most_severe_alert() -> None:
    ticket = replace(alert("a"), severity=Severity.TICKET, starts_at=NOW - 50)
    page = replace(alert("b"), severity=Severity.PAGE, starts_at=NOW - 10)
    step = machine.opened("inc-9", [ticket, page], "chat", NOW)
    assert step.before is None
    assert step.incident.state is IncidentState.OPEN
    assert step.incident.severity is Severity.PAGE
    assert "b" in step.incident.title
    assert set(step.incident.alerts) == {ticket.fingerprint, page.fingerprint}


def test_a_page_that_joins_makes_a_ticket_a_page() -> None:
    incident = replace(OPENED, severity=Severity.TICKET)
    page = replace(alert("b"), severity=Severity.PAGE)
    after = machine.joined(incident, [page, page], "also", NOW).incident
    assert after.severity is Severity.PAGE
    assert after.alerts == (*OPENED.alerts, page.fingerprint)
    assert after.state is IncidentState.OPEN


def test_a_diagnosis_moves_on_what_is_open_and_nothing_else() -> None:
    assert machine.diagnosed(OPENED, DIAGNOSIS, NOW).incident.state is IncidentState.DIAGNOSED
    mitigating = at(IncidentState.MITIGATING)
    assert machine.diagnosed(mitigating, DIAGNOSIS, NOW).incident.state is IncidentState.MITIGATING


def test_a_diagnosis_names_its_changes_and_is_the_evidence() -> None:
    step = machine.diagnosed(OPENED, diagnosis(cause(release="v2")), NOW)
    assert step.incident.changes == ("c1",)
    assert step.evidence["slices_tested"] == 8978


def test_mitigation_is_timed_when_it_is_done() -> None:
    step = machine.moved(at(IncidentState.MITIGATING), IncidentState.VERIFYING, "ann", "r", NOW + 9)
    assert step.incident.mitigated_at == NOW + 9


def test_an_incident_that_comes_back_is_open_for_everybody_again() -> None:
    ended = replace(
        at(IncidentState.RESOLVED), resolved_at=NOW, acknowledged_by="ann", acknowledged_at=NOW
    )
    step = machine.reopened(ended, [alert()], NOW + 600)
    assert step.incident.state is IncidentState.OPEN
    assert step.incident.resolved_at is None
    assert step.incident.acknowledged_by is None
    assert "10 min" in step.reason


@pytest.mark.parametrize("before", IncidentState)
@pytest.mark.parametrize("to", IncidentState)
def test_only_what_is_allowed_can_be_done(before: IncidentState, to: IncidentState) -> None:
    if to in ALLOWED[before]:
        assert machine.moved(at(before), to, "ann", "reason", NOW).incident.state is to
    else:
        with pytest.raises(BadInput, match="cannot become"):
            machine.moved(at(before), to, "ann", "reason", NOW)


def test_every_open_state_can_be_escalated_or_resolved() -> None:
    for state in IncidentState:
        if state not in (IncidentState.RESOLVED, IncidentState.ESCALATED):
            assert {IncidentState.ESCALATED, IncidentState.RESOLVED} <= ALLOWED[state]


@given(st.lists(st.sampled_from(list(IncidentState)), max_size=12))
def test_no_way_leads_around_the_table(wanted: list[IncidentState]) -> None:
    incident, way = OPENED, [OPENED.state]
    for to in wanted:
        try:
            incident = machine.moved(incident, to, "ann", "reason", NOW).incident
        except BadInput:
            continue
        way.append(incident.state)
    assert all(after in ALLOWED[before] for before, after in pairwise(way))
