"""The page of deliveries: what waits and why, and a button that works without script."""

import html
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from seakeeping.store.ledger.outbox import DeliveryState
from seakeeping.web.deliveries import Deliveries, Delivery, DeliveryFilter
from seakeeping.web.delivery_pages import due_words
from seakeeping.web.testing import (
    Client,
    MemoryStore,
    StillClock,
    TestRoom,
    fill_outbox,
    make_room,
)
from seakeeping.web.testing.outbox_sample import TARGETS
from seakeeping.web.testing.sample import HOSTILE, HOSTILE_NAME


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[TestRoom]:
    made = make_room(MemoryStore(), tmp_path, StillClock())
    yield made
    made.close()


@pytest.fixture
def room(empty: TestRoom) -> TestRoom:
    fill_outbox(empty.outbox, empty.room.clock.now())
    return empty


@pytest.fixture
def client(room: TestRoom) -> Client:
    return Client(room.app)


def test_the_page_shows_targets_and_messages(client: Client) -> None:
    text = client.get("/deliveries").text
    for told in ("pager", "slack", "gone", "answered 503", "in 2 min 3 s", "superseded",
                 "deploy of cargo-search: v41 -&gt; v42 by argo"):  # fmt: skip
        assert told in text, told
    assert text.count(">Retry</button>") == 2


def test_the_alerts_page_leads_here(client: Client) -> None:
    assert 'href="/deliveries"' in client.get("/alerts").text


def test_hostile_texts_are_escaped(client: Client) -> None:
    text = client.get("/deliveries").text
    assert HOSTILE not in text
    assert HOSTILE_NAME not in text
    assert html.escape("<ferry>") in text


@pytest.mark.parametrize(
    ("query", "rows"), [("?target=room", 3), ("?state=failed", 2), ("?state=sending", 0)]
)
def test_the_list_is_narrowed(client: Client, query: str, rows: int) -> None:
    text = client.get(f"/deliveries{query}").text
    assert text.count('<tr id="d') == rows
    assert f'hx-get="/deliveries{query}"' in text


def test_a_wrong_question_is_a_400(client: Client) -> None:
    assert client.get("/deliveries?state=lost").status == 400
    assert client.get("/deliveries?cursor=lost").status == 400


def test_older_messages_are_a_page_away_and_do_not_renew_themselves(
    room: TestRoom, client: Client
) -> None:
    (first, *_) = room.outbox.deliveries(target="pager")
    for number in range(60):
        room.outbox.put(replace(first.notification, group_key=f"change/c{number}"))
    text = client.get("/deliveries?target=pager").text
    assert text.count('<tr id="d') == 50
    older = html.unescape(text.split('rel="next" href="')[1].split('"')[0])
    rest = client.get(older).text
    assert rest.count('<tr id="d') == 12
    assert "hx-get" not in rest.split("<main")[1]
    assert 'rel="next"' not in rest


def test_a_retry_leads_back_to_the_same_list(room: TestRoom, client: Client) -> None:
    text = client.get("/deliveries?state=failed&target=gone").text
    action = html.unescape(text.split('method="post" action="')[1].split('"')[0])
    answer = client.send("POST", action)
    assert (answer.status, answer.headers["location"]) == (
        303, "/deliveries?state=failed&target=gone",
    )  # fmt: skip
    assert room.outbox.deliveries(target="gone")[0].state is DeliveryState.WAITING
    assert [entry.actor for entry in room.ledger.audit_entries()] == ["local"]


def test_a_page_of_another_site_cannot_press_the_button(client: Client) -> None:
    answer = client.send("POST", "/deliveries/4/retry", {"sec-fetch-site": "cross-site"})
    assert answer.status == 403


def test_nobody_to_tell_is_said(tmp_path: Path, empty: TestRoom) -> None:
    assert Deliveries(empty.ledger, tuple).standing() == []
    text = Client(empty.app).get("/deliveries").text
    assert "No message." in text
    assert "quiet" in text  # a target that nothing was told yet


def test_targets_are_counted(room: TestRoom) -> None:
    found = {one.name: one for one in Deliveries(room.ledger, lambda: TARGETS).standing()}
    assert set(found) == {"pager", "room", "quiet", "gone", HOSTILE_NAME}
    counts = {name: (one.waiting, one.failed, one.delivered) for name, one in found.items()}
    assert counts["room"] == (2, 0, 0)
    assert counts["gone"] == (0, 1, 0)
    assert counts["pager"] == (0, 0, 2)
    assert counts["quiet"] == (0, 0, 0)
    assert found["gone"].kind is None


@pytest.mark.parametrize(
    ("in_s", "told"), [(123.0, "in 2 min 3 s"), (0.4, "now"), (-5.0, "now"), (1.0, "in 1 s")]
)
def test_what_waits_says_when_it_is_tried(room: TestRoom, in_s: float, told: str) -> None:
    assert due_words(waiting(room), waiting(room).due_at - in_s) == told


def waiting(room: TestRoom) -> Delivery:
    held = Deliveries(room.ledger, lambda: TARGETS)
    return held.page(DeliveryFilter(state=DeliveryState.WAITING), limit=1, cursor=None).items[0]
