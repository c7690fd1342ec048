"""The review page at work: its queue, labels with the chance of their draw, answers now gone."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from seakeeping.records import LabelKind
from seakeeping.store.ledger.label_requests import LabelRequest
from seakeeping.web.testing import Answer, Client, MemoryStore, StillClock, TestRoom, make_room
from seakeeping.web.testing.sample import fill

CLOCK = StillClock()
TRACE, SPAN = f"{'5a11':0>32}", f"{'5a11':0>16}"


@pytest.fixture(scope="module")
def store() -> MemoryStore:
    full = fill(MemoryStore(), CLOCK.now())
    small = MemoryStore()
    small.add([c for c in full.calls if c.started_at > CLOCK.now() - 60], full.scores, full.spans)
    return small


@pytest.fixture
def room(store: MemoryStore, tmp_path: Path) -> Iterator[TestRoom]:
    store.given.clear()
    made = make_room(store, tmp_path, CLOCK)
    yield made
    made.close()


@pytest.fixture
def client(room: TestRoom) -> Client:
    return Client(room.app)


def draw(room: TestRoom, *drawn: LabelRequest) -> None:
    room.requests.add_epochs("harbour-assistant", "faithfulness", {CLOCK.now(): (10, drawn)})


def wanted(trace_id: str = TRACE, span_id: str = SPAN, rank: float = 0.5) -> LabelRequest:
    service = "harbour-assistant"
    return LabelRequest(
        trace_id, span_id, "faithfulness", service, CLOCK.now() - 4, 0.49, 0.31, rank
    )  # fmt: skip


def give(client: Client, verdict: str, **changes: str) -> Answer:
    fields = {"trace_id": TRACE, "span_id": SPAN, "name": "faithfulness", "service": "",
              "verdict": verdict, "comment": "", **changes}  # fmt: skip
    return client.send("POST", "/review", body=urlencode(fields).encode())


def test_nothing_waits_at_first(client: Client) -> None:
    text = client.get("/review").text
    assert "Nothing waits for a label" in text
    assert "<form" not in text


def test_the_answer_that_was_drawn_is_shown_and_its_chance_is_not(
    room: TestRoom, client: Client
) -> None:
    draw(room, wanted())
    text = client.get("/review").text
    assert "1 answer waits" in text
    assert "The fee is 42 euro a night" in text
    assert "0.31" not in text
    assert "was not drawn" not in text


def test_a_verdict_is_kept_with_the_chance_of_the_draw_and_leads_on(
    room: TestRoom, client: Client
) -> None:
    draw(room, wanted())
    answer = give(client, "unsupported", comment="the rules say 24", service="harbour-assistant")
    assert answer.status == 303
    assert answer.headers["location"] == "/review?name=faithfulness&service=harbour-assistant"
    (label,) = room.store.given.values()
    assert (label.value, label.by, label.author) == (0.0, LabelKind.HUMAN, "local")
    assert label.sampling_probability == 0.31
    assert label.comment == "the rules say 24"
    assert "Nothing waits" in client.get("/review").text


def test_a_label_nobody_drew_keeps_no_chance(room: TestRoom, client: Client) -> None:
    text = client.get(f"/review?trace_id={TRACE}&span_id={SPAN}").text
    assert "This answer was not drawn for review" in text
    give(client, "supported")
    (label,) = room.store.given.values()
    assert (label.value, label.sampling_probability) == (1.0, None)
    assert "local (human) said 1" in client.get(f"/review?trace_id={TRACE}&span_id={SPAN}").text


def test_a_skipped_answer_leaves_the_queue_without_a_label(room: TestRoom, client: Client) -> None:
    draw(room, wanted())
    for _ in range(2):  # the second time somebody else was quicker
        assert give(client, "skip").status == 303
    assert not room.store.given
    assert "Nothing waits" in client.get("/review").text


def test_an_answer_that_is_gone_is_passed_over(room: TestRoom, client: Client) -> None:
    draw(room, wanted("gone" * 8, "gone" * 4, rank=0.1), wanted(rank=0.9))
    assert "The fee is 42 euro a night" in client.get("/review").text


def test_the_least_rank_comes_first(room: TestRoom, client: Client) -> None:
    other = next(c for c in room.store.calls if c.answer_text and c.trace_id != TRACE)
    draw(room, wanted(rank=0.9), wanted(other.trace_id, other.span_id, rank=0.1))
    assert f'value="{other.trace_id}"' in client.get("/review").text


def test_a_service_narrows_the_queue(room: TestRoom, client: Client) -> None:
    draw(room, wanted())
    assert "Nothing waits" in client.get("/review?service=crew-chat").text
    assert "1 answer waits" in client.get("/review?service=harbour-assistant").text


@pytest.mark.parametrize(
    ("verdict", "changes", "message"),
    [
        ("perhaps", {}, "is no verdict on faithfulness"),
        ("supported", {"trace_id": ""}, "say which answer is meant"),
        ("supported", {"chance": "1"}, "unknown field"),
    ],
)
def test_a_wrong_verdict_is_refused(
    room: TestRoom, client: Client, verdict: str, changes: dict[str, str], message: str
) -> None:
    answer = give(client, verdict, **changes)
    assert answer.status == 400
    assert message in answer.text
    assert not room.store.given


def test_a_call_that_is_not_there_cannot_be_reviewed(client: Client) -> None:
    assert client.get("/review?trace_id=none&span_id=none").status == 404
