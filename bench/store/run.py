"""``python -m bench.store.run [--calls 2000000] [--data DIR]``: the store at size.

Fills a store (kept in DIR, filled once), then asks every question of the pages, the API and the
controller ``--rounds`` times with another service, id or moment each, and prints the CPU of the
engine and of the asking client. CPU, not time: it does not depend on who else uses the machine,
but for caches.
"""

import argparse
import json
import random
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from bench.store import fill, indicators
from bench.tree import cpu_s, pss_bytes
from seakeeping.store.counting import CountingStore, connect_counting
from seakeeping.store.engine.launch import RunningEngine, running_engine
from seakeeping.store.telemetry import EvaluationFilter, InteractionFilter, Store

_START = 1_787_961_600  # a midnight, UTC
_END = _START + fill.DAYS * 86_400
_PAGE_MS, _ID_MS = 200.0, 50.0

Question = Callable[[random.Random], object]


def main() -> None:
    """Fill, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--data", type=Path, default=Path("bench/.work/store"))
    args = parser.parse_args()
    settings = {"memory_limit_mb": 2000, "statement_s": 600}
    with running_engine(args.data / str(args.calls), settings=settings) as engine:
        store = connect_counting(engine.url, engine.token)
        store.migrate()
        _fill_once(store, engine, args.calls)
        _print_disk(store, args.calls)
        _ask_all(store, engine, args.rounds)
        store.close()


def _fill_once(store: Store, engine: RunningEngine, calls: int) -> None:
    found = store.client.read("SELECT count() FROM meta WHERE key = 'bench'")[0][0]
    if found:
        return
    began, cpu = time.monotonic(), cpu_s(engine.process.pid)
    fill.prepare(store)
    for day in range(fill.DAYS):
        fill.fill_day(store, _START, day, calls // fill.DAYS)
        print(f"day {day + 1} of {fill.DAYS}: {time.monotonic() - began:.0f} s", flush=True)
    store.client.command("INSERT INTO meta (key, value) VALUES ('bench', 'filled')")
    fill.roll_up(store, _START)
    used = cpu_s(engine.process.pid) - cpu
    print(f"filled in {time.monotonic() - began:.0f} s, {used:.0f} CPU s of the engine")


def _print_disk(store: Store, calls: int) -> None:
    usage = store.disk_usage()
    for table, size in sorted(usage.items(), key=lambda item: -item[1]):
        print(f"{table:20} {size / 1e6:10.1f} MB {size / calls:8.1f} bytes a call")
    print(f"{'all':20} {sum(usage.values()) / 1e6:10.1f} MB")


def _questions(store: Store) -> dict[str, tuple[float, Question]]:
    ids = store.client.read(
        "SELECT trace_id, span_id FROM interactions WHERE cityHash64(span_id) % 5000 = 0 LIMIT 400"
    )

    def one(source: random.Random) -> tuple[str, str]:
        trace_id, span_id = source.choice(ids)
        return trace_id, span_id

    def service(source: random.Random) -> str:
        return f"service-{source.randrange(fill.SERVICES)}"

    def calls(where: InteractionFilter) -> object:
        return store.interactions(where, limit=50)

    day, month = 86_400.0, fill.DAYS * 86_400.0
    return {
        "id: interaction": (_ID_MS, lambda s: store.interaction(*one(s))),
        "id: its evaluations": (_ID_MS, lambda s: store.evaluations_of(*one(s))),
        "id: its trace": (_ID_MS, lambda s: store.trace(one(s)[0])),
        "wall: services, 1 h": (_PAGE_MS, lambda s: store.services(_END, 3600.0)),
        "wall: services, 24 h": (_PAGE_MS, lambda s: store.services(_END, day)),
        "wall: services, 30 d": (_PAGE_MS, lambda s: store.services(_END, month)),
        "service: series, 24 h by 15 min": (
            _PAGE_MS, lambda s: store.series(service(s), _END - day, _END, 900)),
        "service: series, 30 d by 6 h": (
            _PAGE_MS, lambda s: store.series(service(s), _END - month, _END, 21_600)),
        "calls: newest 50": (_PAGE_MS, lambda s: calls(InteractionFilter())),
        "calls: newest 50 of a service": (
            _PAGE_MS, lambda s: calls(InteractionFilter(service_name=service(s)))),
        "calls: errors of a service": (
            _PAGE_MS, lambda s: calls(InteractionFilter(service_name=service(s), has_error=True))),
        "calls: unsupported, of a service": (
            _PAGE_MS,
            lambda s: calls(InteractionFilter(
                service_name=service(s), label="unsupported", evaluation="faithfulness"))),
        "calls: all of one user": (
            _PAGE_MS, lambda s: calls(InteractionFilter(user_id=f"user-{s.randrange(50_000)}"))),
        "evaluations: newest 50 unsupported": (
            _PAGE_MS,
            lambda s: store.evaluations(
                EvaluationFilter(name="faithfulness", score_label="unsupported"), limit=50)),
    }  # fmt: skip


def _ask_all(store: CountingStore, engine: RunningEngine, rounds: int) -> None:
    source = random.Random(2)
    print(f"{'question':36} engine: least  median   client: median   (CPU ms)")
    rows = []
    decided = indicators.questions(store, _END)
    asked = _questions(store) | {name: (_PAGE_MS, ask) for name, ask in decided.items()}
    for name, (limit, question) in asked.items():
        costs = [_cost(engine, question, source) for _ in range(rounds)]
        least = min(cost for cost, _ in costs)
        median = statistics.median(cost for cost, _ in costs)
        client = statistics.median(cost for _, cost in costs)
        verdict = "" if median + client <= limit else f"  over {limit:g}"
        rows.append({"question": name, "least": least, "median": median, "client": client})
        print(f"{name:36} {least:12.1f} {median:8.1f} {client:10.1f}{verdict}", flush=True)
    print(f"engine memory: {pss_bytes(engine.process.pid) / 1e6:.0f} MB")
    print(json.dumps(rows))


_REPEATS = 5
"""Times a question is asked for one figure: the kernel counts CPU in steps of 10 ms."""


def _cost(engine: RunningEngine, question: Question, source: random.Random) -> tuple[float, float]:
    before, own = cpu_s(engine.process.pid), time.process_time()
    for _ in range(_REPEATS):
        question(source)
    client = time.process_time() - own
    return (
        (cpu_s(engine.process.pid) - before) * 1000 / _REPEATS,
        client * 1000 / _REPEATS,
    )


if __name__ == "__main__":
    main()
