"""Snapshots: what the controller knows at the moment, for whoever shows it or goes on after it.

Each name holds one body, and a newer one takes its place. They are no decisions, and come every few
seconds, so they are not audited.
"""

from dataclasses import dataclass

from sqlalchemy import select

from seakeeping.store.ledger.ledger import Ledger
from seakeeping.store.ledger.tables import SNAPSHOTS

READINGS = "readings"
"""The readings of all objectives (``observe.snapshot``)."""

BOOK = "book"
"""What the book of budgets goes on from after a restart."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A body, and when it was made (Unix seconds)."""

    at: float
    body: bytes


class Snapshots:
    """The snapshots of one ledger; may be used from many threads."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def put(self, name: str, at: float, body: bytes) -> None:
        """Put a snapshot in the place of the last one. Raises LedgerUnavailable."""
        with self._ledger.transaction() as connection:
            values = {"at": at, "body": body}
            changed = connection.execute(
                SNAPSHOTS.update().where(SNAPSHOTS.c.name == name).values(values)
            )
            if changed.rowcount == 0:
                connection.execute(SNAPSHOTS.insert().values(name=name, **values))

    def get(self, name: str, unlike: float | None = None) -> Snapshot | None:
        """Return a snapshot; None where there is none, or only the one made at ``unlike``.

        So who looks often reads the body only when it is another. Raises LedgerUnavailable.
        """
        query = select(SNAPSHOTS.c.at, SNAPSHOTS.c.body).where(SNAPSHOTS.c.name == name)
        if unlike is not None:
            query = query.where(SNAPSHOTS.c.at != unlike)
        with self._ledger.reading() as connection:
            row = connection.execute(query).first()
        return None if row is None else Snapshot(float(row.at), bytes(row.body))
