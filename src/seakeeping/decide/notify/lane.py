"""The lane of one target: its messages go out one by one, in order, at its pace.

A target that fails is left alone for a while, whatever waits for it, and then asked with one
message; a message that only it would not take goes to the end of the queue with a longer wait. A
target that hangs holds up its own lane alone.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass

from seakeeping.decide.notify.failures import DeliveryFailed, Undeliverable
from seakeeping.decide.notify.pace import LONGEST_S, Bucket, back_off_s, rate_of
from seakeeping.decide.notify.sender import Envelope, Refreshing, Sender, Surroundings
from seakeeping.decide.notify.senders import sender_of
from seakeeping.decide.notify.wording import bounded
from seakeeping.errors import Unavailable
from seakeeping.metrics import ERRORS, NOTIFICATIONS
from seakeeping.records import JsonObject, Notification, NotificationTarget, TargetKind
from seakeeping.store.ledger.outbox import Delivery, Outbox

MOST_SURPRISES = 5
"""Attempts at a message that ends in an error nobody foresaw."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of the messages that were tried."""

    delivered: int = 0
    postponed: int = 0
    failed: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.delivered + other.delivered,
            self.postponed + other.postponed,
            self.failed + other.failed,
        )


class Lane:
    """One target and what is on its way to it; used by one thread at a time."""

    def __init__(
        self,
        target: NotificationTarget,
        outbox: Outbox,
        surroundings: Surroundings,
        mask: Callable[[str], str],
        chance: random.Random,
    ) -> None:
        self.target = target
        self._outbox = outbox
        self._clock = surroundings.clock
        self._mask = mask
        self._chance = chance
        self._sender: Sender = sender_of(target, surroundings)
        self._bucket = Bucket(rate_of(target), self._clock.monotonic())
        self._takes_all = target.kind is TargetKind.ALERTMANAGER
        self._failures = 0
        self._paused_until = float("-inf")
        self._unsettled: list[tuple[Delivery, JsonObject]] = []

    @property
    def is_paused(self) -> bool:
        """Whether the target failed and is left alone."""
        return self._clock.monotonic() < self._paused_until

    @property
    def has_own_work(self) -> bool:
        """Whether there is something to do where no message is due."""
        return bool(self._unsettled) or isinstance(self._sender, Refreshing)

    def run(self) -> Tally:
        """Send what is due; raises Unavailable where the ledger does not answer."""
        self._settle_late()
        tally = Tally()
        while not self.is_paused:
            due = self._outbox.due(target=self.target.name, limit=20)
            for delivery in due:
                if self.is_paused or not self._bucket.take(self._clock.monotonic()):
                    return tally
                if self._outbox.claim(delivery):
                    tally += self._handle(delivery)
            if not due:
                self._refresh()
                break
        return tally

    def _settle_late(self) -> None:
        """Close what was delivered while the ledger was away, before it is sent again."""
        while self._unsettled:
            self._outbox.settle(*self._unsettled[0])
            self._unsettled.pop(0)

    def _handle(self, delivery: Delivery) -> Tally:
        try:
            receipt = self._sender.send(self._envelope(delivery))
        except Undeliverable as error:
            return self._fail(delivery, error)
        except DeliveryFailed as error:
            return self._postpone(delivery, error)
        except Unavailable:
            raise  # the ledger, not the target
        except Exception as error:  # a message that breaks us must not stop the others
            ERRORS.labels("notify", type(error).__name__).inc()
            if delivery.attempts + 1 >= MOST_SURPRISES:
                return self._fail(delivery, error)
            return self._postpone(delivery, error)
        return self._settle(delivery, receipt)

    def _envelope(self, delivery: Delivery) -> Envelope:
        return Envelope(
            notification=self._fit(delivery.notification),
            key=delivery.key,
            thread=delivery.thread,
            attempt=delivery.attempts + 1,
            receipt=self._outbox.receipt(delivery.thread),
        )

    def _fit(self, notification: Notification) -> Notification:
        # an Alertmanager takes every alert; it is told many at once, not many in words
        return notification if self._takes_all else bounded(notification)

    def _settle(self, delivery: Delivery, receipt: JsonObject) -> Tally:
        self._failures = 0
        NOTIFICATIONS.labels(self.target.kind.value, "delivered").inc()
        try:
            self._outbox.settle(delivery, receipt)
        except Unavailable:
            self._unsettled.append((delivery, receipt))
            raise
        return Tally(delivered=1)

    def _postpone(self, delivery: Delivery, error: Exception) -> Tally:
        self._pause(error)
        wait_s = max(self._asked_s(error), back_off_s(delivery.attempts + 1, self._chance))
        NOTIFICATIONS.labels(self.target.kind.value, "postponed").inc()
        self._outbox.postpone(delivery, self._clock.now() + wait_s, self._told(error))
        return Tally(postponed=1)

    def _fail(self, delivery: Delivery, error: Exception) -> Tally:
        NOTIFICATIONS.labels(self.target.kind.value, "failed").inc()
        self._outbox.fail(delivery, self._told(error))
        return Tally(failed=1)

    def _refresh(self) -> None:
        if not isinstance(self._sender, Refreshing):
            return
        try:
            self._sender.refresh()
        except (DeliveryFailed, Undeliverable) as error:
            ERRORS.labels("notify", type(error).__name__).inc()
            self._pause(error)

    def _pause(self, error: Exception) -> None:
        self._failures += 1
        wait_s = max(self._asked_s(error), back_off_s(self._failures, self._chance))
        self._paused_until = self._clock.monotonic() + wait_s

    def _asked_s(self, error: Exception) -> float:
        return min(error.retry_after_s, 3 * LONGEST_S) if isinstance(error, DeliveryFailed) else 0.0

    def _told(self, error: Exception) -> str:
        """Return an error in words without secrets; one that nobody foresaw by its name only."""
        if isinstance(error, DeliveryFailed | Undeliverable):
            return self._mask(str(error))
        return f"unexpected {type(error).__name__}"
