"""The HTTP side of the embedded store: a thread a connection, loopback only, a token a request.

Clients are our own few processes and now and then a SQL client, with some tens of requests a
second: the standard library's server is fast enough for that and light.
"""

import secrets
import threading
from collections.abc import Callable, Generator
from contextlib import ExitStack
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import urlencode, urlsplit

from seakeeping.store.engine.embedded import EngineError
from seakeeping.store.engine.encoding import (
    BadEncoding,
    BodyTooLarge,
    Deflater,
    inflate,
    negotiate,
)
from seakeeping.store.engine.inline import with_data_apart
from seakeeping.store.engine.protocol import (
    BadRequest,
    Query,
    form_fields,
    is_authorised,
    late_error,
    parse,
    status_of,
    summary,
)
from seakeeping.store.engine.sessions import Lane, Sessions, lane_of

BODY_LIMIT = 256 * 1024 * 1024
"""Bytes of a request body, after inflation."""

IDLE_S = 300.0
"""Seconds after which an idle connection is closed."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What the handlers serve: the engine, who may use it, and who hears of its failures."""

    sessions: Sessions
    token: str
    note_failure: Callable[[int], None] = lambda code: None
    body_limit: int = BODY_LIMIT


class StoreServer(ThreadingHTTPServer):
    """Listens on loopback and serves the endpoint."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, port: int, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        super().__init__(("127.0.0.1", port), _Handler)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self.server_address[1])

    def start(self) -> None:
        """Serve in a thread until ``shutdown``."""
        threading.Thread(target=self.serve_forever, name="store-http", daemon=True).start()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = IDLE_S
    # an answer is several small writes: none shall wait until the one before is acknowledged
    disable_nagle_algorithm = True
    server: StoreServer
    _PLAIN: ClassVar[str] = "text/plain; charset=UTF-8"

    def do_GET(self) -> None:
        """Answer ping and read statements given in the URL."""
        self._answer()

    def do_POST(self) -> None:
        """Answer any statement."""
        self._answer()

    def do_HEAD(self) -> None:
        """Answer as GET would, without a body."""
        self._answer()

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent: statements may carry content."""

    def _answer(self) -> None:
        try:
            self._dispatch()
        except (ConnectionError, TimeoutError):
            self.close_connection = True  # the client is gone; there is nobody to tell

    def _dispatch(self) -> None:
        url = urlsplit(self.path)
        body = self._read_body()
        if body is None:
            return
        if not is_authorised(self.server.endpoint.token, url.query, self._fields()):
            self._fail(516, "default: Authentication failed: the token of the store is missing")
        elif url.path in ("/ping", "/replicas_status"):
            self._send(HTTPStatus.OK, b"Ok.\n", {})
        elif url.path != "/":
            self._fail(36, f"There is no handler {url.path}", HTTPStatus.NOT_FOUND)
        else:
            self._run(url.query, body)

    def _run(self, query_string: str, body: bytes) -> None:
        try:
            query_string, body = self._unwrap_form(query_string, body)
            query = parse(query_string, self._fields(), body)
            if self.command == "GET" and lane_of(query.sql) is not Lane.READ:
                raise BadRequest("Cannot execute query in readonly mode: use POST", 164)
            self._execute(query)
        except (EngineError, BadRequest) as error:
            self.server.endpoint.note_failure(error.code)
            self._fail(error.code, str(error))

    def _fields(self) -> dict[str, str]:
        return {name.lower(): value for name, value in self.headers.items()}

    def _unwrap_form(self, query_string: str, body: bytes) -> tuple[str, bytes]:
        content_type = self.headers.get("Content-Type", "")
        if not content_type.startswith("multipart/form-data"):
            return query_string, body
        fields = dict(form_fields(content_type, body))
        sql = fields.pop("query", b"")
        extra = urlencode([(k, v.decode()) for k, v in fields.items()])
        return f"{query_string}&{extra}", sql

    def _execute(self, query: Query) -> None:
        lane = lane_of(query.sql)
        with ExitStack() as stack:
            connection = stack.enter_context(self.server.endpoint.sessions.borrow(lane))
            connection.configure(query.database, query.settings)
            if lane is Lane.READ and query.is_streamable:
                blocks = connection.stream(query.sql, query.default_format, query.params)
                stack.callback(blocks.close)
                self._send_blocks(query, blocks)
                return
            statement = stack.enter_context(with_data_apart(query.sql))
            result = connection.query(statement, query.default_format, query.params)
            body, rows = result.bytes(), result.rows_read()
            read_bytes, elapsed = result.bytes_read(), result.elapsed()
        told = summary(
            rows_read=rows, bytes_read=read_bytes, elapsed_s=elapsed, is_insert=lane is Lane.WRITE
        )
        self._send_result(query, body, told, has_result=lane is Lane.READ)

    def _send_result(self, query: Query, body: bytes, told: str, *, has_result: bool) -> None:
        headers = self._result_headers(query) if has_result else self._common_headers(query)
        headers["X-ClickHouse-Summary"] = told
        encoding = self._encoding(query)
        if encoding and body:
            deflater = Deflater(encoding)
            body = deflater.block(body) + deflater.end()
            headers["Content-Encoding"] = encoding
        self._send(HTTPStatus.OK, body, headers)

    def _send_blocks(self, query: Query, blocks: Generator[bytes]) -> None:
        first = next(blocks, b"")  # an error that comes at once still gets its own status
        tag = secrets.token_hex(8)
        encoding = self._encoding(query)
        self.send_response(HTTPStatus.OK)
        headers = self._result_headers(query) | {"X-ClickHouse-Exception-Tag": tag}
        if encoding:
            headers["Content-Encoding"] = encoding
        self._send_headers(headers | {"Transfer-Encoding": "chunked"})
        deflater = Deflater(encoding)
        try:
            self._chunk(deflater.block(first))
            for block in blocks:
                self._chunk(deflater.block(block))
        except EngineError as error:
            self._chunk(deflater.block(late_error(tag, str(error))))
        self._chunk(deflater.end())
        self.wfile.write(b"0\r\n\r\n")

    def _chunk(self, data: bytes) -> None:
        if data:
            self.wfile.write(b"%x\r\n" % len(data) + data + b"\r\n")

    def _encoding(self, query: Query) -> str:
        return negotiate(self.headers.get("Accept-Encoding", "")) if query.compressed else ""

    def _common_headers(self, query: Query) -> dict[str, str]:
        return {
            "X-ClickHouse-Query-Id": query.query_id or secrets.token_hex(16),
            "X-ClickHouse-Server-Display-Name": "seakeeping",
            "X-ClickHouse-Timezone": "UTC",
        }

    def _result_headers(self, query: Query) -> dict[str, str]:
        kind = "text/tab-separated-values" if query.format.startswith("T") else "application/octet"
        return self._common_headers(query) | {
            "X-ClickHouse-Format": query.format,
            "Content-Type": f"{kind}; charset=UTF-8"
            if kind.startswith("text")
            else f"{kind}-stream",
        }

    def _read_body(self) -> bytes | None:
        """Return the decoded body, or None once an answer was given."""
        limit = self.server.endpoint.body_limit
        try:
            raw = self._read_chunks(limit) if self._is_chunked() else self._read_length(limit)
            return inflate(self.headers.get("Content-Encoding", "").lower(), raw, limit)
        except BadEncoding as error:
            self._fail(354, str(error), HTTPStatus.BAD_REQUEST)
        except BodyTooLarge as error:
            self.close_connection = True  # the rest of the body is still on its way
            self._fail(62, f"Request body too large: {error}", HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        except ValueError as error:
            self.close_connection = True
            self._fail(62, f"broken request: {error}", HTTPStatus.BAD_REQUEST)
        return None

    def _is_chunked(self) -> bool:
        return "chunked" in self.headers.get("Transfer-Encoding", "").lower()

    def _read_length(self, limit: int) -> bytes:
        length = int(self.headers.get("Content-Length", "0"))
        if length > limit:
            raise BodyTooLarge(f"over {limit} bytes")
        return self._exactly(length)

    def _read_chunks(self, limit: int) -> bytes:
        parts: list[bytes] = []
        total = 0
        while size := int(self.rfile.readline(64).split(b";")[0], 16):
            total += size
            if total > limit:
                raise BodyTooLarge(f"over {limit} bytes")
            parts.append(self._exactly(size))
            self.rfile.readline(64)
        while self.rfile.readline(4096) not in (b"\r\n", b"\n", b""):
            pass
        return b"".join(parts)

    def _exactly(self, size: int) -> bytes:
        data = self.rfile.read(size)
        if len(data) < size:
            raise ConnectionResetError("the client closed in mid-body")
        return data

    def _fail(self, code: int, message: str, status: HTTPStatus | None = None) -> None:
        text = (
            message if message.startswith("Code: ") else f"Code: {code}. DB::Exception: {message}"
        )
        headers = {"X-ClickHouse-Exception-Code": str(code)}
        self._send(status or status_of(code), text.encode() + b"\n", headers)

    def _send(self, status: HTTPStatus, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        self._send_headers(
            {"Content-Type": self._PLAIN} | headers | {"Content-Length": str(len(body))}
        )
        if self.command != "HEAD":
            self.wfile.write(body)

    def _send_headers(self, headers: dict[str, str]) -> None:
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
