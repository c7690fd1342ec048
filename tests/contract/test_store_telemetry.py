"""What holds of every telemetry store: one suite over the embedded engine and, if named, a server.

``SEAKEEPING_TEST_CLICKHOUSE_URL`` names a ClickHouse; each run makes a database of its own there.
"""

import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from seakeeping.errors import BadInput, StoreTooNew
from seakeeping.records import Document, Interaction, Json, MetricPoint, SpanEvent
from seakeeping.store.client import StoreClient, address_of
from seakeeping.store.retention import partitions
from seakeeping.store.telemetry import EvaluationFilter, InteractionFilter, Store
from seakeeping.store.testing import (
    NOON,
    make_evaluation,
    make_interaction,
    make_span,
    running_store,
)

_DAY_S = 86_400.0


@dataclass(frozen=True)
class Taken:
    """A retraction, as the assembler makes it."""

    trace_id: str
    span_id: str
    service_name: str
    started_at: float
    version: int


@dataclass(frozen=True)
class Limits:
    """Retention, as the settings give it."""

    retention_spans_days: int = 14
    retention_text_days: int = 10
    retention_interactions_days: int = 90
    retention_evaluations_days: int = 400
    retention_metrics_days: int = 30
    disk_limit_mb: int = 10_000


@pytest.fixture(
    scope="module", params=["embedded", pytest.param("server", marks=pytest.mark.needs_clickhouse)]
)
def running(request: pytest.FixtureRequest) -> Iterator[Store]:
    if request.param == "embedded":
        with running_store() as store:
            yield store
        return
    url = os.environ.get("SEAKEEPING_TEST_CLICKHOUSE_URL")
    if not url:
        pytest.skip("SEAKEEPING_TEST_CLICKHOUSE_URL names no ClickHouse")
    database = f"seakeeping_test_{uuid.uuid4().hex}"
    other = Store(StoreClient(replace(address_of(url), database=database)))
    other.migrate()
    yield other
    other.client.command(f"DROP DATABASE {database}", in_database=False)
    other.close()


@pytest.fixture
def store(running: Store) -> Iterator[Store]:
    """Return the store, empty."""
    yield running
    filled = {partition.table for partition in partitions(running.client)}
    for table in filled:
        running.client.command(f"TRUNCATE TABLE {table}")
    running.client.command("DELETE FROM meta WHERE key != 'schema_version'")
    running.__init__(running.client)  # type: ignore[misc]


def take(interaction: Interaction, version: int = 10) -> Taken:
    return Taken(
        interaction.trace_id,
        interaction.span_id,
        interaction.service_name,
        interaction.started_at,
        version,
    )


def keep(store: Store, *interactions: Interaction, token: str = "t") -> None:
    store.insert_interactions(interactions, token)
    store.refresh_rollups((i.service_name, i.started_at) for i in interactions)


# what goes in comes out


def test_an_interaction_comes_back_as_it_was(store: Store) -> None:
    full = make_interaction(
        1,
        parent_span_id="00000000000000ff",
        documents=(Document("d1", "text", 0.5, {"source": "wiki"}), Document(None, None)),
        tool_definitions=({"name": "search"},),
        cache_read_tokens=3,
        reasoning_tokens=0,
        finish_reasons=("stop", "length"),
        error_type="timeout",
        conversation_id="c",
        user_id="u",
        tenant="t",
        route="r",
        region="eu",
        prompt_name="p",
        prompt_version="2",
        release="canary",
        traffic="shadow",
        sampling_weight=12.5,
        groups={"age": "60+"},
        attributes={"nested": {"list": [1, 2.5, None, True, "é"]}},
        version=7,
    )
    store.insert_interactions([full], "t")
    assert store.interaction(full.trace_id, full.span_id) == full


def test_what_is_missing_comes_back_as_none(store: Store) -> None:
    bare = make_interaction(
        1, duration_s=None, time_to_first_token_s=None, streaming=None, provider=None,
        request_model=None, response_model=None, response_id=None, service_version=None,
        environment=None, system_instructions=None, input_messages=None, output_messages=None,
        answer_text=None, input_tokens=None, output_tokens=None, cost_usd=None, finish_reasons=(),
    )  # fmt: skip
    store.insert_interactions([bare], "t")
    assert store.interaction(bare.trace_id, bare.span_id) == bare


@pytest.mark.parametrize(
    "answer",
    [
        "plain", "quote \" and \\ and\ttab", "two\nlines\r\n", "nul \x00 byte", "emoji 🙂 and é",
        "{x:String} ${y} %s", "'; DROP TABLE spans; --", "x" * 100_000,
    ],
)  # fmt: skip
def test_any_text_survives(store: Store, answer: str) -> None:
    parts = [{"type": "text", "content": answer}]
    made = make_interaction(
        1,
        answer_text=answer,
        output_messages=({"role": "assistant", "parts": parts},),
        service_name="shop",
        user_id=answer[:40],
        attributes={answer[:40]: answer},
    )
    store.insert_interactions([made], "t")
    assert store.interaction(made.trace_id, made.span_id) == made
    assert store.interactions(InteractionFilter(user_id=answer[:40])).items == [made]


def test_an_answer_is_kept_once_though_it_stands_in_two_fields(store: Store) -> None:
    made = make_interaction(1, answer_text="needle" * 50)
    parts: Json = [{"type": "text", "content": made.answer_text}, {"type": "tool_call", "id": "1"}]
    made = replace(made, output_messages=({"role": "assistant", "parts": parts},))
    store.insert_interactions([made], "t")
    kept = store.client.read("SELECT output_messages FROM interaction_texts")[0][0]
    assert "needle" not in kept
    assert store.interaction(made.trace_id, made.span_id) == made


def test_output_that_says_more_than_the_answer_is_kept_whole(store: Store) -> None:
    parts = [{"type": "text", "content": "one"}, {"type": "text", "content": "two"}]
    made = make_interaction(
        1, answer_text="one\ntwo", output_messages=({"role": "assistant", "parts": parts},)
    )
    store.insert_interactions([made], "t")
    assert store.interaction(made.trace_id, made.span_id) == made


def test_spans_come_back_as_they_were_in_the_order_of_their_start(store: Store) -> None:
    late = make_span(2, trace_id="a" * 32, started_at=NOON + 5, parent_span_id="b" * 16)
    early = make_span(
        3,
        trace_id="a" * 32,
        started_at=NOON,
        duration_s=None,
        status="error",
        status_message="boom",
        error_type="E",
        sampling_weight=4.0,
        events=(SpanEvent("exception", NOON + 0.5, {"type": "E"}),),
    )
    store.insert_spans([late, early], "t")
    assert store.trace("a" * 32) == [early, late]
    assert store.trace("c" * 32) == []


def test_a_trace_across_midnight_is_one_trace(store: Store) -> None:
    midnight = NOON // _DAY_S * _DAY_S + _DAY_S
    spans = [make_span(n, trace_id="a" * 32, started_at=midnight - 2 + n) for n in range(4)]
    store.insert_spans(spans, "t")
    assert store.trace("a" * 32) == spans


def test_metric_points_come_back_with_their_infinite_bucket(store: Store) -> None:
    point = MetricPoint(
        name="gen_ai.client.operation.duration",
        unit="s",
        kind="histogram",
        at=NOON,
        service_name="shop",
        resource={"host": "a"},
        attributes={"model": "m"},
        value=3.5,
        count=3,
        buckets=((1.0, 2.0), (float("inf"), 1.0)),
        temporality="delta",
    )
    gauge = replace(point, kind="gauge", at=NOON + 1, count=None, buckets=(), temporality=None)
    store.insert_metric_points([gauge, point], "t")
    assert store.metric_points("shop", point.name, NOON, NOON + 2) == [point, gauge]
    assert store.metric_points("shop", point.name, NOON, NOON + 1) == [point]
    assert store.metric_points("shop", "other", NOON, NOON + 2) == []


def test_nothing_inserted_is_nothing_done(store: Store) -> None:
    store.insert_spans([], "t")
    store.insert_interactions([], "t")
    store.insert_evaluations([], "t")
    store.insert_metric_points([], "t")
    store.retract([], "t")
    store.refresh_rollups([])
    assert store.interactions(InteractionFilter()).items == []


# once, and the latest


def test_a_batch_sent_twice_is_stored_once(store: Store) -> None:
    for _ in range(3):
        store.insert_spans([make_span(1), make_span(2)], "batch-1")
        store.insert_metric_points([_gauge()], "batch-1")
    rows = store.client.read(
        "SELECT count() FROM spans UNION ALL SELECT count() FROM metric_points"
    )
    assert sorted(row[0] for row in rows) == [1, 2]


def _gauge() -> MetricPoint:
    return MetricPoint("m", "1", "gauge", NOON, "shop", {}, {}, 1.0)


def test_equal_batches_under_different_tokens_are_two_batches(store: Store) -> None:
    store.insert_metric_points([_gauge()], "batch-1")
    store.insert_metric_points([_gauge()], "batch-2")
    assert len(store.metric_points("shop", "m", NOON, NOON + 1)) == 2


def test_a_span_sent_in_two_requests_counts_once(store: Store) -> None:
    store.insert_spans([make_span(1)], "batch-1")
    store.insert_spans([make_span(1), make_span(2)], "batch-2")
    assert len(store.trace_spans([make_span(1).trace_id, make_span(2).trace_id])) == 2


def test_the_highest_version_counts_in_whatever_order_they_come(store: Store) -> None:
    first, second, third = (make_interaction(1, version=n, input_tokens=n) for n in (1, 2, 3))
    for number, version in enumerate((second, third, first)):
        store.insert_interactions([version], f"t{number}")
    assert store.interaction(first.trace_id, first.span_id) == third
    assert store.interactions(InteractionFilter()).items == [third]


def test_a_filter_is_asked_of_the_latest_version(store: Store) -> None:
    old = make_interaction(1, version=1, release="old")
    new = replace(old, version=2, release="new")
    store.insert_interactions([old], "t1")
    store.insert_interactions([new], "t2")
    assert store.interactions(InteractionFilter(release="old")).items == []
    assert store.interactions(InteractionFilter(release="new")).items == [new]


def test_the_latest_evaluation_of_a_name_and_evaluator_counts(store: Store) -> None:
    call = make_interaction(1)
    first = make_evaluation(call, score_value=0.2, score_label="unsupported")
    again = make_evaluation(call, evaluated_at=first.evaluated_at + 60)
    other = make_evaluation(call, evaluator="external:judge")
    store.insert_interactions([call], "t")
    store.insert_evaluations([(again, call), (other, call)], "t1")
    store.insert_evaluations([(first, call)], "t2")
    assert store.evaluations_of(*call.key) == [other, again]
    assert store.evaluations(EvaluationFilter(score_label="unsupported")).items == []


def test_an_evaluation_without_its_interaction_is_found_by_its_ids(store: Store) -> None:
    made = make_evaluation(make_interaction(1))
    store.insert_evaluations([(made, None)], "t")
    assert store.evaluations_of(made.trace_id, made.span_id) == [made]


def test_evaluation_evidence_comes_back(store: Store) -> None:
    call = make_interaction(1)
    made = make_evaluation(
        call,
        explanation="no document says so",
        evidence=({"start": 0, "end": 5, "score": 0.25, "label": "unsupported", "document": None},),
        cost_usd=0.5,
    )
    store.insert_evaluations([(made, call)], "t")
    assert store.evaluations_of(*call.key) == [] or store.evaluations_of(*call.key) == [made]
    store.insert_interactions([call], "t")
    assert store.evaluations_of(*call.key) == [made]


# taken back


def test_what_was_retracted_is_nowhere(store: Store) -> None:
    gone, stays = make_interaction(1), make_interaction(2)
    keep(store, gone, stays)
    store.insert_evaluations([(make_evaluation(i), i) for i in (gone, stays)], "t")
    store.retract([take(gone)], "t")
    store.refresh_rollups([("shop", NOON)])
    assert store.interaction(*gone.key) is None
    assert store.evaluations_of(*gone.key) == []
    assert store.interactions(InteractionFilter()).items == [stays]
    assert [e.key[:2] for e in store.evaluations(EvaluationFilter()).items] == [stays.key]
    assert store.trace_interactions([gone.trace_id]) == []
    [summary] = store.services(NOON + 60, 3600)
    assert (summary.calls, summary.scored) == (1, 1)
    kept = store.client.read("SELECT sum(length(answer_text)) FROM interaction_texts FINAL")
    assert kept == [[len(stays.answer_text or "")]]


def test_a_newer_version_brings_a_retracted_interaction_back(store: Store) -> None:
    call = make_interaction(1, version=1)
    keep(store, call)
    store.retract([take(call, version=2)], "t1")
    again = replace(call, version=3)
    keep(store, again, token="t2")
    assert store.interaction(*call.key) == again


def test_an_older_version_that_comes_late_stays_retracted(store: Store) -> None:
    call = make_interaction(1, version=1)
    store.retract([take(call, version=2)], "t1")
    keep(store, call)
    assert store.interaction(*call.key) is None
    assert store.services(NOON + 60, 3600) == []


def test_many_are_retracted_at_once(store: Store) -> None:
    calls = [make_interaction(n) for n in range(1, 1200)]
    store.insert_interactions(calls, "t")
    store.insert_evaluations([(make_evaluation(c), c) for c in calls], "t")
    store.retract([take(c) for c in calls], "t")
    assert store.interactions(InteractionFilter()).items == []
    assert store.evaluations(EvaluationFilter()).items == []


# lists


def test_pages_hold_every_item_once_newest_first(store: Store) -> None:
    calls = [make_interaction(n, started_at=NOON - n * 11 * 3600.0) for n in range(20)]
    store.insert_interactions(calls[::2], "t1")
    store.insert_interactions(calls[1::2], "t2")
    store.insert_interactions([replace(c, version=2) for c in calls[:5]], "t3")
    seen: list[Interaction] = []
    cursor: str | None = None
    while True:
        page = store.interactions(InteractionFilter(), limit=6, cursor=cursor)
        seen += page.items
        assert len(page.items) <= 6
        cursor = page.next
        if cursor is None:
            break
    assert [i.key for i in seen] == [c.key for c in calls]
    assert [i.version for i in seen] == [2] * 5 + [1] * 15


def test_items_of_the_same_moment_are_neither_lost_nor_repeated(store: Store) -> None:
    calls = [make_interaction(n, started_at=NOON) for n in range(1, 30)]
    store.insert_interactions(calls, "t")
    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = store.interactions(InteractionFilter(), limit=4, cursor=cursor)
        seen += [i.span_id for i in page.items]
        cursor = page.next
        if cursor is None:
            break
    assert sorted(seen) == sorted(c.span_id for c in calls)


def test_a_page_is_full_though_most_versions_are_superseded(store: Store) -> None:
    calls = [make_interaction(n, version=1, release="old") for n in range(100)]
    store.insert_interactions(calls, "t1")
    store.insert_interactions([replace(c, version=2, release="new") for c in calls[10:]], "t2")
    page = store.interactions(InteractionFilter(release="old"), limit=10)
    assert len(page.items) == 10
    assert page.next is None


@pytest.mark.parametrize(
    ("where", "numbers"),
    [
        (InteractionFilter(service_name="shop"), [3, 1]),
        (InteractionFilter(environment="staging"), [2]),
        (InteractionFilter(request_model="m2"), [2]),
        (InteractionFilter(has_error=True), [3]),
        (InteractionFilter(has_error=False), [2, 1]),
        (InteractionFilter(error_type="timeout"), [3]),
        (InteractionFilter(is_answer=False), [2]),
        (InteractionFilter(user_id="ann", service_name="shop"), [1]),
        (InteractionFilter(traffic="shadow"), [3]),
        (InteractionFilter(start=NOON + 0.002, end=NOON + 0.003), [2]),
        (InteractionFilter(start=NOON + 100), []),
        (InteractionFilter(trace_id=f"{3:032x}"), [3]),
        (InteractionFilter(label="unsupported"), [3, 2]),
        (InteractionFilter(label="unsupported", evaluation="faithfulness"), [2]),
        (InteractionFilter(label="unsupported", service_name="desk"), [2]),
    ],
)
def test_filters_choose(store: Store, where: InteractionFilter, numbers: list[int]) -> None:
    calls = [
        make_interaction(1, user_id="ann"),
        make_interaction(
            2, service_name="desk", environment="staging", request_model="m2", is_answer=False
        ),
        make_interaction(3, error_type="timeout", traffic="shadow", user_id="ben"),
    ]
    store.insert_interactions(calls, "t")
    verdicts = [
        (make_evaluation(calls[0]), calls[0]),
        (make_evaluation(calls[1], score_label="unsupported"), calls[1]),
        (make_evaluation(calls[2], name="judge", score_label="unsupported"), calls[2]),
    ]
    store.insert_evaluations(verdicts, "t")
    found = store.interactions(where, limit=10).items
    assert [int(i.span_id, 16) for i in found] == numbers


def test_evaluations_are_listed_by_the_time_of_their_call(store: Store) -> None:
    calls = [make_interaction(n, started_at=NOON - n * 86_400.0 * 5) for n in range(6)]
    made = [make_evaluation(c, skipped_reason="no_context" if n % 3 else None,
                            score_label=None if n % 3 else "supported")
            for n, c in enumerate(calls)]  # fmt: skip
    store.insert_evaluations(list(zip(made, calls, strict=True)), "t")
    first = store.evaluations(EvaluationFilter(), limit=4)
    rest = store.evaluations(EvaluationFilter(), limit=50, cursor=first.next)
    assert [*first.items, *rest.items] == made
    scored = store.evaluations(EvaluationFilter(is_scored=True)).items
    assert scored == made[::3]
    skipped = store.evaluations(EvaluationFilter(skipped_reason="no_context", service_name="shop"))
    assert len(skipped.items) == 4


@pytest.mark.parametrize("cursor", ["x", "", "MQ", "bm90IGEgY3Vyc29y", "\x00"])
def test_a_wrong_cursor_is_bad_input_or_the_first_page(store: Store, cursor: str) -> None:
    if not cursor:
        assert store.interactions(InteractionFilter(), cursor=cursor).items == []
        return
    with pytest.raises(BadInput, match="cursor"):
        store.interactions(InteractionFilter(), cursor=cursor)


# the past of traces


def test_history_gives_spans_and_interactions_of_some_traces(store: Store) -> None:
    store.insert_spans([make_span(n) for n in range(1, 5)], "t")
    calls = [make_interaction(n) for n in range(1, 5)]
    store.insert_interactions(calls, "t")
    past = store.history()
    wanted = [calls[0].trace_id, calls[2].trace_id, "f" * 32]
    assert past.interactions(wanted) == [calls[0], calls[2]]
    assert past.spans(wanted) == [make_span(1), make_span(3)]
    assert past.spans([]) == []
    assert past.interactions([]) == []


# schema


def test_migrating_twice_changes_nothing(store: Store) -> None:
    keep(store, make_interaction(1))
    store.migrate()
    assert store.interaction(*make_interaction(1).key) is not None


def test_a_newer_store_is_refused(store: Store) -> None:
    store.client.command("INSERT INTO meta (key, value) VALUES ('schema_version', '99')")
    try:
        with pytest.raises(StoreTooNew, match="schema 99"):
            store.migrate()
    finally:
        store.client.command("DELETE FROM meta WHERE key = 'schema_version'")
        store.client.command("INSERT INTO meta (key, value) VALUES ('schema_version', '1')")


# what goes


def test_each_signal_is_kept_for_its_own_time(store: Store) -> None:
    call = make_interaction(1)
    keep(store, call)
    store.insert_spans([make_span(1)], "t")
    store.insert_evaluations([(make_evaluation(call), call)], "t")
    store.refresh_rollups([("shop", NOON)])
    assert store.apply_retention(Limits(), NOON + 9 * _DAY_S) == []

    gone = store.apply_retention(Limits(), NOON + 12 * _DAY_S)
    assert [str(d).split(" (")[0] for d in gone] == ["dropped interaction_texts of 2026-09-21"]
    assert store.interaction(*call.key) == replace(
        call,
        system_instructions=None,
        input_messages=None,
        output_messages=None,
        answer_text=None,
    )
    gone = store.apply_retention(Limits(), NOON + 20 * _DAY_S)
    assert [d.partition.table for d in gone] == ["spans"]
    assert store.trace(make_span(1).trace_id) == []
    assert len(store.evaluations_of(*call.key)) == 1


def test_rollups_outlive_their_rows_and_are_not_recomputed_to_nothing(store: Store) -> None:
    call = make_interaction(1)
    keep(store, call)
    before = store.services(NOON + 60, 3600)
    gone = store.apply_retention(Limits(), NOON + 95 * _DAY_S)
    assert "interactions" in {d.partition.table for d in gone}
    store.refresh_rollups([("shop", NOON)])
    assert store.services(NOON + 60, 3600) == before
    assert before[0].calls == 1
    store.apply_retention(Limits(), NOON + 440 * _DAY_S)
    assert store.services(NOON + 60, 3600) == []


def test_under_the_ceiling_spans_and_text_go_first_and_oldest_first(store: Store) -> None:
    days = [NOON + n * _DAY_S for n in range(3)]
    calls = [make_interaction(n, started_at=at) for n, at in enumerate(days)]
    keep(store, *calls)
    store.insert_spans([make_span(n, started_at=at) for n, at in enumerate(days)], "t")
    gone = store.apply_retention(Limits(disk_limit_mb=0), days[2] + 60)
    tables = [d.partition.table for d in gone]
    assert tables == [*["interaction_texts", "spans"] * 2, "interactions", "interactions"]
    assert "over its 0 MiB" in str(gone[0])
    assert store.interactions(InteractionFilter()).items == [calls[2]]  # today stays
    assert [s.calls for s in store.services(days[2] + 60, 10 * _DAY_S)] == [3]
    assert store.apply_retention(Limits(disk_limit_mb=0), days[2] + 60) == []


def test_an_erased_user_leaves_nothing_but_counts(store: Store) -> None:
    theirs = [make_interaction(n, user_id="ann", answer_text=f"secret {n}") for n in range(1, 6)]
    others = [make_interaction(n, user_id="ben") for n in range(6, 8)]
    keep(store, *theirs, *others)
    store.insert_spans([make_span(n) for n in range(1, 8)], "t")
    store.insert_evaluations([(make_evaluation(i), i) for i in (*theirs, *others)], "t")
    store.refresh_rollups([("shop", NOON)])
    before = store.services(NOON + 60, 3600)

    assert store.erase_subject("ann") == 5
    assert store.erase_subject("ann") == 0

    for call in theirs:
        assert store.interaction(*call.key) is None
        assert store.evaluations_of(*call.key) == []
        assert store.trace(call.trace_id) == []
    assert len(store.interactions(InteractionFilter()).items) == 2
    assert len(store.evaluations(EvaluationFilter()).items) == 2
    store.refresh_rollups([("shop", NOON)])
    assert store.services(NOON + 60, 3600) == before
    for table in ("interactions", "interaction_texts", "evaluations", "spans", "trace_index"):
        dump = store.client.read_bytes(f"SELECT * FROM {table}", "JSONEachRow")
        assert b"ann" not in dump
        assert b"secret" not in dump
        assert not any(call.trace_id.encode() in dump for call in theirs)


def test_a_subject_with_the_strangest_name_can_be_erased(store: Store) -> None:
    name = "'; DROP TABLE interactions; -- \\ {x:String} \n é"
    keep(store, make_interaction(1, user_id=name))
    assert store.erase_subject(name) == 1
    assert store.interactions(InteractionFilter()).items == []
