import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from bench.corpus import bodies
from bench.send import send


class Server(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.refusals = [429, 503, 502]
        self.taken: list[bytes] = []
        self.answer = 200

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1/traces"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_POST(self) -> None:  # the standard library's name
        body = self.rfile.read(int(self.headers["content-length"]))
        status = self.server.refusals.pop() if self.server.refusals else self.server.answer
        if status == 200:
            self.server.taken.append(body)
        self.send_response(status)
        self.send_header("retry-after", "0.01")
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        yield listening
        listening.shutdown()
        thread.join()


def test_every_body_is_delivered_once_although_some_are_refused(server: Server) -> None:
    made = list(bodies(320))
    sent = send(made, server.url, senders=2)
    assert sorted(server.taken) == sorted(body.payload for body in made)
    assert (sent.requests, sent.spans, sent.model_calls, sent.refused) == (5, 320, 80, 3)
    assert len(sent.ack_s) == 5


def test_sender_that_is_told_to_stop_says_what_it_gave_up(server: Server) -> None:
    stop = threading.Event()
    stop.set()
    server.answer = 429
    sent = send(bodies(64), server.url, senders=1, stop=stop)
    assert sent.spans == 0
    assert not server.taken


def test_body_that_stays_refused_is_given_up_after_its_attempts(server: Server) -> None:
    server.refusals, server.answer = [], 503
    sent = send(bodies(64), server.url, senders=1, attempts=3)
    assert (sent.gave_up, sent.refused, sent.spans) == (1, 3, 0)


def test_server_that_is_away_counts_as_a_refusal() -> None:
    sent = send(bodies(64), "http://127.0.0.1:9/v1/traces", senders=1, attempts=2)
    assert (sent.gave_up, sent.refused) == (1, 2)
