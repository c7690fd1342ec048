"""Facts: the events of an indicator by every dimension at once, for finding what went wrong.

A row is a combination of values that was seen; a scan over slices then needs no further statement.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Facts:
    """Counts by combination of dimension values.

    ``values[d]`` are the values of ``dimensions[d]``, ``""`` where a call has none; ``codes[r, d]``
    is an index into them. ``valid`` and ``bad`` are sums of sampling weights, ``valid_rows`` and
    ``bad_rows`` the rows seen.
    """

    dimensions: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]
    codes: NDArray[np.int32]
    valid: NDArray[np.float64]
    bad: NDArray[np.float64]
    valid_rows: NDArray[np.int64]
    bad_rows: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.valid)
