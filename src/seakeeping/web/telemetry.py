"""What the pages and the API ask of the telemetry store, whoever answers."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from seakeeping.records import (
    Evaluation,
    Indicator,
    Interaction,
    Label,
    Measurement,
    MetricPoint,
    Span,
)
from seakeeping.records.names import Names
from seakeeping.store.cells import Cells, Place, TimeSpan
from seakeeping.store.examples import Example
from seakeeping.store.facts import Facts
from seakeeping.store.filters import EvaluationFilter, InteractionFilter, Page
from seakeeping.store.labels import LabelFilter
from seakeeping.store.measurements import MeasurementFilter
from seakeeping.store.telemetry import SeriesPoint, ServiceSummary


class Telemetry(Protocol):
    """The questions; every method may raise StoreUnavailable. ``store.Store`` says what each is."""

    def services(self, now: float, window_s: float) -> Sequence[ServiceSummary]:
        """Return the services seen in the window."""
        ...

    def series(self, service: str, start: float, end: float, step_s: int) -> Sequence[SeriesPoint]:
        """Return one point a step, also for empty steps."""
        ...

    def interactions(
        self, where: InteractionFilter, *, limit: int, cursor: str | None = None
    ) -> Page[Interaction]:
        """Return calls, newest first."""
        ...

    def interaction(self, trace_id: str, span_id: str) -> Interaction | None:
        """Return one call."""
        ...

    def evaluations(
        self, where: EvaluationFilter, *, limit: int, cursor: str | None = None
    ) -> Page[Evaluation]:
        """Return evaluations, newest first."""
        ...

    def evaluations_of(self, trace_id: str, span_id: str) -> Sequence[Evaluation]:
        """Return the evaluations of one call."""
        ...

    def trace(self, trace_id: str) -> Sequence[Span]:
        """Return the spans of a trace."""
        ...

    def metric_points(
        self, service_name: str, name: str, start: float, end: float, *, limit: int
    ) -> Sequence[MetricPoint]:
        """Return the points of one metric of one service, oldest first."""
        ...

    def erase_subject(self, user_id: str) -> int:
        """Remove what a user's calls hold; return how many calls that were."""
        ...

    def count_cells(
        self, indicators: Sequence[Indicator], where: Sequence[Place] | TimeSpan, step_s: int = 300
    ) -> Cells:
        """Return the events of indicators by service and step."""
        ...

    def kept_cells(
        self, keys: Sequence[str], start: float, end: float = ..., step_s: int = 300
    ) -> Cells:
        """Return cells that outlive their rows."""
        ...

    def rows_since(self) -> float:
        """Return the moment before which rows have been dropped."""
        ...

    def facts(
        self, indicator: Indicator, service: str, start: float, end: float,
        dimensions: Sequence[str] | None = None,
    ) -> Facts:  # fmt: skip
        """Return the events of an indicator by every combination of dimension values."""
        ...

    def examples(
        self, indicator: Indicator, service: str, start: float, end: float,
        slice: Mapping[str, str] | None = None, limit: int = 5,
    ) -> Sequence[Example]:  # fmt: skip
        """Return bad events of an indicator, worst first."""
        ...

    def names(self, now: float) -> Names:
        """Return the names of services, evaluations, measurements and metrics seen lately."""
        ...

    def known_calls(self, calls: Sequence[tuple[str, str]]) -> Collection[tuple[str, str]]:
        """Return those of (trace, span) that are stored calls."""
        ...

    def labels(
        self, where: LabelFilter, *, limit: int = 50, cursor: str | None = None
    ) -> Page[Label]:
        """Return labels, newest first."""
        ...

    def measurements(
        self, where: MeasurementFilter, *, limit: int = 50, cursor: str | None = None
    ) -> Page[Measurement]:
        """Return measurements, the newest window first."""
        ...
