"""What was told to whom, and what is still on its way: the outbox as pages and API show it.

Errors are shown as the courier kept them, with every secret masked. A message that its receiver
refused can be sent after all, unless a later one of its group tells how things stand.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from seakeeping.decide.notify.wording import change_line
from seakeeping.errors import BadInput, NotFound, Refused
from seakeeping.records import NotificationTarget, TargetKind
from seakeeping.store.filters import Page
from seakeeping.store.ledger import Ledger
from seakeeping.store.ledger.outbox import DeliveryState, Outbox
from seakeeping.store.ledger.slips import Slip, Slips

MOST_TARGETS = 200
"""That are listed."""

_LONGEST_ID = 18
"""Digits; what is longer fits no column."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message to a target, and where it stands.

    ``kind`` is how the target is spoken to, null where there is no such target now. ``about`` says
    in a line what is told, ``reason`` why then (new, changed, repeat, acknowledged, resolved,
    change). ``state`` is waiting, sending, delivered, failed or superseded; ``attempts`` counts,
    ``due_at`` is the next one's moment and means nothing once ``done_at`` is there. ``error`` is
    why the last one failed. ``key`` is what the receiver knows a repeated delivery by.
    """

    id: int
    key: str
    target: str
    kind: TargetKind | None
    about: str
    reason: str
    state: DeliveryState
    attempts: int
    made_at: float
    due_at: float
    done_at: float | None
    error: str | None
    incident_id: str | None
    can_be_retried: bool


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """Which deliveries; None asks for any."""

    target: str | None = None
    state: DeliveryState | None = None


@dataclass(frozen=True, slots=True)
class TargetStanding:
    """How many messages to a target stand where; ``kind`` as in ``Delivery``."""

    name: str
    kind: TargetKind | None
    counts: Mapping[DeliveryState, int]

    @property
    def waiting(self) -> int:
        """Messages that are on their way."""
        return sum(self.counts.get(s, 0) for s in (DeliveryState.WAITING, DeliveryState.SENDING))

    @property
    def failed(self) -> int:
        """Messages that were given up."""
        return self.counts.get(DeliveryState.FAILED, 0)

    @property
    def delivered(self) -> int:
        """Messages that were taken, of those that are still kept."""
        return self.counts.get(DeliveryState.DELIVERED, 0)


class Deliveries:
    """The deliveries of one ledger; every method may block, and raise Unavailable.

    ``targets`` returns those that are in force.
    """

    def __init__(self, ledger: Ledger, targets: Callable[[], Iterable[NotificationTarget]]) -> None:
        self._slips = Slips(ledger)
        self._outbox = Outbox(ledger)
        self._targets = targets

    def page(self, where: DeliveryFilter, *, limit: int, cursor: str | None) -> Page[Delivery]:
        """Return deliveries, newest first; raises BadInput for a cursor that is none."""
        before = None if cursor is None else _number(cursor)
        if cursor is not None and before is None:
            raise BadInput(f"{cursor!r} is no cursor", hint="take the `next` of the page before")
        found = self._slips.find(
            state=where.state, target=where.target, before=before, limit=limit + 1
        )
        kinds = self._kinds()
        items = [_delivery(slip, kinds) for slip in found[:limit]]
        return Page(items, str(items[-1].id) if len(found) > limit else None)

    def standing(self) -> Sequence[TargetStanding]:
        """Return every target that is in force or was told something, by name."""
        counts, kinds = self._outbox.counts(), self._kinds()
        names = sorted({*kinds, *(target for target, _ in counts)})
        return [
            TargetStanding(
                name,
                kinds.get(name),
                {s: counts[name, s] for s in DeliveryState if (name, s) in counts},
            )
            for name in names[:MOST_TARGETS]
        ]

    def retry(self, delivery_id: str, by: str) -> Delivery:
        """Send a failed message after all; one that is on its way or there is left as it is.

        Raises NotFound, and Refused where a later message took its place.
        """
        number = _number(delivery_id)
        is_sent = number is not None and self._outbox.retry(number, by=by)
        slip = None if number is None else self._slips.get(number)
        if slip is None:
            raise NotFound(f"no delivery {delivery_id!r}", hint="GET /api/deliveries lists them")
        if not is_sent and slip.state in (DeliveryState.FAILED, DeliveryState.SUPERSEDED):
            raise Refused(
                f"a later message to {slip.target} of the same group tells how things stand",
                status=409,
                hint="retry the last one of the group",
            )
        return _delivery(slip, self._kinds())

    def _kinds(self) -> Mapping[str, TargetKind]:
        return {target.name: target.kind for target in self._targets()}


def _number(text: str) -> int | None:
    is_one = text.isascii() and text.isdigit() and len(text) <= _LONGEST_ID
    return int(text) if is_one else None


def _delivery(slip: Slip, kinds: Mapping[str, TargetKind]) -> Delivery:
    return Delivery(
        id=slip.id, key=slip.key, target=slip.target, kind=kinds.get(slip.target),
        about=about(slip), reason=slip.reason, state=slip.state, attempts=slip.attempts,
        made_at=slip.made_at, due_at=slip.due_at, done_at=slip.done_at, error=slip.error,
        incident_id=slip.incident_id,
        can_be_retried=slip.state is DeliveryState.FAILED and not slip.is_past,
    )  # fmt: skip


def about(slip: Slip) -> str:
    """Return in a line what a message tells; its key where it is too large to be read for that."""
    if slip.change is not None:
        return change_line(slip.change)
    service, slo = (slip.labels.get(name, "") for name in ("service", "slo"))
    known = (slip.labels.get("alertname"), service, slo.removeprefix(f"{service}/"))
    names = [name for name in known if name]
    if not names:
        return slip.key
    alerts = f" ({slip.alerts} alerts)" if (slip.alerts or 0) > 1 else ""
    return " / ".join(names) + alerts
