"""From the history to what was counted for each objective: its window and its look-backs.

Windows that begin and end alike are summed once for all the objectives that share them, so what
follows from the objectives alone is worked out when they change, not at every tick.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from seakeeping.observe.history import History, Reach, look_reach, reach_of
from seakeeping.observe.tiers import COLUMNS, Floats, Ints
from seakeeping.observe.windows import looks_of, period_start, step_of
from seakeeping.records import Calendar, Objective


def reaches_of(objective: Objective) -> set[Reach]:
    """Return the tiers that an objective's window and look-backs are summed in."""
    period = reach_of(objective.window_s, step_of(objective))
    return {period, *(look_reach(seconds) for seconds in looks_of([objective]))}


@dataclass(frozen=True, slots=True)
class _Period:
    """Objectives whose windows begin together; ``members`` are their places in the list."""

    name: tuple[str, Calendar | None]
    reach: Reach
    example: Objective
    members: Ints


class Readout:
    """How some objectives, each counted in a row, are summed."""

    def __init__(self, objectives: Sequence[Objective], rows: Ints) -> None:
        self._rows = rows
        self.lengths = looks_of(objectives)
        asked = [looks_of([objective]) for objective in objectives]
        self._own = [None if some == self.lengths else some for some in asked]
        self._periods = _periods(objectives)

    @property
    def windows(self) -> dict[Reach, list[object]]:
        """The names of the windows that are kept summed, by tier."""
        names: dict[Reach, list[object]] = {}
        for seconds in self.lengths:
            names.setdefault(look_reach(seconds), []).append(seconds)
        for period in self._periods:
            names.setdefault(period.reach, []).append(period.name)
        return names

    def looks(self, history: History, at: float) -> Floats:
        """Return the columns of all look-backs: objectives by ``lengths`` by columns."""
        return history.looks(self._rows, self.lengths, at)

    def own(self, place: int) -> Sequence[int] | None:
        """Return the look-backs that an objective has, None where it has all ``lengths``."""
        return self._own[place]

    def periods(self, history: History, at: float) -> tuple[Floats, Floats]:
        """Return the columns of each objective's window, and where that begins, to its step."""
        sums = np.zeros((len(self._rows), COLUMNS))
        starts = np.zeros(len(self._rows))
        for period in self._periods:
            start = period_start(period.example, at)
            rows = self._rows[period.members]
            sums[period.members] = history.since(rows, period.reach, start, at, period.name)
            starts[period.members] = start // period.reach.step_s * period.reach.step_s
        return sums, starts


def _periods(objectives: Sequence[Objective]) -> list[_Period]:
    def name(place: int) -> tuple[str, str, int]:
        one = objectives[place]
        return one.window, repr(one.calendar), step_of(one)

    found = []
    for _, some in groupby(sorted(range(len(objectives)), key=name), key=name):
        members = list(some)
        one = objectives[members[0]]
        reach = reach_of(one.window_s, step_of(one))
        found.append(_Period((one.window, one.calendar), reach, one, np.array(members)))
    return found
