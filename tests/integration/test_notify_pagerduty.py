"""PagerDuty, against a server that holds every message to the documented limits."""

import dataclasses

import pytest
from tests.receivers.http import Reply
from tests.receivers.pagerduty import ROUTING_KEY, PagerDutyReceiver
from tests.receivers.samples import (
    Rig,
    a_change,
    a_message,
    a_resolution,
    an_alert,
    an_incident,
)

from seakeeping.decide.notify.courier import change_targets
from seakeeping.records import NotificationTarget, Severity, TargetKind
from seakeeping.store.ledger.outbox import DeliveryState

ENVIRON = {"PD_KEY": ROUTING_KEY}


def target(receiver: PagerDutyReceiver) -> NotificationTarget:
    return NotificationTarget("it", TargetKind.PAGERDUTY, receiver.enqueue, "PD_KEY")


def test_a_group_is_triggered_acknowledged_and_resolved_as_one_alert() -> None:
    with PagerDutyReceiver() as receiver:
        rig = Rig(target(receiver), environ=ENVIRON)
        rig.send(a_message(incident=an_incident()), a_message(sequence=2, reason="changed"))
        assert list(receiver.alerts.values()) == ["triggered"]
        rig.send(a_message(sequence=3, reason="acknowledged"))
        assert list(receiver.alerts.values()) == ["acknowledged"]
        rig.send(a_resolution(4))
        assert list(receiver.alerts.values()) == ["resolved"]
    assert list(receiver.opened.values()) == [1]
    first = receiver.events[0]
    assert first["payload"]["severity"] == "critical"
    assert first["payload"]["summary"].startswith("[FIRING 1] ErrorBudgetBurn: bot / availability")
    assert first["client_url"] == "https://sea.example.org/incidents/inc-7"


def test_the_same_group_opens_again_after_it_was_resolved() -> None:
    with PagerDutyReceiver() as receiver:
        rig = Rig(target(receiver), environ=ENVIRON)
        rig.send(a_message(), a_resolution(), a_message(sequence=3))
    assert list(receiver.opened.values()) == [2]
    assert list(receiver.alerts.values()) == ["triggered"]


def test_two_groups_of_one_incident_are_resolved_one_by_one() -> None:
    with PagerDutyReceiver() as receiver:
        rig = Rig(target(receiver), environ=ENVIRON)
        rig.send(
            a_message(incident=an_incident()),
            a_message([an_alert("latency")], group_key="bot/latency", incident=an_incident()),
        )
        rig.send(a_resolution(incident=an_incident()))
    assert sorted(receiver.alerts.values()) == ["resolved", "triggered"]


def test_a_message_that_arrived_without_our_knowing_opens_nothing_twice() -> None:
    with PagerDutyReceiver() as receiver:

        def taken_but_lost(request: object) -> Reply | None:
            if len(receiver.requests) > 1:
                return None
            receiver.answer(receiver.requests[0])
            return Reply(502)

        receiver.disturb = taken_but_lost
        rig = Rig(target(receiver), environ=ENVIRON)
        rig.send(a_message())
        rig.clock.at += 600
        rig.courier.deliver_due()
        assert rig.states == [DeliveryState.DELIVERED]
    assert len(receiver.events) == 2
    assert list(receiver.opened.values()) == [1]


def test_a_ticket_is_a_warning() -> None:
    ticket = dataclasses.replace(an_alert(), severity=Severity.TICKET)
    with PagerDutyReceiver() as receiver:
        Rig(target(receiver), environ=ENVIRON).send(a_message([ticket]))
    assert receiver.events[0]["payload"]["severity"] == "warning"


@pytest.mark.parametrize("text", ["x" * 100_000, "\U0001f6a8" * 20_000, "\0\ud800<&>\n" * 9999])
def test_huge_and_odd_texts_stay_within_the_limits(text: str) -> None:
    alerts = [
        an_alert(f"slo {i}", annotations={"summary": text, "examples": text, text[:300]: text})
        for i in range(90)
    ]
    with PagerDutyReceiver() as receiver:
        rig = Rig(target(receiver), environ=ENVIRON)
        rig.send(a_message(alerts, group_key=text, incident=an_incident(title=text)))
        assert rig.states == [DeliveryState.DELIVERED], rig.error
    assert receiver.events[0]["payload"]["custom_details"]["alerts"]


def test_a_change_is_a_change_event() -> None:
    with PagerDutyReceiver() as receiver:
        rig = Rig(target(receiver), environ=ENVIRON)
        rig.send(a_change(description="x" * 600_000))
        assert rig.states == [DeliveryState.DELIVERED], rig.error
    (event,) = receiver.changes
    assert event["payload"]["summary"] == "deploy of bot: v6 -> v7 by ci"


def test_changes_go_to_those_that_have_words_for_them() -> None:
    pager = NotificationTarget("a", TargetKind.PAGERDUTY)
    quiet = NotificationTarget("b", TargetKind.PAGERDUTY, options={"changes": "off"})
    events = NotificationTarget("c", TargetKind.CLOUDEVENTS)
    chat = NotificationTarget("d", TargetKind.SLACK)
    assert change_targets([pager, quiet, events, chat]) == [pager, events]


def test_an_event_that_pagerduty_refuses_is_given_up_and_shown() -> None:
    with PagerDutyReceiver() as receiver:
        rig = Rig(target(receiver), environ={"PD_KEY": "R" * 32})
        rig.send(a_message(), a_resolution())
        assert rig.states == [DeliveryState.FAILED] * 2
        assert "routing_key is invalid" in rig.error
        assert "R" * 32 not in rig.error


@pytest.mark.parametrize("key", ["short", ""])
def test_a_routing_key_of_the_wrong_length_is_never_sent(key: str) -> None:
    with PagerDutyReceiver() as receiver:
        rig = Rig(target(receiver), environ={"PD_KEY": key})
        rig.send(a_message())
        assert rig.states == [DeliveryState.WAITING]
    assert receiver.requests == []


def test_a_rate_limit_is_waited_for() -> None:
    with PagerDutyReceiver() as receiver:
        receiver.disturb = lambda r: Reply(429) if len(receiver.requests) == 1 else None
        rig = Rig(target(receiver), environ=ENVIRON)
        rig.send(a_message())
        assert rig.states == [DeliveryState.WAITING]
        rig.clock.at += 3
        rig.courier.deliver_due()
        assert rig.states == [DeliveryState.DELIVERED]
