"""What only the embedded store's HTTP does, byte by byte: curl's view of it."""

import gzip
import http.client
import json
import shutil
import socket
import subprocess
import threading
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import lz4.frame
import pytest
import zstandard

from seakeeping.store.engine.launch import RunningEngine, running_engine


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEngine]:
    settings = {"readers": 2, "statement_s": 20}
    path = tmp_path_factory.mktemp("engine") / "store"
    with running_engine(path, settings=settings) as engine:
        yield engine


class Answer:
    """One answer: status, header fields by lower-case name, body."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.fields = {name.lower(): value for name, value in response.getheaders()}
        self.body = response.read()


def ask(
    engine: RunningEngine,
    path: str,
    body: bytes | None = None,
    method: str = "POST",
    **headers: str,
) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", engine.port, timeout=30)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    named.setdefault("X-ClickHouse-Key", engine.token)
    try:
        connection.request(method, path, body=body, headers=named)
        return Answer(connection.getresponse())
    finally:
        connection.close()


def test_curl_reads_a_table(engine: RunningEngine) -> None:
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("curl is not installed")
    done = subprocess.run(
        [curl, "--silent", "--user", f"default:{engine.token}", f"{engine.url}/",
         "--data-binary", "SELECT number, 'x' FROM numbers(2) FORMAT CSV"],
        capture_output=True, timeout=30, check=True,
    )  # fmt: skip
    assert done.stdout == b'0,"x"\n1,"x"\n'


@pytest.mark.parametrize("path", ["/ping", "/?query=SELECT%201", "/nowhere"])
def test_every_path_wants_the_token(engine: RunningEngine, path: str) -> None:
    refused = ask(engine, path, method="GET", X_ClickHouse_Key="wrong")
    assert refused.status == 403
    assert refused.fields["x-clickhouse-exception-code"] == "516"


@pytest.mark.parametrize("place", ["bearer", "basic", "key", "url"])
def test_the_token_may_come_in_any_usual_place(engine: RunningEngine, place: str) -> None:
    schemes = {
        "bearer": f"Bearer {engine.token}",
        "basic": "Basic " + b64encode(f"any:{engine.token}".encode()).decode(),
    }
    key = engine.token if place == "key" else ""
    secret = f"&password={quote(engine.token)}" if place == "url" else ""
    answer = ask(
        engine,
        f"/?query=SELECT%201{secret}",
        method="GET",
        X_ClickHouse_Key=key,
        Authorization=schemes.get(place, ""),
    )
    assert answer.body == b"1\n"


def test_get_reads_but_does_not_write(engine: RunningEngine) -> None:
    refused = ask(engine, f"/?query={quote('CREATE DATABASE nope')}", method="GET")
    assert refused.fields["x-clickhouse-exception-code"] == "164"
    assert ask(engine, f"/?query={quote('SELECT 1')}", method="GET").body == b"1\n"


def test_head_answers_without_a_body(engine: RunningEngine) -> None:
    answer = ask(engine, "/ping", method="HEAD")
    assert (answer.status, answer.body) == (200, b"")


def test_an_unknown_path_is_not_found(engine: RunningEngine) -> None:
    assert ask(engine, "/nowhere").status == 404


def test_an_empty_query_is_refused(engine: RunningEngine) -> None:
    assert ask(engine, "/", b"  ").status == 400


def test_headers_tell_format_query_id_time_zone_and_summary(engine: RunningEngine) -> None:
    answer = ask(engine, "/?query_id=mine&wait_end_of_query=1", b"SELECT 1 FORMAT JSONEachRow")
    assert answer.fields["x-clickhouse-format"] == "JSONEachRow"
    assert answer.fields["x-clickhouse-query-id"] == "mine"
    assert answer.fields["x-clickhouse-timezone"] == "UTC"
    assert json.loads(answer.fields["x-clickhouse-summary"])["read_rows"] == "1"


def test_the_default_format_may_be_chosen(engine: RunningEngine) -> None:
    answer = ask(engine, "/?default_format=JSONEachRow", b"SELECT 1 AS a")
    assert answer.body == b'{"a":1}\n'


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", gzip.compress),
        ("zstd", zstandard.ZstdCompressor().compress),
        ("lz4", lz4.frame.compress),
    ],
)
def test_bodies_may_be_compressed(engine: RunningEngine, encoding: str, pack: object) -> None:
    assert callable(pack)
    answer = ask(engine, "/", pack(b"SELECT 6 * 7"), Content_Encoding=encoding)
    assert answer.body == b"42\n"


def test_answers_are_compressed_only_when_asked_for(engine: RunningEngine) -> None:
    asked = b"SELECT repeat('x', 1000)"
    plain = ask(engine, "/", asked, Accept_Encoding="zstd")
    assert "content-encoding" not in plain.fields
    packed = ask(engine, "/?enable_http_compression=1", asked, Accept_Encoding="zstd")
    assert packed.fields["content-encoding"] == "zstd"
    unpacked = zstandard.ZstdDecompressor().decompressobj().decompress(packed.body)
    assert unpacked == plain.body


@pytest.mark.parametrize("encoding", ["gzip", "zstd", "lz4", "deflate", "br"])
def test_a_broken_or_unknown_encoding_is_a_bad_request(
    engine: RunningEngine, encoding: str
) -> None:
    assert ask(engine, "/", b"not compressed", Content_Encoding=encoding).status == 400


def test_a_body_over_the_limit_is_refused_before_it_is_read(engine: RunningEngine) -> None:
    with socket.create_connection(("127.0.0.1", engine.port), timeout=10) as raw:
        head = f"POST / HTTP/1.1\r\nHost: x\r\nX-ClickHouse-Key: {engine.token}\r\n"
        raw.sendall(f"{head}Content-Length: 999999999999\r\n\r\n".encode())
        assert raw.recv(100).startswith(b"HTTP/1.1 413")


def test_a_bomb_is_refused(engine: RunningEngine) -> None:
    bomb = zstandard.ZstdCompressor().compress(b" " * (300 * 1024 * 1024))
    assert len(bomb) < 100_000
    assert ask(engine, "/", bomb, Content_Encoding="zstd").status == 413
    assert ask(engine, "/ping").status == 200


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\x00\x01\x02\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n",
    ],
)
def test_nonsense_does_no_harm(engine: RunningEngine, request_bytes: bytes) -> None:
    with socket.create_connection(("127.0.0.1", engine.port), timeout=10) as raw:
        raw.sendall(request_bytes)
        raw.shutdown(socket.SHUT_WR)
        while raw.recv(65536):
            pass
    assert ask(engine, "/ping").status == 200


def test_a_client_that_leaves_in_mid_body_stores_nothing(engine: RunningEngine) -> None:
    ask(engine, "/", b"CREATE TABLE IF NOT EXISTS half (a UInt32) ENGINE = Memory")
    with socket.create_connection(("127.0.0.1", engine.port), timeout=10) as raw:
        head = f"POST / HTTP/1.1\r\nHost: x\r\nX-ClickHouse-Key: {engine.token}\r\n"
        raw.sendall(f"{head}Content-Length: 1000\r\n\r\nINSERT INTO half VALUES (1)".encode())
    assert ask(engine, "/", b"SELECT count() FROM half").body == b"0\n"


def test_more_questions_than_connections_wait_their_turn(engine: RunningEngine) -> None:
    with ThreadPoolExecutor(12) as threads:
        asked = [threads.submit(ask, engine, "/", b"SELECT sleep(0.05)") for _ in range(24)]
        assert {future.result().status for future in asked} == {200}


def test_settings_of_one_request_do_not_reach_the_next(engine: RunningEngine) -> None:
    barrier = threading.Barrier(6)

    def limited(rows: int) -> bytes:
        barrier.wait()
        path = f"/?max_result_rows={rows}" if rows else "/"
        return ask(engine, path, b"SELECT getSetting('max_result_rows')").body

    for _ in range(5):
        with ThreadPoolExecutor(6) as threads:
            found = list(threads.map(limited, [0, 1, 2, 0, 3, 4]))
        assert found == [b"0\n", b"1\n", b"2\n", b"0\n", b"3\n", b"4\n"]


@pytest.mark.parametrize("name", ["max_result_rows%3B", "a%20b", "x%27"])
def test_setting_names_are_checked(engine: RunningEngine, name: str) -> None:
    assert ask(engine, f"/?{name}=1", b"SELECT 1").fields["x-clickhouse-exception-code"] == "115"


def test_a_setting_that_is_refused_leaves_the_connection_as_it_was(engine: RunningEngine) -> None:
    for _ in range(4):
        assert ask(engine, "/?no_such_setting=1", b"SELECT 1").status == 404
        assert ask(engine, "/", b"SELECT 1").body == b"1\n"


def test_external_tables_are_refused_with_a_reason(engine: RunningEngine) -> None:
    body = b'--b\r\nContent-Disposition: form-data; name="t"; filename="t"\r\n\r\n1\r\n--b--\r\n'
    answer = ask(engine, "/?query=SELECT%201", body, Content_Type="multipart/form-data; boundary=b")
    assert answer.status == 501


@pytest.mark.parametrize("body", [b"nothing", b"--b\r\nbroken\r\n--b--"])
def test_a_broken_form_is_a_bad_request(engine: RunningEngine, body: bytes) -> None:
    for content_type in ("multipart/form-data", "multipart/form-data; boundary=b"):
        assert ask(engine, "/", body, Content_Type=content_type).status in (400, 403)


def test_users_cannot_be_made(engine: RunningEngine) -> None:
    refused = ask(engine, "/", b"CREATE USER x")
    assert refused.status == 403
    assert refused.fields["x-clickhouse-exception-code"] == "497"
