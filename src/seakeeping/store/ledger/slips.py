"""The outbox as people look at it: a line a message, without the message.

A message may hold hundreds of alerts with all they say, and a page shows fifty messages and looks
again every other second. So only what a line needs is made of each, and a message larger than that
is worth is left in the database; its key still says which group it is of. (PostgreSQL could pick
the fields itself, but stops at half a surrogate pair, which the text of a model may hold.)
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, Text, case, cast, exists, func, select

from seakeeping.errors import BadInput
from seakeeping.metrics import ERRORS
from seakeeping.records import Change
from seakeeping.records.codec import from_json
from seakeeping.store.ledger.ledger import Ledger
from seakeeping.store.ledger.outbox import DeliveryState
from seakeeping.store.ledger.tables import OUTBOX

LARGEST_READ = 65_536
"""Characters of a message that is read for its line."""

_LATER = OUTBOX.alias("later")
_PAYLOAD = OUTBOX.c.payload
_SHOWN = (
    OUTBOX.c.id, OUTBOX.c.dedup_key, OUTBOX.c.target, OUTBOX.c.reason, OUTBOX.c.state,
    OUTBOX.c.attempts, OUTBOX.c.due_at, OUTBOX.c.made_at, OUTBOX.c.done_at, OUTBOX.c.error,
    case((func.length(cast(_PAYLOAD, Text)) <= LARGEST_READ, _PAYLOAD)).label("payload"),
    exists().where(_LATER.c.thread == OUTBOX.c.thread, _LATER.c.id > OUTBOX.c.id).label("is_past"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Slip:
    """What is shown of a message.

    ``labels`` are those of the group and those that all its alerts share; ``alerts`` counts them,
    None where the message is too large to be read for a line, and then ``labels`` are not known.
    ``is_past`` says that a later message of the group to the same target is there. The other fields
    are those of ``Delivery`` and ``Notification``.
    """

    id: int
    key: str
    target: str
    reason: str
    state: DeliveryState
    attempts: int
    due_at: float
    made_at: float
    done_at: float | None
    error: str | None
    labels: Mapping[str, str]
    alerts: int | None
    change: Change | None
    incident_id: str | None
    is_past: bool


class Slips:
    """The lines of one ledger's outbox; may be used from many threads."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def find(
        self,
        *,
        state: DeliveryState | None = None,
        target: str | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> list[Slip]:
        """Return messages, newest first; ``before`` is the id that the next page begins below."""
        wanted = select(*_SHOWN)
        if state is not None:
            wanted = wanted.where(OUTBOX.c.state == state.value)
        if target is not None:
            wanted = wanted.where(OUTBOX.c.target == target)
        if before is not None:
            wanted = wanted.where(OUTBOX.c.id < before)
        return self._read(wanted.order_by(OUTBOX.c.id.desc()).limit(limit))

    def get(self, delivery_id: int) -> Slip | None:
        """Return one message, None where there is none of that id."""
        return next(iter(self._read(select(*_SHOWN).where(OUTBOX.c.id == delivery_id))), None)

    def _read(self, wanted: Select[Any]) -> list[Slip]:
        with self._ledger.reading() as connection:
            return [_slip(row) for row in connection.execute(wanted).all()]


def _slip(row: Row[Any]) -> Slip:
    payload: Mapping[str, Any] = row.payload or {}
    incident = payload.get("incident") or {}
    return Slip(
        id=row.id, key=row.dedup_key, target=row.target, reason=row.reason,
        state=DeliveryState(row.state), attempts=row.attempts, due_at=row.due_at,
        made_at=row.made_at, done_at=row.done_at, error=row.error,
        labels={**payload.get("group_labels", {}), **payload.get("common_labels", {})},
        alerts=len(payload["alerts"]) if "alerts" in payload else None,
        change=_change(payload.get("change"), f"outbox {row.id}"),
        incident_id=incident.get("id"), is_past=bool(row.is_past),
    )  # fmt: skip


def _change(given: object, place: str) -> Change | None:
    try:
        return None if given is None else from_json(Change, given, place)
    except BadInput as error:  # a newer Seakeeping wrote it; the other lines can be read
        ERRORS.labels("slips", type(error).__name__).inc()
        return None
