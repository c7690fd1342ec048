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
from seakeeping.store.metric_series import MetricSeries

LEAST_MINUTES = 8
"""Of a series before the onset: less has no usual."""

LEAST_SCORE = 6.0
"""Interquartile ranges; a normal series leaves four of them once in 15 million minutes."""

_QUARTILES_OF_NORMAL = 1.349


@dataclass(frozen=True, slots=True)
class Signal:
    """A series that left its usual values; ``score`` in interquartile ranges.

    ``p_value``: the share of minutes before that were as far off, counting one more.
    """

    name: str
    attributes: tuple[tuple[str, str], ...]
    score: float
    usual: float
    extreme: float
    unit: str
    minutes: int
    p_value: float


def ranked(series: Iterable[MetricSeries], limit: int = 3) -> list[Signal]:
    """Return the series that left their usual values farthest since the onset, farthest first.

    ``series`` count their minutes from the onset.
    """
    found = [_signal(it) for it in series]
    far = [it for it in found if it is not None and it.score >= LEAST_SCORE]
    return sorted(far, key=lambda it: (-it.score, it.name, it.attributes))[:limit]


def _signal(series: MetricSeries) -> Signal | None:
    before, during = series.values[series.minutes < 0], series.values[series.minutes >= 0]
    if len(before) < LEAST_MINUTES or len(during) == 0:
        return None
    median = float(np.median(before))
    spread = _spread(before, median)
    away = np.abs(during - median) / spread
    farthest = int(np.argmax(away))
    as_far = int(np.count_nonzero(np.abs(before - median) / spread >= away[farthest]))
    return Signal(
        series.name,
        tuple(sorted((name, str(value)) for name, value in series.attributes.items())),
        float(away[farthest]),
        median,
        float(during[farthest]),
        series.unit,
        len(series.values),
        (1 + as_far) / (1 + len(before)),
    )


def _spread(before: Floats, median: float) -> float:
    """Return the interquartile range; of a series that hardly ever moved, a little of its size."""
    low, high = np.percentile(before, [25, 75])
    rare = float(np.std(before)) * _QUARTILES_OF_NORMAL
    return max(float(high - low), rare, abs(median) * 0.01, 1e-9)
