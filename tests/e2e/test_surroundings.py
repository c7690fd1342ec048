"""What a server asks and tells by itself: it scrapes targets, and emits its scores over OTLP."""

import itertools
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from tests.e2e.conftest import Server
from tests.e2e.test_server_survives import call, post, scored

from seakeeping.ingest.otlp import Encoding, decode_logs, inflate
from seakeeping.records import LogEvent

EXPOSITION = b"""# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{model_name="m"} 3
# TYPE vllm:time_to_first_token_seconds histogram
vllm:time_to_first_token_seconds_bucket{le="0.1"} 2
vllm:time_to_first_token_seconds_bucket{le="+Inf"} 5
vllm:time_to_first_token_seconds_sum 1.5
vllm:time_to_first_token_seconds_count 5
"""


class Neighbour(BaseHTTPRequestHandler):
    """A metrics target and an OTLP endpoint in one."""

    told: ClassVar[list[LogEvent]] = []

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(EXPOSITION)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        plain = inflate(self.headers.get("Content-Encoding", "identity"), body, 1 << 20)
        Neighbour.told.extend(decode_logs(Encoding.PROTOBUF, plain))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def neighbour() -> Iterator[str]:
    Neighbour.told.clear()
    listener = ThreadingHTTPServer(("127.0.0.1", 0), Neighbour)
    thread = threading.Thread(target=listener.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{listener.server_port}"
    listener.shutdown()
    thread.join()
    listener.server_close()


def test_targets_are_scraped_and_scores_are_emitted(tmp_path: Path, neighbour: str) -> None:
    settings = tmp_path / "seakeeping.toml"
    settings.write_text(
        f'scrape = ["{neighbour}/metrics"]\nscrape_interval_s = 1\nemit_endpoint = "{neighbour}"\n'
    )
    server = Server(tmp_path, "--settings", str(settings))
    server.start()
    try:
        one = call(0x51)
        post(server, one)
        server.until(lambda: scored(server, one))
        events = server.until(lambda: [e for e in Neighbour.told if e.span_id == one.span_id])
        points = server.until(lambda: first_tokens(server, neighbour.removeprefix("http://")))
    finally:
        server.stop()
    names = {e.attributes["gen_ai.evaluation.name"] for e in Neighbour.told}
    assert {e.name for e in events} == {"gen_ai.evaluation.result"}
    assert "response_validity" in names
    assert points[0]["count"] == 5
    assert points[0]["buckets"] == [[0.1, 2], ["+Inf", 3]]


def first_tokens(server: Server, service: str) -> list[dict[str, object]]:
    query = f"service={service}&name=vllm:time_to_first_token_seconds"
    items: list[dict[str, object]] = server.get(f"/api/metrics?{query}")["items"]
    return items


def resource(server: Server, text: str) -> None:
    """Write the server's resource file, at once."""
    folder = server.data / "resources"
    folder.mkdir(exist_ok=True)
    fresh = folder / "mine.new"
    fresh.write_text(text)
    fresh.rename(folder / "mine.yaml")


def judged(server: Server, number: int) -> dict[str, Any]:
    """Send a call that names its key and tokens; return it as the API tells it, scored."""
    one = call(number, answer="Your key is sk-abcdefghijklmnopqrstuvwxyz012345.")
    tokens = {"gen_ai.usage.input_tokens": 1_000_000, "gen_ai.usage.output_tokens": 0}
    one = replace(one, attributes={**one.attributes, **tokens})
    post(server, one)
    path = f"/api/interactions/{one.trace_id}/{one.span_id}"

    def look() -> dict[str, Any] | None:
        status, body = server.status(path)
        found: dict[str, Any] = json.loads(body) if status == 200 else {}
        return found if found.get("evaluations") else None

    return server.until(look)


PRICES = """
kind: PriceTable
version: 1
prices:
  - {provider: openai, model: gpt-4o, input: 7.0, output: 1.0}
---
"""


def test_resources_change_while_the_server_runs_and_a_broken_one_changes_nothing(
    own_server: Server,
) -> None:
    before = judged(own_server, 0x61)
    assert {e["name"] for e in before["evaluations"]} == {
        "faithfulness", "refusal", "response_validity",
    }  # fmt: skip
    assert "sk-abcdef" not in str(before), "secrets are masked with no setting at all"
    chosen = "kind: Evaluators\nversion: 1\ndisabled: [refusal]\n---\n"
    policy = "kind: ContentPolicy\nversion: 1\nservices:\n  - {match: hostile, policy: drop}\n"
    resource(own_server, chosen + PRICES + policy)

    numbers = itertools.count(0x70)

    def look() -> dict[str, Any] | None:
        found = judged(own_server, next(numbers))
        return found if found["answer_text"] is None and found["cost_usd"] == 7.0 else None

    after = own_server.until(look)
    assert "refusal" not in {e["name"] for e in after["evaluations"]}
    resource(own_server, "kind: ContentPolicy\nversion: 1\nservices: nonsense\n")
    own_server.until(lambda: "resources" in own_server.get("/metrics", raw=True))
    still = judged(own_server, 0x90)
    assert (still["answer_text"], still["cost_usd"]) == (None, 7.0)
