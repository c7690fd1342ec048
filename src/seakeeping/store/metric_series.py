"""Series of a service's metrics around a moment, by the minute: those that moved the most.

A service has hundreds of series with a point every few seconds, and a day of them is millions. So
the minutes are made where the points lie, and only the series that left their usual values farthest
since the moment are answered. The order is all that is decided here; what it means is judged by who
asks (``decide.diagnose.signals``), by the same measure.

A minute of a gauge is the mean of its points; of a counter, what one instance grew by a second; of
a histogram or summary, the mean of what was observed. Instances are one series, so that one that
restarts goes on; growth is counted within each (as in ``counters``), a point that was sent twice
once. A minute lies before the moment or since it, never in both.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seakeeping.store.client import StoreClient
from seakeeping.store.counters import SILENCE_S
from seakeeping.store.native import micros
from seakeeping.store.rows import Row, from_json

MINUTE_S = 60

_MINUTES = f"""
SELECT name, unit, kind, attributes, minute,
  multiIf(kind = 'gauge', avgIf(now, has_value), kind = 'counter', sum(grown) / sum(seconds),
    sum(grown) / sum(more)) AS v
FROM (
  SELECT name, unit, kind, attributes,
    floor((toUnixTimestamp64Micro(at) - {{onset:Int64}}) / {MINUTE_S * 1_000_000}) AS minute,
    temporality = 'delta' AS is_delta, isNotNull(value) AS has_value,
    lagInFrame(at) OVER series AS at_before,
    row_number() OVER series = 1 OR at - at_before > {SILENCE_S} AS is_new,
    ifNull(value, 0) AS now, lagInFrame(now) OVER series AS before,
    toFloat64(ifNull(count, 0)) AS seen, lagInFrame(seen) OVER series AS seen_before,
    if(kind = 'counter', now < before, seen < seen_before) AS is_anew,
    if(is_delta OR is_anew, now, now - before) AS grown,
    if(is_delta OR is_anew, seen, seen - seen_before) AS more,
    toFloat64(at) - toFloat64(at_before) AS seconds
  FROM metric_points
  WHERE service_name = {{service:String}}
    AND at >= fromUnixTimestamp64Micro({{start:Int64}}, 'UTC')
    AND at < fromUnixTimestamp64Micro({{end:Int64}}, 'UTC')
  WINDOW series AS (PARTITION BY name, unit, kind, attributes, resource ORDER BY at
    ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
)
WHERE kind = 'gauge' OR (NOT is_new AND seconds > 0)
GROUP BY name, unit, kind, attributes, minute
HAVING isFinite(v)
"""

_MOVED = f"""
SELECT name, unit, kind, attributes, groupArray(minute), groupArray(v),
  quantilesIf(0.25, 0.5, 0.75)(v, minute < 0) AS q,
  greatest(abs(maxIf(v, minute >= 0) - q[2]), abs(minIf(v, minute >= 0) - q[2])) AS farthest,
  greatest(q[3] - q[1], stddevPopIf(v, minute < 0), abs(q[2]) / 100, 1e-9) AS spread
FROM ({_MINUTES})
GROUP BY name, unit, kind, attributes
HAVING countIf(minute < 0) >= {{least:UInt32}} AND countIf(minute >= 0) > 0
ORDER BY farthest / spread DESC, name, attributes
LIMIT {{most:UInt32}}
"""


@dataclass(frozen=True, slots=True)
class MetricSeries:
    """One series by the minute; ``minutes`` count from the moment that was asked about.

    Those before it are negative. ``unit`` is that of ``values``: of a counter by the second.
    """

    name: str
    unit: str
    attributes: Mapping[str, object]
    minutes: NDArray[np.int64]
    values: NDArray[np.float64]


def moved_series(
    client: StoreClient, service: str, start: float, moment: float, end: float, *,
    least: int, most: int,
) -> list[MetricSeries]:  # fmt: skip
    """Return the series of a service in ``start <= t < end`` that moved farthest since a moment.

    Those with fewer than ``least`` minutes before it, or none since, have nothing to be compared
    with and are left out; of the others at most ``most``, those that moved farthest first.
    """
    found = client.read(
        _MOVED,
        {
            "service": service, "start": micros(start), "onset": micros(moment),
            "end": micros(end), "least": least, "most": most,
        },
    )  # fmt: skip
    return [_series(row) for row in found]


def _series(row: Row) -> MetricSeries:
    name, unit, kind, attributes, minutes, values = row[:6]
    order = np.argsort(np.asarray(minutes, np.int64), kind="stable")
    return MetricSeries(
        name,
        f"{unit}/s" if kind == "counter" else unit,
        from_json(attributes) if attributes else {},
        np.asarray(minutes, np.int64)[order],
        np.asarray(values, np.float64)[order],
    )
