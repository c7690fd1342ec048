"""The ledger's operations: each is one transaction, and each that changes something is audited.

Several processes and several nodes use one ledger at once. What two may want at the same time
(a lease, a version of a resource) is decided by one conditional UPDATE, which both databases do
atomically; there is no read followed by a write that assumes nobody came between.
"""

import os
import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Connection, Engine, create_engine, event, func, or_, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    IntegrityError,
    NoSuchModuleError,
    OperationalError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout

from seakeeping.clock import Clock, SystemClock
from seakeeping.config.keys import hash_key, mint_key
from seakeeping.errors import BadSetting, StoreTooNew, Unavailable
from seakeeping.records import JsonObject
from seakeeping.store.ledger.records import AuditEntry, Erasure, Key, Lease, Resource
from seakeeping.store.ledger.tables import (
    AUDIT,
    ERASURES,
    KEYS,
    LEASES,
    META,
    METADATA,
    RESOURCES,
    SNAPSHOTS,
    VERSION,
)

FILE_NAME = "ledger.db"
LOCKED_S = 4.0
"""How long a lock of somebody else is waited for; less than a page waits for its answer, so that
what it says was not done is not done later after all."""

_READING = "seakeeping_reading"
_POSTGRES = {
    "connect_timeout": 5, "keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}  # fmt: skip
"""So that a server that vanished without a word is away within seconds rather than hours."""


class LedgerUnavailable(Unavailable):
    """The ledger does not answer, or is locked for too long."""

    code = "ledger_unavailable"


class LedgerPlace(Protocol):
    """The settings that say where the ledger is (``config.Settings``)."""

    @property
    def ledger(self) -> str | None:
        """An SQLAlchemy URL, or None for SQLite in the data folder."""
        ...

    @property
    def data(self) -> Path:
        """The data folder."""
        ...


def open_ledger(settings: LedgerPlace, clock: Clock | None = None) -> "Ledger":
    """Return the ledger that the settings name, with its tables made.

    Raises:
        BadSetting: the URL is none of SQLite or PostgreSQL, or its driver is not installed.
        StoreTooNew: a newer Seakeeping made the tables.
        LedgerUnavailable: the database does not answer.
    """
    return open_at(settings.ledger or f"sqlite:///{settings.data / FILE_NAME}", clock)


def open_at(url: str, clock: Clock | None = None) -> "Ledger":
    """Return the ledger at an SQLAlchemy URL; raises as ``open_ledger`` does."""
    ledger = Ledger(_engine(_checked(url)), clock or SystemClock())
    try:
        ledger.migrate()
    except BaseException:
        ledger.close()
        raise
    return ledger


def _checked(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise BadSetting("not a database URL", place="ledger", hint=_URL_HINT) from None
    match parsed.get_backend_name():
        case "sqlite":
            return parsed
        case "postgresql" | "postgres":
            return parsed.set(drivername="postgresql+psycopg")
    raise BadSetting(f"unknown database {parsed.drivername!r}", place="ledger", hint=_URL_HINT)


_URL_HINT = "sqlite:///FILE or postgresql://user:password@host/db"


def _engine(url: URL) -> Engine:
    try:
        if url.get_backend_name() == "sqlite":
            return _sqlite(url)
        return create_engine(
            url, pool_size=2, max_overflow=3, pool_pre_ping=True,
            connect_args={k: v for k, v in _POSTGRES.items() if k not in url.query},
        )  # fmt: skip
    except (ModuleNotFoundError, NoSuchModuleError):
        raise BadSetting(
            "the driver of PostgreSQL is not installed",
            place="ledger",
            hint="pip install 'seakeeping[postgres]'",
        ) from None


def _sqlite(url: URL) -> Engine:
    if url.database and url.database != ":memory:":
        path = Path(url.database)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # owner-only from its first byte: it holds the hashes of keys
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    patience = {} if "timeout" in url.query else {"timeout": LOCKED_S}
    engine = create_engine(url, connect_args=patience)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _: object) -> None:
    connection.isolation_level = None  # transactions are begun below, not by the driver
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    # a transaction that reads first and writes later could meet a writer that came between
    is_reading = connection.get_execution_options().get(_READING, False)
    connection.exec_driver_sql("BEGIN" if is_reading else "BEGIN IMMEDIATE")


@contextmanager
def _answering() -> Iterator[None]:
    """Say of a database that does not answer that it is unavailable."""
    try:
        yield
    except IntegrityError:
        raise
    except (OperationalError, PoolTimeout, DBAPIError) as error:
        reason = str(getattr(error, "orig", None) or error).partition("\n")[0]
        raise LedgerUnavailable(f"the ledger does not answer: {reason}") from error


class Ledger:
    """One ledger; may be used from many threads."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._reader = engine.execution_options(**{_READING: True})
        self._clock = clock

    @property
    def clock(self) -> Clock:
        """What its times are taken from."""
        return self._clock

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Yield a connection whose work is done as a whole or not at all."""
        with _answering(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield a connection that only reads; nobody who writes, or hangs while writing, delays it.

        What is then written from what was read belongs into a ``transaction``.
        """
        with _answering(), self._reader.begin() as connection:
            yield connection

    # schema

    def migrate(self) -> None:
        """Make the tables. Raises StoreTooNew where a newer Seakeeping made them."""
        with self.transaction() as connection:
            if connection.dialect.name == "postgresql":
                # several nodes may start at once; the lock is released with the transaction
                connection.execute(select(func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
            METADATA.create_all(connection, tables=[META])
            found = connection.scalar(select(META.c.value).where(META.c.key == "schema_version"))
            if found is not None and int(found) > VERSION:
                raise StoreTooNew(
                    f"the ledger has schema {found}, this Seakeeping knows {VERSION}",
                    hint="start the newer Seakeeping, or restore a backup made by this one",
                )
            METADATA.create_all(connection)
            if found is None:
                row = {"key": "schema_version", "value": str(VERSION)}
                connection.execute(META.insert().values(row))
            elif int(found) < VERSION:  # every step so far only added tables
                connection.execute(
                    META.update().where(META.c.key == "schema_version").values(value=str(VERSION))
                )

    # keys

    def create_key(self, name: str, scopes: Collection[str], *, by: str) -> tuple[Key, str]:
        """Return a new key and its secret, which is not kept."""
        secret = mint_key()
        key = Key(secrets.token_hex(8), name, frozenset(map(str, scopes)), self._clock.now(), None)
        with self.transaction() as connection:
            connection.execute(
                KEYS.insert().values(
                    id=key.id,
                    hash=hash_key(secret),
                    name=name,
                    scopes=sorted(key.scopes),
                    created_at=key.created_at,
                )
            )
            self.record(connection, by, "key.create", key.id, {"name": name})
        return key, secret

    def list_keys(self) -> list[Key]:
        """Return all keys, also revoked ones, in the order of their making."""
        with self.reading() as connection:
            found = connection.execute(select(KEYS).order_by(KEYS.c.created_at, KEYS.c.id))
            return [
                Key(row.id, row.name, frozenset(row.scopes), row.created_at, row.revoked_at)
                for row in found
            ]

    def key_scopes(self) -> Mapping[str, frozenset[str]]:
        """Return the scopes of every valid key by its hash (``config.keys.hash_key``)."""
        with self.reading() as connection:
            found = connection.execute(
                select(KEYS.c.hash, KEYS.c.scopes).where(KEYS.c.revoked_at.is_(None))
            )
            return {row.hash: frozenset(row.scopes) for row in found}

    def key_names(self) -> Mapping[str, str]:
        """Return the name of every valid key by its hash, for telling who did something."""
        with self.reading() as connection:
            found = connection.execute(
                select(KEYS.c.hash, KEYS.c.name).where(KEYS.c.revoked_at.is_(None))
            )
            return {row.hash: row.name for row in found}

    def revoke_key(self, key_id: str, *, by: str) -> bool:
        """End a key; return whether it was valid until now."""
        with self.transaction() as connection:
            done = connection.execute(
                KEYS.update()
                .where(KEYS.c.id == key_id, KEYS.c.revoked_at.is_(None))
                .values(revoked_at=self._clock.now())
            )
            if done.rowcount:
                self.record(connection, by, "key.revoke", key_id, {})
        return bool(done.rowcount)

    # audit

    def audit(self, actor: str, action: str, subject: str, detail: JsonObject) -> None:
        """Append an entry."""
        with self.transaction() as connection:
            self.record(connection, actor, action, subject, detail)

    def record(
        self, connection: Connection, actor: str, action: str, subject: str, detail: JsonObject
    ) -> None:
        """Append an entry as part of a transaction."""
        connection.execute(
            AUDIT.insert().values(
                at=self._clock.now(),
                actor=actor,
                action=action,
                subject=subject,
                detail=dict(detail),
            )
        )

    def audit_entries(
        self, *, subject: str | None = None, limit: int = 100, before: int | None = None
    ) -> list[AuditEntry]:
        """Return entries, newest first; ``before`` is the id that the next page begins below."""
        wanted = select(AUDIT).order_by(AUDIT.c.id.desc()).limit(limit)
        if subject is not None:
            wanted = wanted.where(AUDIT.c.subject == subject)
        if before is not None:
            wanted = wanted.where(AUDIT.c.id < before)
        with self.reading() as connection:
            return [AuditEntry(*row) for row in connection.execute(wanted)]

    # resources

    def resource(self, kind: str, name: str) -> Resource | None:
        """Return a document, or None."""
        return next(iter(self._resources(RESOURCES.c.kind == kind, RESOURCES.c.name == name)), None)

    def resources(self, kind: str) -> list[Resource]:
        """Return the documents of a kind, by name."""
        return self._resources(RESOURCES.c.kind == kind)

    def _resources(self, *conditions: Any) -> list[Resource]:
        wanted = select(RESOURCES).where(*conditions).order_by(RESOURCES.c.name)
        with self.reading() as connection:
            return [Resource(*row) for row in connection.execute(wanted)]

    def put_resource(
        self, kind: str, name: str, document: JsonObject, *, by: str, expected: int
    ) -> Resource | None:
        """Store a document if its version is still ``expected`` (0: it is not there yet).

        Returns it with its new version, or None when somebody else changed it first.
        """
        made = Resource(kind, name, expected + 1, dict(document), self._clock.now(), by)
        values: dict[str, Any] = {
            "version": made.version,
            "document": made.document,
            "updated_at": made.updated_at,
            "updated_by": by,
        }
        try:
            with self.transaction() as connection:
                if expected == 0:
                    connection.execute(RESOURCES.insert().values(kind=kind, name=name, **values))
                elif not self._replace(connection, kind, name, expected, values):
                    return None
                self.record(connection, by, f"{kind}.put", name, {"version": made.version})
        except IntegrityError:
            return None
        return made

    def _replace(
        self, connection: Connection, kind: str, name: str, expected: int, values: dict[str, Any]
    ) -> bool:
        done = connection.execute(
            RESOURCES.update()
            .where(
                RESOURCES.c.kind == kind,
                RESOURCES.c.name == name,
                RESOURCES.c.version == expected,
            )
            .values(**values)
        )
        return bool(done.rowcount)

    def delete_resource(self, kind: str, name: str, *, by: str) -> bool:
        """Remove a document; return whether it was there."""
        with self.transaction() as connection:
            done = connection.execute(
                RESOURCES.delete().where(RESOURCES.c.kind == kind, RESOURCES.c.name == name)
            )
            if done.rowcount:
                self.record(connection, by, f"{kind}.delete", name, {})
        return bool(done.rowcount)

    # leases

    def acquire(self, name: str, holder: str, ttl_s: float) -> Lease | None:
        """Take or renew a lease for ``ttl_s``; None while somebody else holds it."""
        now = self._clock.now()
        values: dict[str, Any] = {"holder": holder, "expires_at": now + ttl_s}
        try:
            with self.transaction() as connection:
                if self._renew(connection, name, holder, values) or self._take_over(
                    connection, name, now, values
                ):
                    return self._lease(connection, name)
                known = connection.scalar(select(LEASES.c.fence).where(LEASES.c.name == name))
                if known is not None:
                    return None
                connection.execute(LEASES.insert().values(name=name, fence=1, **values))
                return self._lease(connection, name)
        except IntegrityError:
            return None  # another node took it in the same moment

    def _renew(
        self, connection: Connection, name: str, holder: str, values: dict[str, Any]
    ) -> bool:
        done = connection.execute(
            LEASES.update().where(LEASES.c.name == name, LEASES.c.holder == holder).values(**values)
        )
        return bool(done.rowcount)

    def _take_over(
        self, connection: Connection, name: str, now: float, values: dict[str, Any]
    ) -> bool:
        done = connection.execute(
            LEASES.update()
            .where(LEASES.c.name == name, or_(LEASES.c.expires_at <= now, LEASES.c.holder == ""))
            .values(fence=LEASES.c.fence + 1, **values)
        )
        return bool(done.rowcount)

    def _lease(self, connection: Connection, name: str) -> Lease:
        return Lease(*connection.execute(select(LEASES).where(LEASES.c.name == name)).one())

    def lease(self, name: str) -> Lease | None:
        """Return a lease as it stands, also one that ran out; None where nobody ever took it."""
        with self.reading() as connection:
            row = connection.execute(select(LEASES).where(LEASES.c.name == name)).first()
        return None if row is None else Lease(*row)

    def release(self, name: str, holder: str) -> None:
        """Give a lease back; nothing happens when somebody else holds it by now."""
        with self.transaction() as connection:
            connection.execute(
                LEASES.update()
                .where(LEASES.c.name == name, LEASES.c.holder == holder)
                .values(holder="", expires_at=0.0)
            )

    # erasures

    def erase(self, user_id: str, *, by: str, interactions: int) -> None:
        """Record that a user was erased; what arrives of the time before is dropped from now on."""
        now = self._clock.now()
        values = {"at": now, "by": by, "interactions": interactions}
        with self.transaction() as connection:
            done = connection.execute(
                ERASURES.update()
                .where(ERASURES.c.user_id == user_id)
                .values({**values, "interactions": ERASURES.c.interactions + interactions})
            )
            if not done.rowcount:
                connection.execute(ERASURES.insert().values(user_id=user_id, **values))
            self.record(connection, by, "subject.erase", user_id, {"interactions": interactions})

    def erased(self) -> Mapping[str, float]:
        """Return when each erased user was erased last, by user."""
        return {erasure.user_id: erasure.at for erasure in self.erasures()}

    def erasures(self) -> list[Erasure]:
        """Return all erasures in the order of their time."""
        with self.reading() as connection:
            found = connection.execute(select(ERASURES).order_by(ERASURES.c.at))
            return [Erasure(*row) for row in found]

    # backup

    def dump(self) -> dict[str, list[dict[str, Any]]]:
        """Return all rows of all tables, as of one moment; snapshots are made anew instead."""
        with self.reading() as connection:
            return {
                table.name: [dict(row) for row in connection.execute(select(table)).mappings()]
                for table in METADATA.sorted_tables
                if table is not SNAPSHOTS
            }

    def load(self, tables: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
        """Fill an empty ledger with what ``dump`` returned. Raises IntegrityError in a full one."""
        with self.transaction() as connection:
            for table in METADATA.sorted_tables:
                rows = [dict(row) for row in tables.get(table.name, ())]
                if table is META:
                    continue  # the version is that of the tables, not of the backup
                if rows:
                    connection.execute(table.insert(), rows)
                if rows and table is AUDIT and connection.dialect.name == "postgresql":
                    last = max(row["id"] for row in rows)
                    connection.execute(
                        select(func.setval(func.pg_get_serial_sequence("audit", "id"), last))
                    )


_MIGRATION_LOCK = 7_325_181
