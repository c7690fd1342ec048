"""The changes of the ledger: each told once, however often it is told."""

from collections.abc import Iterable

from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError

from seakeeping.records import Change
from seakeeping.records.codec import from_json, to_json
from seakeeping.store.ledger.ledger import Ledger
from seakeeping.store.ledger.tables import CHANGES

KEEP_S = 400 * 86_400.0
"""How long changes are kept: a year and a month."""

_MOST_AT_ONCE = 500


class Changes:
    """The changes of one ledger; may be used from many threads."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def put(self, changes: Iterable[Change], *, by: str) -> list[Change]:
        """Keep changes; return those that were not known. One that is known stays as it was."""
        new = []
        for change in {change.id: change for change in changes}.values():
            try:
                with self._ledger.transaction() as connection:
                    if self._put(connection, change, by):
                        new.append(change)
            except IntegrityError:
                continue  # another node was told the same in the same moment
        return new

    def find(
        self, *, target: str | None = None, start: float, end: float, limit: int = 1000
    ) -> list[Change]:
        """Return the changes made in ``start <= at < end``, the newest first."""
        wanted = select(CHANGES.c.document).where(CHANGES.c.at >= start, CHANGES.c.at < end)
        if target is not None:
            wanted = wanted.where(CHANGES.c.target == _text(target))
        wanted = wanted.order_by(CHANGES.c.at.desc(), CHANGES.c.id).limit(limit)
        with self._ledger.reading() as connection:
            return [from_json(Change, document) for document in connection.scalars(wanted)]

    def get(self, ids: Iterable[str]) -> list[Change]:
        """Return the changes of these ids that are known, the oldest first."""
        wanted = list(dict.fromkeys(ids))[:_MOST_AT_ONCE]
        found = select(CHANGES.c.document).where(CHANGES.c.id.in_(wanted)).order_by(CHANGES.c.at)
        with self._ledger.reading() as connection:
            return [from_json(Change, document) for document in connection.scalars(found)]

    def prune(self, keep_s: float = KEEP_S) -> int:
        """Delete changes made longer ago than ``keep_s``; return how many."""
        with self._ledger.transaction() as connection:
            oldest = self._ledger.clock.now() - keep_s
            return connection.execute(CHANGES.delete().where(CHANGES.c.at < oldest)).rowcount

    def _put(self, connection: Connection, change: Change, by: str) -> bool:
        known = select(CHANGES.c.id).where(CHANGES.c.id == change.id)
        if connection.scalar(known) is not None:
            return False
        connection.execute(
            CHANGES.insert().values(
                id=change.id, target=_text(change.target), at=change.at, document=to_json(change)
            )
        )
        detail = {"kind": change.kind.value, "target": change.target, "after": change.after}
        self._ledger.record(connection, by, "change.put", change.id, detail)
        return True


def _text(text: str) -> str:
    return text.replace("\0", "")  # PostgreSQL holds none in a text
