"""Alerts of others: what an Alertmanager's webhook tells becomes an alert of the ledger.

Telling one twice is telling it once: who acknowledged it and which incident it belongs to stay. One
that began with us and comes back by way of an Alertmanager is ours already and is left alone. One
that ends takes its end; one nobody ever told of that has ended already is passed over.
"""

from collections.abc import Iterable
from dataclasses import replace

from seakeeping.records import Alert, AlertState
from seakeeping.store.ledger import Ledger
from seakeeping.store.ledger.alerts import Alerts


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
