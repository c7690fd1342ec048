"""gRPC: the parts that need no socket; tests/integration/test_receivers.py has the others."""

import asyncio
from collections.abc import Sequence

import grpc
import pytest
from google.rpc.status_pb2 import Status
from prometheus_client import REGISTRY

from seakeeping.errors import BadPayload, PayloadTooLarge, Refused, SpoolBroken, SpoolFull
from seakeeping.ingest.receive_grpc import SERVICES, abort, bracketed
from seakeeping.records import Signal


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("127.0.0.1:4317", "127.0.0.1:4317"),
        ("localhost:0", "localhost:0"),
        ("::1:4317", "[::1]:4317"),
        (":::4317", "[::]:4317"),
        ("[::1]:4317", "[::1]:4317"),
    ],
)
def test_addresses_are_written_as_grpc_reads_them(address: str, expected: str) -> None:
    assert bracketed(address) == expected


class Aborted(Exception):
    pass


class RecordingContext:
    """Remembers how a request was ended."""

    def __init__(self) -> None:
        self.code: grpc.StatusCode | None = None
        self.status = Status()

    def invocation_metadata(self) -> Sequence[tuple[str, str | bytes]] | None:
        return None

    async def abort(
        self, code: grpc.StatusCode, details: str, trailing_metadata: Sequence[tuple[str, bytes]]
    ) -> None:
        self.code = code
        self.status = Status.FromString(dict(trailing_metadata)["grpc-status-details-bin"])
        raise Aborted(details)


@pytest.mark.parametrize(
    ("error", "code", "retries"),
    [
        (SpoolFull("full"), grpc.StatusCode.RESOURCE_EXHAUSTED, True),
        (SpoolBroken("no space"), grpc.StatusCode.UNAVAILABLE, True),
        (RuntimeError("ours"), grpc.StatusCode.UNAVAILABLE, True),
        (BadPayload("bytes"), grpc.StatusCode.INVALID_ARGUMENT, False),
        (PayloadTooLarge("large"), grpc.StatusCode.RESOURCE_EXHAUSTED, False),
        (Refused("who", status=401), grpc.StatusCode.UNAUTHENTICATED, False),
        (Refused("no", status=403), grpc.StatusCode.PERMISSION_DENIED, False),
    ],
)
def test_only_what_may_pass_carries_retry_info(
    error: Exception, code: grpc.StatusCode, retries: bool
) -> None:
    def count() -> float:
        labels = {"transport": "grpc", "status": code.name}
        return REGISTRY.get_sample_value("seakeeping_export_requests_total", labels) or 0.0

    before, context = count(), RecordingContext()
    with pytest.raises(Aborted):
        asyncio.run(abort(context, error))
    assert context.status.code == code.value[0]
    assert context.code is code
    assert len(context.status.details) == retries
    assert count() == before + 1


def test_every_signal_has_its_service() -> None:
    assert set(SERVICES.values()) == set(Signal)
