"""Who may reach a node, settled before anything starts: nobody else without a key."""

from contextlib import closing

from seakeeping import store
from seakeeping.config import Settings
from seakeeping.config.keys import Scope
from seakeeping.ingest.guard import Guard, KeyRing, is_loopback


def require_keys(settings: Settings) -> None:
    """Raise BadSetting where the node would listen beyond this machine without a key."""
    if is_loopback(settings.host):
        return
    with closing(store.open_ledger(settings)) as ledger:
        ledger.migrate()
        Guard(KeyRing(ledger.key_scopes), host=settings.host, hosts=settings.hosts)


_DEMO = "demo of a run"


def demo_key(settings: Settings) -> str | None:
    """Return a key for this run's demo traffic, where the node asks for keys at all.

    Those of earlier runs are revoked: a secret lives no longer than the process that was handed it.
    """
    with closing(store.open_ledger(settings)) as ledger:
        ledger.migrate()
        valid = [key for key in ledger.list_keys() if key.revoked_at is None]
        for key in (key for key in valid if key.name == _DEMO):
            ledger.revoke_key(key.id, by="supervisor")
        if all(key.name == _DEMO for key in valid):
            return None
        return ledger.create_key(_DEMO, [Scope.RECEIVE], by="supervisor")[1]
