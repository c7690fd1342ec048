"""Group commit: company shares a sync, what waits is bounded, everybody is told the truth."""

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from seakeeping.errors import SpoolBroken, SpoolFull
from seakeeping.ingest.otlp.body import Encoding
from seakeeping.ingest.spool import (
    START,
    GroupCommit,
    Position,
    SpoolReader,
    SpoolRecord,
    SpoolWriter,
)
from seakeeping.records import Signal


def record(body: bytes) -> SpoolRecord:
    return SpoolRecord(Signal.TRACES, Encoding.PROTOBUF, 0.0, body)


class GatedWriter:
    """Appends when the gate is open; remembers the groups; fails when told to."""

    def __init__(self) -> None:
        self.groups: list[list[bytes]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.error: Exception | None = None
        self.is_closed = False
        self.rests = 0

    def append(self, records: Sequence[SpoolRecord]) -> Position:
        assert self.gate.wait(10)
        if self.error:
            raise self.error
        self.groups.append([record.body for record in records])
        return Position(1, len(self.groups))

    def rest(self) -> None:
        self.rests += 1

    def close(self) -> None:
        self.is_closed = True


def test_bodies_that_arrive_together_share_a_sync() -> None:
    async def run() -> None:
        writer = GatedWriter()
        commit = GroupCommit(writer, queue_bytes=1000)
        places = await asyncio.gather(*(commit.submit(record(bytes([n]))) for n in range(10)))
        assert set(places) == {Position(1, 1)}
        assert writer.groups == [[bytes([n]) for n in range(10)]]
        await commit.close()
        assert writer.is_closed

    asyncio.run(run())


def test_bodies_that_arrive_during_a_sync_share_the_next() -> None:
    async def run() -> None:
        writer = GatedWriter()
        writer.gate.clear()
        commit = GroupCommit(writer, queue_bytes=1000, wait_s=0)
        first = asyncio.create_task(commit.submit(record(b"a")))
        while commit.held_bytes == 0 or commit.waiting_count:
            await asyncio.sleep(0)
        rest = [asyncio.create_task(commit.submit(record(bytes([n])))) for n in range(5)]
        await asyncio.sleep(0)
        writer.gate.set()
        await asyncio.gather(first, *rest)
        assert [len(group) for group in writer.groups] == [1, 5]
        await commit.close()

    asyncio.run(run())


def test_a_group_is_bounded_in_bytes_and_one_large_body_still_goes() -> None:
    async def run() -> None:
        writer = GatedWriter()
        commit = GroupCommit(writer, queue_bytes=10_000, group_bytes=100)
        sizes = [60, 60, 500, 30, 30, 30]
        await asyncio.gather(*(commit.submit(record(b"x" * size)) for size in sizes))
        assert [[len(b) for b in group] for group in writer.groups] == [
            [60],
            [60],
            [500],
            [30, 30, 30],
        ]
        await commit.close()

    asyncio.run(run())


def test_what_waits_is_bounded() -> None:
    async def run() -> None:
        writer = GatedWriter()
        writer.gate.clear()
        commit = GroupCommit(writer, queue_bytes=100)
        held = [asyncio.create_task(commit.submit(record(b"x" * 50))) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(SpoolFull, match="more bodies"):
            await commit.submit(record(b"x"))
        writer.gate.set()
        await asyncio.gather(*held)
        assert await commit.submit(record(b"x")) == Position(1, 2)
        await commit.close()

    asyncio.run(run())


def test_one_body_over_the_bound_goes_when_nothing_waits() -> None:
    async def run() -> None:
        commit = GroupCommit(GatedWriter(), queue_bytes=10)
        assert await commit.submit(record(b"x" * 1000)) == Position(1, 1)
        await commit.close()

    asyncio.run(run())


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (SpoolFull("full"), SpoolFull),
        (SpoolBroken("broken"), SpoolBroken),
        (MemoryError("much"), SpoolBroken),
    ],
)
def test_a_failed_group_tells_all_and_the_next_one_goes(
    error: Exception, told: type[Exception]
) -> None:
    async def run() -> None:
        writer = GatedWriter()
        commit = GroupCommit(writer, queue_bytes=100)
        writer.error = error
        outcomes = await asyncio.gather(
            *(commit.submit(record(b"x")) for _ in range(3)), return_exceptions=True
        )
        assert [type(outcome) for outcome in outcomes] == [told] * 3
        writer.error = None
        assert commit.held_bytes == 0
        await commit.submit(record(b"y"))
        await commit.close()

    asyncio.run(run())


def test_a_client_that_left_does_not_disturb_the_others() -> None:
    async def run() -> None:
        writer = GatedWriter()
        writer.gate.clear()
        commit = GroupCommit(writer, queue_bytes=100, wait_s=0)
        gone = asyncio.create_task(commit.submit(record(b"a")))
        stays = asyncio.create_task(commit.submit(record(b"b")))
        await asyncio.sleep(0)
        gone.cancel()
        writer.gate.set()
        assert await stays == Position(1, 1)
        assert commit.held_bytes == 0
        await commit.close()

    asyncio.run(run())


def test_closing_commits_what_waits_and_refuses_what_comes_later(tmp_path: Path) -> None:
    async def run() -> None:
        commit = GroupCommit(SpoolWriter(tmp_path, limit_bytes=2**20), queue_bytes=100)
        last = asyncio.create_task(commit.submit(record(b"last")))
        await asyncio.sleep(0)
        await commit.close()
        assert (await last).offset > 0
        with pytest.raises(SpoolBroken, match="stopping"):
            await commit.submit(record(b"late"))

    asyncio.run(run())
    assert [entry.record.body for entry in SpoolReader(tmp_path).read(START)] == [b"last"]
    SpoolWriter(tmp_path, limit_bytes=2**20).close()


def test_a_writer_rests_when_nothing_comes_and_not_before() -> None:
    async def run() -> None:
        writer = GatedWriter()
        commit = GroupCommit(writer, queue_bytes=100, wait_s=0, rest_s=0.02)
        busy_until = asyncio.get_running_loop().time() + 0.1
        while asyncio.get_running_loop().time() < busy_until:
            await commit.submit(record(b"x"))
        assert writer.rests == 0
        while not writer.rests:
            await asyncio.sleep(0.001)
        await commit.submit(record(b"y"))
        await commit.close()
        await asyncio.sleep(0.05)
        assert writer.rests == 1

    asyncio.run(run())


def test_an_idle_spool_holds_nothing_that_is_done(tmp_path: Path) -> None:
    async def run() -> None:
        writer = SpoolWriter(tmp_path, limit_bytes=2**20)
        commit = GroupCommit(writer, queue_bytes=100, wait_s=0, rest_s=0.01)
        reader = SpoolReader(tmp_path)
        await commit.submit(record(b"a secret"))
        after = reader.read(START)[-1].end
        reader.advance(after)
        while (left := sum(path.stat().st_size for path in tmp_path.glob("*.seg"))) > 16:
            assert reader.read(after) == [], left
            await asyncio.sleep(0.001)
        await commit.submit(record(b"more"))
        assert [entry.record.body for entry in reader.read(after)] == [b"more"]
        await commit.close()

    asyncio.run(run())
