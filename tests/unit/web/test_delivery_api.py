"""The API of deliveries over a real ledger: as the document says, narrowed, paged, retried once."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from seakeeping.store.ledger.outbox import DeliveryState
from seakeeping.web.testing import (
    Answer,
    Client,
    MemoryStore,
    StillClock,
    TestRoom,
    fill_outbox,
    make_room,
)
from seakeeping.web.testing.sample import HOSTILE_NAME
from seakeeping.web.testing.schema import faults

RETRY = "/api/deliveries/{delivery_id}/retry"


@pytest.fixture
def room(tmp_path: Path) -> Iterator[TestRoom]:
    clock = StillClock()
    made = make_room(MemoryStore(), tmp_path, clock)
    fill_outbox(made.outbox, clock.now())
    yield made
    made.close()


@pytest.fixture
def client(room: TestRoom) -> Client:
    return Client(room.app)


def check(client: Client, answer: Answer, path: str, method: str = "get") -> Any:
    """Return the body of an answer that is as the document says."""
    document = client.get("/api/openapi.json").json()
    content = document["paths"][path][method]["responses"]["200"]["content"]
    assert answer.status == 200, answer.text
    body = answer.json()
    assert list(faults(body, content["application/json"]["schema"], document)) == []
    return body


def items(client: Client, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = check(
        client, client.get(f"/api/deliveries{query}"), "/api/deliveries"
    )["items"]
    return found


def failed_id(client: Client, target: str = "gone") -> int:
    return int(items(client, f"?state=failed&target={target}")[0]["id"])


def retry(client: Client, delivery_id: object) -> Answer:
    return client.send("POST", f"/api/deliveries/{delivery_id}/retry")


def test_a_list_tells_where_each_message_stands(client: Client) -> None:
    found = items(client)
    assert [one["id"] for one in found] == [7, 6, 5, 4, 3, 2, 1]
    assert [one["state"] for one in found] == [
        "waiting", "delivered", "superseded", "failed", "failed", "waiting", "delivered",
    ]  # fmt: skip
    told = {name: found[0][name] for name in ("target", "kind", "about", "reason", "attempts")}
    assert told == {
        "target": "room", "kind": "slack", "reason": "changed", "attempts": 1,
        "about": "ErrorBudgetBurn / cargo-search / faithfulness",
    }  # fmt: skip
    assert found[0]["error"] == "slack.com: answered 503"
    assert found[0]["due_at"].endswith("Z")
    assert found[0]["done_at"] is None


def test_a_change_is_told_in_a_line(client: Client) -> None:
    about = [one["about"] for one in items(client) if one["reason"] == "change"]
    assert about == ["deploy of cargo-search: v41 -> v42 by argo"]


def test_a_target_that_is_no_more_has_no_kind(client: Client) -> None:
    assert {one["kind"] for one in items(client, "?target=gone")} == {None}


@pytest.mark.parametrize(
    ("query", "count"),
    [("?target=room", 3), ("?state=failed", 2), ("?target=room&state=superseded", 1),
     ("?target=nobody", 0), ("?limit=2", 2), ("?state=", 7)],
)  # fmt: skip
def test_the_list_is_narrowed(client: Client, query: str, count: int) -> None:
    assert len(items(client, query)) == count


def test_pages_lead_through_all_once(client: Client) -> None:
    seen: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        body = client.get(f"/api/deliveries?limit=3&cursor={cursor}").json()
        seen += [one["id"] for one in body["items"]]
        cursor = body["next"]
    assert seen == [7, 6, 5, 4, 3, 2, 1]


@pytest.mark.parametrize(
    "query", ["?state=fialed", "?cursor=x", "?cursor=-1", f"?cursor={'9' * 40}", "?limit=0", "?x=1"]
)
def test_a_wrong_question_is_a_400(client: Client, query: str) -> None:
    assert client.get(f"/api/deliveries{query}").status == 400


def test_a_misspelt_state_names_the_near_one(client: Client) -> None:
    assert "failed" in client.get("/api/deliveries?state=fialed").json()["error"]["hint"]


def test_a_failed_message_is_sent_after_all_once_and_audited(
    room: TestRoom, client: Client
) -> None:
    number = failed_id(client)
    first = check(client, retry(client, number), RETRY, "post")
    assert (first["state"], first["error"], first["can_be_retried"]) == ("waiting", None, False)
    assert check(client, retry(client, number), RETRY, "post") == first
    assert [d.id for d in room.outbox.due(target="gone")] == [number]
    (entry,) = room.ledger.audit_entries()
    assert (entry.actor, entry.action, entry.subject) == (
        "local", "notification.retry", str(number),
    )  # fmt: skip


@pytest.mark.parametrize("state", ["delivered", "waiting"])
def test_what_is_there_or_on_its_way_is_left_as_it_is(
    room: TestRoom, client: Client, state: str
) -> None:
    before = items(client, f"?state={state}")[0]
    assert check(client, retry(client, before["id"]), RETRY, "post") == before
    assert room.ledger.audit_entries() == []


def test_a_message_whose_place_was_taken_is_refused(room: TestRoom, client: Client) -> None:
    answer = retry(client, items(client, "?state=superseded")[0]["id"])
    assert answer.status == 409
    assert "later message to room" in answer.json()["error"]["message"]
    assert room.ledger.audit_entries() == []


def test_a_failed_message_before_a_later_one_is_refused(room: TestRoom, client: Client) -> None:
    number = failed_id(client)
    (first,) = room.outbox.deliveries(target="gone")
    room.outbox.put(replace(first.notification, sequence=2, reason="resolved"))
    assert [one["can_be_retried"] for one in items(client, "?target=gone")] == [False, False]
    assert retry(client, number).status == 409
    assert room.outbox.deliveries(target="gone")[1].state is DeliveryState.FAILED


@pytest.mark.parametrize("wrong", ["99", "x", "-1", "1e3", "9" * 40, "%20", "\u0661"])
def test_a_delivery_that_is_not_there_is_a_404(client: Client, wrong: str) -> None:
    answer = retry(client, wrong)
    assert answer.status == 404
    assert json.loads(answer.text)["error"]["hint"] == "GET /api/deliveries lists them"


def test_hostile_names_come_through_as_json(client: Client) -> None:
    (found,) = [one for one in items(client, "?state=failed") if one["target"] == HOSTILE_NAME]
    assert HOSTILE_NAME in found["about"]
    assert found["kind"] == "webhook"
