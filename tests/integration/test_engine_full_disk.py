"""A merge that could not be written: the engine starts anew and takes its sources back.

The full disk is a file-size limit on the engine's process, which fails its writes as a full disk
does.
"""

import time
from pathlib import Path

import psutil

from seakeeping.errors import StoreUnavailable
from seakeeping.store.client import StoreClient, StoreError, address_of
from seakeeping.store.engine.launch import RunningEngine, start_engine, stop_engine

ROWS = 20_000


def client_of(engine: RunningEngine) -> StoreClient:
    return StoreClient(address_of(engine.url, engine.token))


def command(client: StoreClient, sql: str) -> None:
    client.command(sql, in_database=False)


def fill(client: StoreClient) -> None:
    command(client, "CREATE DATABASE IF NOT EXISTS seakeeping")
    command(
        client,
        "CREATE TABLE seakeeping.t (a UInt64, b String) ENGINE = MergeTree ORDER BY a "
        "SETTINGS fsync_after_insert = 1, old_parts_lifetime = 120",
    )
    command(client, "SYSTEM STOP MERGES seakeeping.t")
    for part in range(4):
        command(
            client,
            f"INSERT INTO seakeeping.t SELECT number + {part * ROWS}, "
            f"randomPrintableASCII(100) FROM numbers({ROWS})",
        )


def merge_while_the_disk_is_full(engine: RunningEngine, client: StoreClient) -> None:
    process = psutil.Process(engine.process.pid)
    soft, hard = process.rlimit(psutil.RLIMIT_FSIZE)
    process.rlimit(psutil.RLIMIT_FSIZE, (0, hard))
    try:
        command(client, "SYSTEM START MERGES seakeeping.t")
        command(client, "OPTIMIZE TABLE seakeeping.t FINAL")
    except (StoreError, StoreUnavailable):
        pass  # an honest failure is as good: the sources stay what they were
    finally:
        process.rlimit(psutil.RLIMIT_FSIZE, (soft, hard))


def test_what_a_full_disk_broke_is_whole_after_the_fresh_start(tmp_path: Path) -> None:
    engine = start_engine(tmp_path / "store")
    client = client_of(engine)
    try:
        fill(client)
        merge_while_the_disk_is_full(engine, client)
        deadline = time.monotonic() + 30
        while engine.process.poll() is None and time.monotonic() < deadline:
            try:
                command(client, "SELECT sum(length(b)) FROM seakeeping.t FORMAT Null")
            except (StoreError, StoreUnavailable):
                continue
            else:
                break
    finally:
        client.close()
        stop_engine(engine)
    engine = start_engine(tmp_path / "store")
    try:
        client = client_of(engine)
        (row,) = client.read("SELECT count(), sum(length(b)) FROM t")
        assert [int(value) for value in row] == [4 * ROWS, 400 * ROWS]
        client.close()
    finally:
        stop_engine(engine)
