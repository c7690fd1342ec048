import gzip
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from seakeeping.challenge.answers import load_answers
from seakeeping.challenge.demo import (
    HISTORY_CALLS_A_TICK,
    TICK_S,
    Live,
    Progress,
    Sender,
    Telling,
    begin,
    read_progress,
    tell,
    write_progress,
)
from seakeeping.challenge.story import Story

NOW = 1_795_000_000.0
SPANS = [ReadableSpan("chat"), ReadableSpan("retrieval")]


class FakeClock:
    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at


class Taken(SpanExporter):
    """Takes spans, except for as many exports as it was told to refuse."""

    def __init__(self, refusals: int = 0) -> None:
        self.spans: list[ReadableSpan] = []
        self.refusals = refusals

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        if self.refusals:
            self.refusals -= 1
            return SpanExportResult.FAILURE
        self.spans.extend(spans)
        return SpanExportResult.SUCCESS

    def ids(self) -> list[tuple[int, int]]:
        return [(one.context.trace_id, one.context.span_id) for one in self.spans if one.context]


class Waits:
    """Moves the clock instead of waiting, and ends after so many waits."""

    def __init__(self, clock: FakeClock, many: int) -> None:
        self.clock = clock
        self.left = many
        self.seconds: list[float] = []

    def __call__(self, seconds: float) -> bool:
        self.seconds.append(seconds)
        self.clock.at += seconds
        self.left -= 1
        return self.left <= 0


def run(many: int, exporter: Taken, progress: Progress, state: Path | None = None) -> Waits:
    clock = FakeClock()
    waits = Waits(clock, many)
    story = Story(load_answers(), progress.told_at)
    tell(Telling(story, Sender(exporter, waits), waits, clock, state), progress)
    return waits


def test_history_and_live_calls_are_sent_side_by_side() -> None:
    exporter = Taken()
    run(20, exporter, Progress(NOW))
    starts = [(one.start_time or 0) / 1e9 for one in exporter.spans]
    assert min(starts) < NOW < max(starts)


def test_whole_history_is_told_once_and_then_only_live_calls(tmp_path: Path) -> None:
    state = tmp_path / "demo.json"
    story = Story(load_answers(), NOW)
    ticks = len(list(story.history())) // HISTORY_CALLS_A_TICK + 3
    first, second = Taken(), Taken()
    run(ticks, first, Progress(NOW), state)
    told = read_progress(state)
    assert told == Progress(NOW, is_history_told=True)
    run(40, second, told)
    assert all((one.start_time or 0) / 1e9 >= NOW for one in second.spans)
    assert len(first.ids()) == len(set(first.ids()))


def test_restart_in_the_middle_repeats_the_same_identifiers() -> None:
    first, second = Taken(), Taken()
    run(3, first, Progress(NOW))
    run(3, second, Progress(NOW))
    assert first.ids() == second.ids()
    assert first.spans


def test_refused_spans_are_sent_again_after_growing_pauses() -> None:
    clock = FakeClock()
    waits = Waits(clock, 100)
    exporter = Taken(refusals=7)
    assert Sender(exporter, waits).send(SPANS)
    assert exporter.spans == SPANS
    assert waits.seconds == [TICK_S, 1.0, 2.0, 4.0, 8.0, 16.0, 16.0]


def test_sender_gives_up_when_asked_to_end() -> None:
    waits = Waits(FakeClock(), 2)
    exporter = Taken(refusals=1000)
    assert not Sender(exporter, waits).send(SPANS)
    assert not exporter.spans


def test_live_call_is_handed_out_once_and_only_when_it_has_ended() -> None:
    calls = Live(Story(load_answers(), NOW).live(NOW))
    handed = [call for tick in range(400) for call in calls.ended(NOW + tick * TICK_S)]
    assert len(handed) > 200
    assert len({call.key for call in handed}) == len(handed)
    assert all(call.ends_at <= NOW + 200 for call in handed)


def test_live_calls_that_are_too_late_are_dropped() -> None:
    calls = Live(Story(load_answers(), NOW).live(NOW))
    handed = calls.ended(NOW + 3_600)
    assert handed
    assert all(call.ends_at > NOW + 3_540 for call in handed)


def test_progress_survives_and_a_broken_file_begins_a_new_story(tmp_path: Path) -> None:
    state = tmp_path / "demo.json"
    assert read_progress(state) is None
    write_progress(state, Progress(NOW, is_history_told=True))
    assert read_progress(state) == Progress(NOW, is_history_told=True)
    for broken in ("", "{", "[]", '{"told_at": "soon"}'):
        state.write_text(broken)
        assert read_progress(state) is None


def test_story_begins_where_the_state_says(tmp_path: Path) -> None:
    state = tmp_path / "demo.json"
    clock = FakeClock()
    settings = {"endpoint": "http://127.0.0.1:1", "state": str(state), "key": "sk-1"}
    telling, progress = begin(settings, Waits(clock, 1), clock)
    clock.at += 86_400
    again, same = begin(settings, Waits(clock, 1), clock)
    assert progress == same == Progress(NOW)
    assert telling.story == again.story


class Receiver(ThreadingHTTPServer):
    """An OTLP/HTTP receiver that is busy at first."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), ReceiverHandler)
        self.busy = 1
        self.spans = 0
        self.keys: set[str | None] = set()


class ReceiverHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Receiver

    def do_POST(self) -> None:  # the standard library's name
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.keys.add(self.headers["authorization"])
        if self.server.busy:
            self.server.busy -= 1
            return self._answer(429)
        request = ExportTraceServiceRequest.FromString(gzip.decompress(body))
        self.server.spans += sum(
            len(scope.spans) for one in request.resource_spans for scope in one.scope_spans
        )
        self._answer(200)

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("retry-after", "1")
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_child_sends_through_the_exporter_and_ends_with_its_parent(receiver: Receiver) -> None:
    child = subprocess.Popen(
        [sys.executable, "-m", "seakeeping.challenge.demo"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    endpoint = f"http://127.0.0.1:{receiver.server_port}"
    child.stdin.write(json.dumps({"endpoint": endpoint, "key": "sk-demo"}) + "\n")
    child.stdin.flush()
    assert json.loads(child.stdout.readline()) == {"ready": True}
    deadline = time.monotonic() + 30
    while receiver.spans < 150 and time.monotonic() < deadline:
        assert json.loads(child.stdout.readline()) == {"beat": 1}
    child.stdin.close()
    assert child.wait(timeout=15) == 0
    child.stdout.close()
    assert receiver.spans >= 150
    assert receiver.keys == {"Bearer sk-demo"}
