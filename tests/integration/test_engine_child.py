"""The store child as the supervisor starts it: a real process, the real engine."""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import clickhouse_connect
import pytest

from seakeeping.errors import StoreUnavailable
from seakeeping.store.engine.launch import RunningEngine, running_engine, start_engine, stop_engine
from seakeeping.store.telemetry import connect
from seakeeping.store.testing import make_span, running_store


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEngine]:
    with running_engine(tmp_path_factory.mktemp("engine") / "store") as engine:
        yield engine


def ask(engine: RunningEngine, sql: str, **headers: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", engine.port, timeout=10)
    try:
        connection.request("POST", "/", body=sql.encode(), headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_it_answers_an_unmodified_client(engine: RunningEngine) -> None:
    client = clickhouse_connect.get_client(
        host="127.0.0.1", port=engine.port, username="any", password=engine.token
    )
    assert client.command("SELECT 40 + 2") == 42
    client.close()


def test_it_refuses_whoever_has_no_token(engine: RunningEngine) -> None:
    status, body = ask(engine, "SELECT 1")
    assert status == 403
    assert b"Code: 516" in body
    assert ask(engine, "SELECT 1", Authorization="Bearer wrong")[0] == 403


def test_it_listens_on_loopback_only(engine: RunningEngine) -> None:
    lines = Path(f"/proc/{engine.process.pid}/net/tcp").read_text().splitlines()[1:]
    listening = [x.split()[1] for x in lines if x.split()[3] == "0A"]
    mine = [x for x in listening if x.endswith(f":{engine.port:04X}")]
    assert mine == [f"0100007F:{engine.port:04X}"]


def test_it_leaves_the_signal_handlers_of_the_process_alone(engine: RunningEngine) -> None:
    status = Path(f"/proc/{engine.process.pid}/status").read_text()
    caught = int(next(x for x in status.splitlines() if x.startswith("SigCgt")).split()[1], 16)
    for number in (signal.SIGSEGV, signal.SIGABRT, signal.SIGTSTP, signal.SIGBUS):
        assert not caught & (1 << (number - 1))


def test_it_beats_while_the_engine_answers_and_stops_beating_while_it_is_stopped(
    tmp_path: Path,
) -> None:
    engine = start_engine(tmp_path / "store")
    try:
        assert engine.process.stdout is not None
        assert "beat" in json.loads(engine.process.stdout.readline())
        os.kill(engine.process.pid, signal.SIGSTOP)
        store = connect(engine.url, engine.token)
        assert not store.ping(0.2)
        os.kill(engine.process.pid, signal.SIGCONT)
        assert store.ping(10)
        assert "beat" in json.loads(engine.process.stdout.readline())
        store.close()
    finally:
        stop_engine(engine)


def test_it_ends_when_its_parent_is_gone(tmp_path: Path) -> None:
    engine = start_engine(tmp_path / "store")
    assert engine.process.stdin is not None
    engine.process.stdin.close()
    assert engine.process.wait(10) == 0
    stop_engine(engine)


def test_it_ends_on_sigterm(tmp_path: Path) -> None:
    engine = start_engine(tmp_path / "store")
    engine.process.send_signal(signal.SIGTERM)
    assert engine.process.wait(10) == 0
    stop_engine(engine)


def test_a_folder_that_is_served_already_is_refused(engine: RunningEngine, tmp_path: Path) -> None:
    with (
        running_engine(tmp_path / "store"),
        pytest.raises(StoreUnavailable, match="ended with code 1"),
    ):
        start_engine(tmp_path / "store")


def test_it_holds_neither_pandas_nor_pyarrow(engine: RunningEngine) -> None:
    maps = Path(f"/proc/{engine.process.pid}/maps").read_text()
    assert "_chdb" in maps
    assert "pyarrow" not in maps
    assert "pandas" not in maps


def test_what_was_stored_survives_kill_9(tmp_path: Path) -> None:
    path = tmp_path / "store"
    engine = start_engine(path)
    store = connect(engine.url, engine.token)
    store.migrate()
    acknowledged = 0
    deadline = time.monotonic() + 1.5
    while time.monotonic() < deadline:
        store.insert_spans(
            [make_span(n) for n in range(acknowledged, acknowledged + 50)], str(acknowledged)
        )
        acknowledged += 50
    engine.process.kill()
    engine.process.wait()
    with pytest.raises(StoreUnavailable):
        store.insert_spans([make_span(0)], "lost")
    store.close()
    stop_engine(engine)
    with running_engine(path) as again:
        store = connect(again.url, again.token)
        found = store.client.read("SELECT count(), uniqExact(trace_id) FROM seakeeping.spans")
        assert found == [[acknowledged, acknowledged]]
        store.close()


def test_a_client_process_loads_no_numpy_pandas_or_pyarrow() -> None:
    code = (
        "import sys; from seakeeping.store import connect\n"
        "from seakeeping.records.codec import span_from_json\n"
        "s = connect(sys.argv[1], sys.argv[2])\n"
        "span = span_from_json({'trace_id': 'a' * 32, 'span_id': 'b' * 16, 'name': 'x',"
        " 'started_at': '2026-09-21T12:00:00Z', 'service_name': 'shop'})\n"
        "s.insert_spans([span], 't'); assert s.trace('a' * 32)[0].span_id == 'b' * 16\n"
        "print([m for m in ('numpy', 'pandas', 'pyarrow', 'chdb', '_chdb') if m in sys.modules])"
    )
    with running_store() as store:
        address = store.client.address
        command = [sys.executable, "-c", code, address.shown, address.password]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]", done.stderr
