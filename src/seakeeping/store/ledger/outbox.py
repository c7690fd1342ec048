"""The outbox: what is to be told outlives the process that decided it (transactional outbox).

A message is put in one transaction with the decision it tells of, and leaves when its receiver has
taken it. Who sends claims a message first and closes it afterwards; who dies in between leaves a
claim that runs out, so the message goes out again under the same key: at least once, and once at
a receiver that honours the key.

Messages of one group to one target are a thread. Of a thread only the oldest open message is ever
handed out, so no message overtakes an earlier one and nobody reads "resolved" before "firing". A
reminder that did not get out before the next message is superseded by it; nothing else is dropped,
but for the oldest messages beyond ``LIMIT`` to one target, which are failed in plain sight. News
of changes give way to alerts: they go out after them, and are the first to be failed.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, case, exists, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from seakeeping.errors import BadInput
from seakeeping.metrics import ERRORS
from seakeeping.records import JsonObject, Notification
from seakeeping.records.codec import from_json, to_json
from seakeeping.store.ledger.ledger import Ledger
from seakeeping.store.ledger.tables import OUTBOX

LIMIT = 1000
"""Open messages to one target."""

CLAIM_S = 60.0
"""How long who claimed a message may take to send it."""

HORIZON_S = 1800.0
"""Longer than any back-off: a message that is due later than this saw the clock go back."""

KEEP_S = 30 * 86_400.0
"""How long closed messages are kept to be shown, and to know a message that is put again."""

CHANGE = "change"
"""The reason of a message that tells of a change."""

_LAST_WORDS = ("resolved", CHANGE)
"""Reasons after which a thread is begun anew, whatever was told before."""

_ALERTS_FIRST = case((OUTBOX.c.reason == CHANGE, 1), else_=0)
_KEY_LENGTH = 200
_ERROR_LENGTH = 500


class DeliveryState(StrEnum):
    """Where a message stands; the first two are open."""

    WAITING = "waiting"
    SENDING = "sending"
    DELIVERED = "delivered"
    FAILED = "failed"
    SUPERSEDED = "superseded"


_OPEN = (DeliveryState.WAITING.value, DeliveryState.SENDING.value)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message on its way.

    ``key`` is the notification's ``dedup_key`` in at most 200 characters. ``attempts`` counts
    claims. ``error`` is why the last attempt failed. ``receipt`` is what the receiver answered that
    later messages of the thread need, e.g. the place of a Slack message.
    """

    id: int
    key: str
    target: str
    thread: str
    state: DeliveryState
    attempts: int
    due_at: float
    made_at: float
    done_at: float | None
    error: str | None
    notification: Notification
    receipt: JsonObject | None


def key_of(notification: Notification) -> str:
    """Return the deduplication key in at most 200 characters: a long one ends in its hash."""
    key = notification.dedup_key
    if len(key) <= _KEY_LENGTH and key.isprintable():
        return key
    digest = hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()[:32]
    return "".join(c for c in key if c.isprintable())[: _KEY_LENGTH - 33] + "/" + digest


def thread_of(target: str, group_key: str) -> str:
    """Return the identity of the messages of a group to a target: 32 hexadecimal digits."""
    spelt = f"{target}\xff{group_key}".encode(errors="surrogatepass")
    return hashlib.sha256(spelt).hexdigest()[:32]


class Outbox:
    """The messages of one ledger; may be used from many threads."""

    def __init__(self, ledger: Ledger, *, limit: int = LIMIT) -> None:
        self._ledger = ledger
        self._limit = limit

    # putting

    def put(self, *notifications: Notification) -> int:
        """Keep messages to be sent; return how many were new. A message put twice is put once."""
        with self._ledger.transaction() as connection:
            return self.add(connection, notifications)

    def add(self, connection: Connection, notifications: Iterable[Notification]) -> int:
        """Put messages as part of a transaction, e.g. that of the decision they tell of."""
        new = [n for n in notifications if self._insert(connection, n)]
        for target in {n.target for n in new}:
            self._bound(connection, target)
        return len(new)

    def _insert(self, connection: Connection, notification: Notification) -> bool:
        now = self._ledger.clock.now()
        thread = thread_of(notification.target, notification.group_key)
        wanted = _inserting(connection).values(
            dedup_key=key_of(notification),
            target=notification.target,
            thread=thread,
            reason=notification.reason,
            state=DeliveryState.WAITING.value,
            payload=to_json(notification),
            attempts=0,
            due_at=now,
            made_at=now,
        )
        done = connection.execute(wanted.returning(OUTBOX.c.id)).scalar()
        if done is None:
            return False
        connection.execute(
            OUTBOX.update()
            .where(
                OUTBOX.c.thread == thread,
                OUTBOX.c.state == DeliveryState.WAITING.value,
                OUTBOX.c.id < done,
                OUTBOX.c.reason == "repeat",
            )
            .values(state=DeliveryState.SUPERSEDED.value, done_at=now)
        )
        return True

    def _bound(self, connection: Connection, target: str) -> None:
        waiting = (OUTBOX.c.target == target) & (OUTBOX.c.state == DeliveryState.WAITING.value)
        count = connection.scalar(select(func.count()).select_from(OUTBOX).where(waiting)) or 0
        if count <= self._limit:
            return
        oldest = select(OUTBOX.c.id).where(waiting).order_by(_ALERTS_FIRST.desc(), OUTBOX.c.id)
        connection.execute(
            OUTBOX.update()
            .where(OUTBOX.c.id.in_(oldest.limit(count - self._limit)))
            .values(
                state=DeliveryState.FAILED.value,
                done_at=self._ledger.clock.now(),
                error=f"more than {self._limit} messages wait for this target",
            )
        )

    # sending

    def due(self, *, target: str | None = None, limit: int = 100) -> list[Delivery]:
        """Return the oldest open message of each thread that is due.

        Alerts come before changes, then what has been due for longest.
        """
        wanted = select(OUTBOX).where(self._is_due(target))
        order = (_ALERTS_FIRST, OUTBOX.c.due_at, OUTBOX.c.id)
        return self._read(wanted.order_by(*order).limit(limit))

    def due_targets(self) -> list[str]:
        """Return the targets that a message is due for."""
        wanted = select(OUTBOX.c.target).where(self._is_due(None)).distinct()
        with self._ledger.reading() as connection:
            return sorted(connection.scalars(wanted.order_by(OUTBOX.c.target)))

    def _is_due(self, target: str | None) -> ColumnElement[bool]:
        now = self._ledger.clock.now()
        heads = select(func.min(OUTBOX.c.id)).where(OUTBOX.c.state.in_(_OPEN))
        if target is not None:
            heads = heads.where(OUTBOX.c.target == target)
        is_head = OUTBOX.c.id.in_(heads.group_by(OUTBOX.c.thread))
        return is_head & or_(OUTBOX.c.due_at <= now, OUTBOX.c.due_at > now + HORIZON_S)

    def claim(self, delivery: Delivery) -> bool:
        """Take a message to send it now; False where somebody else was faster."""
        return self._change(
            (OUTBOX.c.id == delivery.id)
            & (OUTBOX.c.attempts == delivery.attempts)
            & OUTBOX.c.state.in_(_OPEN),
            state=DeliveryState.SENDING.value,
            attempts=delivery.attempts + 1,
            due_at=self._ledger.clock.now() + CLAIM_S,
        )

    def settle(self, delivery: Delivery, receipt: JsonObject) -> None:
        """Close a message that its receiver has taken."""
        self._close(delivery, DeliveryState.DELIVERED, receipt=dict(receipt), error=None)

    def postpone(self, delivery: Delivery, due_at: float, error: str) -> None:
        """Let a message wait until ``due_at``: its receiver did not take it."""
        self._change(
            (OUTBOX.c.id == delivery.id) & (OUTBOX.c.state == DeliveryState.SENDING.value),
            state=DeliveryState.WAITING.value,
            due_at=due_at,
            error=_storable(error),
        )

    def fail(self, delivery: Delivery, error: str) -> None:
        """Close a message that its receiver will never take."""
        self._close(delivery, DeliveryState.FAILED, error=_storable(error))

    def recover(self) -> int:
        """Make claimed messages due now; return how many.

        For the holder of the controller's lease as it begins: whoever claimed them is gone.
        """
        with self._ledger.transaction() as connection:
            done = connection.execute(
                OUTBOX.update()
                .where(OUTBOX.c.state == DeliveryState.SENDING.value)
                .values(due_at=self._ledger.clock.now())
            )
        return done.rowcount

    def retry(self, delivery_id: int, *, by: str) -> bool:
        """Send a failed message after all; return whether it is on its way again. Audited.

        Not where a later message of its thread is there: that one tells how things stand, and what
        is over would begin anew at the receiver.
        """
        later = OUTBOX.alias("later")
        is_past = exists().where(later.c.thread == OUTBOX.c.thread, later.c.id > OUTBOX.c.id)
        failed = (OUTBOX.c.id == delivery_id) & (OUTBOX.c.state == DeliveryState.FAILED.value)
        failed &= ~is_past
        values = {"state": DeliveryState.WAITING.value, "due_at": self._ledger.clock.now()}
        with self._ledger.transaction() as connection:
            done = connection.execute(
                OUTBOX.update().where(failed).values(done_at=None, error=None, **values)
            )
            if done.rowcount:
                self._ledger.record(connection, by, "notification.retry", str(delivery_id), {})
        return bool(done.rowcount)

    # looking

    def receipt(self, thread: str) -> JsonObject | None:
        """Return the receipt of the last message of a thread that was delivered."""
        wanted = (
            select(OUTBOX.c.receipt)
            .where(OUTBOX.c.thread == thread, OUTBOX.c.state == DeliveryState.DELIVERED.value)
            .order_by(OUTBOX.c.id.desc())
            .limit(1)
        )
        with self._ledger.reading() as connection:
            found: JsonObject | None = connection.scalar(wanted)
        return found

    def latest(self) -> list[Notification]:
        """Return the newest message of every group of alerts: where the router goes on."""
        of_alerts = OUTBOX.c.reason != CHANGE
        newest = select(func.max(OUTBOX.c.id)).where(of_alerts).group_by(OUTBOX.c.thread)
        wanted = select(OUTBOX).where(OUTBOX.c.id.in_(newest)).order_by(OUTBOX.c.id)
        return [delivery.notification for delivery in self._read(wanted)]

    def deliveries(
        self,
        *,
        states: Sequence[DeliveryState] = tuple(DeliveryState),
        target: str | None = None,
        limit: int = 100,
        before: int | None = None,
    ) -> list[Delivery]:
        """Return messages, newest first; ``before`` is the id that the next page begins below."""
        wanted = select(OUTBOX).where(OUTBOX.c.state.in_([s.value for s in states]))
        if target is not None:
            wanted = wanted.where(OUTBOX.c.target == target)
        if before is not None:
            wanted = wanted.where(OUTBOX.c.id < before)
        return self._read(wanted.order_by(OUTBOX.c.id.desc()).limit(limit))

    def counts(self) -> Mapping[tuple[str, DeliveryState], int]:
        """Return how many messages stand where, by target and state."""
        wanted = select(OUTBOX.c.target, OUTBOX.c.state, func.count()).group_by(
            OUTBOX.c.target, OUTBOX.c.state
        )
        with self._ledger.reading() as connection:
            found = connection.execute(wanted).all()
        return {(target, DeliveryState(state)): count for target, state, count in found}

    def prune(self, keep_s: float = KEEP_S) -> int:
        """Delete messages closed longer ago than ``keep_s``; return how many.

        The newest message of a thread stays while it is the router's memory of what was told: not
        where it told of an end or of a change.
        """
        newest = select(func.max(OUTBOX.c.id)).group_by(OUTBOX.c.thread)
        with self._ledger.transaction() as connection:
            done = connection.execute(
                OUTBOX.delete().where(
                    OUTBOX.c.state.not_in(_OPEN),
                    OUTBOX.c.done_at < self._ledger.clock.now() - keep_s,
                    or_(OUTBOX.c.id.not_in(newest), OUTBOX.c.reason.in_(_LAST_WORDS)),
                )
            )
        return done.rowcount

    def _close(self, delivery: Delivery, state: DeliveryState, **values: Any) -> None:
        self._change(
            (OUTBOX.c.id == delivery.id) & OUTBOX.c.state.in_(_OPEN),
            state=state.value,
            done_at=self._ledger.clock.now(),
            **values,
        )

    def _change(self, where: Any, **values: Any) -> bool:
        with self._ledger.transaction() as connection:
            return bool(connection.execute(OUTBOX.update().where(where).values(**values)).rowcount)

    def _read(self, wanted: Select[Any]) -> list[Delivery]:
        with self._ledger.reading() as connection:
            return [d for row in connection.execute(wanted).all() if (d := self._one(row))]

    def _one(self, row: Row[Any]) -> Delivery | None:
        try:
            return _delivery(row)
        except BadInput as error:
            # a newer Seakeeping wrote it; it must not hold up the messages that can be read
            ERRORS.labels("outbox", type(error).__name__).inc()
            return None


def _storable(text: str) -> str:
    """Return text that every database holds: no NUL, no half of a surrogate pair."""
    return text.replace("\0", "").encode(errors="replace").decode()[:_ERROR_LENGTH]


def _inserting(connection: Connection) -> Any:
    """Return an INSERT that leaves a message that is known as it is."""
    kind = postgresql if connection.dialect.name == "postgresql" else sqlite
    return kind.insert(OUTBOX).on_conflict_do_nothing(index_elements=["dedup_key"])


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(
        id=row.id,
        key=row.dedup_key,
        target=row.target,
        thread=row.thread,
        state=DeliveryState(row.state),
        attempts=row.attempts,
        due_at=row.due_at,
        made_at=row.made_at,
        done_at=row.done_at,
        error=row.error,
        notification=from_json(Notification, row.payload, f"outbox {row.id}"),
        receipt=row.receipt,
    )
