"""The pure part of the protocol: what a request asks for."""

import pytest

from seakeeping.store.engine.protocol import (
    BadRequest,
    Query,
    form_fields,
    is_authorised,
    late_error,
    parse,
    status_of,
    summary,
)
from seakeeping.store.engine.sessions import (
    EngineLimits,
    Lane,
    lane_of,
    server_config,
    statement_settings,
)


def test_the_statement_is_that_of_the_url_and_then_the_body() -> None:
    assert parse("query=SELECT+1", {}, b"").sql == b"SELECT 1"
    assert parse("", {}, b"SELECT 2").sql == b"SELECT 2"
    assert (
        parse("query=INSERT+INTO+t+FORMAT+CSV", {}, b"1\n").sql == b"INSERT INTO t FORMAT CSV\n1\n"
    )


def test_parameters_and_settings_are_told_apart_from_the_transport() -> None:
    query = parse(
        "database=d&param_a=1&max_threads=2&query_id=q&wait_end_of_query=1&session_id=s"
        "&enable_http_compression=1",
        {},
        b"SELECT {a:UInt8}",
    )
    assert query.params == {"a": "1"}
    assert query.settings == {"max_threads": "2"}
    assert (query.database, query.query_id, query.wait_end) == ("d", "q", True)
    assert query.compressed


def test_headers_name_what_the_url_does_not() -> None:
    headers = {"x-clickhouse-database": "d", "x-clickhouse-format": "CSV"}
    query = parse("", headers, b"SELECT 1")
    assert (query.database, query.default_format) == ("d", "CSV")


@pytest.mark.parametrize(
    ("sql", "form"),
    [
        (b"SELECT 1", "TabSeparated"),
        (b"SELECT 1 FORMAT Native", "Native"),
        (b"SELECT 1\n FORMAT CSV ;\n", "CSV"),
        (b"SELECT 1 format JSON SETTINGS max_threads = 1", "JSON"),
        (b"SELECT ' FORMAT Native' AS a", "TabSeparated"),
    ],
)
def test_the_format_is_that_of_the_clause(sql: bytes, form: str) -> None:
    assert Query(sql).format == form


def test_only_formats_without_head_and_tail_are_streamed() -> None:
    assert Query(b"SELECT 1 FORMAT Native").is_streamable
    assert not Query(b"SELECT 1 FORMAT JSON").is_streamable
    assert not Query(b"SELECT 1 FORMAT Native", wait_end=True).is_streamable


@pytest.mark.parametrize(
    ("sql", "lane"),
    [
        (b"SELECT 1", Lane.READ),
        (b" \n(select 1)", Lane.READ),
        (b"-- hi\n/* there */ WITH 1 AS x SELECT x", Lane.READ),
        (b"insert into t values (1)", Lane.WRITE),
        (b"ALTER TABLE t DROP PARTITION 1", Lane.OTHER),
        (b"/* SELECT */ DROP TABLE t", Lane.OTHER),
        (b"", Lane.OTHER),
        (b"\xff\xfe", Lane.OTHER),
    ],
)
def test_a_statement_queues_by_its_first_word(sql: bytes, lane: Lane) -> None:
    assert lane_of(sql) is lane


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Basic %%%"},
        {"authorization": "Bearer"},
        {"authorization": "Digest x"},
        {"x-clickhouse-key": "é"},
    ],
)
def test_no_token_is_no_entry(headers: dict[str, str]) -> None:
    assert not is_authorised("token", "", headers)


def test_an_empty_token_opens_nothing_else() -> None:
    assert is_authorised("token", "password=token", {})
    assert not is_authorised("token", "password=", {})


@pytest.mark.parametrize("name", ["a b", "x;y", "1a", ""])
def test_odd_setting_names_are_refused(name: str) -> None:
    with pytest.raises(BadRequest) as caught:
        parse(f"{name}=1", {}, b"SELECT 1")
    assert caught.value.code == 115


def test_form_fields_are_read() -> None:
    body = (
        b'--x\r\nContent-Disposition: form-data; name="query"\r\n\r\nSELECT 1\r\n'
        b'--x\r\nContent-Disposition: form-data; name="param_a"\r\n\r\nb\r\n--x--\r\n'
    )
    fields = form_fields('multipart/form-data; boundary="x"', body)
    assert fields == [("query", b"SELECT 1"), ("param_a", b"b")]


def test_errors_have_the_status_that_clickhouse_gives_them() -> None:
    assert [status_of(code) for code in (62, 60, 159, 202, 516, 395)] == [
        400,
        404,
        408,
        503,
        403,
        500,
    ]


def test_the_summary_counts_what_was_read_or_written() -> None:
    assert '"read_rows": "3"' in summary(rows_read=3, bytes_read=9, elapsed_s=1, is_insert=False)
    assert '"written_rows": "3"' in summary(rows_read=3, bytes_read=9, elapsed_s=1, is_insert=True)


def test_a_late_error_is_framed_by_its_tag() -> None:
    assert late_error("t4g", "Code: 1. oh") == (
        b"\r\n__exception__\r\nt4g\r\nCode: 1. oh\n12 t4g\r\n__exception__\r\n"
    )


def test_limits_become_the_engines_configuration() -> None:
    limits = EngineLimits(memory_mb=500, statement_s=7)
    assert "<max_server_memory_usage>500000000<" in server_config(limits)
    assert statement_settings(limits)["max_execution_time"] == "7"
