"""A store of an older version is led forward with all it holds, also in two attempts."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from seakeeping.records import MetricPoint
from seakeeping.store.client import StoreClient, address_of
from seakeeping.store.counting import CountingStore
from seakeeping.store.engine.launch import running_engine
from seakeeping.store.filters import InteractionFilter
from seakeeping.store.migration import stored_version
from seakeeping.store.schema import TABLES, VERSION, Topology, migration_statements
from seakeeping.store.testing import NOON, make_evaluation, make_indicator, make_interaction

CALLS = [make_interaction(n) for n in range(20)]
POINT = MetricPoint("m", "1", "gauge", NOON, "shop", {}, {}, 1.0)


@pytest.fixture
def old(tmp_path: Path, data: Path) -> Iterator[CountingStore]:
    """Return a store of schema 1 with rows in it."""
    with running_engine(tmp_path / "store") as engine:
        client = StoreClient(address_of(engine.url, engine.token))
        client.command("CREATE DATABASE seakeeping ENGINE = Atomic", in_database=False)
        for statement in (data / "store" / "schema-1.sql").read_text().split(";\n"):
            if statement.strip():
                client.command(statement)
        client.command("INSERT INTO meta (key, value) VALUES ('schema_version', '1')")
        store = CountingStore(client)
        store.insert_interactions(CALLS, "t")
        store.insert_evaluations([(make_evaluation(c), c) for c in CALLS], "t")
        store.insert_metric_points([POINT], "t")
        store.refresh_rollups([("shop", NOON)])
        yield store
        store.close()


def shape(store: CountingStore) -> list[list[object]]:
    """Return every column and index of every table."""
    columns = store.client.read(
        "SELECT table, name, type, default_kind, default_expression, compression_codec FROM "
        "system.columns WHERE database = currentDatabase() ORDER BY table, position"
    )
    indexes = store.client.read(
        "SELECT table, name, type_full, expr, granularity FROM system.data_skipping_indices "
        "WHERE database = currentDatabase() ORDER BY table, name"
    )
    keys = store.client.read(
        "SELECT name, engine_full, sorting_key, partition_key FROM system.tables "
        "WHERE database = currentDatabase() ORDER BY name"
    )
    return [list(row) for row in (*columns, *indexes, *keys)]


def works(store: CountingStore) -> None:
    assert stored_version(store.client) == VERSION
    assert len(store.interactions(InteractionFilter(), limit=50).items) == len(CALLS)
    assert store.metric_points("shop", "m", NOON, NOON + 1) == [POINT]
    [counts] = store.count_cells([make_indicator()], [("shop", int(NOON))]).counts
    assert counts[2] == len(CALLS)
    told = store.touched(store.touched(0).version - 60_000_000)
    assert told.calls == {("shop", int(NOON))}
    assert ("shop", "m", int(NOON)) in told.metrics


def test_a_store_of_schema_1_is_led_forward(old: CountingStore) -> None:
    assert stored_version(old.client) == 1
    old.migrate()
    works(old)
    old.migrate()
    works(old)


def test_a_migration_that_broke_off_is_run_again(old: CountingStore) -> None:
    first, *_ = migration_statements(1, Topology())
    old.client.command(first)
    assert stored_version(old.client) == 1
    old.migrate()
    works(old)


def test_a_store_that_was_led_forward_is_shaped_like_a_new_one(
    old: CountingStore, tmp_path: Path
) -> None:
    old.migrate()
    with running_engine(tmp_path / "new") as engine:
        new = CountingStore(StoreClient(address_of(engine.url, engine.token)))
        new.migrate()
        assert shape(old) == shape(new)
        new.close()
    assert {row[0] for row in shape(old)} == {table.name for table in TABLES}
