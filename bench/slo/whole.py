"""How soon a call of an app is in its budgets: a whole server, from the export to the API's answer.

One call at a time, as an app that exports at once. Two objectives of the default pack are watched:
availability, which counts calls, and faithfulness, which waits for the detector. The times include
up to one polling interval. Beside it, what the idle server takes.
"""

import json
import secrets
import shutil
import time
import urllib.request
from dataclasses import dataclass
from statistics import median
from typing import Any

from bench import tree
from bench.ingest import servers
from bench.ingest.ours import Seakeeping

SERVICE = "bench-shop"
WATCHED = ("availability", "faithfulness")
POLL_S = 0.05
LIMIT_S = 30.0
QUESTION = "Which rivers meet at Koblenz, and what stands there?"
DOCUMENT = "At Koblenz the Moselle flows into the Rhine. The Deutsches Eck is a headland there."
ANSWER = "The Moselle and the Rhine meet at Koblenz. At the Deutsches Eck stands a monument."


@dataclass(frozen=True, slots=True)
class Whole:
    """Seconds from export to budget, median and worst, by objective; the idle server's cost."""

    seconds: dict[str, tuple[float, float]]
    idle_bytes: int
    idle_cpu_s: float


def measure(rounds: int = 30, idle_s: float = 30.0) -> Whole:
    """Export a call a round, and ask for the budgets until it is in them."""
    server = Seakeeping(servers.WORK / "data" / "whole")
    shutil.rmtree(server.folder, ignore_errors=True)
    process = servers.start(server)
    try:
        export(server.base)
        _until_counted(server.base, 0, time.monotonic())  # the first service is new
        found: dict[str, list[float]] = {name: [] for name in WATCHED}
        for number in range(1, rounds + 1):
            time.sleep(0.37)  # not in step with the looks
            began = time.monotonic()
            export(server.base)
            for name, seconds in _until_counted(server.base, number, began).items():
                found[name].append(seconds)
        time.sleep(10)
        idle = tree.idle(process.pid, idle_s, server.folder / "perf")
        memory = tree.pss_bytes(process.pid)
    finally:
        tree.end(process)
    spans = {name: (median(some), max(some)) for name, some in found.items()}
    return Whole(spans, memory, idle.cpu_s)


def export(base: str) -> None:
    """Send one call that was just answered."""
    now = time.time_ns()
    body = json.dumps({"resourceSpans": [{
        "resource": {"attributes": [_attribute("service.name", SERVICE)]},
        "scopeSpans": [{"spans": [{
            "traceId": secrets.token_hex(16), "spanId": secrets.token_hex(8), "name": "chat",
            "startTimeUnixNano": str(now - 800_000_000), "endTimeUnixNano": str(now), "kind": 3,
            "attributes": [_attribute(name, value) for name, value in _ATTRIBUTES.items()],
        }]}],
    }]}).encode()  # fmt: skip
    headers = {"content-type": "application/json"}
    urllib.request.urlopen(urllib.request.Request(f"{base}/v1/traces", body, headers)).close()


_ATTRIBUTES = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o-mini",
    "gen_ai.input.messages": json.dumps(
        [
            {"role": "user", "parts": [{"type": "text", "content": QUESTION}]},
            {"role": "tool", "parts": [{"type": "tool_call_response", "response": DOCUMENT}]},
        ]
    ),
    "gen_ai.output.messages": json.dumps(
        [{"role": "assistant", "parts": [{"type": "text", "content": ANSWER}]}]
    ),
}


def _attribute(name: str, value: str) -> dict[str, Any]:
    return {"key": name, "value": {"stringValue": value}}


def _until_counted(base: str, before: int, began: float) -> dict[str, float]:
    """Return after how many seconds each watched budget holds more than so many calls."""
    found: dict[str, float] = {}
    while len(found) < len(WATCHED):
        if time.monotonic() - began > LIMIT_S:
            raise RuntimeError(f"not counted within {LIMIT_S:g} s: {set(WATCHED) - set(found)}")
        for name, rows in _counted(base).items():
            if rows > before:
                found.setdefault(name, time.monotonic() - began)
        time.sleep(POLL_S)
    return found


def _counted(base: str) -> dict[str, int]:
    answer: Any = servers.get_json(f"{base}/api/budgets?service={SERVICE}")
    by_name = {one["objective"]["name"]: one["valid_rows"] for one in answer["items"]}
    return {name: by_name.get(f"{SERVICE}/{name}", 0) for name in WATCHED}
