"""A store that answers from columns at once, so that only the book's own work is timed.

Every service has traffic in every step; each tick all of them are touched, the worst case.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seakeeping.records import Indicator, LabelledScore
from seakeeping.store.cells import Cells, Place, TimeSpan, no_cells
from seakeeping.store.examples import Example
from seakeeping.store.touched import Touched

BUCKET_S = 300


@dataclass(frozen=True, slots=True)
class Service:
    """A service by its name."""

    service_name: str


class ColumnStore:
    """Counts that follow from service, indicator and time alone.

    ``now`` is moved by the benchmark; a tick touches the present five minutes of every service.
    """

    def __init__(self, services: Sequence[str], now: float) -> None:
        self._services = tuple(services)
        self.now = now
        self._version = 1

    def services(self, now: float, window_s: float) -> Sequence[Service]:
        """Return all services."""
        return [Service(name) for name in self._services]

    def touched(self, after: int, metric_names: Sequence[str] | None = None) -> Touched:
        """Return the present five minutes of every service."""
        self._version += 1
        start = int(self.now // BUCKET_S * BUCKET_S)
        return Touched(self._version, frozenset((name, start) for name in self._services))

    def count_cells(
        self, indicators: Sequence[Indicator], where: Sequence[Place] | TimeSpan, step_s: int = 300
    ) -> Cells:
        """Return five events a cell, of which one is bad now and then."""
        if isinstance(where, TimeSpan):
            services = where.services or self._services
            starts = np.arange(int(where.start), int(min(where.end, self.now + 1)), step_s)
        else:
            services = tuple(sorted({service for service, _ in where}))
            first = min(start for _, start in where)
            starts = np.arange(first, int(min(first + BUCKET_S, self.now + 1)), step_s)
        return _cells(services, len(indicators), starts)

    def keep_cells(self, keys: Sequence[str], cells: Cells) -> None:
        """Keep nothing."""

    def kept_cells(self, keys: Sequence[str], start: float, end: float | None = None) -> Cells:
        """Return nothing."""
        return no_cells()

    def rows_since(self) -> float:
        """Return the beginning of time: nothing was dropped."""
        return 0.0

    def dimension_values(self, service: str, dimension: str, start: float, end: float) -> list[str]:
        """Return nothing."""
        return []

    def label_bank(self, name: str, **_: object) -> Sequence[LabelledScore]:
        """Return no labels."""
        return []

    def examples(self, *_: object, **__: object) -> Sequence[Example]:
        """Return no examples."""
        return []


def _cells(services: tuple[str, ...], indicators: int, starts: np.ndarray) -> Cells:
    shape = (indicators, len(services), len(starts))
    indicator, service, start = (axis.ravel() for axis in np.indices(shape))
    counts = np.zeros((indicator.size, 6))
    counts[:, 0] = counts[:, 2] = 5.0
    counts[:, 1] = counts[:, 3] = (starts[start] // 10 + service + indicator) % 997 == 0
    return Cells(
        services, indicator.astype(np.int32), service.astype(np.int32), starts[start], counts
    )
