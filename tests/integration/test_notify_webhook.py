"""Webhooks and CloudEvents, against receivers that follow the specifications."""

import pytest
from tests.receivers.http import Reply
from tests.receivers.samples import (
    NOW,
    Rig,
    a_change,
    a_message,
    a_resolution,
    an_alert,
    an_incident,
)
from tests.receivers.webhooks import EventReceiver, WebhookReceiver

from seakeeping.decide.notify.received import alerts_from_webhook
from seakeeping.records import NotificationTarget, TargetKind
from seakeeping.store.ledger.outbox import DeliveryState

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def target(url: str, kind: TargetKind = TargetKind.WEBHOOK) -> NotificationTarget:
    return NotificationTarget("it", kind, url, "HOOK_KEY")


def test_a_webhook_is_signed_and_its_data_are_alertmanagers() -> None:
    with WebhookReceiver(SECRET, NOW) as receiver:
        rig = Rig(target(receiver.url), environ={"HOOK_KEY": SECRET})
        rig.send(a_message(), a_resolution())
        assert rig.states == [DeliveryState.DELIVERED] * 2
    firing, resolved = receiver.acted.values()
    assert (firing["status"], resolved["status"]) == ("firing", "resolved")
    assert firing["alerts"][0]["endsAt"] == "0001-01-01T00:00:00Z"
    assert firing["alerts"][0]["generatorURL"] == (
        "https://sea.example.org/objectives/bot/availability"
    )


def test_what_we_send_we_can_read() -> None:
    with WebhookReceiver() as receiver:
        rig = Rig(NotificationTarget("it", TargetKind.WEBHOOK, receiver.url))
        rig.send(a_message([an_alert(), an_alert("latency")]))
    (body,) = receiver.acted.values()
    alerts = alerts_from_webhook(body)
    assert [a.fingerprint for a in alerts] == [
        an_alert().fingerprint, an_alert("latency").fingerprint,
    ]  # fmt: skip


def test_a_message_that_is_sent_twice_has_the_same_key_and_a_new_signature() -> None:
    with WebhookReceiver(SECRET) as receiver:
        receiver.disturb = lambda r: Reply(503) if len(receiver.requests) == 1 else None
        rig = Rig(target(receiver.url), environ={"HOOK_KEY": SECRET})
        rig.send(a_message())
        rig.clock.at += 600
        rig.courier.deliver_due()
        assert rig.states == [DeliveryState.DELIVERED]
    first, second = receiver.requests
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.headers["webhook-timestamp"] != second.headers["webhook-timestamp"]
    assert first.body == second.body


def test_a_receiver_that_knows_another_secret_refuses_and_the_message_waits() -> None:
    with WebhookReceiver(SECRET) as receiver:
        rig = Rig(target(receiver.url), environ={"HOOK_KEY": "whsec_b3RoZXI="})
        rig.send(a_message())
        assert rig.states == [DeliveryState.WAITING]
        assert rig.error == "127.0.0.1 answered 401: bad signature"
        rig.courier.hold([target(receiver.url)])


@pytest.mark.parametrize(
    ("auth", "sent"),
    [("bearer", "Bearer user:pass"), ("basic", "Basic dXNlcjpwYXNz"), ("hmac", None)],
)
def test_credentials_go_where_the_target_wants_them(auth: str, sent: str | None) -> None:
    with WebhookReceiver() as receiver:
        rig = Rig(
            NotificationTarget(
                "it",
                TargetKind.WEBHOOK,
                receiver.url,
                "HOOK_KEY",
                {"auth": auth, "header.X-Scope-OrgID": "team"},
            ),
            environ={"HOOK_KEY": "user:pass"},
        )
        rig.send(a_message())
    (request,) = receiver.requests
    assert request.headers.get("authorization") == sent
    assert ("webhook-signature" in request.headers) == (auth == "hmac")
    assert request.headers["x-scope-orgid"] == "team"


def test_a_whole_address_may_be_the_secret() -> None:
    with WebhookReceiver() as receiver:
        secret = f"{receiver.url}/hooks/abcdef123456"
        rig = Rig(NotificationTarget("it", TargetKind.WEBHOOK, None, "HOOK_KEY"),
                  environ={"HOOK_KEY": secret})  # fmt: skip
        rig.send(a_message())
        assert rig.states == [DeliveryState.DELIVERED]
    assert receiver.requests[0].path == "/hooks/abcdef123456"


def test_many_alerts_are_cut_and_the_rest_counted() -> None:
    with WebhookReceiver() as receiver:
        rig = Rig(NotificationTarget("it", TargetKind.WEBHOOK, receiver.url))
        rig.send(a_message([an_alert(f"slo-{i}") for i in range(250)], truncated=7))
    (body,) = receiver.acted.values()
    assert (len(body["alerts"]), body["truncatedAlerts"]) == (100, 157)


def test_a_webhook_has_no_words_for_a_change() -> None:
    with WebhookReceiver() as receiver:
        rig = Rig(NotificationTarget("it", TargetKind.WEBHOOK, receiver.url))
        rig.send(a_change())
        assert rig.states == [DeliveryState.FAILED]
    assert receiver.requests == []


def test_cloud_events_tell_of_alerts_incidents_and_changes() -> None:
    with EventReceiver(SECRET, NOW) as receiver:
        rig = Rig(target(receiver.url, TargetKind.CLOUDEVENTS), environ={"HOOK_KEY": SECRET})
        rig.send(a_message(incident=an_incident()), a_resolution(), a_change())
        assert rig.states == [DeliveryState.DELIVERED] * 3
    firing, resolved, change = sorted(receiver.acted.values(), key=lambda e: str(e["type"]))[0:3]
    events = {event["type"]: event for event in (firing, resolved, change)}
    assert set(events) == {
        "dev.seakeeping.alert.firing",
        "dev.seakeeping.alert.resolved",
        "dev.seakeeping.change.deploy",
    }
    told = events["dev.seakeeping.alert.firing"]["data"]
    assert (told["incident"]["id"], told["url"]) == (
        "inc-7", "https://sea.example.org/incidents/inc-7",
    )  # fmt: skip
    assert events["dev.seakeeping.change.deploy"]["data"]["after"] == "v7"
    assert {event["source"] for event in events.values()} == {"https://sea.example.org"}
