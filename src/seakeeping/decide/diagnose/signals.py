"""Which signals of the infrastructure went with it: metrics by how far they left their usual.

For latency and errors the reason is often no slice of the calls but a queue, a cache, a node. Each
series is measured against its own time before: the farthest it went, in interquartile ranges from
its median (the robust scorer of BARO; Pham, Ha, Zhang, Proc. ACM Softw. Eng. 1(FSE):98, 2024). That
ranks what to look at first; it shows no cause, and the words say so.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from seakeeping.decide.diagnose.windows import Floats
from seakeeping.records import MetricPoint

LEAST_POINTS = 8
"""Of a series before the onset: less has no usual."""

LEAST_SCORE = 6.0
"""Interquartile ranges; a normal series leaves four of them once in 15 million points."""

_QUARTILES_OF_NORMAL = 1.349


@dataclass(frozen=True, slots=True)
class Signal:
    """A series that left its usual values; ``score`` in interquartile ranges.

    ``p_value``: the share of points before that were as far off, counting one more.
    """

    name: str
    attributes: tuple[tuple[str, str], ...]
    score: float
    usual: float
    extreme: float
    unit: str
    points: int
    p_value: float


def ranked(points: Iterable[MetricPoint], onset: float, limit: int = 3) -> list[Signal]:
    """Return the series that left their usual values farthest since the onset, farthest first."""
    found = [_signal(key, series, onset) for key, series in _series(points).items()]
    far = [it for it in found if it is not None and it.score >= LEAST_SCORE]
    return sorted(far, key=lambda it: (-it.score, it.name, it.attributes))[:limit]


_Key = tuple[str, tuple[tuple[str, str], ...], str, bool]


def _series(points: Iterable[MetricPoint]) -> dict[_Key, list[tuple[float, float]]]:
    series: dict[_Key, list[tuple[float, float]]] = {}
    for point in points:
        value = point.value if point.value is not None else point.count
        if value is None:
            continue
        attributes = tuple(sorted((str(k), str(v)) for k, v in point.attributes.items()))
        is_total = point.temporality == "cumulative"
        key = (point.name, attributes, point.unit, is_total)
        series.setdefault(key, []).append((point.at, float(value)))
    return series


def _signal(key: _Key, series: list[tuple[float, float]], onset: float) -> Signal | None:
    name, attributes, unit, is_total = key
    at, values = _values(sorted(series), is_total)
    before, during = values[at < onset], values[at >= onset]
    if len(before) < LEAST_POINTS or len(during) == 0:
        return None
    median = float(np.median(before))
    spread = _spread(before, median)
    away = np.abs(during - median) / spread
    farthest = int(np.argmax(away))
    as_far = int(np.count_nonzero(np.abs(before - median) / spread >= away[farthest]))
    return Signal(
        name,
        attributes,
        float(away[farthest]),
        median,
        float(during[farthest]),
        f"{unit}/s" if is_total else unit,
        len(values),
        (1 + as_far) / (1 + len(before)),
    )


def _values(series: list[tuple[float, float]], is_total: bool) -> tuple[Floats, Floats]:
    """Return moments and values; of a running total the pace, without its resets."""
    at, values = (np.array(column, np.float64) for column in zip(*series, strict=True))
    if not is_total:
        return at, values
    if len(at) < 2:
        return at[:0], values[:0]
    paces = np.diff(values) / np.maximum(np.diff(at), 1e-6)
    return at[1:][paces >= 0], paces[paces >= 0]


def _spread(before: Floats, median: float) -> float:
    """Return the interquartile range; of a series that hardly ever moved, a little of its size."""
    low, high = np.percentile(before, [25, 75])
    rare = float(np.std(before)) * _QUARTILES_OF_NORMAL
    return max(float(high - low), rare, abs(median) * 0.01, 1e-9)
