"""Which indicators of which services are counted, each once however many objectives ask for it.

A row is what one count is kept for: an indicator, a service and, for the two Timeslices methods,
the slices that events are judged in. Rows are numbered, and numbers are used again, so that they
can be indices into arrays.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from seakeeping.records import Budgeting, Indicator, IndicatorSignal, Objective
from seakeeping.store.touched import Touched

Key = tuple[str, str]
"""A row's identity that outlives its number: the key of what is counted, and the service."""


class Source(StrEnum):
    """Which of the store's rows a count comes from."""

    CALLS = "calls"
    METRICS = "metrics"
    MEASUREMENTS = "measurements"


@dataclass(frozen=True, slots=True)
class Slicing:
    """How events become slices of time: ``length_s`` each, good from ``target_ratio`` on."""

    method: Budgeting
    length_s: int
    target_ratio: float


@dataclass(frozen=True, slots=True)
class Row:
    """What one count is kept for.

    ``counted`` is the key of the indicator, ``key`` the row's identity: the words do not matter.
    """

    indicator: Indicator
    service: str
    slicing: Slicing | None = None
    counted: str = field(init=False)
    key: Key = field(init=False)

    def __post_init__(self) -> None:
        counted = key = self.indicator.key
        if self.slicing is not None:
            key = hashlib.sha256(f"{counted} {self.slicing}".encode()).hexdigest()[:16]
        object.__setattr__(self, "counted", counted)
        object.__setattr__(self, "key", (key, self.service))

    @property
    def source(self) -> Source:
        """Where its events come from."""
        match self.indicator.signal:
            case IndicatorSignal.METRIC | IndicatorSignal.METRIC_RATIO:
                return Source.METRICS
            case IndicatorSignal.MEASUREMENT:
                return Source.MEASUREMENTS
        return Source.CALLS

    @property
    def names(self) -> tuple[str, ...]:
        """The metrics or measurements that it counts; ``("",)`` for calls."""
        if self.source is Source.CALLS:
            return ("",)
        one = self.indicator
        selectors = (s.name for s in (one.bad, one.good_of, one.total) if s is not None)
        return tuple(sorted({*selectors, *filter(None, [one.subject])}))


def row_of(objective: Objective) -> Row:
    """Return what an objective counts."""
    slicing = None
    if objective.budgeting is not Budgeting.OCCURRENCES:
        target = objective.slice_target_ratio or objective.target_ratio
        length = slice_length(objective.slice_window_s or 300)
        slicing = Slicing(objective.budgeting, length, target)
    return Row(objective.indicator, objective.service, slicing)


_LENGTHS_S = (10, 20, 30, 50, 60, 100, 150, 300, 600, 900, 1200, 1800, 3600)


def slice_length(asked_s: int) -> int:
    """Return the length of slices that is used for one that was asked for, in seconds.

    The next longer one that an hour can be cut into, or whole hours: 60, 300, 900, 3600, 7200.
    """
    fitting = (length for length in _LENGTHS_S if length >= asked_s)
    return next(fitting, -(-asked_s // 3600) * 3600)


class Rows:
    """The numbers of rows, and which of them a place in the store concerns."""

    def __init__(self) -> None:
        self._rows: list[Row | None] = []
        self._numbers: dict[Key, int] = {}
        self._places: dict[tuple[Source, str, str], set[int]] = {}

    def __len__(self) -> int:
        """Return one more than the highest number."""
        return len(self._rows)

    def __getitem__(self, number: int) -> Row:
        row = self._rows[number]
        assert row is not None, "a number that was given back"
        return row

    @property
    def numbers(self) -> Mapping[Key, int]:
        """The numbers in use."""
        return self._numbers

    def hold(self, wanted: Collection[Row]) -> tuple[list[int], list[int]]:
        """Keep just these rows; return the numbers that are new and those that were given back."""
        keys = {row.key: row for row in wanted}
        gone = [self._drop(key) for key in [k for k in self._numbers if k not in keys]]
        new = [self._add(key, row) for key, row in keys.items() if key not in self._numbers]
        return new, gone

    def _add(self, key: Key, row: Row) -> int:
        if None in self._rows:
            number = self._rows.index(None)
            self._rows[number] = row
        else:
            number = len(self._rows)
            self._rows.append(row)
        self._numbers[key] = number
        for place in self._places_of(row):
            self._places.setdefault(place, set()).add(number)
        return number

    def _drop(self, key: Key) -> int:
        number = self._numbers.pop(key)
        for place in self._places_of(self[number]):
            self._places[place].discard(number)
        self._rows[number] = None
        return number

    @staticmethod
    def _places_of(row: Row) -> Iterable[tuple[Source, str, str]]:
        return ((row.source, row.service, name) for name in row.names)

    def concerned(self, touched: Touched) -> dict[int, set[int]]:
        """Return, for each start of five minutes, the rows whose events there have changed."""
        found: dict[int, set[int]] = {}
        for service, at in touched.calls:
            self._join(found, at, (Source.CALLS, service, ""))
        for service, name, at in touched.metrics:
            self._join(found, at, (Source.METRICS, service, name))
        for service, name, at in touched.measurements:
            self._join(found, at, (Source.MEASUREMENTS, service, name))
        return found

    def _join(self, found: dict[int, set[int]], at: int, place: tuple[Source, str, str]) -> None:
        if numbers := self._places.get(place):
            found.setdefault(at, set()).update(numbers)
