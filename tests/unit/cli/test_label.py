import io
import json
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from seakeeping.cli import label
from seakeeping.errors import BadInput

WAITING = {
    "service": "shop", "name": "faithfulness", "trace_id": "t1", "span_id": "s1", "score": 0.4,
    "probability": 0.25,
}  # fmt: skip
CALL = {
    "service_name": "shop", "answer_text": "It opens [in] May.",
    "documents": [{"id": "1", "content": "The pier is closed in winter."}],
}  # fmt: skip


class Server:
    """Answers for the API, and what it was sent."""

    def __init__(self) -> None:
        self.waiting: list[dict[str, Any]] = [WAITING]
        self.asked: list[str] = []
        self.labels: list[dict[str, Any]] = []
        self.url = ""


@pytest.fixture
def server() -> Iterator[Server]:
    kept = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kept.asked.append(self.path)
            is_queue = self.path.startswith("/api/labels/queue")
            self.reply({"items": kept.waiting} if is_queue else CALL)

        def do_POST(self) -> None:
            kept.labels += json.loads(self.rfile.read(int(self.headers["Content-Length"])))[
                "labels"
            ]
            self.reply({})

        def reply(self, body: Any) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, format: str, *args: object) -> None:
            pass

    httpd = HTTPServer(("127.0.0.1", 0), Handler)
    kept.url = f"http://127.0.0.1:{httpd.server_port}"
    thread = Thread(target=httpd.serve_forever, args=(0.01,))
    thread.start()
    yield kept
    httpd.shutdown()
    thread.join()
    httpd.server_close()


def arguments(server: Server, *words: str) -> Namespace:
    parser = ArgumentParser()
    parser.add_argument("--json", action="store_true")
    label.add_arguments(parser)
    return parser.parse_args([*words, "--endpoint", server.url, "--author", "ann"])


class Terminal(io.StringIO):
    """A person at a keyboard."""

    def isatty(self) -> bool:
        return True


def at_keyboard(monkeypatch: pytest.MonkeyPatch, *keys: str) -> None:
    monkeypatch.setattr("sys.stdin", Terminal("".join(f"{key}\n" for key in keys)))


def write(path: Path, rows: Sequence[object]) -> Path:
    path.write_text("\n".join(r if isinstance(r, str) else json.dumps(r) for r in rows))
    return path


def test_a_file_of_labels_is_sent_with_its_author(server: Server, tmp_path: Path) -> None:
    rows = [{"trace_id": "a", "span_id": "b", "value": 0}, "",
            {"trace_id": "c", "span_id": "d", "label": "supported", "author": "bob"}]  # fmt: skip
    assert label.run(arguments(server, str(write(tmp_path / "l.jsonl", rows)))) == 0
    assert server.labels == [
        {"trace_id": "a", "span_id": "b", "name": "faithfulness", "value": 0, "author": "ann"},
        {"trace_id": "c", "span_id": "d", "name": "faithfulness", "label": "supported",
         "author": "bob"},
    ]  # fmt: skip


def test_a_long_file_goes_in_pieces(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [{"trace_id": str(n), "span_id": "s", "value": 1} for n in range(250)]
    path = write(tmp_path / "l.jsonl", rows)
    assert label.run(arguments(server, str(path), "--json")) == 0
    assert len(server.labels) == 250
    assert json.loads(capsys.readouterr().out) == {"labels": 250}


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("{", "no JSON"),
        ("[]", "no JSON object"),
        ({"span_id": "s", "value": 1}, "trace_id is missing"),
        ({"trace_id": "t", "span_id": "s"}, "a value or a label"),
        ({"trace_id": "t", "span_id": "s", "value": 1, "label": "x"}, "not both"),
        ({"trace_id": "t", "span_id": "s", "vlaue": 1}, "did you mean 'value'"),
        ({"trace_id": "t", "span_id": "s", "value": 1, "sampling_probability": 1}, "unknown key"),
    ],
)
def test_a_broken_line_is_named_and_nothing_is_sent(
    server: Server, tmp_path: Path, row: object, said: str
) -> None:
    path = write(tmp_path / "l.jsonl", [{"trace_id": "a", "span_id": "b", "value": 1}, row])
    with pytest.raises(BadInput, match=said) as caught:
        label.run(arguments(server, str(path)))
    assert ":2" in str(caught.value)
    assert server.labels == []


def test_the_queue_can_be_listed(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    assert label.run(arguments(server, "--list", "--service", "shop", "--limit", "5")) == 1
    assert "0.250" in capsys.readouterr().out
    assert server.asked == ["/api/labels/queue?name=faithfulness&limit=5&service=shop"]


def test_an_empty_queue_is_fine(server: Server) -> None:
    server.waiting = []
    assert label.run(arguments(server, "--list")) == 0


def test_the_queue_as_json(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    assert label.run(arguments(server, "--json")) == 1
    assert json.loads(capsys.readouterr().out) == {"items": [WAITING]}


@pytest.mark.parametrize(("key", "value"), [("g", 1.0), ("b", 0.0), ("B", 0.0)])
def test_one_key_labels_one_answer(
    server: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    key: str, value: float,
) -> None:  # fmt: skip
    at_keyboard(monkeypatch, key)
    assert label.run(arguments(server)) == 0
    assert server.labels == [
        {"trace_id": "t1", "span_id": "s1", "name": "faithfulness", "value": value,
         "author": "ann"}
    ]  # fmt: skip
    shown = capsys.readouterr().out
    assert "closed in winter" in shown
    assert "It opens [in] May." in shown


def test_an_answer_can_be_skipped_and_the_round_ended(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.waiting = [WAITING, WAITING, WAITING]
    at_keyboard(monkeypatch, "s", "what?", "g", "q")
    assert label.run(arguments(server)) == 0
    assert len(server.labels) == 1


def test_ending_at_once_gives_no_label(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    at_keyboard(monkeypatch, "q")
    assert label.run(arguments(server)) == 1
    assert server.labels == []


@pytest.mark.parametrize(
    ("name", "is_good", "value"),
    [("faithfulness", True, 1.0), ("toxicity", True, 0.0), ("toxicity", False, 1.0),
     ("own", True, 1.0), ("own", False, 0.0)],
)  # fmt: skip
def test_values_follow_the_scale(name: str, is_good: bool, value: float) -> None:
    assert label.value_of(name, is_good=is_good) == value
    assert len(label.words(name)) == 2
