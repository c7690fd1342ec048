"""The reviewer against a small real server that keeps a queue."""

import json
import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest

from seakeeping.challenge.answers import load_answers
from seakeeping.challenge.reviewer import AUTHOR, Reviewer

ANSWERS = load_answers()


class Desk:
    """A server with answers by trace; it takes labels off its queue."""

    def __init__(self) -> None:
        self.texts: dict[str, str | None] = {}
        self.labels: list[dict[str, Any]] = []
        self.keys: set[str | None] = set()
        self.status = 200
        self.url = ""

    def answer(self, path: str) -> Any:
        if path.startswith("/api/labels/queue"):
            given = re.search(r"limit=(\d+)", path)
            assert given
            waiting = [t for t in self.texts if t not in {one["trace_id"] for one in self.labels}]
            rows = [{"trace_id": t, "span_id": "s"} for t in waiting]
            return {"items": rows[: int(given[1])]}
        return {"answer_text": self.texts[path.split("/")[3]]}


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            desk.keys.add(self.headers.get("Authorization"))
            self.reply(desk.answer(self.path))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            desk.labels += json.loads(body)["labels"]
            self.reply({})

        def reply(self, body: Any) -> None:
            self.send_response(desk.status)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    desk.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield desk
    server.shutdown()
    thread.join()
    server.server_close()


def test_each_answer_gets_what_people_said_of_it(desk: Desk) -> None:
    desk.texts = {f"t{n}": one.text for n, one in enumerate(ANSWERS[:20])}
    assert Reviewer(desk.url, None, ANSWERS).review(50) == 20
    said = {label["trace_id"]: label["value"] for label in desk.labels}
    assert said == {f"t{n}": float(one.is_faithful) for n, one in enumerate(ANSWERS[:20])}
    assert {(label["name"], label["author"]) for label in desk.labels} == {("faithfulness", AUTHOR)}
    assert len(set(said.values())) == 2


def test_a_review_has_an_end(desk: Desk) -> None:
    desk.texts = {f"t{n}": one.text for n, one in enumerate(ANSWERS[:20])}
    reviewer = Reviewer(desk.url, None, ANSWERS)
    assert [reviewer.review(8) for _ in range(4)] == [8, 8, 4, 0]


def test_other_peoples_answers_are_left_alone(desk: Desk) -> None:
    desk.texts = {"t0": "Not one of the demo's.", "t1": None, "t2": ANSWERS[0].text}
    assert Reviewer(desk.url, None, ANSWERS).review(10) == 1
    assert [label["trace_id"] for label in desk.labels] == ["t2"]


def test_the_key_goes_with_every_request(desk: Desk) -> None:
    desk.texts = {"t0": ANSWERS[0].text}
    Reviewer(desk.url, "sk-1", ANSWERS).review(1)
    assert desk.keys == {"Bearer sk-1"}


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_server_is_asked_another_time(desk: Desk, status: int) -> None:
    desk.texts, desk.status = {"t0": ANSWERS[0].text}, status
    reviewer = Reviewer(desk.url, None, ANSWERS)
    assert reviewer.review(1) == 0
    desk.status = 200
    assert reviewer.review(1) == 1


def test_nobody_there_is_no_failure() -> None:
    assert Reviewer("http://127.0.0.1:1", None, ANSWERS).review(1) == 0


def test_texts_tell_the_answers_apart() -> None:
    verdicts: dict[str, set[bool]] = {}
    for one in ANSWERS:
        verdicts.setdefault(one.text, set()).add(one.is_faithful)
    assert all(len(said) == 1 for said in verdicts.values())
