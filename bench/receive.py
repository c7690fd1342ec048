"""What receiving costs: CPU per 1,000 spans from the socket to the durable spool, nothing else.

A server process (uvicorn on uvloop, the guard, the routes, a real spool) takes the ingest corpus
from this process, whose own CPU is not counted. Afterwards the spool is read back: every
acknowledged body must be there once, in whole.

    python -m bench.receive [--spans 20480] [--coding identity|gzip|zstd] [--transport http|grpc]

The floor is 23 to 25 ms for plain Python and C libraries that only receive, compress and sync; a
body must be parsed as well before it is acknowledged, which is 8 ms in C alone.
"""

import argparse
import asyncio
import gzip
import http.client
import itertools
import json
import queue
import resource
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import uvicorn
import uvloop
import zstandard
from starlette.applications import Starlette
from starlette.middleware import Middleware

from bench.corpus import SPANS_A_BODY, bodies
from seakeeping.config import ContentPolicy
from seakeeping.ingest.guard import Guard, GuardMiddleware, KeyRing
from seakeeping.ingest.receive import Receiver
from seakeeping.ingest.receive_grpc import SERVICES, serve_grpc
from seakeeping.ingest.receive_http import otlp_routes
from seakeeping.ingest.spool import START, GroupCommit, SpoolReader, SpoolWriter

SENDERS = 8
PACK: dict[str, Callable[[bytes], bytes]] = {
    "identity": bytes,
    "gzip": lambda body: gzip.compress(body, 6),
    "zstd": lambda body: zstandard.ZstdCompressor(3).compress(body),
}
Post = Callable[[bytes], None]


async def serve(folder: Path) -> None:
    """Serve; print the ports, then at each line from the parent what was used so far."""
    commit = GroupCommit(SpoolWriter(folder, limit_bytes=2**32), queue_bytes=2**27)
    receiver = Receiver(commit, body_limit_bytes=2**26, policy=ContentPolicy)
    guard = Guard(KeyRing(dict), host="127.0.0.1")
    app = Starlette(
        routes=otlp_routes(receiver), middleware=[Middleware(GuardMiddleware, guard=guard)]
    )
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", access_log=False))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    grpc_server, grpc_port = await serve_grpc(receiver, "127.0.0.1:0", guard)
    print(json.dumps({"http": listener.getsockname()[1], "grpc": grpc_port}), flush=True)
    loop = asyncio.get_running_loop()
    while await loop.run_in_executor(None, sys.stdin.readline):
        used = resource.getrusage(resource.RUSAGE_SELF)
        cost = {"cpu_s": used.ru_utime + used.ru_stime, "rss_mb": peak_rss_mb()}
        print(json.dumps(cost), flush=True)
    server.should_exit = True
    await serving
    await grpc_server.stop(1)
    await commit.close()


def peak_rss_mb() -> float:
    """Return this process's own peak (``ru_maxrss`` would count its parent's before the exec)."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


class Server:
    """The server process, and what it has used."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.receive", "--serve", str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.ports: dict[str, int] = self._read()

    def _read(self) -> dict[str, int]:
        assert self._process.stdout is not None
        return dict(json.loads(self._process.stdout.readline()))

    def used(self) -> dict[str, int]:
        """Return CPU seconds since its start, and peak memory in MiB."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return self._read()

    def close(self) -> None:
        """Let it commit and end."""
        self._process.communicate()


def http_poster(port: int, coding: str) -> Post:
    """Return what posts one body over a kept connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"Content-Type": "application/x-protobuf"}
    headers |= {} if coding == "identity" else {"Content-Encoding": coding}

    def post(body: bytes) -> None:
        connection.request("POST", "/v1/traces", body, headers)
        response = connection.getresponse()
        response.read()
        if response.status != 200:
            raise RuntimeError(f"the server answered {response.status}")

    return post


def grpc_poster(port: int, coding: str) -> Post:
    """Return what exports one body over a channel of its own."""
    options = [("grpc.use_local_subchannel_pool", 1)]
    channel = grpc.insecure_channel(f"127.0.0.1:{port}", options)
    call = channel.unary_unary(f"/{next(iter(SERVICES))}/Export")
    gzips = coding == "gzip"
    compression = grpc.Compression.Gzip if gzips else grpc.Compression.NoCompression

    def post(body: bytes) -> None:
        call(body, timeout=60, compression=compression)

    return post


def send(payloads: Sequence[bytes], posters: Sequence[Post]) -> None:
    """Post every body once."""
    waiting: queue.Queue[bytes | None] = queue.Queue()
    for body in itertools.chain(payloads, [None] * len(posters)):
        waiting.put(body)

    def work(post: Post) -> None:
        while (body := waiting.get()) is not None:
            post(body)

    with ThreadPoolExecutor(len(posters)) as pool:
        list(pool.map(work, posters))


def measure(spans: int, transport: str, coding: str) -> dict[str, object]:
    """Return the figures of one run."""
    plain = [body.payload for body in bodies(spans, start=1_700_000_000)]
    packed = plain if transport == "grpc" else [PACK[coding](body) for body in plain]
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root) / "spool"
        server = Server(folder)
        make = http_poster if transport == "http" else grpc_poster
        posters = [make(server.ports[transport], coding) for _ in range(SENDERS)]
        send(packed[:SENDERS], posters)  # warm
        before, begun = server.used(), time.monotonic()
        send(packed, posters)
        seconds, after = time.monotonic() - begun, server.used()
        server.close()
        kept = [
            entry.record.body
            for entry in SpoolReader(folder).read(START, max_bytes=2**40, max_records=2**40)
        ]
        disk = sum(path.stat().st_size for path in folder.glob("*.seg"))
    sent = len(plain) * SPANS_A_BODY
    return {
        "transport": transport,
        "coding": coding,
        "spans": sent,
        "cpu_ms_per_1000_spans": round((after["cpu_s"] - before["cpu_s"]) / sent * 1e6, 1),
        "spans_per_s": round(sent / seconds),
        "peak_rss_mb": round(after["rss_mb"]),
        "spool_bytes_per_span": round(disk / (len(kept) * SPANS_A_BODY)),
        "all_kept": sorted(kept) == sorted(plain + plain[:SENDERS]),
    }


def main() -> None:
    """Measure, or serve as the child."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--spans", type=int, default=20480)
    parser.add_argument("--coding", choices=list(PACK), default="identity")
    parser.add_argument("--transport", choices=["http", "grpc"], default="http")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        uvloop.run(serve(args.serve))
    else:
        print(json.dumps(measure(args.spans, args.transport, args.coding)))


if __name__ == "__main__":
    main()
