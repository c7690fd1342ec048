"""Rollups against counting by hand: late, repeated, re-scored, retracted, sampled."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from seakeeping.errors import BadInput
from seakeeping.records import Interaction
from seakeeping.store.retention import partitions
from seakeeping.store.rollups import BUCKETS_AT_ONCE
from seakeeping.store.summaries import SeriesPoint
from seakeeping.store.telemetry import Store
from seakeeping.store.testing import NOON, make_evaluation, make_interaction, running_store


@dataclass(frozen=True)
class Taken:
    """A retraction, as the assembler makes it."""

    trace_id: str
    span_id: str
    service_name: str
    started_at: float
    version: int


@pytest.fixture(scope="module")
def running() -> Iterator[Store]:
    with running_store() as store:
        yield store


@pytest.fixture
def store(running: Store) -> Iterator[Store]:
    yield running
    for table in {partition.table for partition in partitions(running.client)}:
        running.client.command(f"TRUNCATE TABLE {table}")


def keep(store: Store, calls: list[Interaction], token: str = "t") -> None:
    store.insert_interactions(calls, token)
    store.refresh_rollups((c.service_name, c.started_at) for c in calls)


def calls(count: int, seed: int = 1) -> list[Interaction]:
    source = random.Random(seed)
    return [
        make_interaction(
            n,
            started_at=NOON + source.uniform(0, 3600),
            duration_s=source.choice([None, source.lognormvariate(0, 1)]),
            error_type=source.choice([None, None, None, "timeout"]),
            sampling_weight=source.choice([1.0, 1.0, 10.0]),
        )
        for n in range(count)
    ]


def test_a_service_without_calls_is_not_there(store: Store) -> None:
    keep(store, [make_interaction(1, service_name="desk")])
    assert [s.service_name for s in store.services(NOON + 60, 3600)] == ["desk"]
    assert store.services(NOON - 3600, 60) == []


def test_a_summary_says_what_its_rows_stand_for(store: Store) -> None:
    made = calls(60)
    keep(store, made)
    [shop] = store.services(NOON + 3600, 3600)
    weights = [c.sampling_weight for c in made]
    assert (shop.calls, shop.served) == (60, sum(weights))
    assert shop.served_errors == sum(c.sampling_weight for c in made if c.error_type)
    assert shop.input_tokens == 100 * shop.served  # what was served, too
    points = store.series("shop", NOON, NOON + 3600, 300)
    assert sum(p.served for p in points) == shop.served
    assert sum(p.served_errors for p in points) == shop.served_errors
    assert sum(p.input_tokens for p in points) == shop.input_tokens


def test_refreshing_again_or_in_any_order_changes_nothing(store: Store) -> None:
    made = calls(50)
    store.insert_interactions(made[25:], "late")
    store.refresh_rollups((c.service_name, c.started_at) for c in made[25:])
    keep(store, made[:25], "early")
    first = store.services(NOON + 3600, 7200)
    for _ in range(2):
        keep(store, made, "again")
    assert store.services(NOON + 3600, 7200) == first
    assert first[0].calls == 50


def test_a_new_version_moves_its_call_from_one_number_to_another(store: Store) -> None:
    call = make_interaction(1)
    keep(store, [call], "t1")
    keep(store, [replace(call, version=2, error_type="timeout", cost_usd=None)], "t2")
    [summary] = store.services(NOON + 300, 3600)
    assert (summary.calls, summary.errors, summary.cost_usd) == (1, 1, None)
    assert summary.latency_p50_s is None


def test_a_key_that_vanishes_becomes_zero(store: Store) -> None:
    call = make_interaction(1)
    store.insert_evaluations([(make_evaluation(call), call)], "t")
    keep(store, [call])
    assert store.services(NOON + 300, 3600)[0].scored == 1
    store.retract([Taken(*call.key, "shop", call.started_at, 9)], "t")
    store.refresh_rollups([("shop", NOON)])
    assert store.services(NOON + 300, 3600) == []
    scored = store.client.read("SELECT sum(scored) FROM evaluation_rollups FINAL")
    assert scored == [[0]]


def test_an_answer_scored_again_counts_once_with_its_latest_label(store: Store) -> None:
    call = make_interaction(1)
    first = make_evaluation(call, score_label="unsupported")
    store.insert_evaluations([(first, call)], "t1")
    keep(store, [call])
    again = replace(first, score_label="supported", evaluated_at=first.evaluated_at + 5)
    store.insert_evaluations([(again, call)], "t2")
    store.refresh_rollups([("shop", NOON)])
    [summary] = store.services(NOON + 300, 3600)
    assert (summary.scored, summary.unsupported) == (1, 0)


def test_only_answers_count_for_quality_and_only_counted_traffic_at_all(store: Store) -> None:
    made = [
        make_interaction(1),
        make_interaction(2, is_answer=False),
        make_interaction(3, traffic="demo"),
        make_interaction(4, traffic="shadow"),
    ]
    store.insert_evaluations([(make_evaluation(c), c) for c in made], "t")
    keep(store, made)
    [live] = store.services(NOON + 300, 3600)
    assert (live.calls, live.answers, live.scored) == (2, 1, 1)
    demo = Store(store.client, counted=("live", "demo"))
    assert [s.calls for s in demo.services(NOON + 300, 3600)] == [3]


def test_coverage_blames_us_only_for_what_is_our_fault(store: Store) -> None:
    made = [make_interaction(n) for n in range(6)]
    reasons = [None, None, "no_context", "timeout", "error: ValueError", "refusal"]
    judged = [
        (
            make_evaluation(
                call,
                skipped_reason=reason,
                score_value=None if reason else 0.9,
                score_label=None if reason else "supported",
            ),
            call,
        )
        for call, reason in zip(made, reasons, strict=True)
    ]
    store.insert_evaluations(judged, "t")
    keep(store, made)
    [summary] = store.services(NOON + 300, 3600)
    assert (summary.scored, summary.eligible, summary.skipped) == (2, 4, 4)
    assert summary.coverage_ratio == 0.5
    assert summary.scoring_lag_s == pytest.approx(1.0, rel=0.1)


def test_the_score_of_a_call_that_was_sent_late_lags_from_its_arrival(store: Store) -> None:
    late = make_interaction(1, version=int((NOON + 1000) * 1e6))
    store.insert_evaluations([(make_evaluation(late, evaluated_at=NOON + 1003), late)], "t")
    keep(store, [late])
    [summary] = store.services(NOON + 300, 3600)
    assert summary.scoring_lag_s == pytest.approx(3.0, rel=0.2)


def test_a_summary_tells_what_it_knows(store: Store) -> None:
    bare = make_interaction(
        2, input_messages=None, output_messages=None, answer_text=None, cost_usd=None,
        input_tokens=None, output_tokens=None, time_to_first_token_s=None, duration_s=None,
    )  # fmt: skip
    keep(store, [make_interaction(1), bare])
    [summary] = store.services(NOON + 300, 3600)
    assert summary.content_ratio == 0.5
    assert (summary.input_tokens, summary.output_tokens) == (100, 10)
    assert summary.cost_usd == pytest.approx(0.001)
    assert summary.latency_p95_s == pytest.approx(0.5, rel=0.1)
    assert summary.ttft_p50_s == pytest.approx(0.1, rel=0.1)
    assert summary.last_seen_at == pytest.approx(NOON + 0.002)
    assert summary.coverage_ratio is None


def test_a_series_has_a_point_for_every_step(store: Store) -> None:
    keep(store, [make_interaction(1), make_interaction(2, started_at=NOON + 910)])
    points = store.series("shop", NOON + 1, NOON + 1200, 300)
    assert [p.start - NOON for p in points] == [0, 300, 600, 900]
    assert [p.calls for p in points] == [1, 0, 0, 1]
    assert points[1] == SeriesPoint(start=NOON + 300)
    assert len(store.series("other", NOON, NOON + 86_400, 21_600)) in (4, 5)
    with pytest.raises(BadInput, match="multiple of 300"):
        store.series("shop", NOON, NOON + 60, 100)


def test_many_buckets_are_refreshed_at_once(store: Store) -> None:
    count = BUCKETS_AT_ONCE + 7
    made = [
        make_interaction(n, started_at=NOON + n * 300.0, service_name=f"s{n % 3}")
        for n in range(count)
    ]
    keep(store, made)
    found = store.services(NOON + count * 300, count * 300)
    assert sum(s.calls for s in found) == count


def test_after_a_crash_the_buckets_that_were_not_refreshed_are_known(store: Store) -> None:
    done = [make_interaction(1), make_interaction(2, started_at=NOON + 600)]
    keep(store, done)
    assert store.stale_buckets() == []
    store.insert_interactions([make_interaction(3, started_at=NOON + 600)], "lost")
    assert store.stale_buckets() == [("shop", NOON + 600)]
    store.refresh_rollups(store.stale_buckets())
    assert store.stale_buckets() == []
    call = done[0]
    store.insert_evaluations([(make_evaluation(call), call)], "lost")
    assert store.stale_buckets() == [("shop", NOON)]
