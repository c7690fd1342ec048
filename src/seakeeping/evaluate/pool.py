"""The evaluation workers: every call gets exactly one evaluation from every evaluator.

Scoring runs other people's code over text that strangers wrote, so it runs in processes of its own
with limits on time and memory. What a worker does not answer in time is asked again call by call
in a fresh one; the call that is lost again keeps the reason, all others keep their score. ``score``
blocks until all is answered, and only as many batches are under way as there are workers: that
is the back-pressure.
"""

import queue
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from seakeeping import metrics
from seakeeping.clock import Clock, SystemClock
from seakeeping.evaluate.content import prompt_texts
from seakeeping.evaluate.link import EvaluatorFacts, WorkerLink, WorkerLost
from seakeeping.evaluate.reasons import SkipReason
from seakeeping.evaluate.run import stamped
from seakeeping.evaluate.verdict import skipped
from seakeeping.protocols import CostClass
from seakeeping.records import Evaluation, Interaction

BATCH_CALLS = 64
"""Calls in one request to a worker, at most."""

BATCH_CHARS = 1_000_000
"""Characters of text in one request: a monster travels alone."""

LOST_LIMIT = 3
"""Calls lost one after another until the rest of their batch is given up with the same reason."""


class WorkerPool:
    """Worker processes that hold the evaluators.

    Args:
        workers: number of processes.
        timeout_s: limit for one evaluator over one batch of up to 64 calls.
        memory_limit_mb: private memory that a worker may take.
        enabled: names of evaluators; None takes all that are installed.
        clock: stamps what the pool itself decides.

    Raises:
        EvaluatorFailed: a worker cannot start.
    """

    def __init__(
        self,
        *,
        workers: int = 1,
        timeout_s: float = 10.0,
        memory_limit_mb: int = 1024,
        enabled: Sequence[str] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._timeout_s = timeout_s
        self._memory_limit_mb = memory_limit_mb
        self._enabled = None if enabled is None else list(enabled)
        self._clock = clock or SystemClock()
        self._executor = ThreadPoolExecutor(workers, thread_name_prefix="evaluate")
        self._slots = [_Slot(link) for link in self._executor.map(self._start, range(workers))]
        self._idle: queue.SimpleQueue[_Slot] = queue.SimpleQueue()
        for slot in self._slots:
            self._idle.put(slot)
        self.evaluators: tuple[EvaluatorFacts, ...] = self._slots[0].evaluators

    def _start(self, _: int = 0) -> WorkerLink:
        return WorkerLink(memory_limit_mb=self._memory_limit_mb, enabled=self._enabled)

    @property
    def pids(self) -> list[int]:
        """Return the ids of the worker processes."""
        return [slot.link.pid for slot in self._slots if slot.link is not None]

    def score(
        self, interactions: Sequence[Interaction], *, shed: frozenset[CostClass] = frozenset()
    ) -> list[Evaluation]:
        """Return one evaluation of every evaluator for every call, call by call.

        Args:
            interactions: calls to judge.
            shed: cost classes to leave out with ``skipped_reason`` "shed"; the first stage is
                never shed.

        Raises:
            EvaluatorFailed: a lost worker could not be replaced.
        """
        shed -= {CostClass.FIRST_STAGE}
        futures = [
            self._executor.submit(self._score_batch, batch, shed) for batch in batches(interactions)
        ]
        return [evaluation for future in futures for evaluation in future.result()]

    def _score_batch(
        self, batch: Sequence[Interaction], shed: frozenset[CostClass]
    ) -> list[Evaluation]:
        columns = {
            facts.name: self._skip_all(facts, batch, SkipReason.SHED)
            for facts in self.evaluators
            if facts.cost_class in shed
        }
        todo = [facts for facts in self.evaluators if facts.name not in columns]
        with self._borrowed() as slot:
            while todo:
                try:
                    for evaluations in self._answers(slot, todo, batch):
                        columns[todo.pop(0).name] = evaluations
                except WorkerLost as lost:
                    facts = todo.pop(0)
                    columns[facts.name] = self._one_by_one(slot, facts, batch, lost.reason)
        _count(columns)
        order = [facts.name for facts in self.evaluators]
        return [columns[name][row] for row in range(len(batch)) for name in order]

    def _answers(
        self, slot: "_Slot", todo: Sequence[EvaluatorFacts], batch: Sequence[Interaction]
    ) -> Iterator[list[Evaluation]]:
        names = [facts.name for facts in todo]
        link = self._link(slot)
        try:
            for name, (evaluations, cpu_s) in zip(
                names, link.ask(names, batch, self._timeout_s), strict=True
            ):
                metrics.EVALUATE_S.labels(name).observe(cpu_s)
                yield evaluations
        except WorkerLost as lost:
            slot.link = None
            link.end()
            metrics.RESTARTS.labels("evaluator").inc()
            metrics.ERRORS.labels("evaluate.pool", str(lost.reason)).inc()
            raise

    def _one_by_one(
        self,
        slot: "_Slot",
        facts: EvaluatorFacts,
        batch: Sequence[Interaction],
        reason: SkipReason,
    ) -> list[Evaluation]:
        """Isolate the calls that a worker was lost on; a lone slow call is not asked again."""
        if len(batch) == 1 and reason is SkipReason.TIMEOUT:
            return self._skip_all(facts, batch, reason)
        evaluations: list[Evaluation] = []
        lost_in_a_row = 0
        for row, interaction in enumerate(batch):
            try:
                [(evaluation,)] = self._answers(slot, [facts], [interaction])
                lost_in_a_row = 0
                evaluations.append(evaluation)
            except WorkerLost as lost:
                lost_in_a_row += 1
                rest = batch[row:] if lost_in_a_row == LOST_LIMIT else [interaction]
                evaluations += self._skip_all(facts, rest, lost.reason)
                if lost_in_a_row == LOST_LIMIT:
                    break
        return evaluations

    def _skip_all(
        self, facts: EvaluatorFacts, batch: Sequence[Interaction], reason: SkipReason
    ) -> list[Evaluation]:
        now = self._clock.now()
        return [stamped(skipped(facts, call, reason), now, None) for call in batch]

    def _link(self, slot: "_Slot") -> WorkerLink:
        if slot.link is None:
            slot.link = self._start()
        return slot.link

    @contextmanager
    def _borrowed(self) -> Iterator["_Slot"]:
        slot = self._idle.get()
        try:
            yield slot
        finally:
            self._idle.put(slot)

    def close(self) -> None:
        """End the workers once what is under way is answered."""
        self._executor.shutdown(wait=True)
        for slot in self._slots:
            if slot.link is not None:
                slot.link.end()
                slot.link = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class _Slot:
    """The place of one worker in the pool; its link is None between a loss and the next batch."""

    def __init__(self, link: WorkerLink) -> None:
        self.link: WorkerLink | None = link
        self.evaluators = link.evaluators


def batches(interactions: Sequence[Interaction]) -> Iterator[Sequence[Interaction]]:
    """Cut calls into batches that stay small in number and in text."""
    start, chars = 0, 0
    for row, interaction in enumerate(interactions):
        size = _chars(interaction)
        if row > start and (row - start == BATCH_CALLS or chars + size > BATCH_CHARS):
            yield interactions[start:row]
            start, chars = row, 0
        chars += size
    if start < len(interactions):
        yield interactions[start:]


def _chars(interaction: Interaction) -> int:
    documents = sum(len(document.content or "") for document in interaction.documents)
    prompt = sum(len(text.content) for text in prompt_texts(interaction))
    return len(interaction.answer_text or "") + documents + prompt


def _count(columns: dict[str, list[Evaluation]]) -> None:
    for name, evaluations in columns.items():
        for evaluation in evaluations:
            outcome = (evaluation.skipped_reason or "scored").partition(":")[0]
            metrics.EVALUATED.labels(name, outcome).inc()
