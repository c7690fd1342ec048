"""One tick of the controller: count what changed, measure, decide, tell, and remember.

Every step can be taken again. What was counted is kept by checkpoints, what was decided in the
ledger, so a controller that dies is followed by one that goes on; while the store or the ledger is
away a tick ends early, nothing is decided from nothing, and the next tick catches up. A tick that
could not decide shows nothing new either: pages, ``/readyz`` and our own objective see it stand.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from seakeeping import metrics
from seakeeping.clock import Clock
from seakeeping.control.standing import InForce
from seakeeping.decide.incidents.loop import IncidentLoop
from seakeeping.decide.loop import AlertLoop
from seakeeping.errors import Unavailable
from seakeeping.faults import Faults
from seakeeping.observe import snapshot
from seakeeping.observe.book import Book
from seakeeping.records import Alert, Objective, Reading
from seakeeping.store.ledger.snapshots import BOOK, READINGS, Snapshots

SNAPSHOT_S = 1.0
"""Least seconds between two snapshots for the pages."""

CHECKPOINT_S = 10.0


@dataclass(frozen=True, slots=True)
class Parts:
    """What a tick works with."""

    book: Book
    in_force: InForce
    alerts: AlertLoop
    incidents: IncidentLoop
    snapshots: Snapshots
    clock: Clock


class Deciding:
    """The ticks of one controller, from the moment it holds the lease.

    Args:
        parts: what it works with.
        told: called after a tick that put messages into the outbox.
    """

    def __init__(self, parts: Parts, told: Callable[[], None] = lambda: None) -> None:
        self._parts = parts
        self._told = told
        self._is_restored = False
        self._snapshot_at = self._checkpoint_at = float("-inf")
        self.objectives: Mapping[str, Objective] = {}
        self._standing: tuple[Alert, ...] = ()
        self._decided_at = parts.clock.now()
        self._faults = Faults("controller")
        self.alarmed: frozenset[str] = frozenset()

    def begin(self) -> None:
        """Go on from what the controller before left. Raises LedgerUnavailable."""
        self._decided_at = self._parts.clock.now()
        self._parts.alerts.reset()
        self._parts.book.hold(self._parts.in_force.objectives)
        kept = self._parts.snapshots.get(BOOK)
        if kept is not None and not self._is_restored:
            self._restore(kept.body)
        self._is_restored = True

    def _restore(self, body: bytes) -> None:
        try:
            self._parts.book.restore(body)
        except (ValueError, KeyError, TypeError) as error:  # of another version: count anew
            metrics.ERRORS.labels("controller.restore", type(error).__name__).inc()

    @property
    def behind_s(self) -> float:
        """How many seconds ago something was last decided, or could first have been."""
        return max(0.0, self._parts.clock.now() - self._decided_at)

    def explain(self) -> int:
        """Explain alerts of the last tick; for a thread of its own, because it waits for the store.

        Returns how many were.
        """
        now = self._parts.clock.now()
        return self._parts.alerts.explain(self._standing, self.objectives, now)

    def tick(self) -> None:
        """Look once. Raises Unavailable where the store or the ledger does not answer."""
        parts, now = self._parts, self._parts.clock.now()
        parts.book.hold(parts.in_force.objectives)
        trouble = self._refreshed(now)
        readings = parts.book.readings(now)
        self.objectives = {one.name: one for one in parts.book.objectives}
        self.alarmed = frozenset(
            one.budget.objective.name for one in readings if one.evidence and one.evidence.is_alarm
        )
        self._decide(readings, now, is_counted=trouble is None)
        self._show(readings, now)
        self._remember(now)
        if trouble is not None:
            raise trouble

    def _refreshed(self, now: float) -> Unavailable | None:
        """Count what changed; where the store is away the readings stand still and say so."""
        try:
            self._parts.book.refresh(now)
        except Unavailable as error:
            return error
        return None

    def _decide(self, readings: list[Reading], now: float, *, is_counted: bool) -> None:
        parts = self._parts
        # after a start without the store no service is known yet: nothing was deleted for that
        is_known = parts.in_force.is_known and is_counted
        parts.alerts.follow(parts.in_force.routing)
        look = parts.alerts.look(
            readings,
            now,
            objectives=parts.book.objectives if is_known else None,
            targets=parts.in_force.targets,
            incidents=parts.incidents.by_id(),
        )
        parts.incidents.follow(parts.in_force.routing)
        if look.told:
            self._told()
        self._standing = look.standing
        with self._faults.of("incidents"):  # whoever is to be told has been, with or without them
            parts.incidents.step(look.standing, now, ended=look.ended)
        self._decided_at = now
        metrics.DECIDED_AT.set(now)

    def _show(self, readings: list[Reading], now: float) -> None:
        if 0 <= now - self._snapshot_at < SNAPSHOT_S:
            return
        self._parts.snapshots.put(READINGS, now, snapshot.encode(readings, now))
        self._snapshot_at = now

    def _remember(self, now: float) -> None:
        if 0 <= now - self._checkpoint_at < CHECKPOINT_S:
            return
        self._parts.snapshots.put(BOOK, now, self._parts.book.checkpoint(now))
        self._checkpoint_at = now
