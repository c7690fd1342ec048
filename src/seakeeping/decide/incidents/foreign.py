"""Alerts of others: what an Alertmanager's webhook tells becomes an alert of the ledger.

Telling one twice is telling it once: who acknowledged it and which incident it belongs to stay. One
that began with us and comes back by way of an Alertmanager is ours already and is left alone. One
that ends takes its end; one nobody ever told of that has ended already is passed over.

A message that tells of an end may be lost, so what nobody tells of any more ends by itself, as it
does in an Alertmanager: at the ``endsAt`` it was told with, and without one when it was not told
again for the resolve timeout. An Alertmanager tells a webhook again only every ``repeat_interval``,
which is why ours is hours where its own is five minutes.
"""

from collections.abc import Iterable
from dataclasses import replace

from sqlalchemy import Connection

from seakeeping.decide.alerts.board import resolved
from seakeeping.decide.notify.received import TOLD_UNTIL
from seakeeping.records import Alert, AlertState
from seakeeping.records.codec import moment
from seakeeping.store.ledger import Ledger
from seakeeping.store.ledger.alerts import Alerts

NOT_TOLD_AGAIN = "nobody told of it again"


def receive(ledger: Ledger, told: Iterable[Alert]) -> list[Alert]:
    """Keep what was told (``alerts_from_webhook``); return the alerts that changed.

    The next step of the ``IncidentLoop`` opens or joins incidents with them. Raises
    LedgerUnavailable.
    """
    alerts, now = Alerts(ledger), ledger.clock.now()
    by_fingerprint = {alert.fingerprint: alert for alert in told}
    with ledger.transaction() as connection:
        standing = {it.fingerprint: it for it in alerts.standing(connection)}
        changed = [
            after
            for key, alert in by_fingerprint.items()
            if (after := _after(standing.get(key), alert, now)) is not None
        ]
        alerts.save(connection, changed)
    return changed


def _after(known: Alert | None, told: Alert, now: float) -> Alert | None:
    if known is None:
        return None if told.state is AlertState.RESOLVED else replace(told, updated_at=now)
    if known.objective is not None:
        return None
    return replace(
        told,
        starts_at=known.starts_at,
        acknowledged_by=known.acknowledged_by,
        acknowledged_at=known.acknowledged_at,
        incident_id=known.incident_id,
        updated_at=now,
    )


def is_expired(alert: Alert, now: float, resolve_timeout_s: float) -> bool:
    """Tell whether an alert of others ends because nobody told of it again."""
    if alert.objective is not None or alert.state is not AlertState.FIRING:
        return False
    until = alert.evidence.get(TOLD_UNTIL)
    if isinstance(until, str):
        return now >= moment(until)
    return now - alert.updated_at >= resolve_timeout_s


def expire(
    alerts: Alerts, connection: Connection, now: float, resolve_timeout_s: float
) -> list[Alert]:
    """End the alerts that nobody told of again; return all that stand after it."""
    standing = alerts.standing(connection)
    gone = [it for it in standing if is_expired(it, now, resolve_timeout_s)]
    alerts.save(connection, [resolved(it, now, NOT_TOLD_AGAIN) for it in gone])
    return [it for it in standing if it not in gone]
