"""What is new in the telemetry itself: a release, a model, a prompt that was not there before.

A value is new where the service's calls of the hours before did not show it; where those were few,
the days before are asked, and then the month. What was found is remembered, so that asking every
few seconds costs one look at the newest calls.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from seakeeping.store.client import StoreClient
from seakeeping.store.native import micros
from seakeeping.store.places import BUCKET_S
from seakeeping.store.predicates import dimension_columns, dimension_sql
from seakeeping.store.rows import Row

REACHES_S = (6 * 3600, 3 * 86_400, 30 * 86_400)
"""How far back is looked, one after the other."""

ENOUGH_CALLS = 50
"""So many calls show what a service looks like."""

TELLING = ("service_version", "release", "model", "prompt_version")
FINGERPRINT = "provider_fingerprint"
"""What some providers call their backend's configuration (OpenAI ``system_fingerprint``)."""

_MOST_KNOWN = 100_000


@dataclass(frozen=True, slots=True)
class FirstSeen:
    """A value of a dimension that a service did not show before ``at`` (Unix seconds).

    ``previous`` is the value that its calls showed last before, ``""`` where they showed none, None
    where the service had no calls at all.
    """

    service_name: str
    dimension: str
    value: str
    at: float
    previous: str | None


_Value = tuple[str, str, str]
"""Service, dimension, value."""


@dataclass(frozen=True, slots=True)
class _Shown:
    """When a value was shown first and last, and by how many calls."""

    first_at: float
    last_at: float
    calls: int = 0


@dataclass(frozen=True, slots=True)
class _Known:
    """Since when a value is known (minus infinity: from before), and what was before it."""

    since: float
    last_at: float
    previous: str | None = None


class Novelty:
    """Finds new values, and remembers those that are not; may be used from many threads."""

    def __init__(self, client: StoreClient, traffic: Sequence[str]) -> None:
        self._client = client
        self._traffic = list(traffic)
        self._known: dict[_Value, _Known] = {}
        self._lock = threading.Lock()

    def first_seen(self, start: float, end: float) -> list[FirstSeen]:
        """Return what was new in ``start <= t < end``, the earliest first; the same every time."""
        with self._lock:
            shown = {**self._shown(start, end, _TELLING_SQL), **self._shown(start, end, _PRINTS)}
            strange = {v: s for v, s in shown.items() if not self._is_known(v, s)}
            if strange:
                self._learn(strange, start)
            for value, seen in shown.items():
                known = self._known[value]
                self._known[value] = replace(known, last_at=max(known.last_at, seen.last_at))
            found = [
                FirstSeen(*value, known.since, known.previous)
                for value in shown
                if start <= (known := self._known[value]).since < end
            ]
            if len(self._known) > _MOST_KNOWN:
                self._known.clear()
        return sorted(found, key=lambda f: (f.at, f.service_name, f.dimension, f.value))

    def _is_known(self, value: _Value, shown: _Shown) -> bool:
        known = self._known.get(value)
        return known is not None and shown.first_at - known.last_at < REACHES_S[0]

    def _learn(self, strange: Mapping[_Value, _Shown], start: float) -> None:
        """Look back for values that memory does not know."""
        waiting = dict(strange)
        for reach_s in REACHES_S:
            is_last = reach_s == REACHES_S[-1]
            past = self._past(waiting, start - reach_s, start)
            for value, shown in list(waiting.items()):
                of_dimension = {v[2]: s for v, s in past.items() if v[:2] == value[:2]}
                if value[2] in of_dimension:
                    before = of_dimension[value[2]]
                    self._known[value] = _Known(float("-inf"), before.last_at)
                elif is_last or sum(s.calls for s in of_dimension.values()) >= ENOUGH_CALLS:
                    last = max(of_dimension, key=lambda v: of_dimension[v].last_at, default=None)
                    self._known[value] = _Known(shown.first_at, shown.last_at, last)
                else:
                    continue
                del waiting[value]
            if not waiting:
                return

    def _past(
        self, values: Mapping[_Value, _Shown], start: float, end: float
    ) -> Mapping[_Value, _Shown]:
        services = sorted({value[0] for value in values})
        found: dict[_Value, _Shown] = {}
        if any(value[1] != FINGERPRINT for value in values):
            found |= self._shown(start, end, _TELLING_SQL, services)
        if any(value[1] == FINGERPRINT for value in values):
            found |= self._shown(start, end, _PRINTS, services)
        return found

    def _shown(
        self, start: float, end: float, statement: str, services: Sequence[str] | None = None
    ) -> dict[_Value, _Shown]:
        first = max(0, int(start // BUCKET_S) * BUCKET_S)
        of = "1" if services is None else "service_name IN {of:Array(String)}"
        rows = self._client.read(
            statement.replace("{of}", of),
            {
                "bucket": first, "start": micros(max(0.0, start)), "end": micros(max(0.0, end)),
                "traffic": self._traffic, "of": list(services or ()),
            },
        )  # fmt: skip
        is_past = services is not None
        return {(row[0], row[1], row[2]): _shown_in(row) for row in rows if is_past or row[2] != ""}


def _shown_in(row: Row) -> _Shown:
    return _Shown(row[3] / 1e6, row[4] / 1e6, row[5])


_WITHIN = (
    "bucket >= toDateTime({bucket:UInt32}, 'UTC') "
    "AND bucket <= fromUnixTimestamp64Micro({end:Int64}, 'UTC') "
    "AND started_at >= fromUnixTimestamp64Micro({start:Int64}, 'UTC') "
    "AND started_at < fromUnixTimestamp64Micro({end:Int64}, 'UTC')"
)
_TIMES = "toUnixTimestamp64Micro(min(started_at)), toUnixTimestamp64Micro(max(started_at)), count()"
_PAIRS = ", ".join(f"('{name}', toString({dimension_sql(name, '', {})}))" for name in TELLING)
_TELLING_SQL = f"""
SELECT toString(service_name), shown.1 AS dimension, shown.2 AS value, {_TIMES} FROM (
  SELECT service_name, started_at, {", ".join(dict.fromkeys(dimension_columns(TELLING)))}
  FROM interactions
  WHERE {_WITHIN} AND retracted = 0 AND traffic IN {{traffic:Array(String)}} AND {{of}}
) ARRAY JOIN [{_PAIRS}] AS shown
GROUP BY service_name, dimension, value
"""
_PRINTS = f"""
SELECT toString(service_name), '{FINGERPRINT}',
  extract(attributes, 'system_fingerprint":"([^"]*)"') AS value, {_TIMES}
FROM interaction_texts
WHERE {_WITHIN} AND position(attributes, 'system_fingerprint":"') > 0 AND {{of}}
GROUP BY service_name, value
"""


def dimension_values(
    client: StoreClient,
    service: str,
    dimension: str,
    start: float,
    end: float,
    traffic: Sequence[str],
) -> list[str]:
    """Return the values of a dimension, the most frequent first. Raises BadInput."""
    params: dict[str, object] = {}
    expression = dimension_sql(dimension, "group", params)
    rows = client.read(
        f"SELECT toString({expression}) AS value, count() AS calls FROM interactions "
        f"WHERE service_name = {{service:String}} AND {_WITHIN} AND retracted = 0 "
        "AND traffic IN {traffic:Array(String)} GROUP BY value HAVING value != '' "
        "ORDER BY calls DESC, value",
        {
            **params, "service": service, "traffic": list(traffic), "start": micros(start),
            "bucket": max(0, int(start // BUCKET_S) * BUCKET_S), "end": micros(end),
        },
    )  # fmt: skip
    return [row[0] for row in rows]
