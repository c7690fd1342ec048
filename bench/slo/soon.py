"""How soon a stored event is in its budget, and what a tick asks of a real engine.

From the moment an event's row is stored to a reading that counts it, with a look every second as
the controller looks; the way from the app to the store is measured by ``bench.latency``.
"""

import os
import time
from dataclasses import dataclass, replace
from statistics import median

import psutil

from seakeeping.clock import SystemClock
from seakeeping.observe.book import Book
from seakeeping.observe.objectives import default_objectives
from seakeeping.store.counting import CountingStore
from seakeeping.store.testing import make_evaluation, make_interaction, running_store

SERVICES = 20
LOOK_S = 1.0


@dataclass(frozen=True, slots=True)
class Soon:
    """Seconds from a row in the store to a reading; CPU seconds of one look, here and there."""

    objectives: int
    median_s: float
    worst_s: float
    book_cpu_s: float
    engine_cpu_s: float
    idle_engine_cpu_s: float


def measure(rounds: int = 20) -> Soon:
    """Store an answer of every service a round, and look until it is counted."""
    with running_store() as store:
        book = Book(store, SystemClock())
        book.hold(default_objectives())
        number = _send(store, 1)
        book.refresh(time.time())
        while any("Counted" in one.budget.note for one in book.readings(time.time())):
            book.refresh(time.time())  # the past
        delays, book_cpu, engine_cpu = [], 0.0, 0.0
        for _ in range(rounds):
            number = _send(store, number)
            began, engine = time.monotonic(), _engine_cpu()
            before = time.process_time()
            expected = number - 1
            while _counted(book) < expected:
                time.sleep(0.05)
            book_cpu += time.process_time() - before
            engine_cpu += _engine_cpu() - engine
            delays.append(time.monotonic() - began)
        time.sleep(LOOK_S)
        engine = _engine_cpu()
        for _ in range(rounds):
            book.refresh(time.time())
        idle = _engine_cpu() - engine
        count = len(book.readings(time.time()))
    worst = max(delays) + LOOK_S  # the look may just have been
    return Soon(
        count, median(delays) + LOOK_S / 2, worst, book_cpu / rounds, engine_cpu / rounds,
        idle / rounds,
    )  # fmt: skip


def _counted(book: Book) -> float:
    now = time.time()
    book.refresh(now)
    readings = book.readings(now)
    return sum(
        one.budget.valid_total
        for one in readings
        if one.budget.objective.indicator.name == "availability"
    )


def _send(store: CountingStore, number: int) -> int:
    """Store one answer with its verdict for each service; return the next number."""
    calls = [
        replace(
            make_interaction(number + n), service_name=f"service-{n:02d}", started_at=time.time()
        )
        for n in range(SERVICES)
    ]
    store.insert_interactions(calls, "")
    store.insert_evaluations([(make_evaluation(call), call) for call in calls], "")
    store.refresh_rollups({(call.service_name, call.started_at // 300 * 300) for call in calls})
    return number + SERVICES


def _engine_cpu() -> float:
    children = psutil.Process(os.getpid()).children(recursive=True)
    return sum(sum(child.cpu_times()[:2]) for child in children)
