"""Cells: the events of an indicator, a service and a step of time, as columns of numbers.

What budgets, estimates and alerts are summed from. Columns, because a thousand objectives are a
thousand rows of the same sums: one array operation each, not one object a cell.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

COUNTED = ("valid", "bad", "valid_rows", "bad_rows", "score_sum", "score_squares")
"""The columns of ``Cells.counts``: the fields of ``records.Counts``, in its order."""

Place = tuple[str, int]
"""A service and the start of five minutes, in Unix seconds."""


@dataclass(frozen=True, slots=True)
class TimeSpan:
    """All cells that begin in ``start <= t < end`` (Unix seconds), of some services or of all.

    Both ends are taken down to the step that is counted in.
    """

    start: float
    end: float
    services: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Cells:
    """Counts by indicator, service and start; a cell without events has no row.

    ``indicator`` is an index into the sequence that was asked for, ``service`` one into
    ``services``; ``start`` is in Unix seconds; ``counts`` has the columns of ``COUNTED``.
    """

    services: tuple[str, ...]
    indicator: NDArray[np.int32]
    service: NDArray[np.int32]
    start: NDArray[np.int64]
    counts: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.start)


def no_cells() -> Cells:
    """Return the cells of nothing."""
    return cells_of((), (), (), (), ())


def cells_of(
    services: Sequence[str],
    indicator: Sequence[int],
    service: Sequence[int],
    start: Sequence[int],
    counts: Sequence[Sequence[float]],
) -> Cells:
    """Return cells of plain columns."""
    return Cells(
        tuple(services),
        np.asarray(indicator, np.int32),
        np.asarray(service, np.int32),
        np.asarray(start, np.int64),
        np.asarray(counts, np.float64).reshape(-1, len(COUNTED)),
    )
