"""One batch through the rooms: assemble, score, redact, keep, roll up.

Three things overlap: the caller's thread decodes and assembles the next batch, one thread waits
for the scoring workers, one thread writes. Writing is in order, so versions never go back. The
store being away is waited out: the spool holds everything until a batch is stored, scored and
rolled up, and when the spool is full the receivers say so.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from seakeeping import metrics
from seakeeping.clock import Clock
from seakeeping.control.batch import Batch
from seakeeping.control.rollups import Bucket, RollupSchedule, bucket_of
from seakeeping.errors import StoreUnavailable
from seakeeping.ingest.assemble import Assembled, Retraction
from seakeeping.records import Evaluation, Interaction, Label, MetricPoint, Span

_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 5.0


class TelemetrySink(Protocol):
    """What a batch needs of the store. Every write may raise StoreUnavailable and be repeated."""

    def insert_spans(self, spans: Sequence[Span], token: str) -> None:
        """Keep spans; a second insert under the same token is dropped."""
        ...

    def insert_interactions(self, interactions: Sequence[Interaction], token: str) -> None:
        """Keep interactions; the highest version of a key counts."""
        ...

    def insert_evaluations(
        self, rows: Sequence[tuple[Evaluation, Interaction | None]], token: str
    ) -> None:
        """Keep evaluations, each with the interaction it judges where that is at hand."""
        ...

    def insert_labels(self, labels: Sequence[Label], token: str) -> None:
        """Keep what people said of answers; the newest of an author counts."""
        ...

    def retract(self, retractions: Sequence[Retraction], token: str) -> None:
        """Take back interactions that turned out to be none."""
        ...

    def insert_metric_points(self, points: Sequence[MetricPoint], token: str) -> None:
        """Keep metric points; a second insert under the same token is dropped."""
        ...

    def refresh_rollups(self, buckets: Iterable[tuple[str, float]]) -> None:
        """Recompute (service, five-minute) buckets from the latest versions of their rows."""
        ...


class Privacy(Protocol):
    """What may be kept of a record; a record that may not be kept at all becomes None."""

    def span(self, span: Span) -> Span:
        """Return the span as it may be kept."""
        ...

    def interaction(self, interaction: Interaction) -> Interaction | None:
        """Return the interaction as it may be kept."""
        ...

    def is_erased(self, interaction: Interaction) -> bool:
        """Tell whether the user of an interaction was erased since."""
        ...

    def evaluation(self, evaluation: Evaluation, of: Interaction | None) -> Evaluation:
        """Return the evaluation of an interaction as it may be kept."""
        ...

    def label(self, label: Label, of: Interaction | None) -> Label:
        """Return what a person said of an interaction as it may be kept."""
        ...


@dataclass(frozen=True, slots=True)
class Work:
    """A batch whose scores are being made."""

    batch: Batch
    assembled: Assembled
    interactions: list[Interaction]
    scores: "Future[list[Evaluation]]"


class Flow:
    """Takes batches in spool order: :meth:`prepare` begins the scoring, :meth:`keep` stores.

    Args:
        store: where records go.
        score: from interactions to one evaluation an evaluator each; blocks.
        privacy: applied after scoring has seen the text and before the store.
        publish: handed every new evaluation of ours, once stored.
        clock: for the rollup schedule.
        stop: ends the waiting for an absent store.
    """

    def __init__(
        self,
        *,
        store: TelemetrySink,
        score: Callable[[Sequence[Interaction]], list[Evaluation]],
        privacy: Privacy,
        publish: Callable[[Sequence[Evaluation], Sequence[Interaction]], None],
        clock: Clock,
        stop: threading.Event,
    ) -> None:
        self._store = store
        self._score = score
        self._privacy = privacy
        self._publish = publish
        self._stop = stop
        self._rollups = RollupSchedule(clock.monotonic)
        self._scorer = ThreadPoolExecutor(1, thread_name_prefix="score")
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="write")

    def prepare(self, batch: Batch, assembled: Assembled) -> Work:
        """Begin to score a batch, while the one before it is being stored."""
        latest = latest_versions(assembled.interactions)
        return Work(batch, assembled, latest, self._scorer.submit(self._score, latest))

    def keep(self, work: Work) -> "Future[None]":
        """Store a batch once it is scored; done when all of it is in the store."""
        return self._writer.submit(self._keep, work)

    def settle(self, stale: Iterable[Bucket] = ()) -> "Future[None]":
        """Refresh the rollups that wait, and those named, although no batch comes."""
        for bucket in stale:
            self._rollups.touch(bucket)
        return self._writer.submit(self._roll_up)

    def insert_points(self, points: Sequence[MetricPoint], token: str) -> "Future[None]":
        """Keep metric points that did not come through the spool (scraped ones)."""
        return self._writer.submit(
            self._retried, lambda: self._store.insert_metric_points(points, token)
        )

    @property
    def is_settled(self) -> bool:
        """Whether no rollup waits."""
        return not self._rollups.is_dirty

    def close(self) -> None:
        """Drop what has not begun; it is still in the spool."""
        self._scorer.shutdown(wait=False, cancel_futures=True)
        self._writer.shutdown(wait=False, cancel_futures=True)

    def _keep(self, work: Work) -> None:
        token = work.batch.token
        gone = {i.trace_id for i in work.interactions if self._privacy.is_erased(i)}
        spans = [self._privacy.span(s) for s in work.assembled.spans if s.trace_id not in gone]
        self._retried(lambda: self._store.insert_spans(spans, token))
        self._retried(lambda: self._store.insert_metric_points(work.batch.points, token))
        metrics.STORED.labels("spans").inc(len(spans))
        metrics.STORED.labels("metric_points").inc(len(work.batch.points))
        self._keep_judged(work, token)
        if self._rollups.is_due():
            self._roll_up()

    def _keep_judged(self, work: Work, token: str) -> None:
        scores = work.scores.result()
        kept = {i.key: i for i in map(self._privacy.interaction, work.interactions) if i}
        dropped = {i.key for i in work.interactions} - kept.keys()

        def keepable(found: Iterable[Evaluation]) -> list[tuple[Evaluation, Interaction | None]]:
            return [
                (self._privacy.evaluation(evaluation, kept.get(key)), kept.get(key))
                for evaluation in found
                if (key := evaluation.key[:2]) not in dropped
            ]

        ours = keepable(scores)
        rows = [*ours, *keepable(work.assembled.evaluations)]
        interactions, retractions = list(kept.values()), work.assembled.retractions
        self._retried(lambda: self._store.insert_interactions(interactions, token))
        self._retried(lambda: self._store.insert_evaluations(rows, token))
        self._retried(lambda: self._store.retract(retractions, token))
        labels = [
            self._privacy.label(label, kept.get(label.key[:2]))
            for label in work.assembled.labels
            if label.key[:2] not in dropped
        ]
        if labels:
            self._retried(lambda: self._store.insert_labels(labels, token))
            metrics.STORED.labels("labels").inc(len(labels))
        metrics.STORED.labels("interactions").inc(len(interactions))
        metrics.STORED.labels("evaluations").inc(len(rows))
        for interaction in interactions:
            self._rollups.touch(bucket_of(interaction.service_name, interaction.started_at))
        for gone in retractions:
            self._rollups.touch(bucket_of(gone.service_name, gone.started_at))
        self._publish([evaluation for evaluation, _ in ours], interactions)

    def _roll_up(self) -> None:
        if self._rollups.is_dirty:
            self._retried(lambda: self._rollups.refresh(self._store.refresh_rollups))

    def _retried(self, write: Callable[[], None]) -> None:
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                return write()
            except StoreUnavailable as error:
                metrics.ERRORS.labels("pipeline", error.code).inc()
                if self._stop.wait(max(pause_s, error.retry_after_s)):
                    raise
                pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)


def latest_versions(interactions: Iterable[Interaction]) -> list[Interaction]:
    """Return the newest version of each interaction, in the order of first appearance."""
    latest: dict[tuple[str, str], Interaction] = {}
    for interaction in interactions:
        known = latest.get(interaction.key)
        if known is None or interaction.version >= known.version:
            latest[interaction.key] = interaction
    return list(latest.values())
