"""Ingest side by side: Seakeeping, Arize Phoenix and MLflow, on the same corpus, in one run.

For each: CPU seconds per 1,000 spans of the whole process tree, net of what it costs at rest, from
the first byte until every span is durable and queryable (ours: also scored); instructions a span
where the machine counts them; peak memory (PSS); disk a span after merges; whether all is there.
Then the kill: SIGKILL to the whole tree right after the last acknowledgement, start again, count.

    python -m bench.ingest.run                       # all three
    python -m bench.ingest.run seakeeping --spans 40960 --model-calls 0
"""

import argparse
import datetime
import json
import os
import platform
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import corpus, tree
from bench.ingest import ours, servers
from bench.send import Sent, send

PEER_SPANS = 2_560
OUR_SPANS = 40_960
WARM_UP_SPANS = 256
REST_S = 10.0
SETTLE_LIMIT_S = 900.0
STALLED_S = 30.0
"""A server that stores nothing for so long has nothing left to store."""


MAKERS: dict[str, Callable[[Path], servers.Server]] = {
    "phoenix": servers.Phoenix,
    "mlflow": servers.MLflow,
    "seakeeping": ours.Seakeeping,
}


def fresh(name: str) -> servers.Server:
    """Return the server with an empty data folder."""
    folder = servers.WORK / "data" / name
    shutil.rmtree(folder, ignore_errors=True)
    return MAKERS[name](folder)


def settle(server: servers.Server, spans: int, model_calls: int) -> bool:
    """Wait until everything is stored; return False where it never is."""
    deadline = time.monotonic() + SETTLE_LIMIT_S
    while time.monotonic() < deadline:
        if server.is_settled(spans, model_calls):
            return True
        time.sleep(0.5)
    return False


def measure(name: str, spans: int, model_call_share: float, senders: int) -> dict[str, Any]:
    """Return the figures of one server on one corpus."""
    server = fresh(name)
    process = servers.start(server)
    try:
        warm = send(corpus.bodies(WARM_UP_SPANS, seed=1), server.url, headers=server.headers)
        settle(server, warm.spans, warm.model_calls)
        time.sleep(3)
        rest = tree.idle(process.pid, REST_S, servers.WORK / "perf.txt")
        bodies = list(corpus.bodies(spans, model_call_share=model_call_share))
        server.trim()
        disk_before = server.disk_bytes()
        with (
            tree.PeakMemory(process.pid) as memory,
            tree.Instructions(process.pid, servers.WORK / "perf.txt") as counted,
        ):
            before, start = tree.cpu_s(process.pid), time.monotonic()
            sent = send(bodies, server.url, headers=server.headers, senders=senders)
            is_complete = settle(
                server, warm.spans + sent.spans, warm.model_calls + sent.model_calls
            )
            spent = time.monotonic() - start
            cpu = tree.cpu_s(process.pid) - before
        server.trim()
        figures = _figures(sent, rest, cpu, spent, counted.count)
        return figures | {
            "model_call_share": model_call_share,
            "complete": is_complete,
            "missing": warm.spans + sent.spans - server.stored(),
            "peak_pss_mb": round(memory.bytes / 1e6),
            "disk_bytes_a_span": round((server.disk_bytes() - disk_before) / sent.spans),
        }
    finally:
        tree.end(process)


def _figures(
    sent: Sent, rest: tree.Idle, cpu: float, spent: float, instructions: int | None
) -> dict[str, Any]:
    net = cpu - rest.cpu_s * spent
    per_span = None
    if instructions is not None and rest.instructions is not None:
        per_span = round((instructions - rest.instructions * spent) / sent.spans / 1e6, 3)
    return {
        "spans": sent.spans,
        "refused_requests": sent.refused,
        "cpu_s_per_1000_net": round(1000 * net / sent.spans, 3),
        "cpu_s_per_1000_gross": round(1000 * cpu / sent.spans, 3),
        "idle_cpu_ratio": round(rest.cpu_s, 4),
        "m_instructions_a_span": per_span,
        "sent_in_s": round(sent.seconds, 2),
        "queryable_in_s": round(spent, 2),
        "spans_a_s": round(sent.spans / spent),
    }


def kill(name: str, spans: int, senders: int) -> dict[str, Any]:
    """Kill the tree right after the last acknowledgement; return what is there after a restart."""
    server = fresh(name)
    process = servers.start(server)
    bodies = list(corpus.bodies(spans, seed=2))
    sent = send(bodies, server.url, headers=server.headers, senders=senders)
    tree.kill(process.pid, signal.SIGKILL)
    at_kill = server.stored() if name != "seakeeping" else None
    start = time.monotonic()
    process = servers.start(server)
    serving_s = time.monotonic() - start
    try:
        stored = _stored_in_the_end(server, sent.spans)
    finally:
        tree.end(process)
    return {
        "acknowledged": sent.spans,
        "stored_when_killed": at_kill,
        "stored_after_restart": stored,
        "lost": sent.spans - stored,
        "serving_again_s": round(serving_s, 1),
    }


def _stored_in_the_end(server: servers.Server, wanted: int) -> int:
    """Return how many spans there are once all are, or once no more come."""
    stored, since = server.stored(), time.monotonic()
    while stored < wanted and time.monotonic() - since < STALLED_S:
        time.sleep(0.5)
        now = server.stored()
        if now != stored:
            stored, since = now, time.monotonic()
    return stored


def main() -> None:
    """Run what was asked for, print the figures, keep them as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("names", nargs="*", default=list(MAKERS), metavar="|".join(MAKERS))
    parser.add_argument("--spans", type=int, help="spans in the corpus of each")
    parser.add_argument("--model-calls", type=float, default=0.25, help="share of model calls")
    parser.add_argument("--senders", type=int, default=2, help="connections")
    parser.add_argument("--no-kill", action="store_true", help="leave the kill out")
    parser.add_argument("--only-kill", action="store_true", help="leave the figures out")
    args = parser.parse_args()
    servers.WORK.mkdir(exist_ok=True)
    results: dict[str, Any] = {
        "date": datetime.date.today().isoformat(),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, {platform.python_version()}",
        "load_average": os.getloadavg()[0],
    }
    for name in args.names:
        spans = args.spans or (OUR_SPANS if name == "seakeeping" else PEER_SPANS)
        results[name] = {}
        if not args.only_kill:
            results[name] = measure(name, spans, args.model_calls, args.senders)
        if not args.no_kill:
            results[name]["kill"] = kill(name, spans, args.senders)
        print(name, json.dumps(results[name], indent=2), flush=True)
    stamp = time.strftime("%Y%m%d-%H%M%S")
    (servers.WORK / f"ingest-{stamp}.json").write_text(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
