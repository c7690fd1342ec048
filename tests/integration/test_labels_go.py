"""How labels go: with their user, whose numbers stay, and with their age."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from seakeeping.records import IndicatorSignal, Label, LabelKind
from seakeeping.store.counting import CountingStore
from seakeeping.store.labels import LabelFilter
from seakeeping.store.testing import (
    NOON,
    make_empty,
    make_evaluation,
    make_indicator,
    make_interaction,
    running_store,
)

QUALITY = make_indicator(IndicatorSignal.EVALUATION)
CALLS = [make_interaction(n, user_id="ann" if n < 3 else "ben") for n in range(5)]


@dataclass(frozen=True)
class Limits:
    """Retention, as the settings give it."""

    retention_spans_days: int = 14
    retention_text_days: int = 10
    retention_interactions_days: int = 90
    retention_evaluations_days: int = 400
    retention_metrics_days: int = 30
    disk_limit_mb: int = 10_000


@pytest.fixture(scope="module")
def running() -> Iterator[CountingStore]:
    with running_store() as store:
        yield store


@pytest.fixture
def store(running: CountingStore) -> Iterator[CountingStore]:
    running.insert_interactions(CALLS, "t")
    running.insert_evaluations([(make_evaluation(c), c) for c in CALLS], "t")
    running.insert_labels([label(n) for n in range(5)], "t")
    yield running
    make_empty(running)


def label(number: int, kind: LabelKind = LabelKind.HUMAN, author: str = "rita") -> Label:
    return Label(
        *CALLS[number].key, "faithfulness", number % 2, kind, author, NOON + number, 0.5,
        f"secret {number}",
    )  # fmt: skip


def bank(store: CountingStore) -> list[tuple[float, float, float | None]]:
    found = store.label_bank("faithfulness", indicator=QUALITY)
    return sorted((x.truth, x.score, x.sampling_probability) for x in found)


def test_an_erased_user_leaves_labels_that_lead_nowhere(store: CountingStore) -> None:
    store.insert_labels([label(1, LabelKind.USER, "ann")], "u")
    before = bank(store)
    assert len(before) == 6
    store.erase_subject("ann")
    assert bank(store) == before
    for table in ("labels", "trace_index", "evaluations"):
        dump = store.client.read_bytes(f"SELECT * FROM {table}", "JSONEachRow")
        assert not any(call.trace_id.encode() in dump for call in CALLS[:3])
        assert b"ann" not in dump
    left = store.labels(LabelFilter()).items
    assert sorted(x.comment for x in left if x.comment) == ["secret 3", "secret 4"]
    assert {x.author for x in left if x.by is LabelKind.HUMAN} == {"rita"}
    for call in CALLS[:3]:
        assert store.labels(LabelFilter(trace_id=call.trace_id)).items == []
    assert store.erase_subject("ann") == 0
    assert bank(store) == before


def test_erased_answers_are_shown_to_nobody(store: CountingStore) -> None:
    store.client.command("TRUNCATE TABLE labels")
    assert len(store.candidates("shop", "faithfulness", NOON, NOON + 300)) == 5
    store.erase_subject("ann")
    left = store.candidates("shop", "faithfulness", NOON, NOON + 300)
    assert {c.trace_id for c in left} == {c.trace_id for c in CALLS[3:]}
    flagged = make_indicator(IndicatorSignal.EVALUATION, bad_labels=("supported",))
    assert len(store.examples(flagged, "shop", NOON, NOON + 300)) == 2
    assert store.facts(flagged, "shop", NOON, NOON + 300).bad_rows.sum() == 5


def test_old_labels_go_and_it_is_said(store: CountingStore) -> None:
    assert store.apply_retention(Limits(), NOON + 60) == []
    later = NOON + 2.5 + 400 * 86_400
    said = [d for d in store.apply_retention(Limits(), later) if d.partition.table == "labels"]
    assert [str(d) for d in said] == ["dropped labels of 2026-09-21 (0.0 MB): older than 400 days"]
    store.client.command("ALTER TABLE labels DELETE WHERE 0", settings={"mutations_sync": 2})
    assert {x.at for x in store.labels(LabelFilter()).items} == {NOON + 3, NOON + 4}
