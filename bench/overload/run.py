"""Overload: three times what the server can store and score, for a minute.

First the capacity is measured (spans a second until stored and scored), then three times as much
is offered. Memory must stay bounded, clients must be told to come back, and everything that was
acknowledged must be there in the end. The spool is kept small so that it does fill up.

    python -m bench.overload.run
"""

import argparse
import itertools
import json
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bench import corpus, tree
from bench.ingest import servers
from bench.ingest.ours import Seakeeping
from bench.ingest.run import settle
from bench.send import Sent, send

SPOOL_LIMIT_MB = 160
BODY_LIMIT_MB = 16
CAPACITY_SPANS = 10_240
POOL_SPANS = 20_480
FACTOR = 3.0
SECONDS = 60.0


@dataclass
class Small(Seakeeping):
    """A server whose spool fills up within the test."""

    def command(self) -> tuple[list[str], dict[str, str]]:
        """Return the command and the environment that start it."""
        limits = {
            "SEAKEEPING_SPOOL_LIMIT_MB": str(SPOOL_LIMIT_MB),
            "SEAKEEPING_BODY_LIMIT_MB": str(BODY_LIMIT_MB),
        }
        arguments, environment = super().command()
        return arguments, environment | limits


def offered(pool: list[corpus.Body], rate: float, stop: threading.Event) -> Iterator[corpus.Body]:
    """Yield bodies at so many spans a second, late ones at once, until told to stop."""
    start = time.monotonic()
    for number in itertools.count():
        due = start + number * corpus.SPANS_A_BODY / rate
        if stop.wait(max(0.0, due - time.monotonic())):
            return
        yield corpus.renewed(pool[number % len(pool)], number)


def run(seconds: float) -> dict[str, Any]:
    """Return the figures."""
    server = Small(servers.WORK / "data" / "overload")
    shutil.rmtree(server.folder, ignore_errors=True)
    process = servers.start(server)
    try:
        first = list(corpus.bodies(CAPACITY_SPANS, seed=1))
        start = time.monotonic()
        base = send(first, server.url, senders=4)
        settle(server, base.spans, base.model_calls)
        capacity = base.spans / (time.monotonic() - start)
        rate = FACTOR * capacity
        pool = list(corpus.bodies(POOL_SPANS, seed=2))
        with tree.PeakMemory(process.pid) as memory:
            sent = _offer(pool, server.url, rate, seconds)
        start = time.monotonic()
        is_complete = settle(server, base.spans + sent.spans, base.model_calls + sent.model_calls)
        return {
            "capacity_spans_a_s": round(capacity),
            "offered_spans_a_s": round(rate),
            "acknowledged": sent.spans,
            "told_to_come_back": sent.refused,
            "given_up_by_client": sent.gave_up,
            "peak_pss_mb": round(memory.bytes / 1e6),
            "spool_mb": round(server.spool_bytes() / 1e6),
            "drained_in_s": round(time.monotonic() - start, 1),
            "complete": is_complete,
            "lost": base.spans + sent.spans - server.stored(),
        }
    finally:
        tree.end(process)


def _offer(pool: list[corpus.Body], url: str, rate: float, seconds: float) -> Sent:
    stop = threading.Event()
    timer = threading.Timer(seconds, stop.set)
    timer.start()
    sent = send(offered(pool, rate, stop), url, senders=16, stop=stop)
    timer.cancel()
    return sent


def main() -> None:
    """Run, print, keep."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--seconds", type=float, default=SECONDS)
    args = parser.parse_args()
    servers.WORK.mkdir(exist_ok=True)
    figures = run(args.seconds)
    print(json.dumps(figures, indent=2))
    stamp = time.strftime("%Y%m%d-%H%M%S")
    (servers.WORK / f"overload-{stamp}.json").write_text(json.dumps(figures, indent=2))
    raise SystemExit(bool(figures["lost"] or not figures["complete"]))


if __name__ == "__main__":
    main()
