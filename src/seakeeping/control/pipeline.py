"""``python -m seakeeping.control.pipeline``: the process between the spool and the store.

Wires the rooms: spool, decoder, assembler, scoring workers, redaction, store; and beside the
stream the chores: resources that changed, erased users, scrape targets, retention.
"""

import gc
import secrets
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import TypeVar

from seakeeping import metrics
from seakeeping.clock import Clock, SystemClock
from seakeeping.config import ResourceFolder, ScrapeTarget, Settings
from seakeeping.control.chores import Chore, Chores
from seakeeping.control.flow import Flow
from seakeeping.control.loop import Loop
from seakeeping.control.privacy import Keeping
from seakeeping.control.quarantine import Quarantine
from seakeeping.control.workers import worker_count
from seakeeping.errors import EvaluatorFailed, StoreUnavailable
from seakeeping.evaluate.pool import WorkerPool
from seakeeping.evaluate.registry import evaluator_names, shipped_names
from seakeeping.ingest.assemble import Assembler
from seakeeping.ingest.emit import Emitter
from seakeeping.ingest.scrape import Scraper
from seakeeping.ingest.spool import SpoolReader
from seakeeping.process import Child, enter, refusing
from seakeeping.protocols import CostClass
from seakeeping.records import Evaluation, Interaction, MetricPoint, Span
from seakeeping.store import Ledger, Store, connect, open_ledger

SHED_BYTES = 64 * 2**20
"""A backlog above this sheds the costly evaluators; the first stage covers every answer."""

_COSTLY = frozenset({CostClass.CPU, CostClass.PAID})

T = TypeVar("T")


class Patience:
    """Repeats what the store cannot do yet, until it can or the process is asked to end."""

    def __init__(self, stop: threading.Event, beat: Callable[[], None]) -> None:
        self._stop = stop
        self._beat = beat

    def __call__(self, call: Callable[[], T]) -> T:
        """Return the call's result; raises StoreUnavailable only when asked to end."""
        while True:
            try:
                return call()
            except StoreUnavailable as error:
                metrics.ERRORS.labels("pipeline", error.code).inc()
                self._beat()
                if self._stop.wait(min(error.retry_after_s, 1.0)):
                    raise


class StoredPast:
    """What the store still knows of traces that memory has let go."""

    def __init__(self, store: Store, patience: Patience) -> None:
        self._store = store
        self._patience = patience

    def spans(self, trace_ids: Sequence[str]) -> list[Span]:
        """Return the kept spans of some traces."""
        return self._patience(lambda: self._store.trace_spans(trace_ids))

    def interactions(self, trace_ids: Sequence[str]) -> list[Interaction]:
        """Return the latest interactions of some traces."""
        return self._patience(lambda: self._store.trace_interactions(trace_ids))


class LivePrices:
    """The price table in force, whichever that is at the moment."""

    def __init__(self, resources: ResourceFolder) -> None:
        self._resources = resources

    def cost(
        self,
        provider: str | None,
        model: str | None,
        input_tokens: int | None,
        output_tokens: int | None,
        cache_read_tokens: int | None = None,
        cache_write_tokens: int | None = None,
    ) -> float | None:
        """Return US dollars, None where the model has no price."""
        return self._resources.current.prices.cost(
            provider,
            model,
            input_tokens,
            output_tokens,
            cache_read_tokens,
            cache_write_tokens,
        )


class Erasures:
    """Users who were erased, as of the last look.

    Args:
        ledger: knows who was erased, and when.
        erase: deletes what is stored of a user; called again for each newly known one, for what
            was on its way to the store when the user was erased.
    """

    def __init__(self, ledger: Ledger, erase: Callable[[str], object]) -> None:
        self._ledger = ledger
        self._erase = erase
        self.known: Mapping[str, float] = {}

    def refresh(self) -> None:
        """Look again."""
        before, self.known = self.known, self._ledger.erased()
        for user_id, at in self.known.items():
            if before.get(user_id) != at:
                self._erase(user_id)


class Pipeline:
    """All parts of the process, made and closed together."""

    def __init__(self, settings: Settings, child: Child, clock: Clock) -> None:
        self._settings, self._child, self._clock = settings, child, clock
        self._open = ExitStack()
        self._is_running = False
        spool_dir = settings.data / "spool"
        self._reader = SpoolReader(spool_dir)
        self._open.callback(self._reader.close)
        self._store = connect(settings.store_url or "", token=settings.store_token)
        self._patience = Patience(child.stop, child.beat)
        self._resources = ResourceFolder(settings.config, keep=settings.data / "run" / "resources")
        self._erasures = Erasures(open_ledger(settings), self._erase_again)
        self._pool = self._make_pool()
        self._open.callback(lambda: self._pool.close())
        self._emitter = self._make_emitter()
        self._flow = Flow(
            store=self._store,
            score=self._score,
            privacy=Keeping(lambda: self._resources.current.policy, lambda: self._erasures.known),
            publish=self._publish,
            clock=clock,
            stop=child.stop,
        )
        self._loop = Loop(
            reader=self._reader,
            make_assembler=self._make_assembler,
            flow=self._flow,
            quarantine=Quarantine(spool_dir / "quarantine"),
            clock=clock,
            stop=child.stop,
            beat=child.beat,
        )

    def run(self) -> None:
        """Work until asked to end."""
        with self._open:
            self._patience(self._store.migrate)
            stale = self._patience(self._store.stale_buckets)
            self._flow.settle(stale).result()
            self._erasures.refresh()
            self._is_running = True
            threads = [Chores(some, self._clock, self._child.stop) for some in self._chores()]
            for thread in threads:
                thread.start()
            self._child.ready(workers=self._pool.pids)
            self._loop.run()
            for thread in threads:
                thread.join(timeout_s=2.0)

    def _make_assembler(self) -> Assembler:
        return Assembler(
            prices=LivePrices(self._resources),
            clock=self._clock,
            history=StoredPast(self._store, self._patience),
        )

    def _make_pool(self) -> WorkerPool:
        """Start the workers; an installed evaluator that cannot be made must not stop ours."""
        self._choice = choice = self._resources.current.evaluators
        installed = evaluator_names()
        for name in {*(choice.only or ()), *choice.disabled} - {*installed}:
            _warn(f"Evaluators: {name!r} is not installed; there are {', '.join(installed)}")
        try:
            return self._start_pool([name for name in installed if choice.allows(name)])
        except EvaluatorFailed as error:
            metrics.ERRORS.labels("pipeline", error.code).inc()
            _warn(f"{error}; going on with the shipped evaluators alone")
            return self._start_pool([name for name in shipped_names() if choice.allows(name)])

    def _start_pool(self, names: Sequence[str]) -> WorkerPool:
        return WorkerPool(
            workers=worker_count(self._settings.workers),
            timeout_s=self._settings.evaluator_timeout_s,
            enabled=names,
        )

    def _make_emitter(self) -> Emitter | None:
        if self._settings.emit_endpoint is None:
            return None
        headers = dict(pair.split("=", 1) for pair in self._settings.emit_headers)
        emitter = Emitter(self._settings.emit_endpoint, headers=headers)
        self._open.callback(emitter.close)
        return emitter

    def _score(self, interactions: Sequence[Interaction]) -> list[Evaluation]:
        if self._resources.current.evaluators != self._choice:
            self._pool.close()
            self._pool = self._make_pool()
        shed = _COSTLY if self._reader.backlog_bytes() > SHED_BYTES else frozenset[CostClass]()
        return self._pool.score(interactions, shed=shed)

    def _publish(
        self, evaluations: Sequence[Evaluation], interactions: Sequence[Interaction]
    ) -> None:
        if self._emitter is not None:
            self._emitter.submit(evaluations, interactions)

    def _chores(self) -> list[list[Chore]]:
        """Return the chores by thread: a target that hangs must not delay a policy."""
        every_s = self._settings.scrape_interval_s
        return [
            [
                Chore("resources", 1.0, self._reload),
                Chore("erasures", 2.0, self._erasures.refresh),
                Chore("retention", 600.0, self._retire, first_s=30.0),
            ],
            [Chore("scrape", every_s, self._scrape)],
        ]

    def _reload(self) -> None:
        before = self._resources.findings
        self._resources.refresh()
        for finding in self._resources.findings if self._resources.findings != before else ():
            _warn(f"resources stay as they were: {finding}")

    def _erase_again(self, user_id: str) -> None:
        if self._is_running:
            self._store.erase_subject(user_id)

    def _retire(self) -> None:
        for line in self._store.apply_retention(self._settings, self._clock.now()):
            print(f"seakeeping: retention: {line}", file=sys.stderr, flush=True)

    def _scrape(self) -> None:
        points: list[MetricPoint] = []
        plain = (ScrapeTarget(url) for url in self._settings.scrape)
        for target in (*plain, *self._resources.current.scrape):
            points.extend(Scraper(target.url, service_name=target.service_name).scrape())
        if points:
            self._flow.insert_points(points, f"scrape-{secrets.token_hex(8)}").result()


def _warn(text: str) -> None:
    print(f"seakeeping: {text}", file=sys.stderr, flush=True)


def main() -> None:
    """Run as a child of the supervisor."""
    # a batch makes many objects that live as long as it does: collecting seldom halves the cost
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    child = enter()
    with refusing():
        Pipeline(Settings.from_json(child.settings), child, SystemClock()).run()


if __name__ == "__main__":
    main()
