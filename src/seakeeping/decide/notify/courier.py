"""The courier carries messages from the outbox to their targets, each target in a lane of its own.

At least once, and once at a receiver that honours the key: a message is claimed, sent and closed;
whoever dies in between leaves it to be sent again under the same key. What cannot be delivered now
waits with a growing back-off, for as long as it takes; only a receiver that refuses the message
itself, or a target that is no more, ends it, and that is counted and shown.
"""

import os
import random
import threading
from collections.abc import Callable, Collection, Iterable, Mapping

from seakeeping.clock import Clock
from seakeeping.decide.notify.exchange import TIMEOUT_S
from seakeeping.decide.notify.lane import Lane, Tally
from seakeeping.decide.notify.secrets import Mask
from seakeeping.decide.notify.sender import Live, Surroundings
from seakeeping.faults import Faults
from seakeeping.metrics import NOTIFICATIONS
from seakeeping.records import NotificationTarget, TargetKind
from seakeeping.store.ledger.outbox import Outbox

GONE_FOR_S = 3600.0
"""How long a target is missed before its messages are given up: a file may be in the making."""

PATIENCE_S = 30.0
"""How long a round waits for its lanes; a slower one goes on by itself."""


class Courier:
    """Delivers what is due.

    Args:
        outbox: where messages wait.
        targets: that there are now; see ``hold``.
        clock: for back-off and pace.
        live: the alerts of a target as they stand, for receivers that forget (Alertmanager).
        environ: where secrets are read, with every message.
        external_url: where people find the pages.
        timeout_s: of one exchange with a receiver.
        chance: spreads the back-off.
    """

    def __init__(
        self,
        outbox: Outbox,
        targets: Iterable[NotificationTarget],
        clock: Clock,
        *,
        live: Live | None = None,
        environ: Mapping[str, str] = os.environ,
        external_url: str = "",
        timeout_s: float = TIMEOUT_S,
        chance: random.Random | None = None,
    ) -> None:
        self._outbox = outbox
        self._with = Surroundings(clock, environ, external_url, timeout_s, live)
        self._chance = chance or random.Random()
        self._mask = Mask((), environ)
        self._lanes: dict[str, Lane] = {}
        self._busy: dict[str, threading.Thread] = {}
        self._gone_since: dict[str, float] = {}
        self._results: list[Tally] = []
        self._errors: list[Exception] = []
        self._faults = Faults("courier", passing=())
        self._lock = threading.Lock()
        self._starting = threading.Lock()
        self._woken = threading.Event()
        self.hold(targets)

    def hold(self, targets: Iterable[NotificationTarget]) -> None:
        """Deliver to these targets from now on; the lane of one that is unchanged goes on."""
        wanted = {target.name: target for target in targets}
        mask = Mask(wanted.values(), self._with.environ)
        with self._lock:
            self._mask = mask
            self._lanes = {
                name: kept
                if (kept := self._lanes.get(name)) is not None and kept.target == target
                else Lane(target, self._outbox, self._with, self._masked, self._chance)
                for name, target in wanted.items()
            }

    def _masked(self, text: str) -> str:
        return self._mask(text)

    def deliver_due(self, patience_s: float = PATIENCE_S) -> Tally:
        """Send what is due to every target that is ready, and return what became of it.

        Waits at most ``patience_s``; a lane that takes longer goes on by itself and is left alone
        until it is done. Raises Unavailable where the ledger does not answer, and whatever else
        went wrong with a lane once the others are done.
        """
        due = self._outbox.due_targets()
        self._end_orphans(due)
        with self._starting:  # two rounds at once must not use one lane at once
            for lane in self._ready(due):
                self._start(lane)
            threads = list(self._busy.values())
        deadline = self._with.clock.monotonic() + patience_s
        for thread in threads:
            thread.join(max(0.0, deadline - self._with.clock.monotonic()))
        return self._gathered()

    def _ready(self, due: Collection[str]) -> list[Lane]:
        self._busy = {name: t for name, t in self._busy.items() if t.is_alive()}
        with self._lock:
            return [
                lane
                for name, lane in self._lanes.items()
                if name not in self._busy and (name in due or lane.has_own_work)
            ]

    def _end_orphans(self, due: Collection[str]) -> None:
        """Fail the messages of targets that are gone, once they have been gone for long."""
        now = self._with.clock.monotonic()
        gone = [name for name in due if name not in self._lanes]
        self._gone_since = {name: self._gone_since.get(name, now) for name in gone}
        for name in gone:
            if now - self._gone_since[name] < GONE_FOR_S:
                continue
            for delivery in self._outbox.due(target=name):
                NOTIFICATIONS.labels("none", "failed").inc()
                self._outbox.fail(delivery, f"there is no target {name!r} any more")

    def _start(self, lane: Lane) -> None:
        # a daemon: a receiver that hangs must not keep the process from ending
        thread = threading.Thread(target=self._run, args=(lane,), daemon=True)
        self._busy[lane.target.name] = thread
        thread.start()

    def _run(self, lane: Lane) -> None:
        try:
            tally = lane.run()
        except Exception as error:  # handed to whoever asked for the round
            with self._lock:
                self._errors.append(error)
            return
        with self._lock:
            self._results.append(tally)

    def _gathered(self) -> Tally:
        with self._lock:
            tally = sum(self._results, Tally())
            errors, self._results, self._errors = self._errors, [], []
        for error in errors[1:]:
            self._faults.tell("a lane", error)
        if errors:
            raise errors[0]
        return tally

    def wake(self) -> None:
        """Look at once: something was put into the outbox."""
        self._woken.set()

    def run(
        self,
        stopping: threading.Event,
        targets: Callable[[], Iterable[NotificationTarget] | None],
        *,
        pause_s: float = 1.0,
    ) -> None:
        """Deliver until ``stopping`` is set; what goes wrong is counted, said, and tried again.

        Args:
            stopping: looked at after every pause; ``wake`` ends one early.
            targets: everybody who can be told now; None while somebody else delivers.
            pause_s: at most so long between two rounds, and for slow lanes within one.
        """
        while not stopping.is_set():
            with self._faults.of("a round"):
                if (known := targets()) is not None:
                    self.hold(known)
                    self.deliver_due(patience_s=pause_s)
            self._woken.wait(pause_s)
            self._woken.clear()


CHANGES_UNLESS_ASKED = {
    TargetKind.PAGERDUTY: "on", TargetKind.CLOUDEVENTS: "on", TargetKind.SLACK: "off",
    TargetKind.EMAIL: "off", TargetKind.APPRISE: "off",
}  # fmt: skip
"""The option ``changes`` where it is left out, of each kind that has words for a change."""


def change_targets(targets: Iterable[NotificationTarget]) -> list[NotificationTarget]:
    """Return the targets that ask for changes and have words for them.

    PagerDuty and CloudEvents have an event for that; where people read, one has to ask.
    """
    able = CHANGES_UNLESS_ASKED
    return [t for t in targets if t.kind in able and t.options.get("changes", able[t.kind]) == "on"]
