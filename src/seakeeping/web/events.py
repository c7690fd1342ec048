"""Server-sent events: tell every open page that something changed, and let it ask for the rest.

An event says what moved, not how: the page fetches the fragment it shows, so there is one way of
rendering and a missed event costs nothing. A slow reader loses old events, not new ones.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson
from starlette.responses import StreamingResponse

from seakeeping.errors import Unavailable

BEAT_S = 15.0
"""Seconds between two comments on a quiet stream, so that proxies and readers know it lives."""

RETRY_MS = 1000
"""How long a browser waits before it connects again."""

_HELD = 16


class EventHub:
    """Hands events to everybody who listens; ``most`` listeners at once."""

    def __init__(self, *, most: int = 256) -> None:
        self._listeners: set[asyncio.Queue[bytes | None]] = set()
        self._most = most

    @property
    def listening(self) -> int:
        """How many listen."""
        return len(self._listeners)

    def publish(self, event: str, data: object) -> None:
        """Send an event to all listeners."""
        message = b"event: " + event.encode() + b"\ndata: " + orjson.dumps(data) + b"\n\n"
        for queue in self._listeners:
            _put(queue, message)

    def close(self) -> None:
        """End every stream."""
        for queue in self._listeners:
            _put(queue, None)

    def stream(self, hello: dict[str, Any]) -> StreamingResponse:
        """Return the answer to a new listener; raises Unavailable when there are too many."""
        if len(self._listeners) >= self._most:
            raise Unavailable("too many pages are open", retry_after_s=10.0)
        return StreamingResponse(
            self._listen(hello),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )

    async def _listen(self, hello: dict[str, Any]) -> AsyncIterator[bytes]:
        queue: asyncio.Queue[bytes | None] = asyncio.Queue(_HELD)
        self._listeners.add(queue)
        try:
            yield b"retry: %d\nevent: hello\ndata: %b\n\n" % (RETRY_MS, orjson.dumps(hello))
            while True:
                message = await _next(queue)
                if message is None:
                    return
                yield message
        finally:
            self._listeners.discard(queue)


async def _next(queue: asyncio.Queue[bytes | None]) -> bytes | None:
    try:
        return await asyncio.wait_for(queue.get(), BEAT_S)
    except TimeoutError:
        return b": beat\n\n"


def _put(queue: asyncio.Queue[bytes | None], message: bytes | None) -> None:
    if queue.full():
        queue.get_nowait()
    queue.put_nowait(message)
