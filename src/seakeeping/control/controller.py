"""``python -m seakeeping.control.controller``: the process that measures, decides and tells.

One of a cluster's controllers holds the lease ``controller`` and works; the others stand by. About
once a second it looks (``deciding``). Beside it, each in a thread of its own because a receiver or
a store that hangs must not delay a decision: the courier, and the chores.
"""

import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack

from seakeeping import metrics
from seakeeping.clock import Clock, SystemClock
from seakeeping.config import ResourceFolder, Settings
from seakeeping.control.chores import Chore, Chores
from seakeeping.control.deciding import Deciding, Parts
from seakeeping.control.labels import Labelling, label_queue
from seakeeping.control.leading import Leadership
from seakeeping.control.selfwatch import EVERY_S as SELF_EVERY_S
from seakeeping.control.selfwatch import SelfWatch
from seakeeping.control.standing import InForce
from seakeeping.decide.changes.news import ChangeNews
from seakeeping.decide.changes.watch import ChangeWatch
from seakeeping.decide.incidents.loop import IncidentLoop
from seakeeping.decide.loop import AlertLoop
from seakeeping.decide.notify.courier import Courier
from seakeeping.errors import Unavailable
from seakeeping.faults import Faults
from seakeeping.observe.book import Book
from seakeeping.process import Child, enter, refusing
from seakeeping.records import NotificationTarget, Traffic
from seakeeping.store import open_ledger
from seakeeping.store.counting import connect_counting
from seakeeping.store.ledger.alerts import Alerts
from seakeeping.store.ledger.changes import Changes
from seakeeping.store.ledger.outbox import Outbox
from seakeeping.store.ledger.silences import Silences
from seakeeping.store.ledger.snapshots import Snapshots

TICK_S = 1.0

PATIENCE_S = 60.0
"""How long every tick may fail, of a fault and not of a store or ledger that is away, until the
process ends to begin anew: what it remembers may be what is wrong."""

MIB = 1 << 20


class Controller:
    """All parts of the process."""

    def __init__(self, settings: Settings, child: Child, clock: Clock) -> None:
        self._child, self._clock, self._settings = child, clock, settings
        self._open = ExitStack()
        counted = (Traffic.LIVE, Traffic.DEMO) if settings.demo else (Traffic.LIVE,)
        self._store = connect_counting(
            settings.store_url or "", token=settings.store_token, counted=counted
        )
        self._open.callback(self._store.close)
        self._ledger = open_ledger(settings)
        self._open.callback(self._ledger.close)
        self._resources = ResourceFolder(settings.config, keep=settings.data / "run" / "resources")
        self._in_force = InForce(self._ledger)
        self._lease = Leadership(self._ledger, settings.data / "run" / "controller", clock)
        self._is_migrated = self._is_leading = False
        self._faults = Faults("controller")
        self._failing_since: float | None = None
        self._outbox = Outbox(self._ledger)
        self._alerts = AlertLoop(self._ledger, events=self._store)
        self._incidents = IncidentLoop(self._ledger, self._store, clock)
        self._courier = Courier(
            self._outbox, (), clock, live=self._alerts.live, external_url=settings.pages_url
        )
        self._deciding = Deciding(
            Parts(
                book=Book(self._store, clock),
                in_force=self._in_force,
                alerts=self._alerts,
                incidents=self._incidents,
                snapshots=Snapshots(self._ledger),
                clock=clock,
            ),
            told=self._courier.wake,
        )

    def run(self) -> None:
        """Work until asked to end."""
        with self._open:
            threads = [Chores(some, self._clock, self._child.stop) for some in self._chores()]
            self._child.ready()
            for thread in threads:
                thread.start()
            courier = threading.Thread(
                target=self._courier.run, args=(self._child.stop, self._in_reach),
                kwargs={"pause_s": TICK_S}, name="courier", daemon=True,
            )  # fmt: skip
            courier.start()
            while not self._child.stop.wait(self._step()):
                pass
            self._courier.wake()
            for thread in threads:
                thread.join(timeout_s=2.0)
            self._release()

    def _step(self) -> float:
        """Look once, if this controller leads; return the seconds until the next look.

        Raises what every look of the last `PATIENCE_S` ended with.
        """
        began = self._clock.monotonic()
        self._child.beat()
        try:
            if self._leads():
                self._deciding.tick()
        except Unavailable as error:
            metrics.ERRORS.labels("controller", error.code).inc()
            return max(TICK_S, min(error.retry_after_s, 2.0))
        except Exception as error:
            self._bear(error, began)
            return TICK_S
        self._failing_since = None
        metrics.TICK_S.observe(took := self._clock.monotonic() - began)
        return max(0.05, TICK_S - took)

    def _bear(self, error: Exception, now: float) -> None:
        """Count and say an error; raise it where nothing else came of looking for long."""
        self._faults.tell("a look", error)
        self._failing_since = now if self._failing_since is None else self._failing_since
        if now - self._failing_since >= PATIENCE_S:
            raise error

    def _leads(self) -> bool:
        """Take or renew the lease; begin where the last holder left. Raises Unavailable."""
        if not self._is_migrated:
            self._store.migrate()  # whoever comes first: the pipeline does so, too
            self._is_migrated = True
        held = self._lease.take()
        if held and not self._is_leading:
            self._reload()
            self._outbox.recover()
            self._deciding.begin()
        self._is_leading = held
        return held

    def _release(self) -> None:
        try:
            self._lease.release()
        except Unavailable as error:  # it runs out by itself
            metrics.ERRORS.labels("controller", error.code).inc()

    def _in_reach(self) -> Sequence[NotificationTarget] | None:
        """Return whom to tell; None while another leads: two would carry each message twice."""
        return self._in_force.targets if self._is_leading else None

    def _chores(self) -> list[list[Chore]]:
        """Return the chores by thread."""
        settings, queue = self._settings, label_queue(self._store, self._ledger, self._clock)
        watch = SelfWatch(
            self._store, spool=settings.data / "spool",
            spool_limit_bytes=settings.spool_limit_mb * MIB,
            lag=lambda: metrics.value_of("seakeeping_pipeline_lag_seconds"),
            behind=lambda: self._deciding.behind_s, clock=self._clock,
        )  # fmt: skip
        labelling = Labelling(
            queue, self._store, self._ledger,
            objectives=lambda: self._deciding.objectives.values(),
            alarmed=lambda: self._deciding.alarmed,
            judges=lambda: self._resources.current.judges, clock=self._clock,
        )  # fmt: skip
        changes = ChangeWatch(self._store, self._ledger, self._clock)
        news = ChangeNews(self._ledger)
        return [
            [
                Chore("resources", 1.0, self._reload),
                Chore("selfwatch", SELF_EVERY_S, self._leading(watch.look)),
            ],
            [
                Chore("changes", 10.0, self._leading(changes.look)),
                Chore("labels", 20.0, self._leading(labelling.refill), first_s=10.0),
                Chore("prune", 3600.0, self._leading(self._prune), first_s=60.0),
            ],
            [Chore("judges", 60.0, self._leading(labelling.judge), first_s=30.0)],
            [Chore("explanations", 1.0, self._leading(self._deciding.explain))],
            [Chore("diagnosis", 1.0, self._leading(self._incidents.diagnose_due))],
            [Chore("change-news", 5.0, self._leading(lambda: self._tell_changes(news)))],
        ]

    def _tell_changes(self, news: ChangeNews) -> None:
        if news.tell(self._in_force.targets):
            self._courier.wake()

    def _leading(self, do: Callable[[], object]) -> Callable[[], object]:
        return lambda: do() if self._is_leading else None

    def _reload(self) -> None:
        before: Sequence[object] = self._resources.findings
        self._resources.refresh()
        for finding in self._resources.findings if self._resources.findings != before else ():
            print(
                f"seakeeping: resources stay as they were: {finding}", file=sys.stderr, flush=True
            )
        self._in_force.refresh(self._resources.current)

    def _prune(self) -> None:
        ledger = self._ledger
        for kept in (Alerts(ledger), Silences(ledger), Changes(ledger), self._outbox):
            kept.prune()


def main() -> None:
    """Run as a child of the supervisor."""
    child = enter()
    with refusing():
        Controller(Settings.from_json(child.settings), child, SystemClock()).run()


if __name__ == "__main__":
    main()
