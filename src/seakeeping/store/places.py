"""Where the rows of an id lie: OTel ids carry no time, so an index leads from trace to buckets.

With service and bucket known, a look-up reads one granule of one day instead of one of every day.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from seakeeping.store.client import StoreClient

BUCKET_S = 300


@dataclass(frozen=True, slots=True)
class Places:
    """The services and five-minute buckets in which some traces have rows."""

    services: tuple[str, ...]
    buckets: tuple[int, ...]

    def __bool__(self) -> bool:
        return bool(self.buckets)

    @property
    def key_condition(self) -> str:
        """The condition on any table whose key begins with service and bucket."""
        return (
            "service_name IN {services:Array(String)} AND bucket IN "
            "arrayMap(x -> toDateTime(x, 'UTC'), {buckets:Array(UInt32)})"
        )

    @property
    def time_condition(self) -> str:
        """The condition on tables of rows that leaves out the days without rows of the traces."""
        return (
            "started_at >= toDateTime64({first:UInt32}, 6, 'UTC') "
            "AND started_at < toDateTime64({last:UInt32}, 6, 'UTC')"
        )

    @property
    def condition(self) -> str:
        """Both conditions."""
        return f"{self.key_condition} AND {self.time_condition}"

    @property
    def key_params(self) -> Mapping[str, object]:
        """The parameters of ``key_condition``."""
        return {"services": list(self.services), "buckets": list(self.buckets)}

    @property
    def time_params(self) -> Mapping[str, object]:
        """The parameters of ``time_condition``."""
        return {"first": min(self.buckets), "last": max(self.buckets) + BUCKET_S}

    @property
    def params(self) -> Mapping[str, object]:
        """The parameters of both conditions."""
        return {**self.key_params, **self.time_params}


def places_of(rows: Sequence[tuple[str, float]]) -> Places:
    """Return the places of (service_name, started_at) pairs."""
    return Places(
        tuple(sorted({service for service, _ in rows})),
        tuple(sorted({int(at // BUCKET_S) * BUCKET_S for _, at in rows})),
    )


def find(client: StoreClient, trace_ids: Sequence[str]) -> Places:
    """Return where the traces have rows; empty when they are unknown."""
    rows = client.read(
        "SELECT DISTINCT service_name, toUInt32(bucket) FROM trace_index "
        "WHERE trace_id IN {ids:Array(String)}",
        {"ids": list(trace_ids)},
    )
    return places_of([(service, bucket) for service, bucket in rows])
