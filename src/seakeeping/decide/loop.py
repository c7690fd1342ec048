"""One look of the controller: what stands, what changes, who is told, in one transaction.

Read what stands, decide, write what changed and put the messages that are due into the outbox: the
ledger does it as a whole or not at all. Whoever is killed in between leaves the ledger as it was
before the look, and the next look, here or on another node, decides the same from the same data.
Nothing is kept between looks but caches that can be made anew.

One objective that cannot be decided is told to the log and the metrics, and holds up no other.

Reading the store for explanations is slow beside that and may fail, so it happens in a thread of
its own, after the alert has been written and before the group's wait is over.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from seakeeping.decide.alerts.board import CHANGED, DELETED, Step, step
from seakeeping.decide.alerts.conditions import Condition, evaluate
from seakeeping.decide.alerts.explain import can_be_explained, explanation, period_of
from seakeeping.decide.alerts.rules import Rulebook, Ruled
from seakeeping.decide.alerts.sentences import annotations
from seakeeping.decide.evidence import Events
from seakeeping.decide.route.router import Router
from seakeeping.faults import Faults
from seakeeping.records import (
    Alert,
    AlertState,
    Incident,
    Notification,
    NotificationTarget,
    Objective,
    Reading,
    Routing,
)
from seakeeping.store.ledger import Ledger
from seakeeping.store.ledger.alerts import Alerts
from seakeeping.store.ledger.outbox import Outbox
from seakeeping.store.ledger.silences import Silences

__all__ = ["CHANGED", "DELETED", "AlertLoop", "Look"]

EXPLAINED_A_LOOK = 2
"""Alerts that are explained in one look: each costs the store two statements."""

EXPLAIN_AGAIN_S = 60.0
_RECENT_S = 600.0


@dataclass(frozen=True, slots=True)
class Look:
    """What one look did. ``standing`` are the alerts as they are now, pending ones among them."""

    step: Step
    standing: tuple[Alert, ...]
    told: tuple[Notification, ...]

    @property
    def ended(self) -> tuple[Alert, ...]:
        """The alerts that ended with this look."""
        return tuple(one for one in self.step.changed if one.state is AlertState.RESOLVED)


class AlertLoop:
    """Decides about alerts and routes them; held by whoever holds the controller's lease."""

    def __init__(
        self, ledger: Ledger, *, routing: Routing | None = None, events: Events | None = None
    ) -> None:
        self._ledger = ledger
        self._alerts = Alerts(ledger)
        self._silences = Silences(ledger)
        self._outbox = Outbox(ledger)
        self._routing = routing
        self._router: Router | None = None
        self._events = events
        self._book = Rulebook()
        self._explained: dict[tuple[str, float], float] = {}
        self._faults = Faults("decide.alerts")
        self._faults_of_words = Faults("decide.words")
        self._faults_of_explaining = Faults("explain_alert", passing=())

    def look(
        self,
        readings: Iterable[Reading],
        now: float,
        *,
        objectives: Sequence[Objective] | None,
        targets: Sequence[NotificationTarget] = (),
        incidents: Mapping[str, Incident] | None = None,
    ) -> Look:
        """Decide from the readings of this moment, write it down and tell who is to be told.

        Args:
            readings: what is known now; an objective without one is one that nothing is known of.
            now: Unix seconds.
            objectives: all in force, as expanded to services and slices, with data or without; None
                where that is not known now. Alerts of objectives that are not among them end.
            targets: everybody who can be told.
            incidents: those of the alerts, by id, told along with them.

        Raises LedgerUnavailable; then nothing has happened.
        """
        conditions = evaluate(readings, now, self._book, self._faults)
        held = None if objectives is None else self._held(objectives)
        router = self._ready_router()
        with self._ledger.transaction() as connection:
            before = self._alerts.standing(connection)
            done = step(before, conditions, now, words=self._words, held=held)
            self._alerts.save(connection, done.changed, done.dropped)
            standing = _after(before, done)
            ended = self._alerts.resolved(connection, router.told_firing())
            told = router.step(
                [*standing, *ended],
                now,
                targets=targets,
                silences=self._silences.active(connection, now),
                incidents=incidents,
            )
            self._outbox.add(connection, told)
        router.remember(told)
        router.forget(now)
        if held is not None:
            self._book.keep(held)
        return Look(done, tuple(standing), tuple(told))

    def follow(self, routing: Routing) -> None:
        """Group, wait and inhibit like this from the next look on."""
        self._routing = routing
        if self._router is not None:
            self._router.follow(routing)

    def reset(self) -> None:
        """Forget what was told: another node may have told more since the lease was lost."""
        self._router = None

    def explain(
        self, standing: Iterable[Alert], objectives: Mapping[str, Objective], now: float
    ) -> int:
        """Add worst slices and examples to some alerts that fire without; return to how many.

        May be called from another thread than ``look``, always the same one: it waits for the
        store. One that does not answer is asked again a minute later.
        """
        if self._events is None:
            return 0
        wanting = [alert for alert in standing if self._wants(alert, objectives, now)]
        return sum(
            self._explain(self._events, alert, objectives[alert.objective or ""], now)
            for alert in wanting[:EXPLAINED_A_LOOK]
        )

    def live(self, target: NotificationTarget) -> list[Alert]:
        """Return what fires and what ended minutes ago, of the alerts that are a target's."""
        now = self._ledger.clock.now()
        with self._ledger.transaction() as connection:
            known = self._alerts.standing(connection)
            known += self._alerts.resolved_since(connection, now - _RECENT_S)
        return [
            alert
            for alert in known
            if alert.objective is not None
            and alert.state is not AlertState.PENDING
            and (not alert.targets or target.name in alert.targets)
        ]

    def _held(self, objectives: Iterable[Objective]) -> dict[str, Ruled] | None:
        """Return the rules in force; None, so that nothing is ended, where one has none."""
        held: dict[str, Ruled] = {}
        is_whole = True
        for one in objectives:
            with self._faults.of(f"rules of {one.name}"):
                held[one.name] = self._book.of(one)
            is_whole = is_whole and one.name in held
        return held if is_whole else None

    def _words(self, condition: Condition) -> Mapping[str, str]:
        """Return the annotations of an alert; it is told even where no sentence can be made."""
        name = condition.objective.name
        with self._faults_of_words.of(name):
            return annotations(condition)
        return {"summary": f"{name}: an alert that could not be put into words"}

    def _ready_router(self) -> Router:
        if self._router is None:
            self._router = Router(self._routing, self._outbox.latest())
        return self._router

    def _wants(self, alert: Alert, objectives: Mapping[str, Objective], now: float) -> bool:
        objective = objectives.get(alert.objective or "")
        if alert.state is not AlertState.FIRING or objective is None:
            return False
        if "worst_slices" in alert.annotations or not can_be_explained(objective.indicator):
            return False
        tried = self._explained.get((alert.fingerprint, alert.starts_at), -math.inf)
        return not 0 <= now - tried < EXPLAIN_AGAIN_S

    def _explain(self, events: Events, alert: Alert, objective: Objective, now: float) -> bool:
        self._explained = {
            key: at for key, at in self._explained.items() if 0 <= now - at < EXPLAIN_AGAIN_S
        }
        self._explained[alert.fingerprint, alert.starts_at] = now
        with self._faults_of_explaining.of():
            found = explanation(events, objective, *period_of(alert, now))
            return self._alerts.annotate(alert.fingerprint, found)
        return False


def _after(before: Iterable[Alert], done: Step) -> list[Alert]:
    """Return what stands after a step."""
    gone = {alert.fingerprint for alert in (*done.changed, *done.dropped)}
    kept = [alert for alert in before if alert.fingerprint not in gone]
    return kept + [a for a in done.changed if a.state is not AlertState.RESOLVED]
