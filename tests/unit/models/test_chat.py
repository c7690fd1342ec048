"""The client against a real local server that answers in every way that endpoints do."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from seakeeping.models import ChatEndpoint, ModelFailed

GOOD = {
    "choices": [{"message": {"role": "assistant", "content": "yes"}}],
    "usage": {"prompt_tokens": 12, "completion_tokens": 3},
}


class Endpoint:
    """A server that answers the next of ``answers`` and remembers what it was asked."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, bytes]] = []
        self.asked: list[tuple[str, dict[str, str], Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    port = 0


@pytest.fixture
def server() -> Iterator[Endpoint]:
    endpoint = Endpoint()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            endpoint.asked.append((self.path, dict(self.headers), json.loads(body)))
            status, answer = endpoint.answers.pop(0)
            self.send_response(status)
            if status in (301, 302):
                self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    endpoint.port = httpd.server_port
    thread = Thread(target=httpd.serve_forever)
    thread.start()
    yield endpoint
    httpd.shutdown()
    thread.join()
    httpd.server_close()


def test_a_question_goes_out_and_its_answer_comes_back(
    server: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUDGE_KEY", "sk-secret")
    server.answers.append((200, json.dumps(GOOD).encode()))
    answer = ChatEndpoint(server.url, "m", "JUDGE_KEY").ask([{"role": "user", "content": "?"}])
    assert (answer.text, answer.input_tokens, answer.output_tokens) == ("yes", 12, 3)
    path, headers, body = server.asked[0]
    assert path == "/v1/chat/completions"
    assert headers["Authorization"] == "Bearer sk-secret"
    assert body["model"] == "m"
    assert body["temperature"] == 0


def test_a_base_address_with_v1_is_not_doubled() -> None:
    assert ChatEndpoint("http://h/v1/", "m").address == "http://h/v1/chat/completions"
    assert ChatEndpoint("http://h", "m").address == "http://h/v1/chat/completions"


def test_usage_may_be_missing(server: Endpoint) -> None:
    server.answers.append((200, json.dumps({**GOOD, "usage": None}).encode()))
    answer = ChatEndpoint(server.url, "m").ask([])
    assert (answer.input_tokens, answer.output_tokens) == (None, None)


@pytest.mark.parametrize("status", [429, 500, 503, 529])
def test_a_busy_endpoint_may_be_asked_again(server: Endpoint, status: int) -> None:
    server.answers.append((status, b"busy"))
    with pytest.raises(ModelFailed) as caught:
        ChatEndpoint(server.url, "m").ask([])
    assert caught.value.is_passing
    assert str(status) in caught.value.message


@pytest.mark.parametrize("status", [400, 401, 404, 302])
def test_a_refusal_or_a_redirect_stays_one(server: Endpoint, status: int) -> None:
    server.answers.append((status, b"no"))
    with pytest.raises(ModelFailed) as caught:
        ChatEndpoint(server.url, "m").ask([])
    assert not caught.value.is_passing
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b"{}", b'{"choices": []}', b'{"choices": [{"message": {}}]}',
     b'{"choices": [{"message": {"content": null}}]}', b"\xff\xfe"],
)  # fmt: skip
def test_garbage_is_no_answer(server: Endpoint, body: bytes) -> None:
    server.answers.append((200, body))
    with pytest.raises(ModelFailed, match="something else"):
        ChatEndpoint(server.url, "m").ask([])


def test_an_endless_answer_is_refused(server: Endpoint) -> None:
    server.answers.append((200, b"x" * (4 * 2**20 + 10)))
    with pytest.raises(ModelFailed, match="more than"):
        ChatEndpoint(server.url, "m").ask([])


def test_nobody_there_may_be_tried_again(server: Endpoint) -> None:
    with pytest.raises(ModelFailed, match="does not answer") as caught:
        ChatEndpoint("http://127.0.0.1:1", "m", timeout_s=1).ask([])
    assert caught.value.is_passing


def test_a_missing_key_is_said_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JUDGE_KEY", raising=False)
    with pytest.raises(ModelFailed, match="JUDGE_KEY"):
        ChatEndpoint("http://127.0.0.1:1", "m", "JUDGE_KEY").ask([])


def test_the_key_is_in_no_message(server: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUDGE_KEY", "sk-secret")
    server.answers.append((401, b"bad key sk-secret"))
    endpoint = ChatEndpoint(server.url, "m", "JUDGE_KEY")
    with pytest.raises(ModelFailed) as caught:
        endpoint.ask([])
    assert "sk-secret" not in str(caught.value) + repr(endpoint)
