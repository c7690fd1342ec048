"""Labels by themselves: answers are drawn for the queue, and judges work within their budgets."""

from collections.abc import Callable, Iterable, Sequence, Set
from functools import partial

from seakeeping.clock import Clock
from seakeeping.config.judges import JudgeChoice
from seakeeping.models import ChatEndpoint
from seakeeping.observe.labelling import (
    EPOCH_S,
    JUDGED,
    Candidate,
    Judge,
    JudgeRound,
    LabelQueue,
)
from seakeeping.records import EVALUATION_KINDS, IndicatorSignal, Objective
from seakeeping.store import Ledger
from seakeeping.store.counting import CountingStore
from seakeeping.store.ledger.label_requests import LabelRequests

MOST_OF_AN_EPOCH = 2_000
"""Scored answers of one epoch that a draw looks at; of more, the store picks that many."""

JUDGED_AT_ONCE = 10


def label_queue(store: CountingStore, ledger: Ledger, clock: Clock) -> LabelQueue:
    """Return the queue that draws from the store and keeps its draws in the ledger."""
    return LabelQueue(
        requests=LabelRequests(ledger),
        candidates=partial(candidates, store),
        keep=store.insert_labels,
        clock=clock,
    )


def candidates(
    store: CountingStore, service: str, name: str, start: float, end: float
) -> list[Candidate]:
    """Return the scored answers of a time, each with its badness."""
    found = store.candidates(service, name, start, end, MOST_OF_AN_EPOCH, epoch_s=EPOCH_S)
    return [
        Candidate(
            one.trace_id, one.span_id, one.started_at, badness(name, one.score, one.label),
            one.chance,
        )
        for one in found
    ]  # fmt: skip


def badness(name: str, score: float | None, label: str | None) -> float:
    """Return how bad a detector finds an answer, 0..1; a bare label says it firmly, not surely.

    >>> badness("faithfulness", 0.25, None), badness("toxicity", 0.25, None)
    (0.75, 0.25)
    """
    kind = EVALUATION_KINDS.get(name)
    if score is not None:
        share = min(1.0, max(0.0, score))
        return 1.0 - share if kind is None or kind.higher_is_better else share
    return 0.9 if kind is not None and label == kind.bad_label else 0.1


class Labelling:
    """The chores of labelling.

    Args:
        queue: drawn into, and judged from.
        store: knows the calls.
        ledger: keeps what judges spend.
        objectives: those in force.
        alarmed: names of those whose sequential test is in alarm: their newest answers are asked
            for more often, because labels confirm or refute it.
        judges: those in force.
        clock: the labels' time.
    """

    def __init__(
        self,
        queue: LabelQueue,
        store: CountingStore,
        ledger: Ledger,
        *,
        objectives: Callable[[], Iterable[Objective]],
        alarmed: Callable[[], Set[str]],
        judges: Callable[[], Sequence[JudgeChoice]],
        clock: Clock,
    ) -> None:
        self._queue = queue
        self._store = store
        self._requests = LabelRequests(ledger)
        self._objectives = objectives
        self._alarmed = alarmed
        self._judges = judges
        self._clock = clock

    def refill(self) -> int:
        """Draw the epochs that have ended, for every service with an estimated objective."""
        wanted: dict[tuple[str, str], bool] = {}
        alarmed = self._alarmed()
        for one in self._objectives():
            name, signal = one.indicator.subject, one.indicator.signal
            if name and signal is IndicatorSignal.EVALUATION and one.indicator.is_estimate:
                key = one.service, name
                wanted[key] = wanted.get(key, False) or one.name in alarmed
        return sum(
            self._queue.refill(*key, is_urgent=is_urgent)
            for key, is_urgent in sorted(wanted.items())
        )

    def judge(self) -> int:
        """Let every judge work once; return how many labels were given."""
        return sum(self._round(choice).run(JUDGED_AT_ONCE) for choice in self._judges())

    def _round(self, choice: JudgeChoice) -> JudgeRound:
        judge = Judge(
            name=choice.name,
            endpoint=ChatEndpoint(choice.url, choice.model, choice.key_env),
            names=tuple(name for name in choice.evaluations if name in JUDGED),
            calls_per_hour=choice.calls_per_hour,
            usd_per_day=choice.usd_per_day,
            input_usd=choice.input_usd,
            output_usd=choice.output_usd,
        )
        return JudgeRound(
            judge, queue=self._queue, requests=self._requests, find=self._store.interaction,
            clock=self._clock,
        )  # fmt: skip
