"""Where records are kept: the telemetry store (ClickHouse SQL at every scale) and the ledger.

``telemetry`` holds the rows that flow (spans, interactions, evaluations, metric points, rollups),
``ledger`` the few that are changed (keys, resources, audit, leases). ``engine`` is the child
process that serves the embedded ClickHouse; no other module loads it.

The names below are looked up when they are asked for (PEP 562): the store child lives in this
package too and shall carry neither the client nor SQLAlchemy.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seakeeping.store.ledger import Ledger, open_ledger
    from seakeeping.store.telemetry import Store, connect

__all__ = ["Ledger", "Store", "connect", "open_ledger"]

_HOMES = {
    "Ledger": "seakeeping.store.ledger",
    "Store": "seakeeping.store.telemetry",
    "connect": "seakeeping.store.telemetry",
    "open_ledger": "seakeeping.store.ledger",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
