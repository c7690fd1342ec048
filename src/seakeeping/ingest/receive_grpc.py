"""OTLP over gRPC: the three ``Export`` methods, bytes in and bytes out.

No message classes of gRPC's own are involved: the raw bytes take the same way as over HTTP. A
refusal carries a ``google.rpc.Status`` in ``grpc-status-details-bin``; clients retry
RESOURCE_EXHAUSTED only if it holds a ``RetryInfo``.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

import grpc
import grpc.aio

from seakeeping.config.keys import Scope
from seakeeping.errors import PortTaken, Refused
from seakeeping.ingest.guard import PERMISSION_DENIED, UNAUTHENTICATED, Guard, credential
from seakeeping.ingest.otlp import Encoding, status_body, success_body
from seakeeping.ingest.receive import Body, Receiver
from seakeeping.ingest.receive_http import classify
from seakeeping.metrics import REQUESTS
from seakeeping.records import Signal

_PACKAGE = "opentelemetry.proto.collector"
SERVICES = {
    f"{_PACKAGE}.trace.v1.TraceService": Signal.TRACES,
    f"{_PACKAGE}.logs.v1.LogsService": Signal.LOGS,
    f"{_PACKAGE}.metrics.v1.MetricsService": Signal.METRICS,
}
"""The service of each signal; its method is ``Export``."""

MOST_CONCURRENT = 64
"""Requests in hand; further ones wait in their connections."""

_CODES = {code.value[0]: code for code in grpc.StatusCode}
_RPC_CODES = {400: 3, 413: 8, 429: 8, 503: 14}

Handler = Callable[[bytes, "Context"], Awaitable[bytes]]


class Context(Protocol):
    """What we use of ``grpc.aio.ServicerContext``."""

    def invocation_metadata(self) -> Sequence[tuple[str, str | bytes]] | None:
        """Return the headers of the request."""
        ...

    async def abort(
        self, code: grpc.StatusCode, details: str, trailing_metadata: Sequence[tuple[str, bytes]]
    ) -> None:
        """End the request with an error, by raising one."""
        ...


async def serve_grpc(
    receiver: Receiver, address: str, guard: Guard | None = None
) -> tuple[grpc.aio.Server, int]:
    """Return a started server and the port it listens on.

    Args:
        receiver: where bodies go.
        address: ``host:port``, IPv6 with or without brackets; port 0 for any.
        guard: decides about keys; None: everybody may send.

    Raises:
        PortTaken: somebody else listens there.
    """
    server = grpc.aio.server(
        options=[
            ("grpc.max_receive_message_length", receiver.body_limit_bytes),
            ("grpc.max_concurrent_streams", MOST_CONCURRENT),
            ("grpc.so_reuseport", 0),
        ]
    )
    server.add_generic_rpc_handlers(
        tuple(_service(receiver, guard, name, signal) for name, signal in SERVICES.items())
    )
    try:
        port = server.add_insecure_port(bracketed(address))
    except RuntimeError as error:
        raise PortTaken(
            f"gRPC cannot listen on {address}", hint="choose another --grpc-port"
        ) from error
    await server.start()
    return server, port


def bracketed(address: str) -> str:
    """Return ``::1:4317`` as ``[::1]:4317``, and any other address as it is."""
    host, _, port = address.rpartition(":")
    return f"[{host}]:{port}" if ":" in host and not host.startswith("[") else address


def _service(
    receiver: Receiver, guard: Guard | None, name: str, signal: Signal
) -> grpc.GenericRpcHandler:
    method = grpc.unary_unary_rpc_method_handler(_export(receiver, guard, signal))
    return grpc.method_handlers_generic_handler(name, {"Export": method})


def _export(receiver: Receiver, guard: Guard | None, signal: Signal) -> Handler:
    async def export(request: bytes, context: Context) -> bytes:
        try:
            if guard is not None:
                guard.admit_key(credential(_metadata(context)), Scope.RECEIVE)
            with receiver.hold() as take:
                take(len(request))
                body = Body(signal, Encoding.PROTOBUF, "identity", request)
                acceptance = await receiver.accept(body)
        except Exception as error:
            return await abort(context, error)
        REQUESTS.labels("grpc", "OK").inc()
        return success_body(signal, Encoding.PROTOBUF, acceptance)

    return export


def _metadata(context: Context) -> Mapping[str, str]:
    pairs = context.invocation_metadata() or ()
    return {key: value for key, value in pairs if isinstance(value, str)}


async def abort(context: Context, error: Exception) -> bytes:
    """End a request with the status of an error; never returns."""
    code, message, retry_after_s = _classify(error)
    REQUESTS.labels("grpc", _CODES[code].name).inc()
    details = status_body(Encoding.PROTOBUF, code, message, retry_after_s)
    trailers = (("grpc-status-details-bin", details),)
    await context.abort(_CODES[code], message, trailers)
    raise AssertionError("abort raises")


def _classify(error: Exception) -> tuple[int, str, float | None]:
    if isinstance(error, Refused):
        return UNAUTHENTICATED if error.status == 401 else PERMISSION_DENIED, str(error), None
    status, message, retry_after_s = classify(error)
    return _RPC_CODES[status], message, retry_after_s
