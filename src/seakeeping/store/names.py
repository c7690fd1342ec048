"""Which names telemetry showed lately, asked of the tables that know them without reading rows."""

from collections.abc import Sequence

from seakeeping.records.names import Names
from seakeeping.store import places
from seakeeping.store.client import StoreClient
from seakeeping.store.native import micros

SEEN_S = 30 * 86_400.0
"""How far back calls, evaluations and measurements are looked for, in seconds."""

POINTS_SEEN_S = 86_400.0
"""How far back metric points are, of which there are many more."""


_CALLED = "SELECT DISTINCT toString(service_name) FROM rollups WHERE bucket >= {day}"
_JUDGED = (
    "SELECT toString(name), arraySort(arrayFilter(x -> x != '', "
    "groupUniqArrayArray(mapKeys(labels)))) FROM evaluation_rollups WHERE bucket >= {day} "
    "GROUP BY name ORDER BY name"
)
_MEASURED = (
    "SELECT DISTINCT toString(name) AS name FROM measurements "
    "WHERE window_end >= fromUnixTimestamp64Micro({micros}) ORDER BY name"
)
_POINTS = (
    "SELECT DISTINCT toString(service_name) AS service, toString(name) AS name FROM metric_points "
    "WHERE at >= fromUnixTimestamp64Micro({micros}) ORDER BY service, name"
)


def names(client: StoreClient, now: float) -> Names:
    """Return the names that were seen. Raises StoreUnavailable."""
    since, points_since = now - SEEN_S, now - POINTS_SEEN_S
    day = f"toDateTime({max(0, int(since))}, 'UTC')"
    called = [row[0] for row in client.read(_CALLED.format(day=day))]
    judged = client.read(_JUDGED.format(day=day))
    measured = client.read(_MEASURED.format(micros=micros(since)))
    points = client.read(_POINTS.format(micros=micros(points_since)))
    return Names(
        services=tuple(sorted({*called, *(service for service, _ in points)})),
        evaluations={name: tuple(labels) for name, labels in judged},
        measurements=tuple(name for (name,) in measured),
        metrics=tuple(sorted({name for _, name in points})),
    )


def known_calls(client: StoreClient, calls: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
    """Return those of (trace, span) that are stored calls."""
    where = places.find(client, sorted({trace for trace, _ in calls}))
    if not where:
        return set()
    statement = places.latest(
        "interactions", "trace_id, span_id", "trace_id, span_id",
        f"{where.condition} AND concat(trace_id, span_id) IN {{ids:Array(String)}}",
        "retracted = 0 AND erased = 0",
    )  # fmt: skip
    ids = [trace + span for trace, span in calls]
    rows = places.kept_rows(client, statement, {**where.params, "ids": ids})
    return {(trace, span) for trace, span in rows}
