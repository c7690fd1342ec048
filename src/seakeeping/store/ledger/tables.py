"""The ledger's tables, one definition for SQLite and PostgreSQL."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

VERSION = 2
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

ALERTS = Table(
    "alerts",
    METADATA,
    Column("fingerprint", String(32), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("objective", Text),
    Column("incident_id", String(64)),
    Column("starts_at", Double, nullable=False),
    Column("ends_at", Double),
    Column("updated_at", Double, nullable=False),
    Column("version", Integer, nullable=False),
    Column("document", JSON, nullable=False),
    Index("alerts_state", "state"),
)

SILENCES = Table(
    "silences",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("starts_at", Double, nullable=False),
    Column("ends_at", Double, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("comment", Text, nullable=False),
    Column("matchers", JSON, nullable=False),
    Column("updated_at", Double, nullable=False),
)

OUTBOX = Table(
    "outbox",
    METADATA,
    Column("id", _COUNTING, primary_key=True, autoincrement=True),
    Column("dedup_key", String(256), nullable=False, unique=True),
    Column("target", Text, nullable=False),
    Column("thread", String(32), nullable=False),
    Column("reason", String(32), nullable=False),
    Column("state", String(16), nullable=False),
    Column("payload", JSON, nullable=False),
    Column("receipt", JSON),
    Column("attempts", Integer, nullable=False),
    Column("due_at", Double, nullable=False),
    Column("made_at", Double, nullable=False),
    Column("done_at", Double),
    Column("error", Text),
    Index("outbox_due", "state", "due_at"),
    Index("outbox_thread", "thread", "state", "id"),
)

CHANGES = Table(
    "changes",
    METADATA,
    Column("id", String(256), primary_key=True),
    Column("target", Text, nullable=False),
    Column("at", Double, nullable=False),
    Column("document", JSON, nullable=False),
    Index("changes_target", "target", "at"),
)

INCIDENTS = Table(
    "incidents",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("service", Text, nullable=False),
    Column("opened_at", Double, nullable=False),
    Column("resolved_at", Double),
    Column("version", Integer, nullable=False),
    Column("document", JSON, nullable=False),
    Index("incidents_state", "state", "opened_at"),
)

INCIDENT_EVENTS = Table(
    "incident_events",
    METADATA,
    Column("incident_id", String(64), primary_key=True),
    Column("sequence", Integer, primary_key=True),
    Column("at", Double, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("before", Text),
    Column("after", Text),
    Column("evidence", JSON, nullable=False),
    Column("previous_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)

SNAPSHOTS = Table(
    "snapshots",
    METADATA,
    Column("name", String(128), primary_key=True),
    Column("at", Double, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

LABEL_REQUESTS = Table(
    "label_requests",
    METADATA,
    Column("trace_id", String(64), primary_key=True),
    Column("span_id", String(32), primary_key=True),
    Column("name", String(128), primary_key=True),
    Column("service", Text, nullable=False),
    Column("started_at", Double, nullable=False),
    Column("score", Double, nullable=False),
    Column("probability", Double, nullable=False),
    Column("rank", Double, nullable=False),
    Column("drawn_at", Double, nullable=False),
    Column("human", String(16), nullable=False),
    Column("judge", String(16), nullable=False),
    Index("label_requests_open", "human", "rank"),
    Index("label_requests_unjudged", "judge", "rank"),
)

LABEL_EPOCHS = Table(
    "label_epochs",
    METADATA,
    Column("service", String(512), primary_key=True),
    Column("name", String(128), primary_key=True),
    Column("start", Double, primary_key=True),
    Column("answers", Integer, nullable=False),
    Column("drawn", Integer, nullable=False),
)

JUDGE_SPEND = Table(
    "judge_spend",
    METADATA,
    Column("judge", String(256), primary_key=True),
    Column("day", String(10), primary_key=True),
    Column("hour", Integer, primary_key=True),
    Column("calls", Integer, nullable=False),
    Column("cost_usd", Double, nullable=False),
)
