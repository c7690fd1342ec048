"""A change told by a tool, or seen in the telemetry, is heard once by real receivers."""

from collections.abc import Sequence

import orjson
from tests.receivers.http import Reply
from tests.receivers.pagerduty import ROUTING_KEY, PagerDutyReceiver
from tests.receivers.samples import Rig
from tests.receivers.webhooks import EventReceiver

from seakeeping.decide.changes.news import ChangeNews
from seakeeping.decide.changes.told import changes_from_body
from seakeeping.decide.changes.watch import ChangeWatch
from seakeeping.decide.notify.pace import LONGEST_S
from seakeeping.records import NotificationTarget, TargetKind
from seakeeping.store.ledger.changes import Changes
from seakeeping.store.ledger.outbox import DeliveryState
from seakeeping.store.novelty import FirstSeen


class Shows:
    """Telemetry in which a release is new."""

    def __init__(self, at: float) -> None:
        self._seen = FirstSeen("bot", "release", "v8", at, "v7")

    def first_seen(self, start: float, end: float) -> Sequence[FirstSeen]:
        return [self._seen]


def pager(receiver: PagerDutyReceiver) -> NotificationTarget:
    return NotificationTarget("pager", TargetKind.PAGERDUTY, receiver.enqueue, secret_env="KEY")


def events(receiver: EventReceiver) -> NotificationTarget:
    return NotificationTarget("events", TargetKind.CLOUDEVENTS, receiver.url)


def tell(rig: Rig, body: object, **headers: str) -> None:
    """Do what ``POST /api/changes`` does."""
    raw = orjson.dumps(body)
    Changes(rig.ledger).put(changes_from_body(raw, headers, now=rig.clock.now(), by="ci"), by="ci")


def test_a_deploy_that_a_tool_tells_reaches_pager_and_event_bus_once() -> None:
    with PagerDutyReceiver() as pagerduty, EventReceiver() as bus:
        targets = [pager(pagerduty), events(bus)]
        rig = Rig(*targets, environ={"KEY": ROUTING_KEY})
        told = {"id": "deploy-8", "target": "bot", "before": "v7", "after": "v8"}
        for _ in range(3):  # the tool retries, the controller starts anew
            tell(rig, told)
            ChangeNews(rig.ledger).tell(targets)
            rig.courier.deliver_due()
    (event,) = pagerduty.changes
    assert event["payload"]["summary"] == "deploy of bot: v7 -> v8 by ci"
    (heard,) = [request.json for request in bus.requests]
    assert heard["type"] == "dev.seakeeping.change.deploy"
    assert heard["data"]["id"] == "deploy-8"


def test_a_cloudevent_in_is_a_cloudevent_out() -> None:
    with EventReceiver() as bus:
        rig = Rig(events(bus))
        told = {
            "specversion": "1.0", "id": "7", "source": "/ci",
            "type": "dev.cdevents.service.deployed",
            "data": {"subject": {"id": "bot", "content": {"artifactId": "pkg:oci/bot@v8"}}},
        }  # fmt: skip
        tell(rig, told, **{"content-type": "application/cloudevents+json"})
        ChangeNews(rig.ledger).tell([events(bus)])
        rig.courier.deliver_due()
    assert [request.json["data"]["after"] for request in bus.requests] == ["v8"]


def test_a_release_that_only_the_telemetry_shows_is_told_once() -> None:
    with PagerDutyReceiver() as receiver:
        rig = Rig(pager(receiver), environ={"KEY": ROUTING_KEY})
        watch = ChangeWatch(Shows(rig.clock.now() - 90), rig.ledger, rig.clock)
        for _ in range(3):
            watch.look()
            ChangeNews(rig.ledger).tell([pager(receiver)])
            rig.courier.deliver_due()
            rig.clock.at += 60
    assert [event["payload"]["source"] for event in receiver.changes] == ["bot"]


def test_telemetry_that_is_filled_in_later_is_no_news() -> None:
    with PagerDutyReceiver() as receiver:
        rig = Rig(pager(receiver), environ={"KEY": ROUTING_KEY})
        assert ChangeWatch(Shows(rig.clock.now() - 7200), rig.ledger, rig.clock).look() != []
        ChangeNews(rig.ledger).tell([pager(receiver)])
        rig.courier.deliver_due()
    assert receiver.changes == []


def test_a_receiver_that_is_away_hears_of_it_later_and_once() -> None:
    with PagerDutyReceiver() as receiver:
        receiver.disturb = lambda request: Reply(503)
        rig = Rig(pager(receiver), environ={"KEY": ROUTING_KEY})
        tell(rig, {"id": "deploy-8", "target": "bot"})
        ChangeNews(rig.ledger).tell([pager(receiver)])
        rig.courier.deliver_due()
        assert rig.states == [DeliveryState.WAITING]
        receiver.disturb = lambda request: None
        rig.clock.at += 2 * 3600 + LONGEST_S  # by now it is old, but it was promised
        ChangeNews(rig.ledger).tell([pager(receiver)])
        rig.courier.deliver_due()
    assert len(receiver.changes) == 1
    assert rig.states == [DeliveryState.DELIVERED]
