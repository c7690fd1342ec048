"""Server-sent events: everybody hears, the slow lose the old, and a closed hub ends its streams."""

import asyncio
from collections.abc import AsyncIterator
from typing import cast

import pytest

from seakeeping.errors import Unavailable
from seakeeping.web import events
from seakeeping.web.events import EventHub


async def listen(hub: EventHub) -> AsyncIterator[bytes]:
    return cast(AsyncIterator[bytes], hub.stream({"at": 1}).body_iterator)


def test_a_listener_is_greeted_and_hears_what_is_published() -> None:
    async def scene() -> list[bytes]:
        hub = EventHub()
        stream = await listen(hub)
        heard = [await anext(stream)]
        hub.publish("tick", {"at": 2})
        heard.append(await anext(stream))
        return heard

    hello, tick = asyncio.run(scene())
    assert hello == b'retry: 1000\nevent: hello\ndata: {"at":1}\n\n'
    assert tick == b'event: tick\ndata: {"at":2}\n\n'


def test_a_slow_listener_loses_the_old_not_the_new() -> None:
    async def scene() -> list[bytes]:
        hub = EventHub()
        stream = await listen(hub)
        await anext(stream)
        for n in range(100):
            hub.publish("tick", n)
        hub.close()
        return [message async for message in stream]

    heard = asyncio.run(scene())
    assert heard[-1] == b"event: tick\ndata: 99\n\n"
    assert len(heard) < 100


def test_a_closed_hub_ends_its_streams_and_forgets_them() -> None:
    async def scene() -> tuple[int, int]:
        hub = EventHub()
        streams = [await listen(hub) for _ in range(3)]
        for stream in streams:
            await anext(stream)
        during = hub.listening
        hub.close()
        for stream in streams:
            assert [message async for message in stream] == []
        return during, hub.listening

    assert asyncio.run(scene()) == (3, 0)


def test_a_quiet_stream_still_beats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "BEAT_S", 0.01)

    async def scene() -> bytes:
        stream = await listen(EventHub())
        await anext(stream)
        return await anext(stream)

    assert asyncio.run(scene()) == b": beat\n\n"


def test_one_listener_too_many_is_told_to_come_back() -> None:
    async def scene() -> None:
        hub = EventHub(most=1)
        await anext(await listen(hub))
        with pytest.raises(Unavailable, match="too many pages"):
            await listen(hub)

    asyncio.run(scene())
