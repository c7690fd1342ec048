"""A real HTTP server on loopback that answers as a test says, and keeps what it was sent."""

import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

import orjson


@dataclass(frozen=True)
class Request:
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), strict_parsing=True))


@dataclass(frozen=True)
class Reply:
    status: int = 200
    body: bytes = b"ok"
    headers: Mapping[str, str] = field(default_factory=dict)


def json_reply(status: int = 200, /, **content: Any) -> Reply:
    return Reply(status, orjson.dumps(content), {"Content-Type": "application/json"})


class Receiver:
    """Listens within a ``with`` block; what ``answer`` raises fails the test at its end.

    ``disturb`` may answer in place of the receiver: a reply, or None where it behaves.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self.requests: list[Request] = []
        self.disturb: Callable[[Request], Reply | None] = lambda request: None
        self.faults: list[BaseException] = []
        self._lock = threading.Lock()

    def answer(self, request: Request) -> Reply:
        return Reply()

    @property
    def url(self) -> str:
        return f"http{'s' if self._tls else ''}://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        if self._tls is not None:
            self._server.socket = self._tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        if error is None and self.faults:
            raise self.faults[0]

    def take(self, request: Request) -> Reply:
        with self._lock:
            self.requests.append(request)
            try:
                return self.disturb(request) or self.answer(request)
            except BaseException as error:
                self.faults.append(error)
                return Reply(500, b"the receiver itself is broken")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a client may have left a connection open

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that cut their connection."""


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): text for name, text in self.headers.items()}
            reply = receiver.take(Request(urlsplit(self.path).path, headers, body))
            self.send_response(reply.status)
            for name, text in reply.headers.items():
                self.send_header(name, text)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    return Handler
