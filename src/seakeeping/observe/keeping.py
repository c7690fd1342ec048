"""Keeping what was counted in the store: for a quick restart, and beyond the life of its rows.

Five minutes of the present change with every tick, so they are kept once they have cooled down;
where the first that is not kept yet begins is remembered with the checkpoint, and counted from
there after a restart.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seakeeping.observe.counting import BUCKET_S, Found, SliStore, block_of
from seakeeping.observe.history import History
from seakeeping.observe.rows import Rows
from seakeeping.observe.tiers import VALID_ROWS, Floats, Ints
from seakeeping.store.cells import COUNTED, Cells

HOT_S = 900
"""Five minutes that began less than this ago still change, in seconds."""


@dataclass(frozen=True, slots=True)
class _Block:
    start: int
    rows: Ints
    counts: Floats
    is_told: NDArray[np.bool_]


def _recounted(start: int, rows: Ints, counts: Floats) -> _Block:
    return _Block(start, rows, counts, np.ones(counts.shape[:2], dtype=np.bool_))


class Keeper:
    """What is not kept yet."""

    def __init__(self, store: SliStore, rows: Rows, history: History) -> None:
        self._store, self._rows, self._history = store, rows, history
        self._changed: dict[int, set[int]] = {}
        self._blocks: list[_Block] = []

    def forget(self, gone: set[int]) -> None:
        """Forget rows that are counted no more."""
        for start in [start for start, rows in self._changed.items() if rows & gone]:
            self._changed[start] -= gone
        self._blocks = [
            _Block(one.start, one.rows[left], one.counts[:, left], one.is_told[:, left])
            for one in self._blocks
            if (left := ~np.isin(one.rows, list(gone))).any()
        ]

    def recounted(self, start: int, rows: Ints, block: Floats) -> None:
        """Take in that five minutes were counted again; zeros replace what was kept."""
        border = min(max(self._history.middle_from, start), start + len(block) * BUCKET_S)
        old = (border - start) // BUCKET_S
        if old:
            self._blocks.append(_recounted(start, rows, block[:old]))
        for at in range(border, start + len(block) * BUCKET_S, BUCKET_S):
            self._changed.setdefault(at, set()).update(rows.tolist())

    def filled(self, start: int, rows: Ints, block: Floats, kept: Found) -> None:
        """Take in five minutes of the past that were counted for the first time.

        ``kept`` is what an earlier book kept of them: where that is gone, zeros replace it.
        """
        was = block_of(kept, rows, start, len(block), BUCKET_S)
        is_told = (block[..., VALID_ROWS] > 0) | (was[..., VALID_ROWS] > 0)
        self._blocks.append(_Block(start, rows, block, is_told))

    @property
    def open_since(self) -> int | None:
        """The start of the first five minutes that are not kept, None where all are."""
        return min((start for start, rows in self._changed.items() if rows), default=None)

    def keep(self, now: float) -> None:
        """Keep what has cooled down; raises StoreUnavailable, and then tries again next time."""
        for start in [start for start in self._changed if start < now - HOT_S]:
            rows = np.array(sorted(self._changed[start]), dtype=np.int64)
            if len(rows):
                counts = self._history.five_minutes(start, rows)[None]
                self._blocks.append(_recounted(start, rows, counts))
            del self._changed[start]
        while self._blocks:
            self._write(self._blocks[0])
            del self._blocks[0]

    def _write(self, block: _Block) -> None:
        keys: dict[str, int] = {}
        services: dict[str, int] = {}
        codes = np.array(
            [
                (keys.setdefault(key, len(keys)), services.setdefault(service, len(services)))
                for key, service in (self._rows[number].key for number in block.rows.tolist())
            ],
            dtype=np.int32,
        ).reshape(-1, 2)
        slot, column = np.nonzero(block.is_told)
        self._store.keep_cells(
            list(keys),
            Cells(
                tuple(services), codes[column, 0], codes[column, 1],
                block.start + slot * BUCKET_S, block.counts[slot, column, : len(COUNTED)],
            ),
        )  # fmt: skip
