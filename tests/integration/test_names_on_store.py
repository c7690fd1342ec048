"""Names of what was seen, and which calls are known, on a real store."""

from collections.abc import Iterator

import pytest

from seakeeping.records import Measurement, MetricPoint
from seakeeping.records.names import Names
from seakeeping.store.counting import CountingStore
from seakeeping.store.names import POINTS_SEEN_S, SEEN_S
from seakeeping.store.testing import (
    NOON,
    make_empty,
    make_evaluation,
    make_interaction,
    running_store,
)


@pytest.fixture(scope="module")
def running() -> Iterator[CountingStore]:
    with running_store() as store:
        yield store


@pytest.fixture
def store(running: CountingStore) -> Iterator[CountingStore]:
    yield running
    make_empty(running)


def point(name: str, service: str, at: float = NOON) -> MetricPoint:
    return MetricPoint(
        name=name, unit="1", kind="gauge", at=at, service_name=service, resource={},
        attributes={}, value=1.0,
    )  # fmt: skip


def test_every_kind_of_name_is_told_with_the_labels_of_evaluations(store: CountingStore) -> None:
    call = make_interaction(1, service_name="shop", started_at=NOON)
    skipped = make_evaluation(
        call, name="tone", score_value=None, score_label=None, skipped_reason="no text"
    )
    store.insert_interactions([call], "a")
    store.insert_evaluations(
        [(make_evaluation(call, score_label="unsupported"), call), (skipped, call)], "b"
    )
    store.refresh_rollups([("shop", NOON)])
    store.insert_metric_points([point("queue", "vllm"), point("queue", "other")], "c")
    store.insert_measurements([Measurement("shop", "drift", NOON - 3600, 3600, 0.2, n=4)])
    assert store.names(NOON + 60) == Names(
        services=("other", "shop", "vllm"),
        evaluations={"faithfulness": ("unsupported",), "tone": ()},
        measurements=("drift",),
        metrics=("queue",),
    )


def test_what_was_not_seen_for_long_is_no_name_any_more(store: CountingStore) -> None:
    store.insert_interactions([make_interaction(1, service_name="shop", started_at=NOON)], "a")
    store.refresh_rollups([("shop", NOON)])
    store.insert_metric_points([point("queue", "vllm")], "c")
    assert store.names(NOON + POINTS_SEEN_S + 60) == Names(services=("shop",))
    assert store.names(NOON + SEEN_S + 600) == Names()


def test_an_empty_store_has_no_names(store: CountingStore) -> None:
    assert store.names(NOON) == Names()


def test_calls_are_known_by_both_their_ids(store: CountingStore) -> None:
    first, second = (make_interaction(n, started_at=NOON + n, user_id=f"u{n}") for n in (1, 2))
    store.insert_interactions([first, second], "a")
    ids = [(one.trace_id, one.span_id) for one in (first, second)]
    crossed = (first.trace_id, "f" * 16)
    assert store.known_calls([*ids, crossed, ("e" * 32, first.span_id)]) == set(ids)
    assert store.known_calls([("e" * 32, "f" * 16)]) == set()
    store.erase_subject("u1")
    assert store.known_calls(ids) == {ids[1]}
