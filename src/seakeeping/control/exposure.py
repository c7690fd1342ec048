"""Who may reach a node, settled before anything starts: nobody else without a key."""

from contextlib import closing

from seakeeping import store
from seakeeping.config import Settings
from seakeeping.ingest.guard import Guard, KeyRing, is_loopback


def require_keys(settings: Settings) -> None:
    """Raise BadSetting where the node would listen beyond this machine without a key."""
    if is_loopback(settings.host):
        return
    with closing(store.open_ledger(settings)) as ledger:
        ledger.migrate()
        Guard(KeyRing(ledger.key_scopes), host=settings.host, hosts=settings.hosts)
