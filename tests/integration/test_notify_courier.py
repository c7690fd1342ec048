"""The courier: order, back-off, pace, targets that come and go, and a ledger that goes away."""

import itertools
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError
from tests.receivers.http import Receiver, Reply
from tests.receivers.samples import Rig, a_message, a_resolution, an_alert
from tests.receivers.webhooks import WebhookReceiver

from seakeeping.clock import SystemClock
from seakeeping.decide.notify.courier import GONE_FOR_S, Courier
from seakeeping.decide.notify.lane import MOST_SURPRISES, Lane, Tally
from seakeeping.decide.notify.pace import LONGEST_S
from seakeeping.errors import Unavailable
from seakeeping.metrics import ERRORS, NOTIFICATIONS
from seakeeping.records import NotificationTarget, TargetKind
from seakeeping.store.ledger import Ledger
from seakeeping.store.ledger.ledger import LedgerUnavailable
from seakeeping.store.ledger.outbox import DeliveryState, Outbox, key_of


@pytest.fixture
def receiver() -> Iterator[WebhookReceiver]:
    with WebhookReceiver() as running:
        yield running


def target(url: str, name: str = "it", **options: str) -> NotificationTarget:
    return NotificationTarget(name, TargetKind.WEBHOOK, url, options=options)


def sequences(receiver: Receiver) -> list[str]:
    return [r.headers["webhook-id"].rpartition("/")[2] for r in receiver.requests]


def test_what_is_due_goes_out_in_order(receiver: WebhookReceiver) -> None:
    rig = Rig(target(receiver.url))
    rig.outbox.put(a_message(), a_message(sequence=2), a_resolution(3))
    assert rig.courier.deliver_due() == Tally(delivered=3)
    assert rig.courier.deliver_due() == Tally()
    assert sequences(receiver) == ["1", "2", "3"]


def test_an_idle_courier_asks_nobody(receiver: WebhookReceiver) -> None:
    rig = Rig(target(receiver.url))
    assert rig.courier.deliver_due() == Tally()
    assert receiver.requests == []


def test_a_target_that_fails_is_asked_with_one_message_at_a_time(
    receiver: WebhookReceiver,
) -> None:
    receiver.disturb = lambda request: Reply(503)
    rig = Rig(target(receiver.url))
    rig.outbox.put(*(a_message(group_key=f"g{i}") for i in range(20)))
    assert rig.courier.deliver_due() == Tally(postponed=1)
    assert rig.courier.deliver_due() == Tally()
    assert len(receiver.requests) == 1
    receiver.disturb = lambda request: None
    rig.clock.at += LONGEST_S
    assert rig.courier.deliver_due() == Tally(delivered=20)


def test_the_pauses_grow_up_to_five_minutes(receiver: WebhookReceiver) -> None:
    receiver.disturb = lambda request: Reply(503)
    rig = Rig(target(receiver.url))
    rig.outbox.put(a_message())
    began, asked = rig.clock.at, []
    while rig.clock.at < began + 3600:
        rig.clock.at += 1
        if rig.courier.deliver_due() != Tally():
            asked.append(rig.clock.at)
    pauses = [later - earlier for earlier, later in itertools.pairwise(asked)]
    assert max(pauses) <= LONGEST_S + 1
    assert all(pause >= LONGEST_S / 2 for pause in pauses[8:])
    assert pauses[0] <= 5
    assert 15 <= len(asked) <= 35


def test_a_message_that_a_target_cannot_take_holds_up_no_other_group(
    receiver: WebhookReceiver,
) -> None:
    receiver.disturb = lambda r: Reply(500) if "/bad/" in r.headers["webhook-id"] else None
    rig = Rig(target(receiver.url))
    rig.outbox.put(a_message(group_key="bad"), a_message(group_key="good"))
    rig.courier.deliver_due()
    for sequence in range(2, 30):
        rig.outbox.put(a_message(group_key="good", sequence=sequence))
        rig.clock.at += 60
        rig.courier.deliver_due()
    assert len(receiver.acted) >= 27


def test_what_is_wrong_for_good_lets_the_next_message_out(receiver: WebhookReceiver) -> None:
    receiver.disturb = lambda r: Reply(422) if r.headers["webhook-id"].endswith("/1") else None
    rig = Rig(target(receiver.url))
    rig.outbox.put(a_message(), a_resolution(2))
    assert rig.courier.deliver_due() == Tally(delivered=1, failed=1)
    assert rig.states == [DeliveryState.FAILED, DeliveryState.DELIVERED]


def test_the_pace_of_a_target_is_kept(receiver: WebhookReceiver) -> None:
    rig = Rig(target(receiver.url, per_minute="30"))
    rig.outbox.put(*(a_message(group_key=f"g{i}") for i in range(45)))
    rig.courier.deliver_due()
    assert len(receiver.requests) == 30
    rig.clock.at += 20
    rig.courier.deliver_due()
    assert len(receiver.requests) == 40


def test_targets_come_change_and_go(receiver: WebhookReceiver) -> None:
    rig = Rig()
    rig.send(a_message())
    assert rig.states == [DeliveryState.WAITING]
    rig.courier.hold([target("http://127.0.0.1:1")])
    rig.courier.deliver_due()
    assert rig.error == "127.0.0.1: Connection refused"
    rig.courier.hold([target(receiver.url)])
    rig.clock.at += LONGEST_S
    assert rig.courier.deliver_due() == Tally(delivered=1)


def test_a_reload_forgets_no_pause(receiver: WebhookReceiver) -> None:
    receiver.disturb = lambda request: Reply(503)
    rig = Rig(target(receiver.url))
    rig.outbox.put(a_message(), a_message(group_key="other"))
    rig.courier.deliver_due()
    rig.courier.hold([target(receiver.url)])
    rig.courier.deliver_due()
    assert len(receiver.requests) == 1


def test_the_messages_of_a_target_that_is_gone_are_given_up_after_an_hour() -> None:
    rig = Rig()
    rig.outbox.put(a_message(), a_resolution())
    rig.courier.deliver_due()
    rig.clock.at += GONE_FOR_S - 1
    rig.courier.deliver_due()
    assert rig.states == [DeliveryState.WAITING] * 2
    rig.clock.at += 1
    rig.courier.deliver_due()
    rig.courier.deliver_due()
    assert rig.states == [DeliveryState.FAILED] * 2
    assert rig.error == "there is no target 'it' any more"


def test_a_target_that_comes_back_within_the_hour_gets_its_messages(
    receiver: WebhookReceiver,
) -> None:
    rig = Rig()
    rig.send(a_message())
    rig.clock.at += GONE_FOR_S - 1
    rig.courier.hold([target(receiver.url)])
    rig.courier.deliver_due()
    rig.courier.hold([])
    rig.send(a_message(sequence=2))
    rig.clock.at += GONE_FOR_S - 1
    rig.courier.deliver_due()
    assert rig.states == [DeliveryState.DELIVERED, DeliveryState.WAITING]


def test_a_message_that_breaks_us_is_given_up_at_last_and_stops_no_other(
    receiver: WebhookReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Rig(target(receiver.url))
    rig.outbox.put(a_message([an_alert("broken")], group_key="broken"), a_message())

    def page_of(*args: Any) -> str:
        raise ZeroDivisionError("s3cr3t")

    monkeypatch.setattr("seakeeping.decide.notify.webhook.generator_url", page_of)
    for _ in range(2 * MOST_SURPRISES):
        rig.clock.at += LONGEST_S
        rig.courier.deliver_due()
    assert rig.states == [DeliveryState.FAILED] * 2
    assert rig.error == "unexpected ZeroDivisionError"


def test_outcomes_are_counted(receiver: WebhookReceiver) -> None:
    def count(outcome: str) -> float:
        return float(NOTIFICATIONS.labels("webhook", outcome)._value.get())

    before = [count(outcome) for outcome in ("delivered", "postponed", "failed")]
    answers = iter([Reply(200), Reply(400), Reply(503)])
    receiver.disturb = lambda request: next(answers)
    rig = Rig(target(receiver.url))
    rig.outbox.put(*(a_message(group_key=f"g{i}") for i in range(3)))
    rig.courier.deliver_due()
    after = [count(outcome) for outcome in ("delivered", "postponed", "failed")]
    assert [b - a for a, b in zip(before, after, strict=True)] == [1, 1, 1]


class FailingLedger(Ledger):
    """A ledger that can be taken away."""

    is_away = False

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        if self.is_away:
            raise LedgerUnavailable("the ledger does not answer")
        with super().transaction() as connection:
            yield connection


def test_a_ledger_that_goes_away_while_a_message_is_out_doubles_nothing(
    receiver: WebhookReceiver,
) -> None:
    rig = Rig()
    ledger = FailingLedger(rig.ledger._engine, rig.clock)
    outbox = Outbox(ledger)
    courier = Courier(outbox, [target(receiver.url)], rig.clock, environ={})
    outbox.put(a_message(), a_resolution(2))

    def pull_the_plug(request: object) -> None:
        ledger.is_away = True

    receiver.disturb = pull_the_plug
    for _ in range(3):
        with pytest.raises(Unavailable):
            courier.deliver_due()
    assert len(receiver.requests) == 1
    ledger.is_away = False
    receiver.disturb = lambda request: None
    rig.clock.at += 600
    assert courier.deliver_due() == Tally(delivered=1)
    assert receiver.deliveries == [key_of(a_message()), key_of(a_resolution(2))]


class Running:
    """A courier in a thread of its own, as the controller runs it."""

    def __init__(
        self, outbox: Outbox, targets: Callable[[], Iterable[NotificationTarget] | None]
    ) -> None:
        self.courier = Courier(outbox, (), SystemClock(), environ={})
        self.stopping = threading.Event()
        self.thread = threading.Thread(
            target=self.courier.run, args=(self.stopping, targets), kwargs={"pause_s": 30}
        )

    def __enter__(self) -> Courier:
        self.thread.start()
        return self.courier

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self.courier.wake()
        self.thread.join(10)
        assert not self.thread.is_alive()


def test_a_running_courier_delivers_when_it_is_woken(receiver: WebhookReceiver) -> None:
    rig = Rig()
    ledger = FailingLedger(rig.ledger._engine, SystemClock())
    outbox = Outbox(ledger)
    ledger.is_away = True
    with Running(outbox, lambda: [target(receiver.url)]) as courier:
        wait_until(lambda: not courier._woken.is_set())
        ledger.is_away = False
        outbox.put(a_message())
        courier.wake()
        wait_until(lambda: bool(receiver.acted))


@pytest.mark.parametrize("error", [ValueError("a bug"), SQLAlchemyError("odd"), RuntimeError()])
def test_a_courier_outlives_whatever_goes_wrong(
    receiver: WebhookReceiver, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    rig, failed = Rig(), threading.Event()

    def broken(*_: object, **__: object) -> Tally:
        failed.set()
        raise error

    before = counted("courier", error)
    rig.outbox.put(a_message())
    with monkeypatch.context() as patched:
        patched.setattr(Lane, "run", broken)
        with Running(rig.outbox, lambda: [target(receiver.url)]) as courier:
            assert failed.wait(10)
            wait_until(lambda: counted("courier", error) == before + 1)
            patched.undo()
            courier.wake()
            wait_until(lambda: bool(receiver.acted))


def test_a_lane_that_is_broken_is_counted_and_the_other_delivers(
    receiver: WebhookReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("one", "two", "hook")
    rig = Rig(*(replace(target(receiver.url), name=name) for name in names))
    real, before = Lane.run, counted("courier", ValueError())

    def broken(lane: Lane) -> Tally:
        if lane.target.name != "hook":
            raise ValueError(f"a bug of {lane.target.name}")
        return real(lane)

    monkeypatch.setattr(Lane, "run", broken)
    rig.outbox.put(*(replace(a_message(), target=name) for name in names))
    with pytest.raises(ValueError, match="a bug of"):
        rig.courier.deliver_due()
    assert len(receiver.acted) == 1
    assert counted("courier", ValueError()) == before + 1, "the one that is not raised"


def test_a_courier_that_is_not_to_deliver_claims_nothing(receiver: WebhookReceiver) -> None:
    rig, asked = Rig(), threading.Event()
    leads = threading.Event()

    def targets() -> list[NotificationTarget] | None:
        asked.set()
        return [target(receiver.url)] if leads.is_set() else None

    rig.outbox.put(a_message())
    with Running(rig.outbox, targets) as courier:
        assert asked.wait(10)
        asked.clear()
        courier.wake()
        assert asked.wait(10)
        assert receiver.requests == []
        leads.set()
        courier.wake()
        wait_until(lambda: bool(receiver.acted))


def counted(where: str, error: Exception) -> float:
    value: float = ERRORS.labels(where, type(error).__name__)._value.get()
    return value


def wait_until(is_so: Any) -> None:
    deadline = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("jump_s", [-86_400.0, -3600.0, 3600.0, 86_400.0])
def test_a_clock_that_jumps_loses_and_doubles_nothing(
    receiver: WebhookReceiver, jump_s: float
) -> None:
    receiver.disturb = lambda r: Reply(503) if len(receiver.requests) == 1 else None
    rig = Rig(target(receiver.url))
    rig.send(a_message())
    rig.outbox.put(a_resolution())
    rig.clock.jump(jump_s)
    for _ in range(60):  # an hour: what was due later than any back-off is due at once
        rig.clock.at += 60
        rig.courier.deliver_due()
    assert len(receiver.deliveries) == len(receiver.acted) == 2
