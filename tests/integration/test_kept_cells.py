"""Kept cells on a real store: as they were, replaced, added up, and left when their rows go."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest

from seakeeping.store.cells import COUNTED, Cells, TimeSpan, cells_of, no_cells
from seakeeping.store.counting import CountingStore
from seakeeping.store.kept import numbers_in
from seakeeping.store.testing import (
    NOON,
    make_empty,
    make_indicator,
    make_interaction,
    running_store,
)

AT = int(NOON)


@pytest.fixture(scope="module")
def running() -> Iterator[CountingStore]:
    with running_store() as store:
        yield store


@pytest.fixture
def store(running: CountingStore) -> Iterator[CountingStore]:
    yield running
    make_empty(running)


def told(cells: Cells) -> dict[tuple[int, str, int], tuple[float, ...]]:
    return {
        (int(cells.indicator[n]), cells.services[cells.service[n]], int(cells.start[n])): tuple(
            cells.counts[n]
        )
        for n in range(len(cells))
    }


def cells(first: float = 1.0) -> Cells:
    counts = [[first + n, n / 3, n, n, n / 7, n / 49] for n in range(4)]
    return cells_of(["desk", "shop's"], [0, 0, 1, 1], [0, 1, 1, 1], [AT, AT, AT, AT + 300], counts)


def test_cells_come_back_as_they_were(store: CountingStore) -> None:
    store.keep_cells(["k0", "k1"], cells())
    found = store.kept_cells(["k0", "k1"], AT)
    assert told(found) == told(cells())
    assert found.services == ("desk", "shop's")
    assert found.counts.shape == (4, len(COUNTED))


def test_a_cell_that_is_kept_again_replaces_the_one_before(store: CountingStore) -> None:
    store.keep_cells(["k0", "k1"], cells())
    store.keep_cells(["k0", "k1"], cells(first=50.0))
    assert told(store.kept_cells(["k0", "k1"], AT)) == told(cells(first=50.0))


def test_only_the_asked_cells_come_back_under_the_asked_number(store: CountingStore) -> None:
    store.keep_cells(["k0", "k1"], cells())
    found = store.kept_cells(["none", "k1"], AT + 300)
    assert told(found) == {(1, "shop's", AT + 300): told(cells())[1, "shop's", AT + 300]}
    assert told(store.kept_cells(["k1"], AT, AT + 300)).keys() == {(0, "shop's", AT)}
    assert len(store.kept_cells([], AT)) == len(store.kept_cells(["k9"], AT)) == 0


def test_cells_are_added_up_by_the_step(store: CountingStore) -> None:
    store.keep_cells(["k0", "k1"], cells())
    hour = AT // 3600 * 3600
    found = told(store.kept_cells(["k1"], AT, step_s=3600))
    both = [told(cells())[1, "shop's", AT], told(cells())[1, "shop's", AT + 300]]
    assert found == {(0, "shop's", hour): tuple(map(sum, zip(*both, strict=True)))}


def test_many_cells_come_in_several_blocks(store: CountingStore) -> None:
    size = 40_000
    counts = np.tile(np.arange(size, dtype=np.float64)[:, None], (1, 6))
    zeros = np.zeros(size, np.int32)
    many = Cells(("shop",), zeros, zeros, AT + 300 * np.arange(size, dtype=np.int64), counts)
    store.keep_cells(["k"], many)
    found = store.kept_cells(["k"], AT)
    assert len(found) == size
    assert found.counts.sum() == counts.sum()
    order = np.argsort(found.start)
    assert np.array_equal(found.start[order], many.start)
    assert np.array_equal(found.counts[order], counts)


def test_keeping_nothing_writes_nothing(store: CountingStore) -> None:
    store.keep_cells([], no_cells())
    assert store.client.read("SELECT count() FROM sli_cells") == [[0]]


def test_a_body_without_rows_has_empty_columns() -> None:
    assert [len(column) for column in numbers_in(b"", 3)] == [0, 0, 0]


@dataclass(frozen=True)
class Limits:
    """Retention that lets calls go and keeps what was counted of them."""

    retention_spans_days: int = 1
    retention_text_days: int = 1
    retention_interactions_days: int = 1
    retention_evaluations_days: int = 400
    retention_metrics_days: int = 1
    disk_limit_mb: int = 10_000


def test_cells_outlive_the_rows_they_were_counted_from(store: CountingStore) -> None:
    asked = make_indicator()
    store.insert_interactions([make_interaction(n) for n in range(9)], "t")
    counted = store.count_cells([asked], TimeSpan(AT, AT + 300))
    store.keep_cells([asked.key], counted)
    assert store.rows_since() == 0
    store.apply_retention(Limits(), NOON + 5 * 86_400)
    assert store.rows_since() > NOON
    assert len(store.count_cells([asked], TimeSpan(AT, AT + 300))) == 0
    assert told(store.kept_cells([asked.key], AT)) == told(counted)
    store.apply_retention(Limits(retention_evaluations_days=3), NOON + 99 * 86_400)
    assert len(store.kept_cells([asked.key], AT)) == 0
