"""A message that a real receiver refused: shown without secrets, and sent after all by a click."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.receivers.http import Reply
from tests.receivers.samples import a_message, a_resolution
from tests.receivers.webhooks import WebhookReceiver

from seakeeping.clock import SystemClock
from seakeeping.decide.notify.courier import Courier
from seakeeping.decide.notify.lane import Tally
from seakeeping.records import NotificationTarget, TargetKind
from seakeeping.web.testing import Client, MemoryStore, TestRoom, make_room

SECRET = "s3cr3t-signing-key"


@pytest.fixture
def room(tmp_path: Path) -> Iterator[TestRoom]:
    made = make_room(MemoryStore(), tmp_path, SystemClock())
    yield made
    made.close()


@pytest.fixture
def receiver() -> Iterator[WebhookReceiver]:
    with WebhookReceiver() as running:
        yield running


def courier(room: TestRoom, receiver: WebhookReceiver) -> Courier:
    it = NotificationTarget("it", TargetKind.WEBHOOK, receiver.url, secret_env="HOOK_KEY")
    return Courier(room.outbox, [it], SystemClock(), environ={"HOOK_KEY": SECRET})


def test_a_refused_message_is_seen_without_its_secret_and_retried(
    room: TestRoom, receiver: WebhookReceiver
) -> None:
    receiver.disturb = lambda request: Reply(422, f"bad key {SECRET}".encode())
    carries, client = courier(room, receiver), Client(room.app)
    room.outbox.put(a_message())
    assert carries.deliver_due() == Tally(failed=1)
    (told,) = client.get("/api/deliveries?state=failed").json()["items"]
    assert "422" in told["error"]
    for seen in (told["error"], client.get("/deliveries").text):
        assert SECRET not in seen
        assert "***" in seen
    receiver.disturb = lambda request: None
    assert client.send("POST", f"/deliveries/{told['id']}/retry").status == 303
    assert carries.deliver_due() == Tally(delivered=1)
    assert [one["state"] for one in client.get("/api/deliveries").json()["items"]] == ["delivered"]
    keys = [request.headers["webhook-id"] for request in receiver.requests]
    assert keys == [told["key"]] * 2


def test_a_refused_page_cannot_be_sent_after_its_end(
    room: TestRoom, receiver: WebhookReceiver
) -> None:
    receiver.disturb = lambda r: Reply(422) if r.headers["webhook-id"].endswith("/1") else None
    carries, client = courier(room, receiver), Client(room.app)
    room.outbox.put(a_message(), a_resolution(2))
    assert carries.deliver_due() == Tally(delivered=1, failed=1)
    assert client.send("POST", "/api/deliveries/1/retry").status == 409
    assert carries.deliver_due() == Tally()
    room.outbox.put(replace(a_message(), sequence=3))
    assert carries.deliver_due() == Tally(delivered=1)
