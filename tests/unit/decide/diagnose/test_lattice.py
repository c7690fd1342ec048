"""Every slice with support is counted, once, and nothing else."""

from itertools import combinations

import numpy as np
import pytest
from bench.diagnose.incidents import Shape, make

from seakeeping.decide.diagnose import lattice
from seakeeping.decide.diagnose.lattice import Lattice
from seakeeping.decide.diagnose.windows import Windows, join


@pytest.fixture(scope="module")
def windows() -> Windows:
    incident = make(3, Shape(calls=3_000))
    return join(incident.before, incident.during)


def counted_by_hand(windows: Windows) -> dict[tuple[tuple[int, int], ...], tuple[float, ...]]:
    """Count with a dictionary, row by row."""
    counts: dict[tuple[tuple[int, int], ...], list[float]] = {}
    for row, (events, bad) in enumerate(zip(windows.events, windows.bad, strict=True)):
        values = [(it, int(codes[row])) for it, codes in enumerate(windows.codes)]
        side = 0 if row < windows.split else 2
        for depth in range(4):
            for chosen in combinations(values, depth):
                found = counts.setdefault(chosen, [0.0] * 4)
                found[side] += events
                found[side + 1] += bad
    return {key: tuple(found) for key, found in counts.items() if found[2] >= 30}


def as_dictionary(made: Lattice) -> dict[tuple[tuple[int, int], ...], tuple[float, ...]]:
    cells = made.cells
    return {
        made.conditions(it): (cells.n0[it], cells.x0[it], cells.n1[it], cells.x1[it])
        for it in range(len(cells))
    }


def test_all_slices_are_counted(windows: Windows) -> None:
    made = Lattice(windows, np.full(len(windows.events), 0.04))
    assert as_dictionary(made) == counted_by_hand(windows)
    assert len(made.cells) == len(as_dictionary(made))


def test_leaving_out_unsupported_rows_changes_nothing(
    windows: Windows, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates = np.linspace(0.01, 0.2, len(windows.events))
    whole = Lattice(windows, rates)
    monkeypatch.setattr(lattice, "_ROOM", 64)
    small = Lattice(windows, rates)
    assert as_dictionary(small) == as_dictionary(whole)
    assert small.cells.e1 == pytest.approx(whole.cells.e1)
    assert small.cells.e0 == pytest.approx(whole.cells.e0)


@pytest.mark.parametrize("room", [1 << 17, 64])
def test_more_expected_of_rows_is_more_expected_of_their_slices(
    windows: Windows, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    monkeypatch.setattr(lattice, "_ROOM", room)
    rates = np.full(len(windows.events), 0.04)
    made = Lattice(windows, rates)
    rows = windows.split + np.arange(0, 900, 3)
    more = np.linspace(0.0, 0.5, len(rows))
    grown = made.more_expected(rows, more)
    risen = rates.copy()
    risen[rows] += more
    assert made.cells.e1 + grown == pytest.approx(Lattice(windows, risen).cells.e1)


def test_the_first_cell_is_all_calls(windows: Windows) -> None:
    made = Lattice(windows, np.full(len(windows.events), 0.04))
    assert made.conditions(0) == ()
    assert made.cells.n1[0] == 3_000


def test_others_are_no_slice(windows: Windows) -> None:
    incident = make(3, Shape(calls=3_000))
    capped = join(incident.before, incident.during, max_values=2)
    made = Lattice(capped, np.full(len(capped.events), 0.04))
    codes = [code for it in range(len(made.cells)) for _, code in made.conditions(it)]
    assert set(codes) == {0, 1}


def test_a_smaller_share_of_many_calls_is_not_looked_at() -> None:
    incident = make(4, Shape(calls=30_000))
    joined = join(incident.before, incident.during)
    made = Lattice(joined, np.full(len(joined.events), 0.04))
    assert made.cells.n1.min() >= 60
