import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import ClassVar

import pytest

from seakeeping.cli.client import Client
from seakeeping.errors import BadInput, NotFound, Refused, SeakeepingError, Unavailable


class Answers(BaseHTTPRequestHandler):
    """Answers with the statuses it was given, one a request, and notes what it got."""

    statuses: ClassVar[list[int]] = []
    body: ClassVar[bytes] = b'{"fine": true}'
    seen: ClassVar[list[tuple[str, bytes, str | None]]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        type(self).seen.append((self.path, body, self.headers.get("Authorization")))
        status = type(self).statuses.pop(0) if type(self).statuses else 200
        self.send_response(status)
        self.send_header("Retry-After", "1.5")
        self.end_headers()
        self.wfile.write(type(self).body)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def endpoint() -> Iterator[str]:
    Answers.statuses, Answers.seen, Answers.body = [], [], b'{"fine": true}'
    server = HTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_busy_server_is_asked_again_after_the_time_it_names(endpoint: str) -> None:
    Answers.statuses = [429, 503]
    pauses: list[float] = []
    client = Client(endpoint, key="sk", sleep=pauses.append)
    assert client.post("/v1/traces", b"abc", {}) == b'{"fine": true}'
    assert pauses == [1.5, 1.5]
    assert [seen[1:] for seen in Answers.seen] == [(b"abc", "Bearer sk")] * 3


def test_patience_ends(endpoint: str) -> None:
    Answers.statuses = [503] * 10
    with pytest.raises(Unavailable, match="503"):
        Client(endpoint, patience_s=0.0, sleep=lambda _: None).post("/x", b"", {})


@pytest.mark.parametrize(("status", "kind"), [(400, BadInput), (413, BadInput), (401, Refused)])
def test_a_refusal_is_not_tried_again(endpoint: str, status: int, kind: type[Exception]) -> None:
    Answers.statuses = [status]
    with pytest.raises(kind, match=str(status)):
        Client(endpoint).post("/x", b"", {})
    assert len(Answers.seen) == 1


def test_a_person_waits_a_few_seconds_for_nobody() -> None:
    pauses: list[float] = []
    began = time.monotonic()

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        time.sleep(min(seconds, 2.0))

    with pytest.raises(Unavailable):
        Client("http://127.0.0.1:9", sleep=pause).get("/api/budgets")
    assert pauses
    assert time.monotonic() - began < 8


def test_nobody_there_says_what_to_do() -> None:
    with pytest.raises(Unavailable) as caught:
        Client("http://127.0.0.1:9", patience_s=0.0).post("/x", b"", {})
    assert "seakeeping up" in caught.value.hint


TOLD = b'{"error": {"code": "x", "message": "no objective \'a\'", "hint": "did you mean b?"}}'


@pytest.mark.parametrize(
    ("status", "kind", "hint"),
    [
        (400, BadInput, "did you mean b?"),
        (404, NotFound, "did you mean b?"),
        (403, Refused, "did you mean b?"),
        (401, Refused, "pass --key"),
        (503, Unavailable, "did you mean b?"),
    ],
)
def test_what_the_server_says_is_told_in_words_not_as_json(
    endpoint: str, status: int, kind: type[SeakeepingError], hint: str
) -> None:
    Answers.statuses, Answers.body = [status], TOLD
    with pytest.raises(kind) as caught:
        Client(endpoint, patience_s=0.0).post("/x", b"", {})
    assert caught.value.message == "the server says: no objective 'a'"
    assert caught.value.hint == hint


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"error": "old"}', b'{"error": {}}', b"\xff"])
def test_an_answer_of_something_else_is_told_as_it_is(endpoint: str, body: bytes) -> None:
    Answers.statuses, Answers.body = [400], body
    with pytest.raises(BadInput, match="HTTP 400"):
        Client(endpoint).post("/x", b"", {})
