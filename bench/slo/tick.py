"""CPU of one tick of a thousand objectives: refresh, readings, and the snapshot for the pages."""

import resource
import time
from collections.abc import Callable
from dataclasses import dataclass

from bench.slo.columns import ColumnStore
from seakeeping.observe.book import Book
from seakeeping.observe.snapshot import Decoder, Encoder
from seakeeping.records import Indicator, IndicatorSignal, Objective

NOW = 1_790_000_100.0
TICK_S = 5.0


@dataclass(frozen=True, slots=True)
class TickCost:
    """CPU seconds a tick, by part, and what was filled before."""

    objectives: int
    looks: int
    fill_s: float
    refresh_s: float
    readings_s: float
    encode_s: float
    decode_s: float
    snapshot_bytes: int
    memory_mib: float


class HandClock:
    """A clock of the benchmark's."""

    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> float:
        """Return the time that it is set to."""
        return self.at

    def monotonic(self) -> float:
        """Return the machine's time, for paces."""
        return time.monotonic()


def objectives(services: int, each: int) -> list[Objective]:
    """Return distinct objectives: latency at ``each`` different thresholds of every service."""
    return [
        Objective(
            f"service-{service}/latency-{number}", f"service-{service}",
            Indicator(
                "latency", "calls", "fast calls", signal=IndicatorSignal.LATENCY,
                threshold=1.0 + number / 10,
            ),
            0.99, source="bench.yaml",
        )
        for service in range(services)
        for number in range(each)
    ]  # fmt: skip


def measure(services: int = 50, each: int = 20, ticks: int = 40) -> TickCost:
    """Fill a book with 30 days, then tick."""
    clock = HandClock()
    store = ColumnStore([f"service-{n}" for n in range(services)], NOW)
    book = Book(store, clock)
    book.hold(objectives(services, each))
    before = _memory_mib()

    def fill() -> None:
        book.refresh(clock.at)
        while any("Counted" in one.budget.note for one in book.readings(clock.at)[:1]):
            book.refresh(clock.at)

    fill_s = _cpu(fill)
    spent = {"refresh": 0.0, "readings": 0.0, "encode": 0.0, "decode": 0.0}
    encoder, decoder = Encoder(), Decoder()
    readings = book.readings(clock.at)
    body = encoder.encode(readings, clock.at)
    decoder.decode(body)
    for _ in range(ticks):
        clock.at += TICK_S
        store.now = clock.at
        spent["refresh"] += _cpu(lambda: book.refresh(clock.at))
        began = time.process_time()
        readings = book.readings(clock.at)
        spent["readings"] += time.process_time() - began
        began = time.process_time()
        body = encoder.encode(readings, clock.at)
        spent["encode"] += time.process_time() - began
        spent["decode"] += _cpu(lambda: decoder.decode(body))  # noqa: B023
    return TickCost(
        len(readings), len(readings[0].budget.burn_rates), fill_s,
        *(seconds / ticks for seconds in spent.values()), len(body), _memory_mib() - before,
    )  # fmt: skip


def _cpu(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _memory_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
