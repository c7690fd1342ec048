"""What may go: whole days, by age per signal, and by a ceiling of the disk.

A day is dropped as one partition, which costs nothing. Under the ceiling the oldest days of raw
spans and text go first, then metric points, then interactions with their evaluations; rollups stay,
so budgets and charts keep their past. Today is never dropped: with the disk full of it the store
refuses, the spool fills, and senders are told to wait.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from seakeeping.store.client import StoreClient

_DAY_S = 86_400


class RetentionLimits(Protocol):
    """How long each signal is kept, in days, and the disk ceiling in MiB (``config.Settings``)."""

    @property
    def retention_spans_days(self) -> int:
        """Raw spans."""
        ...

    @property
    def retention_text_days(self) -> int:
        """Text of interactions."""
        ...

    @property
    def retention_interactions_days(self) -> int:
        """Interactions without text."""
        ...

    @property
    def retention_evaluations_days(self) -> int:
        """Evaluations, rollups, labels, measurements and kept cells."""
        ...

    @property
    def retention_metrics_days(self) -> int:
        """Metric points."""
        ...

    @property
    def disk_limit_mb(self) -> int:
        """All tables together."""
        ...


@dataclass(frozen=True, slots=True)
class Partition:
    """One partition of a table: its first moment, what follows its last one, its size."""

    table: str
    id: str
    start: float
    end: float
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Dropped:
    """A partition that went, and why."""

    partition: Partition
    reason: str

    def __str__(self) -> str:
        day = datetime.fromtimestamp(self.partition.start, UTC).date().isoformat()
        size = self.partition.size_bytes / 1e6
        return f"dropped {self.partition.table} of {day} ({size:.1f} MB): {self.reason}"


_SPARED_FIRST = (
    ("spans", "interaction_texts"),
    ("metric_points",),
    ("evaluations", "interactions"),
)
"""Tables in the order in which the ceiling takes their days."""


def apply(client: StoreClient, limits: RetentionLimits, now: float) -> list[Dropped]:
    """Drop what is too old, then what is over the ceiling; return what went."""
    there = partitions(client)
    old = list(_outlived(there, limits, now))
    gone = {id(d.partition) for d in old}
    left = [p for p in there if id(p) not in gone]
    over = list(_over_ceiling(left, limits.disk_limit_mb, now))
    dropped = [*old, *over]
    _remember(client, dropped)
    for drop in dropped:
        client.command(
            f"ALTER TABLE {drop.partition.table} DROP PARTITION ID '{drop.partition.id}'"
        )
    return [*dropped, *_expire_labels(client, limits.retention_evaluations_days, now)]


def _expire_labels(client: StoreClient, days: int, now: float) -> Iterator[Dropped]:
    """Delete old labels; their table has no days, for a label may be changed much later."""
    end = now - days * _DAY_S
    params = {"end": max(0, int(end * 1e6))}
    found, oldest = client.read(
        f"SELECT count(), toUnixTimestamp(min(at)) FROM labels {_OLD}", params
    )[0]
    if found:
        client.command(f"ALTER TABLE labels DELETE {_OLD}", params)
        yield Dropped(Partition("labels", "", float(oldest), end, 0), f"older than {days} days")


_OLD = "WHERE at < fromUnixTimestamp64Micro({end:Int64}, 'UTC')"


def partitions(client: StoreClient) -> list[Partition]:
    """Return the partitions of all tables that have them."""
    found = client.read(
        "SELECT table, partition_id, sum(bytes_on_disk) FROM system.parts "
        "WHERE active AND database = currentDatabase() GROUP BY table, partition_id"
    )
    return [
        Partition(table, partition_id, *_span(table, partition_id), size)
        for table, partition_id, size in found
        if partition_id.isdigit()
    ]


def _span(table: str, partition_id: str) -> tuple[float, float]:
    if len(partition_id) == len("202601"):
        year, month = int(partition_id[:4]), int(partition_id[4:])
        after = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
        return datetime(year, month, 1, tzinfo=UTC).timestamp(), after.timestamp()
    start = datetime.strptime(partition_id, "%Y%m%d").replace(tzinfo=UTC).timestamp()
    return start, start + _DAY_S * (7 if table == "trace_index" else 1)


def _days(table: str, limits: RetentionLimits) -> int | None:
    match table:
        case "spans":
            return limits.retention_spans_days
        case "interaction_texts":
            return limits.retention_text_days
        case "interactions":
            return limits.retention_interactions_days
        case "trace_index":
            return max(limits.retention_interactions_days, limits.retention_spans_days)
        case "evaluations" | "rollups" | "evaluation_rollups" | "measurements" | "sli_cells":
            return limits.retention_evaluations_days
        case "metric_points":
            return limits.retention_metrics_days
    return None


def _outlived(there: Iterable[Partition], limits: RetentionLimits, now: float) -> Iterator[Dropped]:
    for partition in there:
        days = _days(partition.table, limits)
        if days is not None and partition.end <= now - days * _DAY_S:
            yield Dropped(partition, f"older than {days} days")


def _over_ceiling(left: Sequence[Partition], limit_mb: int, now: float) -> Iterator[Dropped]:
    over = sum(p.size_bytes for p in left) - limit_mb * 1024 * 1024
    today = now // _DAY_S * _DAY_S
    for tables in _SPARED_FIRST:
        mine = [p for p in left if p.table in tables and p.end <= today]
        for partition in sorted(mine, key=lambda p: (p.start, p.table)):
            if over <= 0:
                return
            over -= partition.size_bytes
            yield Dropped(partition, f"the store is over its {limit_mb} MiB")


_MARK = "rows_since"


def rows_since(client: StoreClient) -> float:
    """Return the moment before which rows that rollups are made of have been dropped."""
    found = client.read(f"SELECT value FROM meta FINAL WHERE key = '{_MARK}'")
    return float(found[0][0]) if found else 0.0


def _remember(client: StoreClient, dropped: Iterable[Dropped]) -> None:
    """Note that rollups of these days cannot be recomputed any more, before their rows go."""
    ends = [
        d.partition.end for d in dropped if d.partition.table in ("interactions", "evaluations")
    ]
    if ends:
        mark = max(max(ends), rows_since(client))
        client.command(f"INSERT INTO meta (key, value) VALUES ('{_MARK}', '{mark:.0f}')")
