"""What is asked of the telemetry store to explain an alert and to diagnose an incident.

One place for both, said as questions: ``store.counting.CountingStore`` answers them, and a test
answers those that it is about. Each may raise StoreUnavailable.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from seakeeping.records import Indicator
from seakeeping.store.cells import Cells, TimeSpan
from seakeeping.store.examples import Example
from seakeeping.store.facts import Facts
from seakeeping.store.metric_series import MetricSeries
from seakeeping.store.novelty import FirstSeen


class Events(Protocol):
    """Who knows the events behind an indicator: enough to explain an alert."""

    def facts(
        self,
        indicator: Indicator,
        service: str,
        start: float,
        end: float,
        dimensions: Sequence[str] | None = None,
    ) -> Facts:
        """Return the events of ``start <= t < end``; by every dimension, unless told which."""
        ...

    def examples(
        self,
        indicator: Indicator,
        service: str,
        start: float,
        end: float,
        slice: Mapping[str, str] | None = None,
        limit: int = 5,
    ) -> Sequence[Example]:
        """Return bad events, worst first."""
        ...


class Evidence(Events, Protocol):
    """Who also knows what was before and beside them: enough for a diagnosis."""

    def count_cells(
        self, indicators: Sequence[Indicator], where: TimeSpan, step_s: int = 300
    ) -> Cells:
        """Return the counts of indicators by service and step."""
        ...

    def first_seen(self, start: float, end: float) -> Sequence[FirstSeen]:
        """Return the values that were new in ``start <= t < end``."""
        ...

    def moved_series(
        self, service: str, start: float, moment: float, end: float, *, least: int, most: int
    ) -> Sequence[MetricSeries]:
        """Return the metric series by the minute that moved farthest since a moment."""
        ...
