"""A client for an ASGI application in the same process: no socket, no library."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from starlette.types import ASGIApp, Message


@dataclass(frozen=True)
class Answer:
    """What came back; header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()

    def json(self) -> Any:
        """Return the body as JSON."""
        return json.loads(self.body)


class Client:
    """Asks one application, each request in an event loop of its own."""

    def __init__(
        self, app: ASGIApp, host: str = "127.0.0.1:4318", sent: list[Message] | None = None
    ) -> None:
        """Ask ``app`` under a host name; what it sends is also appended to ``sent``."""
        self._app = app
        self._host = host
        self._sent = sent

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> Answer:
        """Send a GET."""
        return self.send("GET", url, headers)

    def send(
        self, method: str, url: str, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Answer:
        """Send a request and return the whole answer."""
        return asyncio.run(self.answer(method, url, headers or {}, body))

    async def answer(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> Answer:
        """Send a request from a running loop."""
        parts = urlsplit(url)
        sent: list[Message] = []
        asked = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Message:
            if asked:
                return asked.pop()
            await asyncio.Event().wait()
            raise AssertionError("unreachable")

        async def send(message: Message) -> None:
            sent.append(message)
            if self._sent is not None:
                self._sent.append(message)

        given = {"host": self._host, **{k.lower(): v for k, v in headers.items()}}
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method,
            "scheme": "http", "path": unquote(parts.path), "raw_path": quote(parts.path).encode(),
            "query_string": parts.query.encode(), "root_path": "", "client": ("127.0.0.1", 50000),
            "server": ("127.0.0.1", 4318),
            "headers": [(k.encode(), v.encode()) for k, v in given.items()],
        }  # fmt: skip
        await self._app(scope, receive, send)
        start = next(m for m in sent if m["type"] == "http.response.start")
        return Answer(
            status=start["status"],
            headers={k.decode(): v.decode() for k, v in start["headers"]},
            body=b"".join(m.get("body", b"") for m in sent if m["type"] == "http.response.body"),
        )
