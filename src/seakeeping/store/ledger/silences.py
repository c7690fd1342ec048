"""The silences of the ledger, with Alertmanager's rules for what may be one.

A silence needs an end, a creator, and a matcher that an alert without labels would not meet: else
it would silence everything. One that is ended early is kept with the moment it was ended, so that
the page can tell who kept what quiet and when.
"""

import secrets
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from seakeeping.errors import BadInput
from seakeeping.records import Matcher, Silence
from seakeeping.records.codec import from_json, to_json
from seakeeping.store.ledger.ledger import Ledger
from seakeeping.store.ledger.tables import SILENCES

KEEP_S = 120 * 3600.0
"""How long ended silences are kept (Alertmanager's retention)."""

MOST_MATCHERS = 100
"""Matchers of one silence."""


class Silences:
    """The silences of one ledger; may be used from many threads."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def create(
        self,
        matchers: Sequence[Matcher],
        *,
        ends_at: float,
        by: str,
        comment: str = "",
        starts_at: float | None = None,
    ) -> Silence:
        """Begin a silence, now or at ``starts_at``; audited.

        Raises BadInput for one that ends before it begins or is over, or has no matcher that tells
        alerts apart.
        """
        now = self._ledger.clock.now()
        silence = Silence(
            id=secrets.token_hex(8),
            matchers=tuple(matchers),
            starts_at=now if starts_at is None else max(starts_at, now),
            ends_at=ends_at,
            created_by=by,
            comment=comment,
            updated_at=now,
        )
        check(silence, now)
        with self._ledger.transaction() as connection:
            connection.execute(SILENCES.insert().values(_row(silence)))
            detail = {"matchers": [str(m) for m in silence.matchers], "comment": comment}
            self._ledger.record(connection, by, "silence.create", silence.id, detail)
        return silence

    def expire(self, silence_id: str, *, by: str) -> bool:
        """End a silence now; False where there is none of that id in force or to come. Audited."""
        now = self._ledger.clock.now()
        with self._ledger.transaction() as connection:
            is_open = (SILENCES.c.id == silence_id) & (SILENCES.c.ends_at > now)
            starts = connection.execute(
                select(SILENCES.c.starts_at).where(is_open).with_for_update()
            ).scalar()
            if starts is None:
                return False
            connection.execute(
                SILENCES.update()
                .where(is_open)
                .values(starts_at=min(starts, now), ends_at=now, updated_at=now)
            )
            self._ledger.record(connection, by, "silence.expire", silence_id, {})
        return True

    def active(self, connection: Connection, now: float) -> list[Silence]:
        """Return the silences in force, as part of a transaction."""
        is_active = (SILENCES.c.starts_at <= now) & (SILENCES.c.ends_at > now)
        return [_silence(row) for row in connection.execute(select(SILENCES).where(is_active))]

    def all(self) -> list[Silence]:
        """Return all silences, also ended ones and those to come, the latest end first."""
        wanted = select(SILENCES).order_by(SILENCES.c.ends_at.desc(), SILENCES.c.id)
        with self._ledger.reading() as connection:
            return [_silence(row) for row in connection.execute(wanted)]

    def prune(self, keep_s: float = KEEP_S) -> int:
        """Delete silences that ended longer ago than ``keep_s``; return how many."""
        before = self._ledger.clock.now() - keep_s
        with self._ledger.transaction() as connection:
            return connection.execute(SILENCES.delete().where(SILENCES.c.ends_at < before)).rowcount


def check(silence: Silence, now: float) -> None:
    """Raise BadInput, with its place, for a silence that cannot be meant."""
    if silence.ends_at <= silence.starts_at:
        raise BadInput("must be after the start", place="ends_at")
    if silence.ends_at <= now:
        raise BadInput("is over already", place="ends_at")
    if not silence.matchers:
        raise BadInput("at least one is needed", place="matchers", hint='e.g. slo="chat/latency"')
    if len(silence.matchers) > MOST_MATCHERS:
        raise BadInput(f"{len(silence.matchers)} are more than {MOST_MATCHERS}", place="matchers")
    for number, matcher in enumerate(silence.matchers):
        matcher.check(f"matchers[{number}]")
    if all(matcher.matches({}) for matcher in silence.matchers):
        raise BadInput(
            "every alert would be silenced", place="matchers", hint="match a label that has a value"
        )


def _row(silence: Silence) -> dict[str, Any]:
    return {
        "id": silence.id, "starts_at": silence.starts_at, "ends_at": silence.ends_at,
        "created_by": silence.created_by, "comment": silence.comment,
        "matchers": [to_json(matcher) for matcher in silence.matchers],
        "updated_at": silence.updated_at,
    }  # fmt: skip


def _silence(row: Row[Any]) -> Silence:
    matchers = tuple(from_json(Matcher, obj, f"silence {row.id}") for obj in row.matchers)
    return Silence(
        row.id, matchers, row.starts_at, row.ends_at, row.created_by, row.comment, row.updated_at
    )  # fmt: skip
