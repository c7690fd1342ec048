"""The ledger's tables, one definition for SQLite and PostgreSQL."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Double,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

VERSION = 1
"""The schema's version; a ledger with a higher one is refused."""

METADATA = MetaData()
_COUNTING = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up INTEGER keys only

META = Table(
    "meta",
    METADATA,
    Column("key", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)

KEYS = Table(
    "keys",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("hash", String(64), nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("revoked_at", Double),
)

AUDIT = Table(
    "audit",
    METADATA,
    Column("id", _COUNTING, primary_key=True, autoincrement=True),
    Column("at", Double, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", JSON, nullable=False),
    Index("audit_subject", "subject"),
)

RESOURCES = Table(
    "resources",
    METADATA,
    Column("kind", String(64), primary_key=True),
    Column("name", String(256), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("document", JSON, nullable=False),
    Column("updated_at", Double, nullable=False),
    Column("updated_by", Text, nullable=False),
)

LEASES = Table(
    "leases",
    METADATA,
    Column("name", String(128), primary_key=True),
    Column("holder", Text, nullable=False),
    Column("expires_at", Double, nullable=False),
    Column("fence", BigInteger, nullable=False),
)

ERASURES = Table(
    "erasures",
    METADATA,
    Column("user_id", String(512), primary_key=True),
    Column("at", Double, nullable=False),
    Column("by", Text, nullable=False),
    Column("interactions", BigInteger, nullable=False),
)
