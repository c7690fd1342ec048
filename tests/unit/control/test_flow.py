import threading
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from seakeeping.clock import SystemClock
from seakeeping.control.batch import Batch, decode
from seakeeping.control.flow import Flow, latest_versions
from seakeeping.control.loop import Loop
from seakeeping.control.quarantine import Quarantine
from seakeeping.errors import SeakeepingError, StoreUnavailable
from seakeeping.evaluate import skipped
from seakeeping.ingest.assemble import Assembled, Retraction
from seakeeping.ingest.otlp import Encoding, encode_traces
from seakeeping.ingest.spool import Entry, Position, SpoolReader, SpoolRecord, SpoolWriter
from seakeeping.protocols import CostClass
from seakeeping.records import (
    Evaluation,
    Interaction,
    Label,
    LabelKind,
    LogEvent,
    MetricPoint,
    Signal,
    Span,
)
from seakeeping.records.codec import interaction_from_json


def span(number: int) -> Span:
    return Span(
        trace_id=f"{number:032x}",
        span_id=f"{number:016x}",
        parent_span_id=None,
        name="chat",
        kind="client",
        started_at=1_764_000_000.0 + number,
        duration_s=1.0,
        status="ok",
        error_type=None,
        service_name="shop",
        attributes={"gen_ai.operation.name": "chat"},
        resource={"service.name": "shop"},
    )


def interaction(number: int, **changes: object) -> Interaction:
    made = interaction_from_json({
        "trace_id": f"{number:032x}", "span_id": f"{number:016x}",
        "started_at": "2025-11-24T16:00:00Z", "service_name": "shop", "answer_text": "Yes.",
    })  # fmt: skip
    return replace(made, version=1, **changes)  # type: ignore[arg-type]


class Judge:
    """The least an evaluator signs with."""

    name = "judge"
    version = "1"
    needs = frozenset[str]()
    cost_class = CostClass.FIRST_STAGE


def score(interactions: Sequence[Interaction]) -> list[Evaluation]:
    return [skipped(Judge(), each, "no_context") for each in interactions]


class Memory:
    """A store in memory that can be away for some calls, and counts what it keeps by key."""

    def __init__(self, away: int = 0) -> None:
        self.away = away
        self.spans: dict[tuple[str, str], Span] = {}
        self.interactions: dict[tuple[str, str], Interaction] = {}
        self.evaluations: dict[tuple[str, ...], Evaluation] = {}
        self.retracted: list[Retraction] = []
        self.labels: list[Label] = []
        self.points: list[MetricPoint] = []
        self.rolled: list[set[tuple[str, float]]] = []
        self.tokens: list[str] = []
        self.refuses = ""

    def _come_or_go(self) -> None:
        if self.away > 0:
            self.away -= 1
            raise StoreUnavailable("away", retry_after_s=0.0)

    def insert_spans(self, spans: Sequence[Span], token: str) -> None:
        self._come_or_go()
        if any(s.name == self.refuses for s in spans):
            raise SeakeepingError("the store refused a statement")
        self.tokens.append(token)
        self.spans.update({(s.trace_id, s.span_id): s for s in spans})

    def insert_interactions(self, interactions: Sequence[Interaction], token: str) -> None:
        self._come_or_go()
        self.interactions.update({i.key: i for i in interactions})

    def insert_evaluations(
        self, rows: Sequence[tuple[Evaluation, Interaction | None]], token: str
    ) -> None:
        self._come_or_go()
        self.evaluations.update({e.key: e for e, _ in rows})

    def insert_labels(self, labels: Sequence[Label], token: str) -> None:
        self._come_or_go()
        self.labels.extend(labels)

    def retract(self, retractions: Sequence[Retraction], token: str) -> None:
        self._come_or_go()
        self.retracted.extend(retractions)

    def insert_metric_points(self, points: Sequence[MetricPoint], token: str) -> None:
        self._come_or_go()
        self.points.extend(points)

    def refresh_rollups(self, buckets: Iterable[tuple[str, float]]) -> None:
        self._come_or_go()
        self.rolled.append(set(buckets))


class Open:
    """Keeps everything, but not what ``forgets`` names."""

    def __init__(self, *forgets: str) -> None:
        self.forgets = forgets

    def span(self, span: Span) -> Span:
        return span

    def interaction(self, interaction: Interaction) -> Interaction | None:
        return None if self.is_erased(interaction) else interaction

    def is_erased(self, interaction: Interaction) -> bool:
        return interaction.user_id in self.forgets

    def evaluation(self, evaluation: Evaluation, of: Interaction | None) -> Evaluation:
        return evaluation

    def label(self, label: Label, of: Interaction | None) -> Label:
        return label


class EachSpanACall:
    """An assembler for which every span is a call; it can be told to fail."""

    def __init__(self) -> None:
        self.fails = False

    def add(self, spans: Sequence[Span], logs: Sequence[LogEvent]) -> Assembled:
        if self.fails:
            raise ZeroDivisionError("a fault of ours")
        calls = [interaction(int(s.trace_id, 16)) for s in spans]
        return Assembled(interactions=calls, evaluations=[], retractions=[], spans=list(spans))


def flow(store: Memory, privacy: Open | None = None, stop: threading.Event | None = None) -> Flow:
    return Flow(
        store=store,
        score=score,
        privacy=privacy or Open(),
        publish=lambda evaluations, interactions: None,
        clock=SystemClock(),
        stop=stop or threading.Event(),
    )


def batch(*spans: Span) -> Batch:
    return Batch(Position(1, 0), Position(1, 9), 0.0, 1, list(spans), [], [])


def assembled(*calls: Interaction, gone: Sequence[Retraction] = ()) -> Assembled:
    return Assembled(list(calls), [], list(gone), [])


def test_a_batch_is_stored_with_one_evaluation_of_each_call() -> None:
    store = Memory()
    work = flow(store)
    gone = Retraction("f" * 32, "e" * 16, "shop", 1_764_000_000.0, 3)
    calls = (interaction(1), interaction(2))
    work.keep(work.prepare(batch(span(1)), assembled(*calls, gone=[gone]))).result(5)
    assert set(store.interactions) == {c.key for c in calls}
    assert {key[:2] for key in store.evaluations} == set(store.interactions)
    assert store.retracted == [gone]


def test_the_newest_version_of_a_call_is_the_one_that_is_scored_and_stored() -> None:
    old, new = interaction(1), replace(interaction(1), version=7, answer_text="No.")
    assert latest_versions([old, interaction(2), new]) == [new, interaction(2)]
    assert latest_versions([new, old]) == [new]


def test_an_absent_store_is_waited_for_and_nothing_is_lost() -> None:
    store = Memory(away=7)
    work = flow(store)
    work.keep(work.prepare(batch(span(1)), assembled(interaction(1)))).result(20)
    assert len(store.interactions) == 1
    assert store.rolled == [{("shop", 1_764_000_000.0)}]


def test_asked_to_end_the_flow_stops_waiting_for_the_store() -> None:
    stop = threading.Event()
    work = flow(Memory(away=10_000), stop=stop)
    future = work.keep(work.prepare(batch(span(1)), assembled(interaction(1))))
    stop.set()
    with pytest.raises(StoreUnavailable):
        future.result(10)


def test_the_calls_of_an_erased_user_are_dropped_with_their_evaluations() -> None:
    store = Memory()
    work = flow(store, Open("mallory"))
    calls = (interaction(1, user_id="mallory"), interaction(2, user_id="alice"))
    work.keep(work.prepare(batch(), assembled(*calls))).result(5)
    assert set(store.interactions) == {calls[1].key}
    assert {key[:2] for key in store.evaluations} == {calls[1].key}


def label(number: int) -> Label:
    return Label(*interaction(number).key, "faithfulness", 0.0, LabelKind.USER, "", 1.0)


def test_labels_are_kept_but_for_those_of_an_erased_user() -> None:
    store = Memory(away=3)
    calls = [interaction(1, user_id="mallory"), interaction(2, user_id="alice")]
    made = Assembled(calls, [], [], [], [label(1), label(2), label(3)])
    work = flow(store, Open("mallory"))
    work.keep(work.prepare(batch(), made)).result(5)
    assert store.labels == [label(2), label(3)]


def test_the_spans_of_an_erased_user_are_dropped_too() -> None:
    store = Memory()
    work = flow(store, Open("mallory"))
    calls = [interaction(1, user_id="mallory"), interaction(2, user_id="alice")]
    made = Assembled(calls, [], [], [span(1), span(2)])
    work.keep(work.prepare(batch(), made)).result(5)
    assert {trace_id for trace_id, _ in store.spans} == {calls[1].trace_id}


def test_what_is_published_is_what_may_be_kept() -> None:
    class Mute(Open):
        def evaluation(self, evaluation: Evaluation, of: Interaction | None) -> Evaluation:
            return replace(evaluation, explanation="masked")

    published: list[Evaluation] = []
    work = Flow(
        store=Memory(),
        score=score,
        privacy=Mute("mallory"),
        publish=lambda evaluations, interactions: published.extend(evaluations),
        clock=SystemClock(),
        stop=threading.Event(),
    )
    calls = (interaction(1, user_id="mallory"), interaction(2))
    work.keep(work.prepare(batch(), assembled(*calls))).result(5)
    assert [(e.trace_id, e.explanation) for e in published] == [(calls[1].trace_id, "masked")]


def test_rollups_that_wait_are_settled_on_request() -> None:
    store = Memory()
    work = flow(store)
    work.settle([("stale", 300.0)]).result(5)
    assert store.rolled == [{("stale", 300.0)}]
    work.keep(work.prepare(batch(), assembled(interaction(1)))).result(5)
    assert not work.is_settled, "the pause since the last refresh is not over"
    work.settle().result(5)
    assert work.is_settled


def record(*numbers: int, name: str = "chat") -> SpoolRecord:
    body = encode_traces([replace(span(n), name=name) for n in numbers])
    return SpoolRecord(Signal.TRACES, Encoding.PROTOBUF, 1_764_000_000.0, body)


class Node:
    """A spool with its loop; ``restart`` makes a new loop, as a new process would."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = Memory()
        self.assembler = EachSpanACall()
        self.writer = SpoolWriter(
            folder, limit_bytes=2**24, segment_bytes=2**20, clock=SystemClock()
        )
        self.beats = 0
        self.restart()

    def restart(self) -> None:
        self.reader = SpoolReader(self.folder)
        self.loop = Loop(
            reader=self.reader,
            make_assembler=lambda: self.assembler,
            flow=flow(self.store),
            quarantine=Quarantine(self.folder / "quarantine"),
            clock=SystemClock(),
            stop=threading.Event(),
            beat=self._beat,
        )

    def _beat(self) -> None:
        self.beats += 1

    def drain(self) -> None:
        """Step until nothing moves and nothing is left to read."""
        for _ in range(2000):
            moved = self.loop.step()
            if not moved and self.loop.is_idle and not self.reader.read(self.reader.cursor()):
                return
            if not moved:
                threading.Event().wait(0.005)
        raise AssertionError("the loop never came to rest")


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(tmp_path)


def test_what_is_in_the_spool_comes_to_the_store_and_the_cursor_follows(node: Node) -> None:
    for n in range(1, 6):
        node.writer.append([record(n)])
    node.drain()
    assert len(node.store.spans) == len(node.store.interactions) == 5
    assert node.reader.cursor() == node.reader.read(Position(0, 0))[-1].end
    assert node.beats >= 1


def test_a_replay_cuts_the_same_batch_under_the_same_token(node: Node) -> None:
    for n in range(1, 4):
        node.writer.append([record(n)])
    entries = node.reader.read(node.reader.cursor())
    node.reader.mark(entries[0].start, entries[1].end)  # begun, then the process died
    node.restart()
    node.drain()
    first = decode(entries[:2], Quarantine(node.folder / "q"))
    assert node.store.tokens[0] == first.token
    assert len(node.store.spans) == 3


def test_a_body_that_does_not_decode_is_kept_aside_and_the_others_go_on(node: Node) -> None:
    broken = SpoolRecord(Signal.TRACES, Encoding.PROTOBUF, 1.0, b"\xff\xff")
    node.writer.append([record(1), broken, record(2)])
    node.drain()
    assert len(node.store.spans) == 2
    kept = sorted(p.suffix for p in (node.folder / "quarantine").iterdir())
    assert kept == [".json", ".protobuf"]


def test_a_fault_of_the_assembler_costs_no_span(node: Node) -> None:
    node.assembler.fails = True
    node.writer.append([record(1)])
    node.drain()
    assert len(node.store.spans) == 1
    assert not node.store.interactions
    assert list((node.folder / "quarantine").glob("*.json"))


def test_what_the_store_refuses_for_good_is_put_aside_alone_and_the_stream_goes_on(
    node: Node,
) -> None:
    node.store.refuses = "poison"
    node.writer.append([record(1), record(2, name="poison"), record(3)])
    node.writer.append([record(4)])
    node.drain()
    assert {int(trace, 16) for trace, _ in node.store.spans} == {1, 3, 4}
    assert {int(trace, 16) for trace, _ in node.store.interactions} == {1, 3, 4}
    kept = list((node.folder / "quarantine").glob("*.protobuf"))
    assert [p.read_bytes() for p in kept] == [record(2, name="poison").body]


def test_the_quarantine_lets_the_oldest_go_when_full(tmp_path: Path) -> None:
    kept = Quarantine(tmp_path, limit_bytes=250)
    body = SpoolRecord(Signal.LOGS, Encoding.JSON, 1.0, b"x" * 100)
    for n in range(5):
        kept.keep(f"{n}", body, ValueError("no"))
    assert sum(p.stat().st_size for p in tmp_path.iterdir()) <= 250 + 100
    assert (tmp_path / "4.logs.json").exists()


def test_decoding_keeps_the_range_of_the_entries(tmp_path: Path) -> None:
    entries = [
        Entry(record(1), Position(1, 0), Position(1, 50)),
        Entry(record(2), Position(1, 50), Position(2, 30)),
    ]
    decoded = decode(entries, Quarantine(tmp_path))
    assert (decoded.start, decoded.end) == (Position(1, 0), Position(2, 30))
    assert decoded.token == "1-0-2-1e"
    assert [s.span_id for s in decoded.spans] == [f"{1:016x}", f"{2:016x}"]
