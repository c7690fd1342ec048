"""The alerts of the ledger: the last word on every one that ever fired, until it is pruned.

The controller looks, decides and writes within one transaction (``standing`` locks what it reads),
so an acknowledgement that comes between two looks is never overwritten and a crash leaves either
the look before or the look after. What begins, ends or is acknowledged is audited; new figures of
an alert that goes on are not.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from seakeeping.errors import BadInput
from seakeeping.metrics import ERRORS
from seakeeping.records import Alert, AlertState
from seakeeping.records.codec import from_json, to_json
from seakeeping.store.ledger.ledger import Ledger
from seakeeping.store.ledger.tables import ALERTS

KEEP_S = 90 * 86_400.0
"""How long resolved alerts are kept."""

ACTOR = "controller"
_MOST_AT_ONCE = 500  # parameters of a statement are bounded
_STANDING = (AlertState.PENDING.value, AlertState.FIRING.value)


class Alerts:
    """The alerts of one ledger; may be used from many threads."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    # deciding, as part of a transaction

    def standing(self, connection: Connection) -> list[Alert]:
        """Return the alerts that are pending or firing, locked until the transaction ends."""
        wanted = select(ALERTS).where(ALERTS.c.state.in_(_STANDING)).with_for_update()
        return _read(connection, wanted)

    def resolved_since(self, connection: Connection, at: float) -> list[Alert]:
        """Return the alerts that ended at ``at`` or later."""
        ended = (ALERTS.c.state == AlertState.RESOLVED.value) & (ALERTS.c.ends_at >= at)
        return _read(connection, select(ALERTS).where(ended))

    def resolved(self, connection: Connection, fingerprints: Collection[str]) -> list[Alert]:
        """Return those of the alerts that have ended."""
        ended = ALERTS.c.state == AlertState.RESOLVED.value
        found: list[Alert] = []
        for some in _batches(sorted(fingerprints)):
            found += _read(connection, select(ALERTS).where(ended, ALERTS.c.fingerprint.in_(some)))
        return found

    def save(
        self, connection: Connection, changed: Iterable[Alert], dropped: Iterable[Alert] = ()
    ) -> None:
        """Keep alerts as they are now; forget those that were dropped before they fired."""
        for alert in changed:
            before = _put(connection, alert)
            if before != alert.state.value and alert.state is not AlertState.PENDING:
                detail = {"labels": dict(alert.labels), "reason": alert.evidence.get("ended")}
                self._ledger.record(
                    connection, ACTOR, f"alert.{alert.state.value}", alert.fingerprint, detail
                )
        for alert in dropped:
            connection.execute(
                ALERTS.delete().where(
                    ALERTS.c.fingerprint == alert.fingerprint,
                    ALERTS.c.state == AlertState.PENDING.value,
                )
            )

    # looking

    def get(self, fingerprint: str) -> Alert | None:
        """Return one alert; None where there is none of that fingerprint."""
        with self._ledger.reading() as connection:
            found = _read(connection, select(ALERTS).where(ALERTS.c.fingerprint == fingerprint))
        return found[0] if found else None

    def find(
        self,
        *,
        states: Sequence[AlertState] = tuple(AlertState),
        objective: str | None = None,
        limit: int = 1000,
    ) -> list[Alert]:
        """Return alerts, the newest first."""
        wanted = select(ALERTS).where(ALERTS.c.state.in_([state.value for state in states]))
        if objective is not None:
            wanted = wanted.where(ALERTS.c.objective == _column(objective))
        wanted = wanted.order_by(ALERTS.c.starts_at.desc(), ALERTS.c.fingerprint).limit(limit)
        with self._ledger.reading() as connection:
            return _read(connection, wanted)

    # changing one

    def acknowledge(self, fingerprint: str, *, by: str) -> Alert | None:
        """Say that somebody takes care of an alert; None where none of that fingerprint stands.

        The first to say so stays the one; saying it again changes nothing.
        """
        now = self._ledger.clock.now()
        with self._ledger.transaction() as connection:
            alert = self._one_standing(connection, fingerprint)
            if alert is None or alert.acknowledged_by is not None:
                return alert
            alert = replace(alert, acknowledged_by=by, acknowledged_at=now)
            _put(connection, alert)
            self._ledger.record(connection, by, "alert.acknowledge", fingerprint, {})
        return alert

    def attach(self, connection: Connection, fingerprints: Iterable[str], incident_id: str) -> None:
        """Say which incident alerts belong to, as part of a transaction."""
        wanted = select(ALERTS).where(ALERTS.c.fingerprint.in_(list(fingerprints)))
        for alert in _read(connection, wanted.with_for_update()):
            _put(connection, replace(alert, incident_id=incident_id))

    def annotate(self, fingerprint: str, annotations: Mapping[str, str]) -> bool:
        """Add annotations to an alert that stands; False where it does not any more."""
        with self._ledger.transaction() as connection:
            alert = self._one_standing(connection, fingerprint)
            if alert is None:
                return False
            _put(connection, replace(alert, annotations={**alert.annotations, **annotations}))
        return True

    def prune(self, keep_s: float = KEEP_S) -> int:
        """Delete alerts that ended longer ago than ``keep_s``; return how many."""
        with self._ledger.transaction() as connection:
            done = connection.execute(
                ALERTS.delete().where(
                    ALERTS.c.state == AlertState.RESOLVED.value,
                    ALERTS.c.ends_at < self._ledger.clock.now() - keep_s,
                )
            )
        return done.rowcount

    def _one_standing(self, connection: Connection, fingerprint: str) -> Alert | None:
        wanted = select(ALERTS).where(
            ALERTS.c.fingerprint == fingerprint, ALERTS.c.state.in_(_STANDING)
        )
        found = _read(connection, wanted.with_for_update())
        return found[0] if found else None


def _batches(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(keys), _MOST_AT_ONCE):
        yield keys[start : start + _MOST_AT_ONCE]


def _put(connection: Connection, alert: Alert) -> str | None:
    """Write an alert; return the state that it had before."""
    is_it = ALERTS.c.fingerprint == alert.fingerprint
    before = connection.execute(select(ALERTS.c.state).where(is_it)).scalar()
    values = {
        "state": alert.state.value,
        "objective": None if alert.objective is None else _column(alert.objective),
        "incident_id": alert.incident_id,
        "starts_at": alert.starts_at,
        "ends_at": alert.ends_at,
        "updated_at": alert.updated_at,
        "document": to_json(alert),
    }
    if before is None:
        connection.execute(
            ALERTS.insert().values(fingerprint=alert.fingerprint, version=1, **values)
        )
    else:
        connection.execute(
            ALERTS.update().where(is_it).values(version=ALERTS.c.version + 1, **values)
        )
    return before


def _read(connection: Connection, wanted: Select[Any]) -> list[Alert]:
    return [alert for row in connection.execute(wanted).all() if (alert := _alert(row))]


def _alert(row: Row[Any]) -> Alert | None:
    try:
        return from_json(Alert, row.document, f"alert {row.fingerprint}")
    except BadInput as error:
        # a newer Seakeeping wrote it; it must not hold up the alerts that can be read
        ERRORS.labels("alerts", type(error).__name__).inc()
        return None


def _column(name: str) -> str:
    return name.replace(
        "\0", ""
    )  # PostgreSQL holds none in a text; the document has the name whole
