"""The ledger: the few rows that are changed rather than added, in SQLite or PostgreSQL.

One schema in SQLAlchemy Core for both. SQLite (write-ahead log) is the default and needs nothing;
PostgreSQL lets several nodes share one ledger, whose leases elect the one controller.
"""

from seakeeping.store.ledger.ledger import Ledger, open_at, open_ledger
from seakeeping.store.ledger.records import AuditEntry, Erasure, Key, Lease, Resource

__all__ = [
    "AuditEntry",
    "Erasure",
    "Key",
    "Lease",
    "Ledger",
    "Resource",
    "open_at",
    "open_ledger",
]
