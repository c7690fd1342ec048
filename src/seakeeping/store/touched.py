"""What changed in the store since a moment, so that only that is counted again.

A version is taken when a statement begins and seen when it ends, and a clock may be set back; so
each look goes ``OVERLAP_S`` behind the version it is given, and what was answered and worked off is
left out by its own version. An answer counts as worked off when its version is asked with: until
then, and after a restart, everything since is told again. Counting twice is harmless, once too few
is not.
"""

import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from seakeeping.store.client import StoreClient
from seakeeping.store.counters import SILENCE_S
from seakeeping.store.places import BUCKET_S

OVERLAP_S = 90
"""Longer than a statement may run."""

_LATE_S = 120
"""A point older than this when it is stored may stand before others of its series."""


@dataclass(frozen=True, slots=True)
class Touched:
    """The places whose rows changed, and the ``version`` to ask with the next time.

    ``version`` is microseconds of the engine's clock. ``calls`` are (service, start of five
    minutes) of model calls and their evaluations; ``metrics`` and ``measurements`` are (service,
    name, start of five minutes). ``labels``: whether any came.
    """

    version: int
    calls: frozenset[tuple[str, int]] = frozenset()
    metrics: frozenset[tuple[str, str, int]] = frozenset()
    measurements: frozenset[tuple[str, str, int]] = frozenset()
    labels: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing changed."""
        return not (self.calls or self.metrics or self.measurements or self.labels)


_CALLS, _METRICS, _MEASUREMENTS, _LABELS, _NOW = range(5)
_CLOCK = "toUnixTimestamp64Micro(now64(6))"
_SINCE = f"least({{after:Int64}}, {_CLOCK}) - {OVERLAP_S * 1_000_000}"
_STORED = f"stored_at > fromUnixTimestamp64Micro({_SINCE}, 'UTC')"
_STORED_AT = "toUnixTimestamp64Milli(max(stored_at)) * 1000"
_CHANGED = f"""
SELECT {_NOW} AS kind, '' AS service, '' AS named, toUInt32(0) AS start, {_CLOCK} AS version,
  0 AS is_late
UNION ALL
SELECT {_CALLS}, toString(service_name), '', toUInt32(bucket), toInt64(max(version)), 0
FROM rollups WHERE version > {_SINCE} GROUP BY service_name, bucket
UNION ALL
SELECT {_METRICS}, toString(service_name), toString(name),
  toUInt32(toStartOfFiveMinutes(at)) AS began, {_STORED_AT}, max(stored_at) - min(at) > {_LATE_S}
FROM metric_points WHERE {_STORED} AND {{chosen}} GROUP BY service_name, name, began
UNION ALL
SELECT {_MEASUREMENTS}, toString(service_name), toString(name), toUInt32(bucket), {_STORED_AT}, 0
FROM measurements WHERE {_STORED} GROUP BY service_name, name, bucket
UNION ALL
SELECT {_LABELS}, '', '', 0, {_STORED_AT}, 0 FROM labels WHERE {_STORED} HAVING count() > 0
"""

_FOR_EVER = 2**62
_Place = tuple[int, str, str, int]


class Changes:
    """Remembers what was answered; may be used from many threads, by one asker."""

    def __init__(self, client: StoreClient) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._answered = 0
        self._known: Mapping[_Place, int] = {}

    def touched(self, after: int, metric_names: Collection[str] | None = None) -> Touched:
        """Return what changed; see ``counting.CountingStore.touched``."""
        with self._lock:
            now, found, late = self._read(after, metric_names)
            known = self._known if after and after == self._answered else {}
            new = {place for place, version in found.items() if known.get(place) != version}
            self._answered, self._known = now, found
        return _told(now, new if after else set(), late)

    def _read(
        self, after: int, metric_names: Collection[str] | None
    ) -> tuple[int, dict[_Place, int], set[_Place]]:
        chosen = "1" if metric_names is None else "name IN {metrics:Array(String)}"
        rows = self._client.read(
            _CHANGED.replace("{chosen}", chosen),
            {"after": after or _FOR_EVER, "metrics": sorted(metric_names or ())},
        )
        found = {(row[0], row[1], row[2], row[3]): row[4] for row in rows if row[0] != _NOW}
        late = {(row[0], row[1], row[2], row[3]) for row in rows if row[5]}
        (now,) = (row[4] for row in rows if row[0] == _NOW)
        return now, found, late


def _told(version: int, places: Collection[_Place], late: Collection[_Place]) -> Touched:
    metrics = {(s, n, at) for kind, s, n, at in places if kind == _METRICS}
    # the growth after a point that came late is another than it was
    for place in places:
        if place in late:
            _, service, name, start = place
            reach = range(start, start + SILENCE_S + BUCKET_S + 1, BUCKET_S)
            metrics |= {(service, name, at) for at in reach}
    return Touched(
        version,
        frozenset((s, at) for kind, s, _, at in places if kind == _CALLS),
        frozenset(metrics),
        frozenset((s, n, at) for kind, s, n, at in places if kind == _MEASUREMENTS),
        any(kind == _LABELS for kind, *_ in places),
    )
