"""The tables of the telemetry store, and the one place that turns them into DDL.

Rows are keyed by (trace_id, span_id) and replaced by version. Partitions are days of the row's own
immutable time, so a correction lands beside what it corrects, ``FINAL`` never merges across
partitions, and retention drops whole days. Text lives in a table of its own: it can be kept shorter
than scores, and the narrow table stays cheap to read.

Conventions: a missing string is '' (records never hold an empty one), a missing number NULL; times
are DateTime64(6, 'UTC'); durations are seconds. Only types and functions that chdb-core-lite and
ClickHouse servers share. Every table is documented in ``docs/reference/schema.md``.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

VERSION = 2
"""The schema's version; a store with a higher one is refused."""

LABEL = "LowCardinality(String)"
TIME = "DateTime64(6, 'UTC')"
_ID = "String CODEC(ZSTD(1))"
_TEXT = "String CODEC(ZSTD(3))"
_AT = f"{TIME} CODEC(Delta(8), ZSTD(1))"
_NUMBER = "Nullable(Float64) CODEC(ZSTD(1))"
_COUNT = "Nullable(Int64) CODEC(ZSTD(1))"
_STORED_AT = "DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta(8), ZSTD(1))"
_BUCKET = "DateTime('UTC') MATERIALIZED toStartOfFiveMinutes(started_at) CODEC(Delta(4), ZSTD(1))"

SMALL_GRANULES = {
    "index_granularity": "1024",
    "index_granularity_bytes": "1048576",
    "min_compress_block_size": "8192",  # a look-up unpacks what it needs, not its neighbours
}


@dataclass(frozen=True, slots=True)
class Topology:
    """Where the tables live. The embedded store and a single server need no more than the defaults.

    ``engine_prefix`` (``Replicated``) and ``cluster`` are the switch points for replicated DDL.
    """

    engine_prefix: str = ""
    cluster: str = ""

    @property
    def on_cluster(self) -> str:
        """The clause that sends a DDL statement to all nodes."""
        return f" ON CLUSTER {self.cluster}" if self.cluster else ""


@dataclass(frozen=True, slots=True)
class Table:
    """One table: its columns in order, its engine, its keys."""

    name: str
    columns: Mapping[str, str]
    engine: str
    order_by: Sequence[str]
    partition_by: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    indexes: Sequence[str] = ()

    def ddl(self, topology: Topology) -> str:
        """Return the statement that creates the table."""
        lines = [*(f"{name} {kind}" for name, kind in self.columns.items()), *self.indexes]
        columns = ",\n  ".join(lines)
        partition = f"\nPARTITION BY {self.partition_by}" if self.partition_by else ""
        merged = {**COMMON_SETTINGS, **self.settings}
        settings = ", ".join(f"{k} = {v}" for k, v in merged.items())
        return (
            f"CREATE TABLE IF NOT EXISTS {self.name}{topology.on_cluster}\n"
            f"(\n  {columns}\n)\n"
            f"ENGINE = {topology.engine_prefix}{self.engine}{partition}\n"
            f"ORDER BY ({', '.join(self.order_by)})\nSETTINGS {settings}"
        )


COMMON_SETTINGS: Mapping[str, str] = {
    "non_replicated_deduplication_window": "1000",  # a batch that is sent again is stored once
    "min_bytes_for_wide_part": "33554432",  # small parts are one file: cheap inserts, few fsyncs
    "fsync_after_insert": "1",  # the spool forgets what is stored, so stored has to mean on disk
    "fsync_part_directory": "1",
    "old_parts_lifetime": "120",  # sources of a merge that a full disk broke; see engine.damage
}

SPANS = Table(
    "spans",
    {
        "trace_id": _ID,
        "span_id": _ID,
        "parent_span_id": _ID,
        "name": LABEL,
        "kind": LABEL,
        "started_at": _AT,
        "duration_s": _NUMBER,
        "status": LABEL,
        "status_message": _TEXT,
        "error_type": LABEL,
        "service_name": LABEL,
        "scope_name": LABEL,
        "sampling_weight": "Float64 CODEC(ZSTD(1))",
        "attributes": _TEXT,
        "events": _TEXT,
        "resource": LABEL,
        "stored_at": _STORED_AT,
    },
    "ReplacingMergeTree",
    ("trace_id", "span_id"),
    "toDate(started_at)",
    SMALL_GRANULES,
)

_INTERACTION_KEY = ("service_name", "bucket", "trace_id", "span_id")

INTERACTIONS = Table(
    "interactions",
    {
        "trace_id": _ID,
        "span_id": _ID,
        "parent_span_id": _ID,
        "started_at": _AT,
        "bucket": _BUCKET,
        "duration_s": _NUMBER,
        "time_to_first_token_s": _NUMBER,
        "streaming": "Nullable(UInt8)",
        "operation": LABEL,
        "provider": LABEL,
        "request_model": LABEL,
        "response_model": LABEL,
        "response_id": _ID,
        "service_name": LABEL,
        "service_version": LABEL,
        "environment": LABEL,
        "is_answer": "UInt8",
        "input_tokens": _COUNT,
        "output_tokens": _COUNT,
        "cache_read_tokens": _COUNT,
        "reasoning_tokens": _COUNT,
        "cost_usd": _NUMBER,
        "finish_reasons": LABEL,
        "error_type": LABEL,
        "conversation_id": _ID,
        "user_id": _ID,
        "tenant": LABEL,
        "route": LABEL,
        "region": LABEL,
        "prompt_name": LABEL,
        "prompt_version": LABEL,
        "release": LABEL,
        "traffic": LABEL,
        "sampling_weight": "Float64 CODEC(ZSTD(1))",
        "groups": LABEL,
        "has_content": "UInt8",
        "version": "UInt64 CODEC(Delta(8), ZSTD(1))",
        "retracted": "UInt8",
        "erased": "UInt8 DEFAULT 0",
        "stored_at": _STORED_AT,
    },
    "ReplacingMergeTree(version, retracted)",
    _INTERACTION_KEY,
    "toDate(started_at)",
    SMALL_GRANULES,
    tuple(
        f"INDEX {name} {name} TYPE bloom_filter(0.01) GRANULARITY 2"
        for name in ("user_id", "conversation_id")
    ),
)

INTERACTION_TEXTS = Table(
    "interaction_texts",
    {
        "trace_id": _ID,
        "span_id": _ID,
        "started_at": _AT,
        "bucket": _BUCKET,
        "service_name": LABEL,
        "system_instructions": _TEXT,
        "input_messages": _TEXT,
        "output_messages": _TEXT,
        "answer_text": _TEXT,
        "tool_definitions": _TEXT,
        "documents": _TEXT,
        "attributes": _TEXT,
        "version": "UInt64 CODEC(Delta(8), ZSTD(1))",
        "stored_at": _STORED_AT,
    },
    "ReplacingMergeTree(version)",
    _INTERACTION_KEY,
    "toDate(started_at)",
    {
        "index_granularity": "256",
        "index_granularity_bytes": "131072",
        "min_compress_block_size": "32768",
    },
)

EVALUATIONS = Table(
    "evaluations",
    {
        "trace_id": _ID,
        "span_id": _ID,
        "started_at": _AT,
        "bucket": _BUCKET,
        "service_name": LABEL,
        "name": LABEL,
        "evaluator": LABEL,
        "evaluator_version": LABEL,
        "score_value": _NUMBER,
        "score_label": LABEL,
        "explanation": _TEXT,
        "evidence": _TEXT,
        "evaluated_at": _AT,
        "duration_s": _NUMBER,
        "cost_usd": _NUMBER,
        "skipped_reason": LABEL,
        "version": "UInt64 CODEC(Delta(8), ZSTD(1))",
        "retracted": "UInt8",
        "erased": "UInt8 DEFAULT 0",
        "stored_at": _STORED_AT,
    },
    "ReplacingMergeTree(version, retracted)",
    (*_INTERACTION_KEY, "name", "evaluator"),
    "toDate(started_at)",
    SMALL_GRANULES,
)

_NEWEST_POINTS = "INDEX stored_at stored_at TYPE minmax GRANULARITY 1"
_NEWEST_ROLLUPS = "INDEX version version TYPE minmax GRANULARITY 1"
"""Who asks what changed in the last seconds shall not read the past of years."""

METRIC_POINTS = Table(
    "metric_points",
    {
        "service_name": LABEL,
        "name": LABEL,
        "unit": LABEL,
        "kind": LABEL,
        "at": _AT,
        "resource": LABEL,
        "attributes": LABEL,
        "value": _NUMBER,
        "count": _COUNT,
        "bounds": "Array(Float64) CODEC(ZSTD(1))",
        "counts": "Array(Float64) CODEC(ZSTD(1))",
        "temporality": LABEL,
        "stored_at": _STORED_AT,
    },
    "MergeTree",
    ("service_name", "name", "attributes", "at"),
    "toDate(at)",
    {},
    (_NEWEST_POINTS,),
)

TRACE_INDEX = Table(
    "trace_index",
    {
        "trace_id": _ID,
        "service_name": LABEL,
        "bucket": "DateTime('UTC') CODEC(Delta(4), ZSTD(1))",
    },
    "ReplacingMergeTree",
    ("trace_id", "service_name", "bucket"),
    "toMonday(bucket)",
    {"index_granularity": "512"},
)

ROLLUPS = Table(
    "rollups",
    {
        "service_name": LABEL,
        "bucket": "DateTime('UTC') CODEC(Delta(4), ZSTD(1))",
        "traffic": LABEL,
        "calls": "UInt64",
        "errors": "UInt64",
        "answers": "UInt64",
        "with_content": "UInt64",
        "weighted_calls": "Float64",
        "weighted_errors": "Float64",
        "latency": "Map(UInt32, UInt64)",
        "weighted_latency": "Map(UInt32, Float64)",
        "ttft": "Map(UInt32, UInt64)",
        "input_tokens": "Int64",
        "output_tokens": "Int64",
        "cost_usd": "Float64",
        "last_seen_at": TIME,
        "version": "UInt64",
    },
    "ReplacingMergeTree(version)",
    ("service_name", "bucket", "traffic"),
    "toYYYYMM(bucket)",
    {"index_granularity": "1024"},
    (_NEWEST_ROLLUPS,),
)

EVALUATION_ROLLUPS = Table(
    "evaluation_rollups",
    {
        "service_name": LABEL,
        "bucket": "DateTime('UTC') CODEC(Delta(4), ZSTD(1))",
        "traffic": LABEL,
        "name": LABEL,
        "evaluator": LABEL,
        "scored": "UInt64",
        "weighted_scored": "Float64",
        "score_sum": "Float64",
        "labels": "Map(String, UInt64)",
        "weighted_labels": "Map(String, Float64)",
        "skipped": "Map(String, UInt64)",
        "lag": "Map(UInt32, UInt64)",
        "version": "UInt64",
    },
    "ReplacingMergeTree(version)",
    ("name", "service_name", "bucket", "traffic", "evaluator"),
    "toYYYYMM(bucket)",
    {"index_granularity": "1024"},
)

LABELS = Table(
    "labels",
    {
        "trace_id": _ID,
        "span_id": _ID,
        "name": LABEL,
        "by": LABEL,
        "author": LABEL,
        "value": "Float64 CODEC(ZSTD(1))",
        "at": _AT,
        "sampling_probability": _NUMBER,
        "comment": _TEXT,
        "version": "UInt64 CODEC(Delta(8), ZSTD(1))",
        "stored_at": _STORED_AT,
    },
    "ReplacingMergeTree(version)",
    ("trace_id", "span_id", "name", "by", "author"),
    # no days: a label that is changed a month later must meet the one it replaces
    "",
    {"index_granularity": "1024"},
)

MEASUREMENTS = Table(
    "measurements",
    {
        "service_name": LABEL,
        "name": LABEL,
        "window_start": _AT,
        "window_s": "Float64 CODEC(ZSTD(1))",
        "window_end": f"{TIME} MATERIALIZED "
        "window_start + toIntervalMicrosecond(round(window_s * 1e6)) CODEC(Delta(8), ZSTD(1))",
        "bucket": "DateTime('UTC') MATERIALIZED toStartOfFiveMinutes(window_end) "
        "CODEC(Delta(4), ZSTD(1))",
        "slice": LABEL,
        "value": _NUMBER,
        "low": _NUMBER,
        "high": _NUMBER,
        "n": "Int64 CODEC(ZSTD(1))",
        "effect": _NUMBER,
        "reference": LABEL,
        "method": LABEL,
        "verdict": LABEL,
        "version": "UInt64 DEFAULT toUnixTimestamp64Micro(now64(6)) CODEC(Delta(8), ZSTD(1))",
        "stored_at": _STORED_AT,
    },
    "ReplacingMergeTree(version)",
    ("service_name", "bucket", "name", "slice", "window_start", "window_s"),
    "toYYYYMM(window_start)",
    {"index_granularity": "1024"},
)

SLI_CELLS = Table(
    "sli_cells",
    {
        "indicator": LABEL,
        "service_name": LABEL,
        "bucket": "DateTime('UTC') CODEC(Delta(4), ZSTD(1))",
        "valid": "Float64 CODEC(ZSTD(1))",
        "bad": "Float64 CODEC(ZSTD(1))",
        "valid_rows": "Float64 CODEC(ZSTD(1))",
        "bad_rows": "Float64 CODEC(ZSTD(1))",
        "score_sum": "Float64 CODEC(ZSTD(1))",
        "score_squares": "Float64 CODEC(ZSTD(1))",
        "version": "UInt64 DEFAULT toUnixTimestamp64Micro(now64(6)) CODEC(Delta(8), ZSTD(1))",
    },
    "ReplacingMergeTree(version)",
    ("indicator", "service_name", "bucket"),
    "toYYYYMM(bucket)",
    {"index_granularity": "1024"},
)

META = Table(
    "meta",
    {"key": "String", "value": "String", "at": "DateTime64(6, 'UTC') DEFAULT now64(6)"},
    "ReplacingMergeTree(at)",
    ("key",),
)

TABLES: tuple[Table, ...] = (
    SPANS, INTERACTIONS, INTERACTION_TEXTS, EVALUATIONS, METRIC_POINTS, TRACE_INDEX, ROLLUPS,
    EVALUATION_ROLLUPS, LABELS, MEASUREMENTS, SLI_CELLS, META,
)  # fmt: skip
"""Every table, in the order they are created."""


def database_statement(database: str, topology: Topology) -> str:
    """Return the statement that makes the database that the tables live in."""
    return f"CREATE DATABASE IF NOT EXISTS {database}{topology.on_cluster} ENGINE = Atomic"


def create_statements(topology: Topology) -> Iterator[str]:
    """Yield the statements that make an empty store of the current version."""
    for table in TABLES:
        yield table.ddl(topology)


def migration_statements(found: int, topology: Topology) -> Iterator[str]:
    """Yield the statements that lead from version ``found`` to the current one.

    Version 1 is the first: an older store does not exist. Steps are added here as
    ``_STEPS[n] = statements from n to n + 1``, and never changed once released. Each may be run
    again after it broke off; tables that are new are made afterwards, as in an empty store.
    """
    for step in range(found, VERSION):
        yield from (s.replace("{on_cluster}", topology.on_cluster) for s in _STEPS[step])


_STEPS: Mapping[int, Sequence[str]] = {
    1: (
        "ALTER TABLE rollups{on_cluster} "
        "ADD INDEX IF NOT EXISTS version version TYPE minmax GRANULARITY 1",
        "ALTER TABLE rollups{on_cluster} MATERIALIZE INDEX version",
        "ALTER TABLE metric_points{on_cluster} "
        "ADD INDEX IF NOT EXISTS stored_at stored_at TYPE minmax GRANULARITY 1",
        "ALTER TABLE metric_points{on_cluster} MATERIALIZE INDEX stored_at",
    ),
}
