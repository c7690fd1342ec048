"""Who may talk to the engine at once: one writer, a few readers, one for everything else.

A connection with an open stream refuses other statements, and inserts in parallel only make more
parts to merge. So inserts queue for one connection, reads share a few, and DDL and mutations, which
may be slow, have their own.
"""

import queue
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import ModuleType
from xml.sax.saxutils import escape

from seakeeping.store.engine.embedded import Connection, EngineError


class Lane(StrEnum):
    """Which connections a statement waits for."""

    READ = "read"
    WRITE = "write"
    OTHER = "other"


_LEADING = re.compile(rb"\A(?:\s|\(|--[^\n]*\n|/\*.*?\*/)*([A-Za-z]+)", re.DOTALL)
_READS = frozenset({b"SELECT", b"WITH", b"SHOW", b"DESCRIBE", b"DESC", b"EXISTS", b"EXPLAIN"})


def lane_of(sql: bytes) -> Lane:
    """Return where a statement queues, by its first word."""
    found = _LEADING.match(sql)
    word = found.group(1).upper() if found else b""
    if word in _READS:
        return Lane.READ
    return Lane.WRITE if word == b"INSERT" else Lane.OTHER


@dataclass(frozen=True, slots=True)
class EngineLimits:
    """What the engine may use: memory in MB, readers, seconds a statement may run or wait."""

    memory_mb: int = 900
    readers: int = 3
    threads: int = 2
    statement_s: float = 60.0
    wait_s: float = 30.0


class Busy(EngineError):
    """No connection became free in time (TOO_MANY_SIMULTANEOUS_QUERIES)."""

    def __init__(self, lane: Lane) -> None:
        super().__init__(
            f"Code: 202. DB::Exception: No free connection for a {lane} statement. "
            "(TOO_MANY_SIMULTANEOUS_QUERIES)"
        )


class Sessions:
    """The engine's connections by lane."""

    def __init__(self, module: ModuleType, path: Path, limits: EngineLimits) -> None:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._limits = limits
        with tempfile.TemporaryDirectory(prefix="seakeeping-engine-") as folder:
            config = Path(folder) / "config.xml"
            config.write_text(server_config(limits), encoding="utf-8")
            target = f"{path}?config-file={config}"
            defaults = statement_settings(limits)
            self._all = [Connection(module, target, defaults) for _ in range(limits.readers + 3)]
        self._pulse, writer, other, *readers = self._all
        self._free: dict[Lane, queue.Queue[Connection]] = {}
        for lane, members in ((Lane.READ, readers), (Lane.WRITE, [writer]), (Lane.OTHER, [other])):
            self._free[lane] = queue.Queue()
            for member in members:
                self._free[lane].put(member)

    @contextmanager
    def borrow(self, lane: Lane) -> Iterator[Connection]:
        """Lend a connection of the lane. Raises Busy after ``wait_s``."""
        try:
            connection = self._free[lane].get(timeout=self._limits.wait_s)
        except queue.Empty:
            raise Busy(lane) from None
        try:
            yield connection
        finally:
            self._free[lane].put(connection)

    def pulse(self) -> None:
        """Return when the engine has answered ``SELECT 1`` on a connection of its own."""
        self._pulse.query(b"SELECT 1", "TabSeparated", {})

    def close(self) -> None:
        """Close all connections, and with them the engine."""
        for connection in self._all:
            connection.close()


def statement_settings(limits: EngineLimits) -> Mapping[str, str]:
    """Return the settings every statement starts from; a request may override them."""
    return {
        "max_execution_time": f"{limits.statement_s:g}",
        "max_threads": str(limits.threads),
        "max_insert_threads": "1",
        "max_memory_usage": str(limits.memory_mb * 600_000),
        "max_block_size": "16384",
        "max_bytes_before_external_group_by": str(limits.memory_mb * 200_000),
        "max_bytes_before_external_sort": str(limits.memory_mb * 200_000),
    }


def server_config(limits: EngineLimits) -> str:
    """Return the engine's configuration: few background threads, bounded caches and memory."""
    memory = limits.memory_mb * 1_000_000
    values = {
        "max_server_memory_usage": memory,
        "mark_cache_size": 32_000_000,
        "index_mark_cache_size": 8_000_000,
        "uncompressed_cache_size": 0,
        "index_uncompressed_cache_size": 0,
        "mmap_cache_size": 0,
        "background_pool_size": 2,
        "background_merges_mutations_concurrency_ratio": 1,
        "background_common_pool_size": 1,
        "background_move_pool_size": 1,
        "background_fetches_pool_size": 1,
        "max_thread_pool_size": 200,
        "max_thread_pool_free_size": 64,
    }
    merge_tree = {
        # with two background threads the stock values would leave none for merges
        "number_of_free_entries_in_pool_to_execute_mutation": 1,
        "number_of_free_entries_in_pool_to_lower_max_size_of_merge": 1,
        "number_of_free_entries_in_pool_to_execute_optimize_entire_partition": 1,
    }
    body = "".join(f"<{k}>{escape(str(v))}</{k}>" for k, v in values.items())
    rules = "".join(f"<{k}>{escape(str(v))}</{k}>" for k, v in merge_tree.items())
    return f"<clickhouse>{body}<merge_tree>{rules}</merge_tree></clickhouse>"
