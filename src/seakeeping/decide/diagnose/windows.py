"""Two windows of facts in one coding: how it was before, and how it is during an incident.

Facts of different windows number their values differently. Here both are put into one table with
one code for each value, so that a slice is the same number on both sides. Dimensions with a single
value tell nothing and are left out; those by which people act come first, because where two slices
are exactly the same calls (a release and its prompt) the first is the one that is named.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Whole = NDArray[np.intp]
Flags = NDArray[np.bool_]

MAX_VALUES = 200
"""Values of one dimension that are told apart; the rarest beyond are counted together as others."""

_FIRST = (
    "release", "prompt_version", "model", "service_version", "provider", "prompt_name", "route",
    "tenant", "region", "environment", "operation",
)  # fmt: skip


class Facts(Protocol):
    """Counts by combination of dimension values, as ``store.facts.Facts`` holds them."""

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The names of the dimensions."""
        ...

    @property
    def values(self) -> tuple[tuple[str, ...], ...]:
        """The values of each dimension, ``""`` where a call has none."""
        ...

    @property
    def codes(self) -> NDArray[np.int32]:
        """The index of the value, by row and dimension."""
        ...

    @property
    def valid(self) -> NDArray[np.float64]:
        """Sums of sampling weights."""
        ...

    @property
    def bad(self) -> NDArray[np.float64]:
        """Sums of sampling weights of bad events."""
        ...

    @property
    def valid_rows(self) -> NDArray[np.int64]:
        """Events seen."""
        ...

    @property
    def bad_rows(self) -> NDArray[np.int64]:
        """Bad events seen."""
        ...


@dataclass(frozen=True, slots=True)
class Windows:
    """Both windows, row by row, those before first.

    ``codes[d]`` index ``values[d]``; a code beyond them stands for all other values. ``events`` and
    ``bad`` are counted rows (evidence), ``weight`` and ``bad_weight`` what they stand for.
    ``split`` is where the rows during begin.
    """

    dimensions: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]
    codes: tuple[Whole, ...]
    events: Floats
    bad: Floats
    weight: Floats
    bad_weight: Floats
    split: int

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many codes each dimension has, that of the others among them."""
        return tuple(len(each) + 1 for each in self.values)

    def rows_of(self, conditions: Sequence[tuple[int, int]]) -> Flags:
        """Return which rows have all of these (dimension, code)."""
        mask = np.ones(len(self.events), dtype=np.bool_)
        for dimension, code in conditions:
            mask &= self.codes[dimension] == code
        return mask


def join(before: Facts, during: Facts, max_values: int = MAX_VALUES) -> Windows:
    """Return both windows in one coding."""
    names = sorted(set(before.dimensions) & set(during.dimensions), key=_precedence)
    coded = [(name, *_coded(name, before, during, max_values)) for name in names]
    kept = [each for each in coded if len(np.unique(each[2])) > 1]
    return Windows(
        dimensions=tuple(name for name, _, _ in kept),
        values=tuple(values for _, values, _ in kept),
        codes=tuple(codes for _, _, codes in kept),
        events=_joined(before.valid_rows, during.valid_rows),
        bad=_joined(before.bad_rows, during.bad_rows),
        weight=_joined(before.valid, during.valid),
        bad_weight=_joined(before.bad, during.bad),
        split=len(before.valid_rows),
    )


def _joined(before: NDArray[np.generic], during: NDArray[np.generic]) -> Floats:
    return np.concatenate([before, during]).astype(np.float64)


def _precedence(name: str) -> tuple[int, str]:
    return (_FIRST.index(name) if name in _FIRST else len(_FIRST), name)


def _coded(
    name: str, before: Facts, during: Facts, max_values: int
) -> tuple[tuple[str, ...], Whole]:
    """Return the values of a dimension, most frequent first, and the code of every row."""
    columns = [(facts, facts.dimensions.index(name)) for facts in (before, during)]
    every = sorted({value for facts, at in columns for value in facts.values[at]})
    place = {value: code for code, value in enumerate(every)}
    raw = np.concatenate([
        np.array([place[value] for value in facts.values[at]], np.intp)[facts.codes[:, at]]
        if len(facts.valid_rows) else np.zeros(0, np.intp)
        for facts, at in columns
    ])  # fmt: skip
    rows = np.concatenate([before.valid_rows, during.valid_rows])
    seen = np.bincount(raw, rows, len(every))
    order = np.argsort(-seen, kind="stable")[: min(max_values, int(np.count_nonzero(seen)))]
    code = np.full(len(every), len(order), np.intp)
    code[order] = np.arange(len(order))
    return tuple(every[at] for at in order), code[raw]
