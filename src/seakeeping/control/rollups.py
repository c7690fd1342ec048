"""When to recompute which rollup bucket.

A rollup bucket (service, five minutes) is recomputed from the latest versions of its rows, so it is
right whatever was late, repeated or re-scored. Recomputing costs more the fuller the bucket is;
therefore touched buckets are gathered and refreshed together, at most for a tenth of the time.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

BUCKET_S = 300.0
"""Width of a rollup bucket in seconds."""

_SHORTEST_PAUSE_S = 0.5
_PAUSE_PER_COST = 9.0

Bucket = tuple[str, float]
"""``(service_name, start of the bucket in Unix seconds)``."""


def bucket_of(service_name: str, at: float) -> Bucket:
    """Return the bucket that holds the moment ``at``.

    >>> bucket_of("shop", 1000.0)
    ('shop', 900.0)
    """
    return service_name, at - at % BUCKET_S


@dataclass(slots=True)
class RollupSchedule:
    """Touched buckets, and when they are due."""

    monotonic: Callable[[], float]
    _touched: set[Bucket] = field(default_factory=set)
    _next_at: float = float("-inf")

    def touch(self, bucket: Bucket) -> None:
        """Remember that rows of this bucket changed."""
        self._touched.add(bucket)

    @property
    def is_dirty(self) -> bool:
        """Whether a bucket waits for its refresh."""
        return bool(self._touched)

    def is_due(self) -> bool:
        """Whether the pause since the last refresh is over."""
        return self.monotonic() >= self._next_at

    def refresh(self, recompute: Callable[[set[Bucket]], None]) -> None:
        """Recompute the touched buckets; when that fails they stay touched."""
        began = self.monotonic()
        recompute(set(self._touched))
        self._touched.clear()
        now = self.monotonic()
        self._next_at = now + max(_SHORTEST_PAUSE_S, _PAUSE_PER_COST * (now - began))
