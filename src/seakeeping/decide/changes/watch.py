"""Changes nobody told: a release, a model, a prompt or a backend that the traffic shows first.

The store knows which values of the telling dimensions are new; each becomes a change with the
moment of its first call, and an id that follows from it, so that looking twice, or on two nodes,
keeps it once.
"""

import hashlib
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

from seakeeping.clock import Clock
from seakeeping.records import Change, ChangeKind
from seakeeping.store.ledger import Ledger
from seakeeping.store.ledger.changes import Changes
from seakeeping.store.novelty import FINGERPRINT, FirstSeen

LOOK_BACK_S = 1_800.0
"""How far back is looked each time: answers come late."""

TELEMETRY = "telemetry"
"""Who made a change that nobody told."""

KINDS: Mapping[str, ChangeKind] = MappingProxyType({
    "service_version": ChangeKind.DEPLOY,
    "release": ChangeKind.DEPLOY,
    "model": ChangeKind.MODEL,
    "prompt_version": ChangeKind.PROMPT,
    FINGERPRINT: ChangeKind.MODEL,
})  # fmt: skip


class Novelties(Protocol):
    """Who knows what is new: the telemetry store."""

    def first_seen(self, start: float, end: float) -> Sequence[FirstSeen]:
        """Return the values that were new in ``start <= t < end``."""
        ...


class ChangeWatch:
    """Looks at the newest telemetry for changes and keeps them in the ledger."""

    def __init__(self, store: Novelties, ledger: Ledger, clock: Clock) -> None:
        self._store = store
        self._changes = Changes(ledger)
        self._clock = clock

    def look(self) -> list[Change]:
        """Keep what is new; return what was not known yet. Raises Unavailable."""
        now = self._clock.now()
        return self.look_at(now - LOOK_BACK_S, now)

    def look_at(self, start: float, end: float) -> list[Change]:
        """Do so for what was new in ``start <= t < end``."""
        found = [change_of(seen) for seen in self._store.first_seen(start, end)]
        return self._changes.put([it for it in found if it is not None], by=TELEMETRY)


def change_of(seen: FirstSeen) -> Change | None:
    """Return the change that a new value shows; None where the whole service is new.

    A fingerprint is no dimension that calls are sliced by, so it says which backend answers, and
    not which calls are exposed.
    """
    if seen.previous is None or not seen.value:
        return None
    spelt = "\xff".join([seen.service_name, seen.dimension, seen.value, str(int(seen.at))])
    return Change(
        id=f"seen-{hashlib.sha256(spelt.encode()).hexdigest()[:20]}",
        kind=KINDS.get(seen.dimension, ChangeKind.CONFIG),
        target=seen.service_name,
        at=seen.at,
        before=seen.previous or None,
        after=seen.value,
        dimension=None if seen.dimension == FINGERPRINT else seen.dimension,
        by=TELEMETRY,
        description=f"{seen.dimension} {seen.value} first seen",
    )
