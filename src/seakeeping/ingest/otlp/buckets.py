"""Histogram points with their bounds made explicit, whatever form they were sent in.

A record's buckets are ``(upper bound, count)`` pairs, not cumulative, bounds rising, the last one
infinite. An exponential histogram has bounds b^i with b = 2^(2^-scale), a zero bucket and two sides
(OpenTelemetry data model, "Exponential Histogram").
"""

import math
from collections.abc import Sequence


def explicit_buckets(
    bounds: Sequence[float], counts: Sequence[int]
) -> tuple[tuple[float, float], ...]:
    """Return ``(upper bound, count)`` pairs of a histogram point, the last bound infinite."""
    if not counts:
        return ()
    return tuple(zip((*bounds, math.inf), map(float, counts), strict=True))


def exponential_buckets(
    scale: int,
    zero: tuple[float, int],
    positive: tuple[int, Sequence[int]],
    negative: tuple[int, Sequence[int]],
) -> tuple[tuple[float, float], ...]:
    """Return the buckets of an exponential histogram point with their bounds made explicit.

    Bucket ``i`` of the positive side holds values in (b^i, b^(i+1)] with b = 2^(2^-scale). ``zero``
    is the threshold and count of the zero bucket, each side an offset and its counts. Empty buckets
    are put in where a bound is needed to tell where the next bucket begins.
    """
    threshold, zero_count = zero
    found: dict[float, float] = {}
    offset, counts = negative
    if counts:
        _pour(found, -_power(scale, offset + len(counts)), 0)
    for index in reversed(range(len(counts))):
        _pour(found, -_power(scale, offset + index), counts[index])
    _pour(found, threshold, zero_count)
    offset, counts = positive
    if counts:
        _pour(found, max(threshold, _power(scale, offset)), 0)
    for index, count in enumerate(counts):
        _pour(found, max(threshold, _power(scale, offset + index + 1)), count)
    _pour(found, math.inf, 0)
    return tuple(sorted(found.items()))


def _pour(buckets: dict[float, float], bound: float, count: int) -> None:
    buckets[bound] = buckets.get(bound, 0.0) + count


def _power(scale: int, index: int) -> float:
    """Return b^index with b = 2^(2^-scale); infinite where a double cannot hold it."""
    try:
        return float(2.0 ** (index * 2.0**-scale))
    except OverflowError:
        return math.inf
