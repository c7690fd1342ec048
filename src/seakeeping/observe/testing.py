"""For tests of what stands on budgets: a store in memory that counts plainly, event by event.

It is what the book is held against: ``MemoryStore.count`` adds up the events of an indicator in a
span of time without cells, tiers or differences.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from seakeeping.errors import StoreUnavailable
from seakeeping.observe.objectives import default_objectives, expand
from seakeeping.records import (
    Counts,
    Indicator,
    IndicatorSignal,
    LabelledScore,
    Match,
    Objective,
)
from seakeeping.store.cells import Cells, Place, TimeSpan, cells_of
from seakeeping.store.examples import Example
from seakeeping.store.touched import Touched

BUCKET_S = 300


def standard_objectives(service: str) -> tuple[Objective, ...]:
    """Return the shipped availability and latency objectives of a service."""
    return tuple(expand(default_objectives()[:2], [service]))


@dataclass(frozen=True, slots=True)
class Event:
    """One call, by an ``id`` of its own; ``scores`` are badness by evaluation, flagged from 0.5."""

    id: str
    service: str
    at: float
    is_error: bool = False
    duration_s: float = 0.5
    weight: float = 1.0
    scores: Mapping[str, float] = field(default_factory=dict)
    dimensions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Service:
    service_name: str


def judged(event: Event, indicator: Indicator) -> tuple[bool, float] | None:
    """Return whether an event is bad, and its score; None where it does not count."""
    if not all(_matches(event, match) for match in indicator.where):
        return None
    match indicator.signal:
        case IndicatorSignal.AVAILABILITY:
            return event.is_error, 0.0
        case IndicatorSignal.LATENCY:
            is_bad = event.duration_s > (indicator.threshold or math.inf)
            return None if event.is_error else (is_bad, 0.0)
        case IndicatorSignal.EVALUATION:
            score = event.scores.get(indicator.subject or "")
            return None if score is None else (score >= 0.5, score)
    raise NotImplementedError(indicator.signal)


def _matches(event: Event, match: Match) -> bool:
    return (event.dimensions.get(match.dimension, "") in match.values) is match.is_in


class MemoryStore:
    """Events in memory. ``is_away``: every question raises StoreUnavailable."""

    def __init__(self, now: Callable[[], float] = lambda: 0.0) -> None:
        self.events: dict[str, Event] = {}
        self.kept: dict[tuple[str, str, int], Sequence[float]] = {}
        self.labels: list[LabelledScore] = []
        self.is_away = False
        self.asked = 0
        self.dropped_before = 0.0
        self._version = 1
        self._touched: dict[Place, int] = {}
        self._labels_at = 0
        self._now = now

    # -- filling --------------------------------------------------------------------------------

    def put(self, events: Iterable[Event]) -> None:
        """Store events; one of the same id takes the other's place."""
        self._version += 1
        for event in events:
            for one in filter(None, (self.events.get(event.id), event)):
                self._touch(one)
            self.events[event.id] = event

    def retract(self, id_: str) -> None:
        """Take an event back."""
        self._version += 1
        self._touch(self.events.pop(id_))

    def label(self, labels: Iterable[LabelledScore]) -> None:
        """Store labels."""
        self._version += 1
        self._labels_at = self._version
        self.labels.extend(labels)

    def drop_rows(self, before: float) -> None:
        """Forget events as retention does: nothing is touched, and kept cells stay."""
        self.dropped_before = before
        self.events = {key: event for key, event in self.events.items() if event.at >= before}

    def _touch(self, event: Event) -> None:
        self._touched[event.service, int(event.at // BUCKET_S * BUCKET_S)] = self._version

    # -- the oracle -----------------------------------------------------------------------------

    def count(self, indicator: Indicator, service: str, start: float, end: float) -> Counts:
        """Return the counts of events in ``start <= t < end``, added up one by one."""
        found = [
            (event.weight, *verdict)
            for event in self.events.values()
            if event.service == service and start <= event.at < end
            if (verdict := judged(event, indicator)) is not None
        ]
        return Counts(
            math.fsum(weight for weight, _, _ in found),
            math.fsum(weight for weight, is_bad, _ in found if is_bad),
            len(found),
            sum(is_bad for _, is_bad, _ in found),
            math.fsum(weight * score for weight, _, score in found),
            math.fsum(weight * score * score for weight, _, score in found),
        )

    # -- what a book asks -----------------------------------------------------------------------

    def _answer(self) -> None:
        self.asked += 1
        if self.is_away:
            raise StoreUnavailable("the store is away")

    def touched(self, after: int, metric_names: Sequence[str] | None = None) -> Touched:
        """Return what changed since a version; with 0 only the current version."""
        self._answer()
        if after == 0:
            return Touched(self._version)
        calls = frozenset(place for place, at in self._touched.items() if at > after)
        return Touched(self._version, calls, labels=self._labels_at > after)

    def services(self, now: float, window_s: float) -> Sequence[_Service]:
        """Return the services seen in a window."""
        self._answer()
        seen = {one.service for one in self.events.values() if now - window_s <= one.at}
        return [_Service(name) for name in sorted(seen)]

    def count_cells(
        self, indicators: Sequence[Indicator], where: Sequence[Place] | TimeSpan, step_s: int = 300
    ) -> Cells:
        """Count events by indicator, service and step."""
        self._answer()
        spans = [where] if isinstance(where, TimeSpan) else [_span(place) for place in where]
        sums: dict[tuple[int, str, int], list[float]] = {}
        for event in self.events.values():
            if any(_is_in(event, span, step_s) for span in spans):
                for number, indicator in enumerate(indicators):
                    cell = number, event.service, int(event.at // step_s * step_s)
                    _add(sums, cell, event, indicator)
        return _cells(sums)

    def keep_cells(self, keys: Sequence[str], cells: Cells) -> None:
        """Keep cells."""
        self._answer()
        for n in range(len(cells)):
            service = cells.services[cells.service[n]]
            place = keys[cells.indicator[n]], service, int(cells.start[n])
            self.kept[place] = cells.counts[n].tolist()

    def kept_cells(self, keys: Sequence[str], start: float, end: float | None = None) -> Cells:
        """Return kept cells."""
        self._answer()
        until = math.inf if end is None else end
        number = {key: n for n, key in enumerate(keys)}
        return _cells({
            (number[key], service, at): counts
            for (key, service, at), counts in self.kept.items()
            if key in number and start <= at < until
        })  # fmt: skip

    def rows_since(self) -> float:
        """Return the moment before which only kept cells tell."""
        self._answer()
        return self.dropped_before

    def dimension_values(self, service: str, dimension: str, start: float, end: float) -> list[str]:
        """Return the values of a dimension."""
        self._answer()
        events = [e for e in self.events.values() if e.service == service and start <= e.at < end]
        return sorted({e.dimensions[dimension] for e in events if dimension in e.dimensions})

    def label_bank(
        self, name: str, *, indicator: Indicator, service: str | None = None,
        evaluator: str | None = None, since: float = 0.0,
    ) -> Sequence[LabelledScore]:  # fmt: skip
        """Return the labels of a service."""
        self._answer()
        return [one for one in self.labels if one.service_name == service and one.at >= since]

    def examples(
        self, indicator: Indicator, service: str, start: float, end: float,
        slice: Mapping[str, str] | None = None, limit: int = 5,
    ) -> Sequence[Example]:  # fmt: skip
        """Return bad events, the newest first."""
        self._answer()
        bad = [
            event
            for event in sorted(self.events.values(), key=lambda one: -one.at)
            if event.service == service and start <= event.at < end
            if (verdict := judged(event, indicator)) is not None and verdict[0]
        ]
        return [Example(one.id, one.id, service, one.at) for one in bad[:limit]]


def _span(place: Place) -> TimeSpan:
    service, start = place
    return TimeSpan(start, start + BUCKET_S, (service,))


def _is_in(event: Event, span: TimeSpan, step_s: int) -> bool:
    first, last = span.start // step_s * step_s, span.end // step_s * step_s
    asked = span.services is None or event.service in span.services
    return asked and first <= event.at < last


def _add(
    sums: dict[tuple[int, str, int], list[float]],
    cell: tuple[int, str, int],
    event: Event,
    indicator: Indicator,
) -> None:
    verdict = judged(event, indicator)
    if verdict is None:
        return
    is_bad, score = verdict
    w = event.weight
    found = (w, w * is_bad, 1.0, float(is_bad), w * score, w * score * score)
    sums[cell] = [a + b for a, b in zip(sums.get(cell, [0.0] * 6), found, strict=True)]


def _cells(sums: Mapping[tuple[int, str, int], Sequence[float]]) -> Cells:
    services = sorted({service for _, service, _ in sums})
    return cells_of(
        services,
        [number for number, _, _ in sums],
        [services.index(service) for _, service, _ in sums],
        [at for _, _, at in sums],
        list(sums.values()),
    )
