"""From a request body to the acknowledgement: the same path for HTTP and gRPC.

A body is inflated and parsed once, to know that it can be decoded; then its bytes, not what was
parsed, go to the spool, and only when they are durable is the sender told so. Small bodies are
checked on the event loop, large ones in a thread. All bodies in hand together are bounded in
bytes: what does not fit is told to come back, before memory grows.
"""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from seakeeping.clock import Clock, SystemClock
from seakeeping.config import ContentPolicy
from seakeeping.errors import PayloadTooLarge, SpoolFull
from seakeeping.ingest.otlp import Acceptance, Encoding, check, inflate, strip_content
from seakeeping.ingest.spool import Position, SpoolRecord
from seakeeping.metrics import RECEIVED, REJECTED
from seakeeping.records import Signal

LOOP_BYTES = 2**20
"""Largest inflated body that is checked on the event loop."""

_THREADS = 2


class Spool(Protocol):
    """Where accepted bodies go."""

    async def submit(self, record: SpoolRecord) -> Position:
        """Return once the record is durable; raises SpoolFull or SpoolBroken."""
        ...


@dataclass(frozen=True, slots=True)
class Body:
    """A request body as received: still compressed, where ``coding`` is not ``identity``."""

    signal: Signal
    encoding: Encoding
    coding: str
    data: bytes


class Receiver:
    """Takes bodies from all transports into one spool."""

    def __init__(
        self,
        spool: Spool,
        *,
        body_limit_bytes: int,
        policy: Callable[[], ContentPolicy],
        clock: Clock | None = None,
        hold_limit_bytes: int | None = None,
    ) -> None:
        """Take bodies into ``spool``.

        Args:
            spool: usually a `GroupCommit`.
            body_limit_bytes: largest body, before and after inflation.
            policy: returns the content policy in force.
            clock: what bodies are stamped with.
            hold_limit_bytes: most bytes of bodies in hand; default: three times the body limit.
        """
        self.body_limit_bytes = body_limit_bytes
        self._spool = spool
        self._policy = policy
        self._clock = clock or SystemClock()
        self._hold_limit = hold_limit_bytes or 3 * body_limit_bytes
        self._held = 0
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="receive")

    async def accept(self, body: Body) -> Acceptance:
        """Return what was accepted, once it is durable.

        Raises:
            BadPayload: the body cannot be inflated or decoded.
            PayloadTooLarge: it is over the limit.
            SpoolFull, SpoolBroken: try again later.
        """
        acceptance, data = await self._prepare(body)
        if acceptance.accepted:
            record = SpoolRecord(body.signal, body.encoding, self._clock.now(), data)
            with self.hold() as take:
                take(len(data))
                await self._spool.submit(record)
        self._count(body.signal, acceptance)
        return acceptance

    @contextmanager
    def hold(self) -> Iterator[Callable[[int], None]]:
        """Yield what counts bytes in hand, until the end of the block.

        It raises SpoolFull where they would be too many, but a single body is always let in.
        """
        own = 0

        def take(size: int) -> None:
            nonlocal own
            if self._held > own and self._held + size > self._hold_limit:
                raise SpoolFull("too many bodies arrive at once")
            own += size
            self._held += size

        try:
            yield take
        finally:
            self._held -= own

    @property
    def held_bytes(self) -> int:
        """Bytes of bodies in hand."""
        return self._held

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown()

    async def _prepare(self, body: Body) -> tuple[Acceptance, bytes]:
        policy = self._policy()
        if not _may_be_large(body):
            try:
                return _examine(body, min(LOOP_BYTES, self.body_limit_bytes), policy)
            except PayloadTooLarge:
                if self.body_limit_bytes <= LOOP_BYTES:
                    raise
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._threads, _examine, body, self.body_limit_bytes, policy
        )

    @staticmethod
    def _count(signal: Signal, acceptance: Acceptance) -> None:
        RECEIVED.labels(signal).inc(acceptance.accepted)
        if acceptance.rejected:
            REJECTED.labels(signal, "invalid").inc(acceptance.rejected)


def _may_be_large(body: Body) -> bool:
    """Guess whether a body inflates to more than the loop takes; text shrinks to a quarter."""
    factor = 1 if body.coding == "identity" else 4
    return len(body.data) * factor > LOOP_BYTES


def _examine(body: Body, limit: int, policy: ContentPolicy) -> tuple[Acceptance, bytes]:
    """Return what a body holds and the bytes to spool: inflated, without dropped content."""
    data = inflate(body.coding, body.data, limit)
    acceptance = check(body.signal, body.encoding, data)
    if policy.drops_any:
        data = strip_content(body.signal, body.encoding, data, policy.drops)
    return acceptance, data
