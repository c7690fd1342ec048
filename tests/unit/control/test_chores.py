import threading
from collections.abc import Callable

import pytest

from seakeeping.control.chores import Chore, Chores


class Hand:
    """A clock moved by hand."""

    def __init__(self) -> None:
        self.at = 0.0

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at


def chores(clock: Hand, *items: Chore) -> Chores:
    return Chores(items, clock, threading.Event())


def noting(seen: list[float], clock: Hand) -> Callable[[], None]:
    return lambda: seen.append(clock.at)


def test_a_chore_is_done_at_its_times() -> None:
    clock, seen = Hand(), list[float]()
    work = chores(clock, Chore("a", 10.0, noting(seen, clock), first_s=5.0))
    for at in (0.0, 4.9, 5.0, 14.0, 15.0, 100.0):
        clock.at = at
        work.step()
    assert seen == [5.0, 15.0, 100.0]


def test_the_wait_is_until_the_next_that_is_due() -> None:
    clock = Hand()
    work = chores(clock, Chore("a", 10.0, lambda: None), Chore("b", 3.0, lambda: None))
    assert work.step() == pytest.approx(3.0)


def test_a_failing_chore_is_said_once_and_tried_again(capsys: pytest.CaptureFixture[str]) -> None:
    clock, seen = Hand(), list[float]()
    moods = iter([True, True, False, True])

    def moody() -> None:
        seen.append(clock.at)
        if next(moods):
            raise ValueError("not today")

    work = chores(clock, Chore("moody", 1.0, moody), Chore("calm", 1.0, lambda: None))
    for at in (0.0, 1.0, 2.0, 3.0):
        clock.at = at
        work.step()
    assert seen == [0.0, 1.0, 2.0, 3.0]
    assert capsys.readouterr().err.count("not today") == 2, "once a spell of failing"


def test_chores_end_when_asked() -> None:
    stop, done = threading.Event(), threading.Event()
    work = Chores([Chore("a", 1000.0, done.set)], Hand(), stop)
    work.start()
    assert done.wait(5)
    stop.set()
    work.join(5)
    assert not work._thread.is_alive()
