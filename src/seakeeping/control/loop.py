"""The loop of the pipeline: read a range of the spool, send it through the flow, move the cursor.

While one batch is being stored the next one is read, assembled and scored; never more, so memory is
bounded by two batches. The range is marked durably before the first row of it is stored and the
cursor moves when the last one is, so a replay after a crash cuts the same batch and nothing is
lost or counted twice.

A batch that the store refuses for good, or that meets a fault of ours, must not stop the stream:
it is taken again body by body, and the body at fault goes to quarantine.
"""

import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from typing import Protocol

from seakeeping import metrics
from seakeeping.clock import Clock
from seakeeping.control.batch import Batch, decode
from seakeeping.control.flow import Flow, Work
from seakeeping.control.quarantine import Quarantine
from seakeeping.errors import EvaluatorFailed, StoreUnavailable
from seakeeping.ingest.assemble import Assembled
from seakeeping.ingest.spool import Entry, Position, Range, SpoolReader
from seakeeping.records import LogEvent, Span

POLL_S = 0.02
"""Pause between two looks at an empty spool."""

GATHER_S = 0.25
"""A batch that is not full waits this long for company: many tiny inserts cost more than few."""

FULL_BYTES = 8 * 2**20
"""Of inflated bodies in one batch: the engine pays by the part it writes, memory by the byte."""
FULL_RECORDS = 256


class Assembles(Protocol):
    """What turns decoded telemetry into interactions."""

    def add(self, spans: Sequence[Span], logs: Sequence[LogEvent]) -> Assembled:
        """Take what arrived; return what is new or changed by it."""
        ...


class Loop:
    """Drives the flow from the spool.

    Args:
        reader: the spool's reading end; only this loop touches it.
        make_assembler: makes what holds the memory of recent traces.
        flow: scores and stores.
        quarantine: keeps what cannot be processed.
        clock: for gathering and for the lag.
        stop: ends the loop.
        beat: called about every second while the loop is alive.
    """

    def __init__(
        self,
        *,
        reader: SpoolReader,
        make_assembler: Callable[[], Assembles],
        flow: Flow,
        quarantine: Quarantine,
        clock: Clock,
        stop: threading.Event,
        beat: Callable[[], None],
    ) -> None:
        self._reader = reader
        self._make_assembler = make_assembler
        self._assembler = make_assembler()
        self._flow = flow
        self._quarantine = quarantine
        self._clock = clock
        self._stop = stop
        self._beat = beat
        self._read_to: Position = reader.cursor()
        self._replay: Range | None = reader.pending()
        self._prepared: Work | None = None
        self._storing: tuple[Work, Future[None]] | None = None
        self._settling: Future[None] | None = None
        self._one_by_one_to: Position | None = None
        self._gathering_since: float | None = None
        self._beaten_at = float("-inf")

    def run(self) -> None:
        """Work until asked to stop."""
        while not self._stop.is_set():
            if not self.step():
                self._stop.wait(POLL_S)
        self._flow.close()

    def step(self) -> bool:
        """Do what can be done now; return False when there is nothing to do but wait."""
        self._report()
        moved = self._finish()
        if self._prepared is None:
            self._prepared = self._prepare()
            moved |= self._prepared is not None
        if self._storing is None and self._prepared is not None:
            self._begin(self._prepared)
            self._prepared = None
            return True
        if self._storing is not None and not moved:
            wait([self._storing[1]], timeout=POLL_S)
            return True
        return moved

    @property
    def is_idle(self) -> bool:
        """Whether everything that was in the spool at the last look is stored."""
        return self._storing is None and self._prepared is None

    def _begin(self, work: Work) -> None:
        self._reader.mark(work.batch.start, work.batch.end)
        self._storing = (work, self._flow.keep(work))

    def _finish(self) -> bool:
        if self._storing is None or not self._storing[1].done():
            return self._settle()
        work, future = self._storing
        self._storing = None
        try:
            future.result()
        except (StoreUnavailable, EvaluatorFailed):
            if not self._stop.is_set():
                raise
            return False  # it stays in the spool
        except Exception as error:  # of whatever kind: the stream must go on
            self._fall_back(work.batch, error)
            return True
        self._reader.advance(work.batch.end)
        return True

    def _fall_back(self, batch: Batch, error: Exception) -> None:
        """Take a batch that failed again body by body; put the body at fault aside."""
        metrics.ERRORS.labels("pipeline", type(error).__name__).inc()
        print(f"seakeeping: batch {batch.token}: {error}", file=sys.stderr, flush=True)
        if batch.bodies > 1:
            self._one_by_one_to = batch.end
            self._read_to = batch.start
        else:
            (entry,) = self._reader.read_range(Range(batch.start, batch.end))
            self._quarantine.keep(batch.token, entry.record, error)
            self._reader.advance(batch.end)
            self._read_to = batch.end
        # what memory took in of these and later bodies was not stored: it must tell it again
        self._assembler = self._make_assembler()
        self._prepared = None

    def _settle(self) -> bool:
        """Refresh the rollups that wait once no batch is under way; never block for it."""
        if self._settling is not None and self._settling.done():
            settled, self._settling = self._settling, None
            settled.result()
        is_resting = self._storing is None and self._prepared is None
        if is_resting and self._settling is None and not self._flow.is_settled:
            self._settling = self._flow.settle()
        return False

    def _prepare(self) -> Work | None:
        entries = self._next_entries()
        if not entries:
            return None
        self._read_to = entries[-1].end
        self._gathering_since = None
        batch = decode(entries, self._quarantine)
        return self._flow.prepare(batch, self._assemble(batch, entries))

    def _next_entries(self) -> list[Entry]:
        if self._replay is not None:
            replay, self._replay = self._replay, None
            if entries := self._reader.read_range(replay):
                return entries
        if self._one_by_one_to is not None and self._read_to < self._one_by_one_to:
            return self._reader.read(self._read_to, max_records=1)
        if self._is_gathering():
            return []
        entries = self._reader.read(self._read_to, max_bytes=FULL_BYTES, max_records=FULL_RECORDS)
        if entries and self._gathering_since is None and not is_full(entries):
            self._gathering_since = self._clock.monotonic()
            return []
        return entries

    def _is_gathering(self) -> bool:
        since = self._gathering_since
        return since is not None and self._clock.monotonic() - since < GATHER_S

    def _assemble(self, batch: Batch, entries: Sequence[Entry]) -> Assembled:
        """Assemble a batch; a fault of ours costs the interactions of one body, never a span."""
        try:
            return self._assembler.add(batch.spans, batch.logs)
        except StoreUnavailable:
            raise
        except Exception as error:  # whatever it is, the other bodies must get through
            for entry in entries:
                self._quarantine.keep(f"{batch.token}-{entry.start.offset:x}", entry.record, error)
            return Assembled(interactions=[], evaluations=[], retractions=[], spans=batch.spans)

    def _report(self) -> None:
        now = self._clock.monotonic()
        if now - self._beaten_at < 1.0:
            return
        self._beaten_at = now
        self._beat()
        oldest = [w.batch.received_at for w in (self._prepared, self._under_way()) if w]
        metrics.PIPELINE_LAG_S.set(self._clock.now() - min(oldest) if oldest else 0.0)
        metrics.SPOOL_BYTES.set(self._reader.backlog_bytes())

    def _under_way(self) -> Work | None:
        return self._storing[0] if self._storing else None


def is_full(entries: Sequence[Entry]) -> bool:
    """Whether a batch is worth storing without waiting for more."""
    return (
        len(entries) >= FULL_RECORDS or sum(len(e.record.body) for e in entries) >= FULL_BYTES / 2
    )
