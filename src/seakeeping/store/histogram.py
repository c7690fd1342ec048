"""Durations as counts in fixed log-spaced buckets: mergeable, and exact where SLOs look.

A histogram maps the upper edge of a bucket, in microseconds, to the number of durations above the
edge before it and up to this one. The edges are the same everywhere and for ever: 22 a decade from
1 ms to 1,000 s, so a quantile is within 7 %, and the usual thresholds (0.1, 0.2, 0.25, 0.3, 0.5, 1,
2, 2.5, 5, 10, 30, 60 s) are edges. No sketch is needed that one build of the engine has and another
has not.
"""

from bisect import bisect_left
from collections.abc import Mapping

_MANTISSAS = (
    100, 112, 125, 140, 160, 180, 200, 225, 250, 280, 300, 330, 360, 400, 450, 500, 550, 600, 670,
    750, 800, 900,
)  # fmt: skip

EDGES_US: tuple[int, ...] = (
    *(mantissa * 10**decade for decade in range(1, 7) for mantissa in _MANTISSAS),
    10**9,
)
"""Upper edges in microseconds: 1 ms, 1.12 ms, ... 900 s, 1,000 s."""

OVERFLOW_US = 2**32 - 1
"""The bucket of everything over the last edge."""

Histogram = Mapping[int, float]
"""Counts by upper edge in microseconds."""


def edge_sql(duration: str) -> str:
    """Return the SQL expression of the bucket of a duration in seconds.

    ``roundDown`` finds the edge below, and exceedances need "up to and including": so both sides
    are negated.
    """
    edges = ", ".join(str(-edge) for edge in (OVERFLOW_US, *reversed(EDGES_US)))
    return f"toUInt32(-roundDown(-toInt64(round(assumeNotNull({duration}) * 1e6)), [{edges}]))"


def quantile(counts: Histogram, ratio: float) -> float | None:
    """Return a quantile in seconds, linear within its bucket; None of nothing.

    >>> quantile({1_000_000: 50, 1_120_000: 50}, 0.5)
    1.0
    """
    total = sum(counts.values())
    if total <= 0:
        return None
    wanted = ratio * total
    for edge in sorted(counts):
        if counts[edge] >= wanted:
            return _within(edge, wanted / counts[edge] if counts[edge] else 1.0)
        wanted -= counts[edge]
    return _within(max(counts), 1.0)


def _within(edge: int, share: float) -> float:
    if edge > EDGES_US[-1]:
        return EDGES_US[-1] / 1e6
    at = bisect_left(EDGES_US, edge)
    low = EDGES_US[at - 1] if at else 0
    return (low + (edge - low) * share) / 1e6
