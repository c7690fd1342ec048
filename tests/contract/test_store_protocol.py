"""The frozen subset of the ClickHouse HTTP protocol, asked by an unmodified clickhouse-connect.

The same suite runs against a real ClickHouse named by ``SEAKEEPING_TEST_CLICKHOUSE_URL``: what
holds here holds there.
"""

import io
import os
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import clickhouse_connect
import pyarrow
import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from seakeeping.store.client import address_of
from seakeeping.store.engine.launch import running_engine

Connect = Callable[..., Client]


@dataclass(frozen=True)
class Server:
    """A store that is asked, and a database of the test's own in it."""

    connect: Connect
    database: str


@pytest.fixture(
    scope="module",
    params=["embedded", pytest.param("server", marks=pytest.mark.needs_clickhouse)],
)
def connect(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Connect]:
    if request.param == "embedded":
        with running_engine(tmp_path_factory.mktemp("engine") / "store") as engine:
            address = address_of(engine.url, engine.token)
            yield lambda **options: _client(address, options)
        return
    url = os.environ.get("SEAKEEPING_TEST_CLICKHOUSE_URL")
    if not url:
        pytest.skip("SEAKEEPING_TEST_CLICKHOUSE_URL names no ClickHouse")
    address = address_of(url)
    yield lambda **options: _client(address, options)


def _client(address: Any, options: dict[str, Any]) -> Client:
    return clickhouse_connect.get_client(
        host=address.host,
        port=address.port,
        username=address.user,
        password=address.password,
        secure=address.is_secure,
        autogenerate_session_id=False,
        **options,
    )


@pytest.fixture(scope="module")
def server(connect: Connect) -> Iterator[Server]:
    database = f"protocol_{uuid.uuid4().hex}"
    client = connect()
    client.command(f"CREATE DATABASE {database} ENGINE = Atomic")
    yield Server(connect, database)
    client.command(f"DROP DATABASE {database}")
    client.close()


@pytest.fixture(params=[False, "lz4", "zstd", "gzip"], ids=["plain", "lz4", "zstd", "gzip"])
def client(request: pytest.FixtureRequest, server: Server) -> Iterator[Client]:
    """Return a client of each compression."""
    client = server.connect(database=server.database, compress=request.param)
    yield client
    client.close()


@pytest.fixture
def plain(server: Server) -> Iterator[Client]:
    client = server.connect(database=server.database, compress=False)
    yield client
    client.close()


@pytest.fixture
def table(plain: Client) -> Iterator[str]:
    name = f"t_{uuid.uuid4().hex}"
    plain.command(
        f"CREATE TABLE {name} (id UInt32, name LowCardinality(String), at DateTime64(6, 'UTC'), "
        "tags Map(String, String), score Nullable(Float64)) ENGINE = MergeTree ORDER BY id "
        "SETTINGS non_replicated_deduplication_window = 100"
    )
    yield name
    plain.command(f"DROP TABLE {name}")


_AT = datetime(2026, 11, 23, 12, 0, 0, 125000, tzinfo=UTC)
_ROWS = [
    [1, "a", _AT, {"k": "v"}, 0.5],
    [2, "é 🙂\n\t'\"\\", _AT, {}, None],
]


def test_the_handshake_tells_version_time_zone_and_settings(client: Client) -> None:
    assert (client.server_version or "").split(".")[0].isdigit()
    assert client.server_tz is not None
    assert client.server_settings["max_threads"] is not None


def test_rows_go_in_as_native_and_come_out_equal(client: Client, table: str) -> None:
    client.insert(table, _ROWS, column_names=["id", "name", "at", "tags", "score"])
    found = client.query(f"SELECT * FROM {table} ORDER BY id").result_rows
    seen = [[i, name, at.replace(tzinfo=UTC), tags, score] for i, name, at, tags, score in found]
    assert seen == _ROWS


def test_arrow_goes_in_and_comes_out(client: Client, table: str) -> None:
    made = pyarrow.table({"id": pyarrow.array([7, 8], pyarrow.uint32()), "name": ["x", "y"]})
    client.insert_arrow(table, made)
    found = client.query_arrow(f"SELECT id, name FROM {table} ORDER BY id", use_strings=True)
    assert found.column("id").to_pylist() == [7, 8]
    assert [str(v) for v in found.column("name").to_pylist()] == ["x", "y"]


@pytest.mark.parametrize(
    ("form", "body"),
    [
        ("JSONEachRow", b'{"id": 1, "name": "a"}\n{"id": 2, "name": "b"}\n'),
        ("TabSeparated", b"1\ta\n2\tb\n"),
        ("CSV", b'1,"a"\n2,"b"\n'),
        ("RowBinary", b"\x01\0\0\0\x01a\x02\0\0\0\x01b"),
    ],
)
def test_bytes_of_other_formats_go_in(plain: Client, table: str, form: str, body: bytes) -> None:
    plain.raw_insert(table, ["id", "name"], insert_block=body, fmt=form)
    assert plain.query(f"SELECT id, name FROM {table} ORDER BY id").result_rows == [
        (1, "a"),
        (2, "b"),
    ]


def test_an_arrow_stream_goes_in_as_bytes(plain: Client, table: str) -> None:
    made = pyarrow.table({"id": pyarrow.array([1, 2], pyarrow.uint32())})
    sink = io.BytesIO()
    with pyarrow.ipc.new_stream(sink, made.schema) as writer:
        writer.write_table(made)
    plain.raw_insert(table, ["id"], insert_block=sink.getvalue(), fmt="ArrowStream")
    assert plain.command(f"SELECT count() FROM {table}") == 2


def test_an_insert_may_come_in_pieces_of_unknown_length(plain: Client, table: str) -> None:
    pieces = (f"{n}\tname\n".encode() for n in range(1000))
    plain.raw_insert(table, ["id", "name"], insert_block=pieces, fmt="TabSeparated")
    assert plain.command(f"SELECT count() FROM {table}") == 1000


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("UInt32", 42),
        ("String", 'it\'s "a" \\ tab\t line\n {x:String} é'),
        ("Array(String)", ["a", "it's", "é\n"]),
        ("Nullable(String)", None),
        ("Float64", 1.5),
        ("Array(Tuple(String, UInt32))", [("a", 1), ("b'", 2)]),
    ],
)
def test_parameters_arrive_as_they_were_sent(plain: Client, kind: str, value: object) -> None:
    found = plain.query(f"SELECT {{value:{kind}}} AS v", parameters={"value": value})
    assert found.result_rows == [(value,)]


def test_parameters_too_long_for_a_url_travel_in_the_body(plain: Client) -> None:
    wanted = [f"{n:032x}" for n in range(5000)]
    found = plain.raw_query(
        "SELECT length({ids:Array(String)}), {ids:Array(String)}[5000]", {"ids": wanted}, fmt="CSV"
    )
    assert found == f'5000,"{wanted[-1]}"\n'.encode()


def test_settings_hold_for_one_statement(plain: Client) -> None:
    asked = "SELECT getSetting('max_result_rows')"
    assert plain.query(asked, settings={"max_result_rows": 7}).result_rows == [(7,)]
    assert plain.query(asked).result_rows != [(7,)]


def test_a_batch_with_a_token_is_stored_once(plain: Client, table: str) -> None:
    for token in ("a", "a", "b"):
        plain.raw_insert(
            table,
            ["id"],
            insert_block=b"1\n",
            fmt="TabSeparated",
            settings={"insert_deduplicate": 1, "insert_deduplication_token": token},
        )
    assert plain.command(f"SELECT count() FROM {table}") == 2


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELECT nonsense", 47),
        ("SELEC 1", 62),
        ("SELECT * FROM no_such_table", 60),
        ("SELECT no_such_function()", 46),
        ("SELECT throwIf(1)", 395),
        ("SELECT {missing:UInt32}", 456),
    ],
)
def test_errors_come_with_the_engines_code(client: Client, sql: str, code: int) -> None:
    with pytest.raises(DatabaseError, match=f"Code: {code}") as caught:
        client.query(sql)
    assert caught.value.code == code


def test_an_unknown_setting_is_an_error(plain: Client) -> None:
    with pytest.raises(DatabaseError, match="Code: 115"):
        plain.raw_query("SELECT 1 SETTINGS no_such_setting = 1")


def test_a_broken_insert_stores_nothing(plain: Client, table: str) -> None:
    with pytest.raises(DatabaseError):
        plain.raw_insert(table, ["id"], insert_block=b"1\nx\n", fmt="TabSeparated")
    assert plain.command(f"SELECT count() FROM {table}") == 0


def test_after_an_error_the_connection_goes_on(client: Client) -> None:
    for _ in range(3):
        with pytest.raises(DatabaseError):
            client.query("SELECT nonsense")
        assert client.command("SELECT 1") == 1


def test_a_large_result_comes_in_blocks(client: Client) -> None:
    blocks = 0
    rows = 0
    with client.query_row_block_stream("SELECT number FROM numbers(200000)") as stream:
        for block in stream:
            blocks += 1
            rows += len(block)
    assert rows == 200_000
    assert blocks > 1


def test_a_stream_that_breaks_in_midway_is_an_error(client: Client) -> None:
    asked = "SELECT throwIf(number = 150000) FROM numbers(200000)"
    with (
        pytest.raises(DatabaseError, match="395"),
        client.query_row_block_stream(asked, settings={"max_block_size": 10000}) as stream,
    ):
        assert sum(len(block) for block in stream) < 0


def test_a_stream_that_is_left_frees_its_connection(plain: Client) -> None:
    for _ in range(8):
        with plain.query_row_block_stream("SELECT number FROM numbers(10000000)") as stream:
            assert next(iter(stream))
        plain.close_connections()
    assert plain.command("SELECT 1") == 1


def test_an_empty_result_is_empty(client: Client) -> None:
    assert client.query("SELECT number FROM numbers(0)").result_rows == []


def test_a_query_that_takes_too_long_is_ended(plain: Client) -> None:
    slow = "SELECT count() FROM numbers(100000000000) WHERE sipHash64(number) = 1"
    with pytest.raises(DatabaseError, match="Code: 159"):
        plain.query(slow, settings={"max_execution_time": 1})


def test_the_summary_counts_rows(plain: Client, table: str) -> None:
    done = plain.insert(table, _ROWS, column_names=["id", "name", "at", "tags", "score"])
    assert int(done.summary["written_rows"]) == 2


def test_ping_answers(plain: Client) -> None:
    assert plain.ping()


@pytest.mark.parametrize(
    "sql",
    ["SHOW TABLES", "DESCRIBE TABLE system.one", "EXISTS system.one", "WITH 1 AS x SELECT x",
     "  -- why\n /* not */ (SELECT 1)", "EXPLAIN SELECT 1"],
)  # fmt: skip
def test_statements_of_all_reading_kinds_run(plain: Client, sql: str) -> None:
    assert plain.raw_query(sql) is not None


def test_the_database_of_the_client_is_where_names_are_looked_up(
    server: Server, plain: Client, table: str
) -> None:
    elsewhere = server.connect(database="default", compress=False)
    with pytest.raises(DatabaseError, match="Code: 60"):
        elsewhere.query(f"SELECT * FROM {table}")
    assert elsewhere.query(f"SELECT * FROM {server.database}.{table}").result_rows == []
    elsewhere.close()
