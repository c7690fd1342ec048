"""The queue of labels on every ledger, with a store of answers in memory."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest
from tests.contract.conftest import FakeClock

from seakeeping.errors import NotFound
from seakeeping.observe.labelling import EPOCH_S, SETTLED_S, Candidate, LabelQueue
from seakeeping.records import Label, LabelKind
from seakeeping.store.ledger import Ledger
from seakeeping.store.ledger.label_requests import LabelRequests

DAY_S = 86_400.0


@dataclass
class Answers:
    """Answers of one service, asked for by the hour."""

    kept: list[Candidate] = field(default_factory=list)
    asked: list[tuple[float, float]] = field(default_factory=list)

    def __call__(self, service: str, name: str, start: float, end: float) -> Sequence[Candidate]:
        self.asked.append((start, end))
        return [one for one in self.kept if start <= one.started_at < end]


@pytest.fixture
def answers(clock: FakeClock) -> Answers:
    begin = clock.at // EPOCH_S * EPOCH_S - 9 * EPOCH_S
    return Answers([Candidate(f"t{n}", "s", begin + 60 * n, (n % 10) / 10) for n in range(120)])


@pytest.fixture
def kept() -> list[Label]:
    return []


@pytest.fixture
def queue(ledger: Ledger, answers: Answers, kept: list[Label], clock: FakeClock) -> LabelQueue:
    ledger.migrate()
    return LabelQueue(
        requests=LabelRequests(ledger),
        candidates=answers,
        keep=kept.extend,
        clock=clock,
        per_epoch=3,
    )


def label(trace_id: str, *, by: LabelKind = LabelKind.HUMAN, p: float | None = None) -> Label:
    return Label(trace_id, "s", "faithfulness", 1.0, by, "ann", 5.0, sampling_probability=p)


def drain(queue: LabelQueue) -> int:
    total = 0
    while drawn := queue.refill("shop", "faithfulness"):
        total += drawn
    return total


def test_quarters_are_drawn_once_and_only_after_they_ended(
    queue: LabelQueue, answers: Answers, clock: FakeClock
) -> None:
    assert queue.refill("shop", "faithfulness") > 0
    assert max(end for _, end in answers.asked) <= clock.at - SETTLED_S
    first = queue.open(limit=100)
    for _ in range(31):  # the rest of the look-back holds nothing
        queue.refill("shop", "faithfulness")
    asked = len(answers.asked)
    assert asked == 31  # a day at once
    assert queue.refill("shop", "faithfulness") == 0
    assert len(answers.asked) == asked
    assert queue.open(limit=100) == first


def test_only_what_is_new_is_drawn_next(
    queue: LabelQueue, answers: Answers, clock: FakeClock
) -> None:
    for _ in range(31):
        queue.refill("shop", "faithfulness")
    answers.asked.clear()
    clock.at += 2 * EPOCH_S
    queue.refill("shop", "faithfulness")
    ((start, end),) = answers.asked
    assert end - start == 2 * EPOCH_S


def test_every_quarter_gets_its_own(queue: LabelQueue) -> None:
    queue.refill("shop", "faithfulness")
    per_quarter = Counter(one.started_at // EPOCH_S for one in queue.open(limit=1000))
    assert set(per_quarter.values()) == {3}


def test_an_alarm_asks_for_more_of_the_newest(queue: LabelQueue, clock: FakeClock) -> None:
    queue.refill("shop", "faithfulness", is_urgent=True)
    last = (clock.at - SETTLED_S) // EPOCH_S
    per_quarter = Counter(one.started_at // EPOCH_S - last for one in queue.open(limit=1000))
    newest, oldest = max(per_quarter), min(per_quarter)
    assert newest >= -4 > oldest
    assert per_quarter[newest] > 3
    assert per_quarter[oldest] == 3


def test_what_the_store_left_out_lowers_the_chance(
    ledger: Ledger, answers: Answers, clock: FakeClock
) -> None:
    ledger.migrate()
    chances = []
    for chance in (1.0, 0.25):
        some = Answers([replace(one, span_id=f"{chance}", chance=chance) for one in answers.kept])
        queue = LabelQueue(
            requests=LabelRequests(ledger),
            candidates=some,
            keep=lambda _: None,
            clock=clock,
            per_epoch=8,
        )
        queue.refill(f"shop {chance}", "faithfulness")
        drawn = queue.open(service=f"shop {chance}", limit=100)
        chances.append({one.trace_id: one.probability for one in drawn})
    both = chances[0].keys() & chances[1].keys()
    assert both
    assert all(chances[1][t] == pytest.approx(0.25 * chances[0][t]) for t in both)


def test_the_most_useful_come_first(queue: LabelQueue) -> None:
    queue.refill("shop", "faithfulness")
    ranks = [request.rank for request in queue.open(limit=100)]
    assert ranks == sorted(ranks)
    assert len(ranks) > 3


def test_a_label_gets_the_chance_its_answer_was_drawn_with(
    queue: LabelQueue, kept: list[Label]
) -> None:
    queue.refill("shop", "faithfulness")
    request = queue.open(limit=1)[0]
    taken = queue.take([label(request.trace_id, p=0.999)])
    assert taken == kept
    assert taken[0].sampling_probability == pytest.approx(request.probability)
    assert request not in queue.open(limit=100)


def test_the_label_of_an_answer_nobody_drew_claims_no_chance(
    queue: LabelQueue, kept: list[Label]
) -> None:
    queue.take([label("somewhere else", p=0.5)])
    assert kept[0].sampling_probability is None


def test_a_thumb_neither_takes_the_chance_nor_answers_the_request(
    queue: LabelQueue, kept: list[Label]
) -> None:
    queue.refill("shop", "faithfulness")
    request = queue.open(limit=1)[0]
    queue.take([label(request.trace_id, by=LabelKind.USER)])
    assert kept[0].sampling_probability is None
    assert queue.open(limit=1) == [request]


def test_people_and_judges_have_queues_of_their_own(queue: LabelQueue) -> None:
    queue.refill("shop", "faithfulness")
    (request,) = queue.open(limit=1)
    queue.take([label(request.trace_id, by=LabelKind.JUDGE)])
    assert queue.open(limit=1) == [request]
    assert request not in queue.unjudged(["faithfulness"], 100)
    assert queue.unjudged(["refusal"], 100) == []


def test_a_skipped_answer_leaves_one_queue(queue: LabelQueue) -> None:
    queue.refill("shop", "faithfulness")
    (request,) = queue.open(limit=1)
    queue.skip(request.trace_id, request.span_id, request.name, by=LabelKind.HUMAN)
    assert request not in queue.open(limit=100)
    assert request in queue.unjudged(["faithfulness"], 100)
    with pytest.raises(NotFound, match="no open request"):
        queue.skip(request.trace_id, request.span_id, request.name, by=LabelKind.HUMAN)


def test_services_and_evaluations_can_be_asked_for(queue: LabelQueue) -> None:
    queue.refill("shop", "faithfulness")
    assert queue.open(service="shop", limit=1)
    assert queue.open(service="other", limit=1) == []
    assert queue.open(name="refusal", limit=1) == []


def test_a_draw_told_twice_is_told_once(ledger: Ledger, queue: LabelQueue) -> None:
    queue.refill("shop", "faithfulness")
    before = queue.open(limit=100)
    again = LabelRequests(ledger)
    again.add_epochs("shop", "faithfulness", {0.0: (1, before)})
    assert queue.open(limit=100) == before


class TestSpending:
    @pytest.fixture
    def requests(self, ledger: Ledger) -> LabelRequests:
        ledger.migrate()
        return LabelRequests(ledger)

    def reserve(self, requests: LabelRequests, usd: float = 0.1) -> bool:
        return requests.reserve("j", calls_per_hour=3, usd_per_day=1.0, usd=usd) is not None

    def test_the_rate_holds_until_the_hour_is_over(
        self, requests: LabelRequests, clock: FakeClock
    ) -> None:
        assert [self.reserve(requests) for _ in range(4)] == [True, True, True, False]
        clock.at += 3600
        assert self.reserve(requests)

    def test_the_money_holds_until_the_day_is_over(
        self, requests: LabelRequests, clock: FakeClock
    ) -> None:
        assert self.reserve(requests, 0.9)
        assert not self.reserve(requests, 0.2)
        clock.at += DAY_S
        assert self.reserve(requests, 0.2)

    def test_what_was_booked_too_high_is_given_back(self, requests: LabelRequests) -> None:
        booked = requests.reserve("j", calls_per_hour=3, usd_per_day=1.0, usd=0.9)
        assert booked is not None
        assert booked.usd_today == pytest.approx(0.9)
        requests.settle("j", booked, -0.8)
        assert self.reserve(requests, 0.85)

    def test_judges_do_not_share_a_purse(self, requests: LabelRequests) -> None:
        assert requests.reserve("a", calls_per_hour=1, usd_per_day=1, usd=0.0) is not None
        assert requests.reserve("a", calls_per_hour=1, usd_per_day=1, usd=0.0) is None
        assert requests.reserve("b", calls_per_hour=1, usd_per_day=1, usd=0.0) is not None
