"""Questions to a store, asked from an event loop that must not wait.

The store is asked from a few threads, each question has a deadline, and no more questions wait than
threads can answer soon: a store that hangs costs a page a banner, never the loop or the receivers
their memory. Once a deadline has passed the next ones are short until an answer comes, so that a
hung store is told from a slow one and every page says so at once.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from seakeeping.errors import StoreUnavailable, Unavailable

Answer = TypeVar("Answer")

_SHORT_S = 1.0


class Reader:
    """Runs questions in threads.

    Args:
        threads: how many are asked at once.
        waiting: how many more may wait.
        deadline_s: how long an answer may take.
        of: what is asked, in words.
    """

    def __init__(
        self, *, threads: int = 4, waiting: int = 16, deadline_s: float = 5.0, of: str = "store"
    ) -> None:
        self._of = of
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=f"{of}-reader")
        self._most = threads + waiting
        self._deadline_s = deadline_s
        self._asked = 0
        self._answers = True

    async def ask(self, question: Callable[[], Answer]) -> Answer:
        """Return the answer; raises Unavailable when too many wait or the deadline passes."""
        if self._asked >= self._most:
            raise self._unavailable(
                "is busy", "too many questions wait for it; try again in a moment"
            )
        self._asked += 1
        future = self._threads.submit(question)
        future.add_done_callback(self._done(asyncio.get_running_loop()))
        deadline_s = self._deadline_s if self._answers else min(_SHORT_S, self._deadline_s)
        try:
            answer = await asyncio.wait_for(asyncio.wrap_future(future), deadline_s)
        except TimeoutError:
            self._answers = False
            raise self._unavailable(
                f"did not answer within {deadline_s:g} s",
                "received telemetry is kept in the spool meanwhile; nothing is lost",
            ) from None
        self._answers = True
        return answer

    def close(self) -> None:
        """Take no more questions; does not wait for a hung one."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _unavailable(self, what: str, hint: str) -> Unavailable:
        kind = StoreUnavailable if self._of == "store" else Unavailable
        return kind(f"the {self._of} {what}", hint=hint)

    def _done(self, loop: asyncio.AbstractEventLoop) -> Callable[[Future[Answer]], None]:
        def forget(_: Future[Answer]) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._forget)

        return forget

    def _forget(self) -> None:
        self._asked -= 1
