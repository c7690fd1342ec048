"""The way to the store: ``clickhouse-connect``, with errors that pass told from those that do not.

Only the raw calls are used: bytes in, bytes out. So no process that talks to the store loads numpy,
pandas or pyarrow. Nothing is sent before the first call, so a store may come up after its clients.
"""

import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any, BinaryIO, cast
from urllib.parse import unquote, urlsplit

import clickhouse_connect
import urllib3
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from seakeeping.errors import BadSetting, SeakeepingError, StoreUnavailable
from seakeeping.store.native import Block
from seakeeping.store.rows import Row, lines

_PASSING = frozenset(
    {
        3, 32, 74, 75, 76, 159, 164, 198, 202, 203, 209, 210, 225, 236, 241, 242, 243, 252, 279,
        285, 319, 364, 394, 425, 999, 1000, 1001, 1002,
    }
)  # fmt: skip
"""Codes that say no to the moment, not to the statement: disk, memory, time, load, network."""

DATABASE = "seakeeping"
"""The database of the tables, where the store's URL names no other."""

_NAME = re.compile(r"\A[A-Za-z_][A-Za-z0-9_]*\Z")

CONNECT_S = 3
ANSWER_S = 75
"""Seconds to wait for an answer; longer than the engine's own limit of a statement."""

_SETTINGS: Mapping[str, Any] = {
    "do_not_merge_across_partitions_select_final": 1,
    "output_format_json_quote_64bit_integers": 0,
    "output_format_json_quote_denormals": 0,
    "output_format_json_escape_forward_slashes": 0,
}


class StoreError(SeakeepingError):
    """The store refused a statement for good; ``number`` is ClickHouse's code."""

    code = "store_error"

    def __init__(self, message: str, number: int | None) -> None:
        super().__init__(message)
        self.number = number


@dataclass(frozen=True, slots=True)
class Address:
    """Where a store listens and what opens it."""

    host: str
    port: int
    user: str = "default"
    password: str = ""
    is_secure: bool = False
    database: str = DATABASE

    @property
    def shown(self) -> str:
        """The address without its secrets."""
        return f"{'https' if self.is_secure else 'http'}://{self.host}:{self.port}"


def address_of(url: str, token: str | None = None) -> Address:
    """Return the address in a store URL. Raises BadSetting.

    >>> address_of("clickhouse://u:p%40ss@db.example:8123").shown
    'http://db.example:8123'
    """
    parts = urlsplit(url)
    secure = parts.scheme in ("https", "clickhouses")
    if parts.scheme not in ("http", "https", "clickhouse", "clickhouses") or not parts.hostname:
        raise BadSetting(
            f"not a store address: {parts.scheme}://{parts.hostname or ''}",
            place="store",
            hint="clickhouse://user:password@host:8123, or clickhouses:// for TLS",
        )
    return Address(
        host=parts.hostname,
        port=parts.port or (8443 if secure else 8123),
        user=unquote(parts.username or "default"),
        password=token or unquote(parts.password or ""),
        is_secure=secure,
        database=_database(parts.path),
    )


def _database(path: str) -> str:
    name = path.strip("/") or DATABASE
    if not _NAME.match(name):
        raise BadSetting(
            f"not a database name: {name!r}", place="store", hint="letters, digits, underscores"
        )
    return name


class StoreClient:
    """Statements to one store; may be used from many threads."""

    def __init__(self, address: Address, *, answer_s: float = ANSWER_S) -> None:
        self.address = address
        self._answer_s = answer_s
        self._lock = threading.Lock()
        self._client: Client | None = None

    def read(
        self,
        sql: str,
        params: Mapping[str, Any] | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> list[Row]:
        """Return all rows of a statement. Raises StoreUnavailable, StoreError."""
        return list(lines(self.read_bytes(sql, "JSONCompactEachRow", params, settings)))

    def read_bytes(
        self,
        sql: str,
        form: str,
        params: Mapping[str, Any] | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> bytes:
        """Return the result in a ClickHouse format. Raises StoreUnavailable, StoreError."""
        with self._sorted_errors():
            body = self._connected().raw_query(
                sql, parameters=dict(params or {}), settings=dict(settings or {}), fmt=form
            )
        return bytes(body)

    def stream(self, sql: str, form: str) -> Iterator[bytes]:
        """Yield the result in pieces; raises like ``read``, also in mid-way."""
        with (
            self._sorted_errors(),
            closing(cast(BinaryIO, self._connected().raw_stream(sql, fmt=form))) as source,
        ):
            while piece := source.read(1 << 20):
                yield piece

    def command(
        self,
        sql: str,
        params: Mapping[str, Any] | None = None,
        settings: Mapping[str, Any] | None = None,
        *,
        in_database: bool = True,
    ) -> None:
        """Run a statement without result. Raises StoreUnavailable, StoreError."""
        with self._sorted_errors():
            # as a raw query: parameters too long for a URL then travel in the body
            self._connected().raw_query(
                sql,
                parameters=dict(params or {}),
                settings=dict(settings or {}),
                use_database=in_database,
            )

    def insert(self, table: str, block: Block, token: str) -> None:
        """Insert a Native block once for a token. Raises StoreUnavailable, StoreError."""
        settings: dict[str, Any] = {"insert_deduplicate": 1, "async_insert": 0}
        if token:
            settings["insert_deduplication_token"] = token
        with self._sorted_errors():
            self._connected().raw_insert(
                table, block.columns, insert_block=block.data, settings=settings, fmt="Native"
            )

    def ping(self, timeout_s: float) -> bool:
        """Return whether the store answers within the time, however long statements may take."""
        where = self.address
        headers = urllib3.make_headers(basic_auth=f"{where.user}:{where.password}")
        try:
            with urllib3.PoolManager(retries=False, timeout=timeout_s) as pool:
                return pool.request("GET", f"{where.shown}/ping", headers=headers).status == 200
        except urllib3.exceptions.HTTPError:
            return False

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            if self._client is not None:
                self._client.close()
            self._client = None

    def _connected(self) -> Client:
        with self._lock:
            if self._client is None:
                self._client = self._connect()
            return self._client

    def _connect(self) -> Client:
        where = self.address
        client = clickhouse_connect.get_client(
            interface="https" if where.is_secure else "http",
            host=where.host,
            port=where.port,
            username=where.user,
            password=where.password,
            compress=where.host not in ("127.0.0.1", "localhost", "::1"),
            connect_timeout=CONNECT_S,
            send_receive_timeout=self._answer_s,
            settings=dict(_SETTINGS),
            autogenerate_session_id=False,  # a session serves one statement at a time
            autogenerate_query_id=False,
            dedicated_pool=True,
        )
        client.database = where.database  # not before: it may not have been made yet
        return client

    def _sorted_errors(self) -> "_SortedErrors":
        return _SortedErrors(self.address.shown)


class _SortedErrors:
    """Turns the driver's errors into ours."""

    def __init__(self, where: str) -> None:
        self._where = where

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        if isinstance(error, ClickHouseError):
            raise sorted_error(error, self._where) from error
        if isinstance(error, urllib3.exceptions.HTTPError):
            raise StoreUnavailable(f"the store at {self._where} does not answer") from error


def sorted_error(error: ClickHouseError, where: str) -> SeakeepingError:
    """Return StoreUnavailable for what may pass, StoreError for the rest."""
    number = getattr(error, "code", None)
    text = str(error)
    reason = text.partition("server response: ")[2] or text
    reason = reason.partition(" (for url ")[0].partition(" In scope ")[0].strip()[:300]
    if number is None:
        return StoreUnavailable(f"the store at {where} does not answer")
    if "No space left on device" in text or number == 243:
        return StoreUnavailable(
            "the store's disk is full", retry_after_s=5.0, hint="free space, or lower disk_limit_mb"
        )
    if number in _PASSING:
        return StoreUnavailable(f"the store cannot do this now: {reason}")
    return StoreError(f"the store refused a statement: {reason}", number)
