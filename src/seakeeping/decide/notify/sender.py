"""The door of every kind of target: one message out, a receipt back."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from seakeeping.clock import Clock, SystemClock
from seakeeping.decide.notify.exchange import TIMEOUT_S
from seakeeping.records import Alert, JsonObject, Notification, NotificationTarget

Live = Callable[[NotificationTarget], Sequence[Alert]]
"""The alerts of a target as they stand: firing ones, and those that ended minutes ago."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """A message as it is handed over.

    ``key`` is the same at every attempt. ``attempt`` counts from 1; from the second on the receiver
    may have taken the message already. ``receipt`` is what the last delivered message of the same
    group brought back, None before there was one. ``thread`` is the group's identity.
    """

    notification: Notification
    key: str
    thread: str
    attempt: int = 1
    receipt: JsonObject | None = None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What senders need beside their target.

    ``environ`` holds the secrets, read with every message. ``external_url`` is where people find
    the pages, empty where nobody said. ``timeout_s`` bounds one exchange. ``live`` tells what still
    fires; None where only messages are known.
    """

    clock: Clock = field(default_factory=SystemClock)
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    external_url: str = ""
    timeout_s: float = TIMEOUT_S
    live: Live | None = None


@runtime_checkable
class Sender(Protocol):
    """Speaks to one target; used by one thread at a time."""

    def send(self, envelope: Envelope) -> JsonObject:
        """Hand a message over and return what later messages of its group need to know.

        Raises:
            DeliveryFailed: the receiver did not take it; it is sent again later.
            Undeliverable: the receiver will never take it.
        """
        ...


@runtime_checkable
class Refreshing(Protocol):
    """A sender whose receiver forgets what it is not told again."""

    def refresh(self) -> None:
        """Tell again what still holds, if it is time; raises DeliveryFailed."""
        ...
