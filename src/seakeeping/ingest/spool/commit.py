"""Group commit: one fdatasync for all bodies that arrive while the previous one is under way.

Bodies wait at most a few milliseconds for company. One thread compresses, writes and syncs; the
event loop only hands over and is told. What waits is bounded in bytes, so a slow disk turns
into "try again" for clients instead of memory here.
"""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from seakeeping.errors import SeakeepingError, SpoolBroken, SpoolFull
from seakeeping.ingest.spool.format import Position, SpoolRecord
from seakeeping.metrics import ERRORS, SPOOL_COMMIT_S

WAIT_S = 0.005
REST_S = 5.0
"""Seconds without a body after which the writer leaves its segment."""

GROUP_BYTES = 16 * 2**20
"""Inflated bytes after which a group takes no more bodies."""


class Appender(Protocol):
    """What makes records durable: a `SpoolWriter`, or a double of it in tests."""

    def append(self, records: Sequence[SpoolRecord]) -> Position:
        """Return the place behind the last record; raises SpoolFull or SpoolBroken."""
        ...

    def rest(self) -> None:
        """Nothing has come for a while."""
        ...

    def close(self) -> None:
        """Let go of the folder."""
        ...


@dataclass(frozen=True, slots=True)
class _Waiting:
    record: SpoolRecord
    done: asyncio.Future[Position]


class GroupCommit:
    """The asyncio side of a writer. Belongs to the event loop that first submits."""

    def __init__(
        self,
        writer: Appender,
        *,
        queue_bytes: int,
        wait_s: float = WAIT_S,
        group_bytes: int = GROUP_BYTES,
        rest_s: float = REST_S,
    ) -> None:
        """Take over the writer, which nobody else may use from now on.

        Args:
            writer: what makes the records durable.
            queue_bytes: most inflated bytes that may wait or be under way.
            wait_s: seconds that a body waits for company when the disk is idle.
            group_bytes: inflated bytes after which a group is closed; one body may be larger.
            rest_s: seconds without a body after which the writer rests.
        """
        self._writer = writer
        self._queue_bytes = queue_bytes
        self._wait_s = wait_s
        self._group_bytes = group_bytes
        self._rest_s = rest_s
        self._rest: asyncio.TimerHandle | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="spool")
        self._waiting: list[_Waiting] = []
        self._held_bytes = 0
        self._task: asyncio.Task[None] | None = None
        self._is_closed = False

    @property
    def held_bytes(self) -> int:
        """Inflated bytes that wait or are under way."""
        return self._held_bytes

    @property
    def waiting_count(self) -> int:
        """Bodies that wait for the next group."""
        return len(self._waiting)

    async def submit(self, record: SpoolRecord) -> Position:
        """Return once the record is durable.

        Raises:
            SpoolFull: too much waits already, or the spool has no room.
            SpoolBroken: the disk refused, or the spool is being closed.
        """
        if self._is_closed:
            raise SpoolBroken("the server is stopping")
        size = len(record.body)
        if self._held_bytes and self._held_bytes + size > self._queue_bytes:
            raise SpoolFull("more bodies arrive than the disk takes")
        waiting = _Waiting(record, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._held_bytes += size
        if self._task is None:
            self._task = asyncio.create_task(self._run())
            self._stay_awake()
        return await waiting.done

    async def close(self) -> None:
        """Commit what waits, then close the writer; whatever is submitted later is refused."""
        self._is_closed = True
        if self._task:
            await self._task
        self._stay_awake()
        self._thread.shutdown()
        self._writer.close()

    async def _run(self) -> None:
        await asyncio.sleep(0 if self._is_closed else self._wait_s)
        while self._waiting:
            group = self._next_group()
            await self._commit(group)
        self._task = None
        self._rest = asyncio.get_running_loop().call_later(
            self._rest_s, self._thread.submit, self._writer.rest
        )

    def _stay_awake(self) -> None:
        if self._rest:
            self._rest.cancel()
            self._rest = None

    def _next_group(self) -> list[_Waiting]:
        size = count = 0
        for waiting in self._waiting:
            size += len(waiting.record.body)
            if count and size > self._group_bytes:
                break
            count += 1
        group, self._waiting = self._waiting[:count], self._waiting[count:]
        return group

    async def _commit(self, group: list[_Waiting]) -> None:
        loop = asyncio.get_running_loop()
        records = [waiting.record for waiting in group]
        try:
            with SPOOL_COMMIT_S.time():
                position = await loop.run_in_executor(self._thread, self._writer.append, records)
        except Exception as error:
            self._tell(group, error)
        else:
            self._tell(group, position)

    def _tell(self, group: list[_Waiting], outcome: Position | Exception) -> None:
        if isinstance(outcome, Exception) and not isinstance(outcome, SeakeepingError):
            ERRORS.labels("spool", type(outcome).__name__).inc()
            outcome = SpoolBroken(f"the spool failed: {outcome}")
        for waiting in group:
            self._held_bytes -= len(waiting.record.body)
            if waiting.done.done():  # the client went away; its record is durable all the same
                continue
            if isinstance(outcome, Exception):
                waiting.done.set_exception(outcome)
            else:
                waiting.done.set_result(outcome)
