"""Where the rows of an id lie: OTel ids carry no time, so an index leads from trace to buckets.

With service and bucket known, a look-up reads one granule of one day instead of one of every day.
"""

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from seakeeping.store.client import StoreClient
from seakeeping.store.native import micros
from seakeeping.store.rows import Row, index_block

BUCKET_S = 300


@dataclass(frozen=True, slots=True)
class Places:
    """The (service, start of five minutes) pairs in which some rows lie."""

    pairs: tuple[tuple[str, int], ...]

    def __bool__(self) -> bool:
        return bool(self.pairs)

    @property
    def key_condition(self) -> str:
        """The condition on any table whose key begins with service and bucket."""
        return "(service_name, bucket) IN {places:Array(Tuple(String, DateTime('UTC')))}"

    @property
    def time_condition(self) -> str:
        """The condition on tables of rows that leaves out the days without any of them."""
        return (
            "started_at >= toDateTime64({first:UInt32}, 6, 'UTC') "
            "AND started_at < toDateTime64({last:UInt32}, 6, 'UTC')"
        )

    @property
    def condition(self) -> str:
        """Both conditions."""
        return f"{self.key_condition} AND {self.time_condition}"

    @property
    def time_params(self) -> Mapping[str, object]:
        """The parameters of ``time_condition``."""
        buckets = [bucket for _, bucket in self.pairs]
        return {"first": min(buckets), "last": max(buckets) + BUCKET_S}

    @property
    def params(self) -> Mapping[str, object]:
        """The parameters of both conditions."""
        return {"places": list(self.pairs), **self.time_params}


def places_of(rows: Iterable[tuple[str, float]]) -> Places:
    """Return the places of (service_name, started_at) pairs."""
    return Places(tuple(sorted({(name, int(at // BUCKET_S) * BUCKET_S) for name, at in rows})))


@dataclass(frozen=True, slots=True)
class Rows:
    """Which rows are counted: a condition on a table keyed by service and bucket."""

    condition: str
    params: Mapping[str, object]


def between(service: str, start: float, end: float) -> Rows:
    """Return the condition of a service's rows in ``start <= t < end``, to the microsecond."""
    condition = (
        "service_name = {service:String} AND bucket >= toDateTime({from_bucket:UInt32}, 'UTC') "
        "AND bucket < fromUnixTimestamp64Micro({end:Int64}, 'UTC') "
        "AND started_at >= fromUnixTimestamp64Micro({start:Int64}, 'UTC') "
        "AND started_at < fromUnixTimestamp64Micro({end:Int64}, 'UTC')"
    )
    start, end = max(0.0, start), max(0.0, end)
    bucket = int(start // BUCKET_S) * BUCKET_S
    times = {"start": micros(start), "end": micros(end), "from_bucket": bucket}
    return Rows(condition, {"service": service, **times})


def latest(table: str, columns: str, key: str, condition: str, kept: str = "1") -> str:
    """Return a statement for the latest version of each row at known places.

    Its first column says whether that version is ``kept``. For a few rows this is cheaper than
    ``FINAL``, which merges whole granules before it looks.
    """
    return (
        f"SELECT {kept} AS is_kept, {columns} FROM {table} WHERE {condition} "
        f"ORDER BY version DESC, stored_at DESC LIMIT 1 BY {key}"
    )


def kept_rows(client: StoreClient, statement: str, params: Mapping[str, object]) -> list[Row]:
    """Return the rows of a ``latest`` statement that are kept, without the first column."""
    return [row[1:] for row in client.read(statement, params) if row[0]]


_KNOWN_MOST = 50_000


class TraceIndex:
    """Adds to the index, and remembers what it added lately.

    A view in the database would do it at twice the price of an insert; most traces come with spans
    and interactions in one batch, and need one entry.
    """

    def __init__(self, client: StoreClient) -> None:
        self._client = client
        self._known: dict[tuple[str, str, int], None] = {}
        self._lock = threading.Lock()

    def add(self, rows: Iterable[tuple[str, str, float]]) -> None:
        """Enter (trace_id, service_name, time) rows; to be called before the rows are stored."""
        entries = {(trace, name, int(at // BUCKET_S) * BUCKET_S) for trace, name, at in rows}
        with self._lock:
            new = sorted(entries.difference(self._known))
        if not new:
            return
        self._client.insert("trace_index", index_block(new), "")
        with self._lock:
            self._known.update(dict.fromkeys(new))
            for _ in range(len(self._known) - _KNOWN_MOST):
                del self._known[next(iter(self._known))]


def find(client: StoreClient, trace_ids: Sequence[str]) -> Places:
    """Return where the traces have rows; empty when they are unknown."""
    rows = client.read(
        "SELECT service_name, toUInt32(bucket) FROM trace_index "
        "WHERE trace_id IN {ids:Array(String)}",
        {"ids": list(trace_ids)},
    )
    return places_of([(service, bucket) for service, bucket in rows])
