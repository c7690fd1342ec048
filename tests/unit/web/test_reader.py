"""Questions to the store: a deadline each, a bounded queue, and never a hang."""

import asyncio
import threading
from collections.abc import Awaitable, Callable

import pytest

from seakeeping.errors import StoreUnavailable
from seakeeping.web.reader import Reader


def test_an_answer_comes_back() -> None:
    reader = Reader()
    assert asyncio.run(reader.ask(lambda: 42)) == 42
    reader.close()


def test_an_error_of_the_question_is_the_askers() -> None:
    reader = Reader()
    with pytest.raises(ZeroDivisionError):
        asyncio.run(reader.ask(lambda: 1 // 0))
    reader.close()


def test_a_hung_store_costs_a_deadline_and_an_answer_heals_it() -> None:
    async def scene() -> str:
        release, reader = threading.Event(), Reader(threads=2, waiting=4, deadline_s=0.05)
        with pytest.raises(StoreUnavailable, match=r"did not answer within 0\.05 s"):
            await reader.ask(lambda: release.wait(20))
        release.set()
        answer = await reader.ask(lambda: "again")
        reader.close()
        return answer

    assert asyncio.run(scene()) == "again"


def test_no_more_questions_wait_than_can_be_answered_soon() -> None:
    async def scene() -> tuple[list[bool], int]:
        release, reader = threading.Event(), Reader(threads=1, waiting=1, deadline_s=5)
        first = [asyncio.create_task(reader.ask(lambda: release.wait(20))) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(StoreUnavailable, match="busy"):
            await reader.ask(lambda: 1)
        release.set()
        answers = await asyncio.gather(*first)
        last = await patiently(lambda: reader.ask(lambda: 7))
        reader.close()
        return answers, last

    assert asyncio.run(scene()) == ([True, True], 7)


async def patiently(ask: Callable[[], Awaitable[int]]) -> int:
    """Ask until the queue has room again."""
    for _ in range(500):
        try:
            return await ask()
        except StoreUnavailable:
            await asyncio.sleep(0.01)
    raise AssertionError("still busy")
