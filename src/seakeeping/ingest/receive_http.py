"""OTLP over HTTP: ``POST /v1/traces``, ``/v1/logs``, ``/v1/metrics``.

Status codes decide whether telemetry is lost: clients retry 429, 502, 503 and 504 and give up on
all else. So whatever may pass, a fault of ours included, is answered 429 or 503 with
``Retry-After``, and the seconds stay small, for exporters give a batch up when the wait is
longer than their own time limit.
"""

import asyncio
import math
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from seakeeping.errors import BadPayload, PayloadTooLarge, SeakeepingError, SpoolFull, Unavailable
from seakeeping.ingest.guard import encoding_of
from seakeeping.ingest.otlp import CODINGS, Encoding, status_body, success_body
from seakeeping.ingest.receive import Body, Receiver
from seakeeping.metrics import ERRORS, REQUESTS
from seakeeping.records import Signal

PATHS = {
    "/v1/traces": Signal.TRACES,
    "/v1/logs": Signal.LOGS,
    "/v1/metrics": Signal.METRICS,
    "/api/public/otel/v1/traces": Signal.TRACES,
}
"""Where each signal is posted; the last is where Langfuse's SDK posts by default."""

READ_LIMIT_S = 60.0
"""Seconds that a client may take to send one body."""

_CODINGS = (*CODINGS, "x-gzip", "")
_OVERLOAD_STATUS = 429
_RPC_CODES = {400: 3, 405: 12, 408: 4, 413: 8, 415: 3, 429: 8, 503: 14}
"""gRPC's code for each status: the ``code`` of a ``google.rpc.Status`` body."""


def otlp_routes(receiver: Receiver, *, read_limit_s: float = READ_LIMIT_S) -> list[Route]:
    """Return the routes that take telemetry into ``receiver``."""
    return [
        Route(path, OtlpEndpoint(receiver, signal, read_limit_s)) for path, signal in PATHS.items()
    ]


class HttpProblem(Exception):
    """A request that is refused before its body is looked at."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class OtlpEndpoint:
    """The ASGI application of one path."""

    def __init__(self, receiver: Receiver, signal: Signal, read_limit_s: float) -> None:
        self._receiver = receiver
        self._signal = signal
        self._read_limit_s = read_limit_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        headers = Headers(scope=scope)
        encoding, media_type = encoding_of(headers.get("content-type", ""))
        try:
            response = await self._take(scope["method"], headers, encoding, receive)
        except ClientDisconnect:
            REQUESTS.labels("http", "disconnected").inc()
            return
        except Exception as error:
            response = error_response(error, encoding or Encoding.JSON)
        response.headers["content-type"] = media_type
        REQUESTS.labels("http", str(response.status_code)).inc()
        await response(scope, receive, send)

    async def _take(
        self, method: str, headers: Headers, encoding: Encoding | None, receive: Receive
    ) -> Response:
        if method != "POST":
            raise HttpProblem(405, f"{method} is not allowed: telemetry is sent with POST")
        if encoding is None:
            raise HttpProblem(
                415, "Content-Type must be application/x-protobuf or application/json"
            )
        coding = headers.get("content-encoding", "").strip().lower()
        if coding not in _CODINGS:
            raise HttpProblem(415, f"Content-Encoding must be one of {', '.join(CODINGS)}")
        limit = self._receiver.body_limit_bytes
        refuse_announced(headers, limit)
        with self._receiver.hold() as take:
            async with asyncio.timeout(self._read_limit_s):
                data = await read_body(receive, limit, take)
            body = Body(self._signal, encoding, coding or "identity", data)
            acceptance = await self._receiver.accept(body)
        return Response(success_body(self._signal, encoding, acceptance))


def refuse_announced(headers: Headers, limit: int) -> None:
    """Raise PayloadTooLarge for a body that announces itself as such, before it is read."""
    text = headers.get("content-length", "")
    if text.isdecimal() and int(text) > limit:
        raise _too_large(limit)


async def read_body(receive: Receive, limit: int, take: Callable[[int], None]) -> bytes:
    """Return a request's body; raises PayloadTooLarge as soon as it is, and ClientDisconnect.

    ``take`` is told of every chunk.
    """
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        take(len(chunk))
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)


def _too_large(limit: int) -> PayloadTooLarge:
    return PayloadTooLarge(f"the body has more than {limit} bytes", hint="send less at once")


def error_response(error: Exception, encoding: Encoding) -> Response:
    """Return the answer to a request that failed, as ``google.rpc.Status``."""
    status, message, retry_after_s = classify(error)
    headers = {}
    if retry_after_s is not None:
        headers["Retry-After"] = str(math.ceil(retry_after_s))
    if status == 405:
        headers["Allow"] = "POST"
    if status in (408, 413):
        headers["Connection"] = "close"  # the rest of the body is not read
    return Response(
        status_body(encoding, _RPC_CODES[status], message, retry_after_s), status, headers
    )


def classify(error: Exception) -> tuple[int, str, float | None]:
    """Return the HTTP status, the message, and in how many seconds to try again, if ever."""
    match error:
        case HttpProblem():
            return error.status, str(error), None
        case TimeoutError():
            return 408, "the body did not arrive in time", None
        case PayloadTooLarge():
            return 413, str(error), None
        case BadPayload():
            return 400, str(error), None
        case SpoolFull():
            return _OVERLOAD_STATUS, str(error), clamp_retry(error.retry_after_s)
        case Unavailable():
            return 503, str(error), clamp_retry(error.retry_after_s)
        case _:
            ERRORS.labels("receive", type(error).__name__).inc()
            hint = str(error) if isinstance(error, SeakeepingError) else "see the server's log"
            return 503, f"the server failed: {hint}", 2.0


def clamp_retry(seconds: float) -> float:
    """Return a wait that exporters with a ten-second limit still sit out: 1 to 2 s."""
    return min(max(seconds, 1.0), 2.0)
