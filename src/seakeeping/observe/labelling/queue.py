"""The queue of answers that ask for a label, drawn hour by hour and kept in the ledger.

Each answer belongs to one hour, and each hour is drawn once, after it has ended and late telemetry
has had time to come. So each answer had one known chance, whoever draws and however often: what
was drawn is found again by its key, and a second node that draws the same hour draws the same.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from seakeeping.clock import Clock
from seakeeping.errors import NotFound
from seakeeping.observe.labelling.sampling import Candidate, draw
from seakeeping.records import Label, LabelKind
from seakeeping.store.ledger.label_requests import LabelRequest, LabelRequests

EPOCH_S = 3600.0
"""Answers are drawn by the hour."""

SETTLED_S = 900.0
"""An hour is drawn this long after its end, when late telemetry has come."""

LOOK_BACK_S = 7 * 86_400.0
"""How far back a queue that begins today begins: as far as labels correct."""

_EPOCHS_AT_ONCE = 24


class CountCandidates(Protocol):
    """Who knows the scored answers of a service in a time: the telemetry store."""

    def __call__(self, service: str, name: str, start: float, end: float) -> Sequence[Candidate]:
        """Return them; each with its badness score."""
        ...


class LabelQueue:
    """Draws answers for labelling, hands them out, and takes the labels.

    Args:
        requests: what was drawn, in the ledger.
        candidates: the scored answers of an hour.
        keep: stores labels.
        clock: for hours.
        per_hour: labels wanted of each service, evaluation and hour.
    """

    def __init__(
        self,
        *,
        requests: LabelRequests,
        candidates: CountCandidates,
        keep: Callable[[Sequence[Label]], None],
        clock: Clock,
        per_hour: int = 4,
    ) -> None:
        self._requests = requests
        self._candidates = candidates
        self._keep = keep
        self._clock = clock
        self._per_hour = per_hour

    def refill(self, service: str, name: str) -> int:
        """Draw the hours that have not been drawn, newest first; return how many answers.

        At most a day's worth of hours a call, so that a call is short.
        """
        last = (self._clock.now() - SETTLED_S) // EPOCH_S * EPOCH_S
        first = last - LOOK_BACK_S
        known = self._requests.epochs(service, name, first)
        starts = [last - EPOCH_S * n for n in range(1, int(LOOK_BACK_S / EPOCH_S) + 1)]
        missing = [start for start in starts if start not in known][:_EPOCHS_AT_ONCE]
        return sum(self._draw(service, name, start) for start in missing)

    def _draw(self, service: str, name: str, start: float) -> int:
        answers = self._candidates(service, name, start, start + EPOCH_S)
        drawn = draw(answers, self._per_hour, name)
        rows = [
            LabelRequest(
                trace_id=one.candidate.trace_id,
                span_id=one.candidate.span_id,
                name=name,
                service=service,
                started_at=one.candidate.started_at,
                score=one.candidate.score,
                probability=one.probability,
                rank=one.rank,
            )
            for one in drawn
        ]
        self._requests.add_epoch(service, name, start, len(answers), rows)
        return len(rows)

    def open(
        self, *, service: str | None = None, name: str | None = None, limit: int = 20
    ) -> list[LabelRequest]:
        """Return answers that wait for a person, the most useful first."""
        return self._requests.waiting(LabelKind.HUMAN, service=service, name=name, limit=limit)

    def unjudged(self, names: Sequence[str], limit: int) -> list[LabelRequest]:
        """Return answers that wait for a judge of one of these evaluations."""
        found = [
            one
            for name in names
            for one in self._requests.waiting(LabelKind.JUDGE, name=name, limit=limit)
        ]
        return sorted(found, key=lambda one: one.rank)[:limit]

    def take(self, labels: Sequence[Label]) -> list[Label]:
        """Keep labels, with the chance their answers were drawn with; return them as kept.

        What was drawn for people says who was asked: the label of an answer nobody drew keeps no
        probability, even where its author claims one.
        """
        known = self._requests.of([(one.trace_id, one.span_id, one.name) for one in labels])
        kept = [_with_probability(one, known.get((one.trace_id, one.span_id, one.name)))
                for one in labels]  # fmt: skip
        self._keep(kept)
        self._requests.answered([(one.trace_id, one.span_id, one.name, one.by) for one in kept])
        return kept

    def skip(self, trace_id: str, span_id: str, name: str, *, by: LabelKind) -> None:
        """Take an answer off the queue without a label (it cannot be judged). Raises NotFound."""
        if not self._requests.skip(trace_id, span_id, name, by):
            raise NotFound(f"no open request for {name} of {trace_id}/{span_id}")


def _with_probability(label: Label, request: LabelRequest | None) -> Label:
    drawn = request.probability if request and label.by is not LabelKind.USER else None
    return Label(
        trace_id=label.trace_id, span_id=label.span_id, name=label.name, value=label.value,
        by=label.by, author=label.author, at=label.at, sampling_probability=drawn,
        comment=label.comment,
    )  # fmt: skip
