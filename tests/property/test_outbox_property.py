"""The outbox against a model: whatever happens in whatever order, nothing is lost or reordered."""

import shutil
import tempfile
from collections import defaultdict
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.receivers.samples import FakeClock, a_message

from seakeeping.store.ledger import open_at
from seakeeping.store.ledger.outbox import CLAIM_S, Delivery, DeliveryState, Outbox

GROUPS = st.sampled_from(["a", "b", "c"])
TARGETS = st.sampled_from(["pager", "chat"])


class OutboxMachine(RuleBasedStateMachine):
    """Two couriers share an outbox; either may die with a message in hand."""

    @initialize()
    def open(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="seakeeping-outbox-"))
        self.clock = FakeClock()
        self.ledger = open_at(f"sqlite:///{self.folder / 'ledger.db'}", self.clock)
        self.outbox = Outbox(self.ledger)
        self.put: dict[tuple[str, str], list[int]] = defaultdict(list)
        self.heard: dict[tuple[str, str], list[int]] = defaultdict(list)
        self.given_up: set[tuple[str, str, int]] = set()
        self.in_hand: list[Delivery] = []

    def teardown(self) -> None:
        self.ledger.close()
        shutil.rmtree(self.folder)

    @rule(group=GROUPS, to=TARGETS, again=st.booleans())
    def put_one(self, group: str, to: str, again: bool) -> None:
        known = self.put[to, group]
        sequence = known[-1] if again and known else len(known)
        new = self.outbox.put(a_message(group_key=group, target=to, sequence=sequence))
        assert new == (sequence not in known)
        if new:
            known.append(sequence)

    @rule(pick=st.integers(0, 5))
    def claim_one(self, pick: int) -> None:
        due = self.outbox.due()
        if due:
            delivery = due[pick % len(due)]
            assert self.outbox.claim(delivery)
            self.in_hand.append(delivery)

    @precondition(lambda self: self.in_hand)
    @rule(pick=st.integers(0, 5), end=st.sampled_from(["settle", "fail", "postpone", "die"]))
    def end_one(self, pick: int, end: str) -> None:
        delivery = self.in_hand.pop(pick % len(self.in_hand))
        told = delivery.notification
        if end == "settle":
            self.outbox.settle(delivery, {})
            self.heard[told.target, told.group_key].append(told.sequence)
        elif end == "fail" and told.sequence not in self.heard[told.target, told.group_key]:
            self.outbox.fail(delivery, "no")
            self.given_up.add((told.target, told.group_key, told.sequence))
        elif end == "postpone":
            self.outbox.postpone(delivery, self.clock.now() + 30, "later")

    @rule(by_s=st.sampled_from([1.0, 30.0, CLAIM_S]))
    def wait(self, by_s: float) -> None:
        self.clock.at += by_s

    @rule()
    def begin_anew(self) -> None:
        self.in_hand.clear()
        self.outbox.recover()

    @invariant()
    def at_most_one_of_a_thread_is_due(self) -> None:
        due = [(d.target, d.thread) for d in self.outbox.due()]
        assert len(due) == len(set(due))

    def drained(self) -> None:
        self.outbox.recover()
        self.clock.at += CLAIM_S
        while due := self.outbox.due():
            self.outbox.claim(due[0])
            self.outbox.settle(due[0], {})
            told = due[0].notification
            self.heard[told.target, told.group_key].append(told.sequence)

    @precondition(lambda self: not self.in_hand)
    @rule()
    def in_the_end_everything_was_heard_in_order(self) -> None:
        self.drained()
        for (target, group), sequences in self.put.items():
            first_heard = list(dict.fromkeys(self.heard[target, group]))
            lost = {s for s in sequences if (target, group, s) in self.given_up}
            assert [s for s in first_heard if s not in lost] == [
                s for s in sequences if s not in lost
            ]
        assert {state for _, state in self.outbox.counts()} <= {
            DeliveryState.DELIVERED,
            DeliveryState.FAILED,
        }


OutboxMachine.TestCase.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
TestOutbox = OutboxMachine.TestCase
