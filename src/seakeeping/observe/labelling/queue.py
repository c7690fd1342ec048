"""The queue of answers that ask for a label, drawn by quarters of an hour and kept in the ledger.

Each answer belongs to one quarter, and each quarter is drawn once, after it has ended and late
telemetry has had time to come. So each answer had one known chance, whoever draws and however
often: what was drawn is found again by its key, and a second node that draws the same quarter draws
the same. While an alarm asks whether quality really fell, the newest quarters are drawn from ten
times as often; since chances are recorded, every estimate remains right.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Protocol

from seakeeping.clock import Clock
from seakeeping.errors import NotFound
from seakeeping.observe.labelling.sampling import Candidate, Draw, draw
from seakeeping.records import Label, LabelKind
from seakeeping.store.ledger.label_requests import LabelRequest, LabelRequests

EPOCH_S = 900.0
"""Answers are drawn by the quarter of an hour."""

SETTLED_S = 300.0
"""A quarter is drawn this long after its end, when late telemetry has come."""

LOOK_BACK_S = 31 * 86_400.0
"""How far back a queue that begins today begins: a whole window of the longest usual kind."""

URGENT = 10
"""How many times as many answers are drawn of a quarter during an alarm."""

_URGENT_S = 3600.0
_EPOCHS_AT_ONCE = 96


class FindCandidates(Protocol):
    """Who knows the scored answers of a service in a time: the telemetry store."""

    def __call__(self, service: str, name: str, start: float, end: float) -> Sequence[Candidate]:
        """Return them; each with its badness score."""
        ...


class LabelQueue:
    """Draws answers for labelling, hands them out, and takes the labels.

    Args:
        requests: what was drawn, in the ledger.
        candidates: the scored answers of a time.
        keep: stores labels.
        clock: for quarters.
        per_epoch: labels wanted of each service, evaluation and quarter.
    """

    def __init__(
        self,
        *,
        requests: LabelRequests,
        candidates: FindCandidates,
        keep: Callable[[Sequence[Label]], None],
        clock: Clock,
        per_epoch: int = 1,
    ) -> None:
        self._requests = requests
        self._candidates = candidates
        self._keep = keep
        self._clock = clock
        self._per_epoch = per_epoch

    def refill(self, service: str, name: str, *, is_urgent: bool = False) -> int:
        """Draw the quarters that have not been drawn, newest first; return how many answers.

        At most a day's worth of them a call, so that a call is short.
        """
        last = (self._clock.now() - SETTLED_S) // EPOCH_S * EPOCH_S
        known = self._requests.epochs(service, name, last - LOOK_BACK_S)
        starts = (last - EPOCH_S * n for n in range(1, int(LOOK_BACK_S / EPOCH_S) + 1))
        missing = list(islice((start for start in starts if start not in known), _EPOCHS_AT_ONCE))
        urgent_from = last - _URGENT_S if is_urgent else float("inf")
        return sum(self._draw(service, name, run, urgent_from) for run in _runs(missing))

    def _draw(self, service: str, name: str, run: Sequence[float], urgent_from: float) -> int:
        """Draw quarters that follow one another, given newest first."""
        answers: dict[float, list[Candidate]] = {start: [] for start in run}
        for one in self._candidates(service, name, run[-1], run[0] + EPOCH_S):
            answers[one.started_at // EPOCH_S * EPOCH_S].append(one)
        drawn = {}
        for start, some in answers.items():
            wanted = self._per_epoch * (URGENT if start >= urgent_from else 1)
            drawn[start] = len(some), _requests(service, name, draw(some, wanted, name))
        self._requests.add_epochs(service, name, drawn)
        return sum(len(some) for _, some in drawn.values())

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


def _requests(service: str, name: str, drawn: Sequence[Draw]) -> list[LabelRequest]:
    return [
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


def _runs(starts: Iterable[float]) -> Iterator[list[float]]:
    """Yield the starts, newest first, in runs without a gap."""
    run: list[float] = []
    for start in starts:
        if run and run[-1] - start > EPOCH_S:
            yield run
            run = []
        run.append(start)
    if run:
        yield run


def _with_probability(label: Label, request: LabelRequest | None) -> Label:
    drawn = request.probability if request and label.by is not LabelKind.USER else None
    return Label(
        trace_id=label.trace_id, span_id=label.span_id, name=label.name, value=label.value,
        by=label.by, author=label.author, at=label.at, sampling_probability=drawn,
        comment=label.comment,
    )  # fmt: skip
