"""What a request asks for and what its answer says: the pure part of the protocol.

See ``docs/reference/store-protocol.md``. Nothing here knows sockets or the engine.
"""

import base64
import binascii
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import parse_qsl

STREAMABLE = frozenset(
    {"Native", "TabSeparated", "TSV", "CSV", "RowBinary", "JSONEachRow", "JSONLines"}
)
"""Formats without a global head or tail, so that blocks sent one by one make one valid body."""

_TRANSPORT = frozenset(
    {
        "buffer_size", "cancel_http_readonly_queries_on_client_close", "client_protocol_version",
        "compress", "database", "decompress", "default_format", "enable_http_compression",
        "http_headers_progress_interval_ms", "http_zlib_compression_level", "password",
        "query", "query_id", "quota_key", "role", "send_progress_in_http_headers", "session_check",
        "session_id", "session_timeout", "stacktrace", "user", "wait_end_of_query",
    }
)  # fmt: skip
_NAME = re.compile(r"\A[A-Za-z_][A-Za-z0-9_]*\Z")
_FORMAT = re.compile(rb"\bFORMAT\s+(\w+)\s*(?:SETTINGS\s[^;]*)?;?\s*\Z", re.IGNORECASE)


class BadRequest(Exception):
    """The request cannot be understood; ``code`` is ClickHouse's error code for that."""

    def __init__(self, message: str, code: int = 36) -> None:
        super().__init__(f"Code: {code}. DB::Exception: {message}")
        self.code = code


Headers = Mapping[str, str]
"""Header fields by lower-case name."""


@dataclass(frozen=True, slots=True)
class Query:
    """One statement and how its result is to be sent."""

    sql: bytes
    database: str = "default"
    default_format: str = "TabSeparated"
    settings: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    query_id: str = ""
    wait_end: bool = False
    compressed: bool = False

    @property
    def format(self) -> str:
        """The output format: that of the statement's own FORMAT clause, else the default."""
        found = _FORMAT.search(self.sql[-200:])
        return found.group(1).decode() if found else self.default_format

    @property
    def is_streamable(self) -> bool:
        """Whether the result may be sent while it is made."""
        return not self.wait_end and self.format in STREAMABLE


def parse(query_string: str, headers: Headers, body: bytes) -> Query:
    """Return what a request asks for. Raises BadRequest."""
    fields = dict(parse_qsl(query_string, keep_blank_values=True))
    head = fields.get("query", "").encode()
    sql = head + b"\n" + body if head and body else head or body
    if not sql.strip():
        raise BadRequest("Empty query", 62)
    settings = {k: v for k, v in fields.items() if k not in _TRANSPORT and not _is_param(k)}
    for name in settings:
        if not _NAME.match(name):
            raise BadRequest(f"Unknown setting {name!r}", 115)
    return Query(
        sql=sql,
        database=fields.get("database") or headers.get("x-clickhouse-database") or "default",
        default_format=fields.get("default_format")
        or headers.get("x-clickhouse-format")
        or "TabSeparated",
        settings=settings,
        params={k[6:]: v for k, v in fields.items() if _is_param(k)},
        query_id=fields.get("query_id", ""),
        wait_end=fields.get("wait_end_of_query", "0") in ("1", "true"),
        compressed=fields.get("enable_http_compression", "0") in ("1", "true"),
    )


def _is_param(name: str) -> bool:
    return name.startswith("param_")


def form_fields(content_type: str, body: bytes) -> Sequence[tuple[str, bytes]]:
    """Return the fields of a ``multipart/form-data`` body. Raises BadRequest.

    Clients send the query and its parameters so when they would not fit into a URL. Files
    (external tables) are not part of the subset.
    """
    found = re.search(r'boundary="?([^";]+)"?', content_type)
    if not found:
        raise BadRequest("multipart body without boundary")
    parts = body.split(b"--" + found.group(1).encode())
    return [_form_field(part) for part in parts[1:-1]]


def _form_field(part: bytes) -> tuple[str, bytes]:
    head, mark, value = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
    name = re.search(rb'\bname="([^"]*)"', head)
    if not mark or not name:
        raise BadRequest("broken multipart body")
    if b"filename=" in head:
        raise BadRequest("external tables are not supported by the embedded store", 48)
    return name.group(1).decode(errors="replace"), value.removesuffix(b"\r\n")


def is_authorised(token: str, query_string: str, headers: Headers) -> bool:
    """Return whether the request carries the token, in any of the places a client may put it."""
    offered = _credential(headers) or headers.get("x-clickhouse-key", "") or _password(query_string)
    return hmac.compare_digest(offered.encode(), token.encode())


def _credential(headers: Headers) -> str:
    scheme, _, value = headers.get("authorization", "").partition(" ")
    match scheme.lower():
        case "bearer":
            return value.strip()
        case "basic":
            try:
                return base64.b64decode(value, validate=True).decode().partition(":")[2]
            except (binascii.Error, UnicodeDecodeError):
                return ""
    return ""


def _password(query_string: str) -> str:
    return dict(parse_qsl(query_string)).get("password", "")


_STATUS: Mapping[int, HTTPStatus] = {
    **dict.fromkeys((46, 47, 50, 60, 81, 107, 115), HTTPStatus.NOT_FOUND),
    **dict.fromkeys(
        (6, 27, 36, 38, 41, 43, 53, 62, 69, 70, 72, 117, 120, 130, 131, 190, 456, 457),
        HTTPStatus.BAD_REQUEST,
    ),
    48: HTTPStatus.NOT_IMPLEMENTED,
    159: HTTPStatus.REQUEST_TIMEOUT,
    202: HTTPStatus.SERVICE_UNAVAILABLE,
    497: HTTPStatus.FORBIDDEN,
    516: HTTPStatus.FORBIDDEN,
}


def status_of(code: int) -> HTTPStatus:
    """Return the HTTP status that goes with a ClickHouse error code."""
    return _STATUS.get(code, HTTPStatus.INTERNAL_SERVER_ERROR)


def summary(*, rows_read: int, bytes_read: int, elapsed_s: float, is_insert: bool) -> str:
    """Return the ``X-ClickHouse-Summary`` header of a finished statement."""
    counted = {"rows": str(rows_read), "bytes": str(bytes_read)}
    read, written = ({}, counted) if is_insert else (counted, {})
    return json.dumps(
        {
            "read_rows": read.get("rows", "0"),
            "read_bytes": read.get("bytes", "0"),
            "written_rows": written.get("rows", "0"),
            "written_bytes": written.get("bytes", "0"),
            "elapsed_ns": str(int(elapsed_s * 1e9)),
        }
    )


def late_error(tag: str, message: str) -> bytes:
    """Return what ends a body that broke after its head was sent (as ClickHouse 25.11 does)."""
    text = message.encode()
    size = f"{len(text) + 1} {tag}".encode()
    mark = tag.encode()
    return (
        b"\r\n__exception__\r\n" + mark + b"\r\n" + text + b"\n" + size + b"\r\n__exception__\r\n"
    )
