import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import ClassVar

import pytest

from seakeeping.cli.client import Client
from seakeeping.errors import BadInput, Refused, Unavailable


class Answers(BaseHTTPRequestHandler):
    """Answers with the statuses it was given, one a request, and notes what it got."""

    statuses: ClassVar[list[int]] = []
    seen: ClassVar[list[tuple[str, bytes, str | None]]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        type(self).seen.append((self.path, body, self.headers.get("Authorization")))
        status = type(self).statuses.pop(0) if type(self).statuses else 200
        self.send_response(status)
        self.send_header("Retry-After", "1.5")
        self.end_headers()
        self.wfile.write(b'{"fine": true}')

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def endpoint() -> Iterator[str]:
    Answers.statuses, Answers.seen = [], []
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


def test_nobody_there_says_what_to_do() -> None:
    with pytest.raises(Unavailable) as caught:
        Client("http://127.0.0.1:9", patience_s=0.0).post("/x", b"", {})
    assert "seakeeping up" in caught.value.hint
