"""``seakeeping send``: put telemetry from files on the wire, the same way that an app's would come.

OTLP request bodies go as they are (binary or JSON, gzipped or not; the name says the signal:
``x.logs.binpb``, ``x.metrics.json``, else traces). JSONL lines are interactions, or rows of
``{id, context, question, answer}``; they are written as OpenTelemetry GenAI spans first. Ids follow
from the content, so sending a file twice counts it once.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from rich.console import Console
from rich.progress import Progress

from seakeeping.cli.client import TRANSFER_S, Client
from seakeeping.errors import BadInput
from seakeeping.evaluate.offline import read_interactions
from seakeeping.ingest.as_spans import as_spans
from seakeeping.ingest.otlp import Encoding, encode_traces
from seakeeping.records import Signal

_LINES_PER_REQUEST = 100
_GZIP = b"\x1f\x8b"
_CONTENT_TYPES = {
    Encoding.PROTOBUF: "application/x-protobuf",
    Encoding.JSON: "application/json",
}
_RESPONSES: dict[Signal, Any] = {
    Signal.TRACES: ExportTraceServiceResponse,
    Signal.LOGS: ExportLogsServiceResponse,
    Signal.METRICS: ExportMetricsServiceResponse,
}


@dataclass(frozen=True, slots=True)
class Body:
    """One export request: ``place`` says which file, and lines, it is made of."""

    place: str
    signal: Signal
    encoding: Encoding
    content: bytes


@dataclass(slots=True)
class Tally:
    """What came of it."""

    requests: int = 0
    rejected: int = 0
    messages: list[str] = field(default_factory=list)

    def count(self, rejected: int, message: str, place: str) -> None:
        """Add one answered request."""
        self.requests += 1
        self.rejected += rejected
        if message:
            self.messages.append(f"{place}: {message}")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``send``."""
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument(
        "--endpoint", default="http://127.0.0.1:4318", help="the server (default: %(default)s)"
    )
    parser.add_argument("--key", help="API key with the scope `receive`")
    parser.add_argument(
        "--signal", choices=[s.value for s in Signal], help="instead of what the file's name says"
    )


def run(args: argparse.Namespace) -> int:
    """Send every file; return 1 where the server rejected items."""
    client = Client(args.endpoint, args.key, patience_s=TRANSFER_S)
    signal = Signal(args.signal) if args.signal else None
    tally = Tally()
    with Progress(console=Console(stderr=True), disable=args.json, transient=True) as progress:
        for path in progress.track(args.files, description="sending"):
            for body in bodies(path, signal):
                tally.count(*_send(client, body), body.place)
    _report(tally, as_json=args.json)
    return 1 if tally.rejected else 0


def bodies(path: Path, signal: Signal | None = None) -> Iterator[Body]:
    """Yield the export requests of one file.

    Raises:
        BadInput: the file cannot be read, or a line of it is no interaction.
    """
    if path.suffix == ".jsonl":
        yield from _from_lines(path)
        return
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror}", place=str(path)) from error
    name = path.name.removesuffix(".gz")
    encoding = Encoding.JSON if name.endswith(".json") else Encoding.PROTOBUF
    yield Body(str(path), signal or _signal_of(name), encoding, content)


def _signal_of(name: str) -> Signal:
    words = name.split(".")
    return next((s for s in Signal if s.value in words), Signal.TRACES)


def _from_lines(path: Path) -> Iterator[Body]:
    batch = []
    for interaction in read_interactions(path, clock=_FileTime(path)):
        batch.extend(as_spans(interaction))
        if len(batch) >= _LINES_PER_REQUEST:
            yield Body(str(path), Signal.TRACES, Encoding.PROTOBUF, encode_traces(batch))
            batch = []
    if batch:
        yield Body(str(path), Signal.TRACES, Encoding.PROTOBUF, encode_traces(batch))


class _FileTime:
    """The time of a row that names none is its file's: sending the file again is the same call."""

    def __init__(self, path: Path) -> None:
        self._at = path.stat().st_mtime if path.exists() else time.time()

    def now(self) -> float:
        """Return when the file was written."""
        return self._at

    def monotonic(self) -> float:
        """Return the machine's monotonic time."""
        return time.monotonic()


def _send(client: Client, body: Body) -> tuple[int, str]:
    headers = {"Content-Type": _CONTENT_TYPES[body.encoding]}
    if body.content.startswith(_GZIP):
        headers["Content-Encoding"] = "gzip"
    try:
        answer = client.post(f"/v1/{body.signal}", body.content, headers)
    except BadInput as error:
        raise BadInput(error.message, place=body.place, hint=error.hint) from error
    return rejections(body, answer)


def rejections(body: Body, answer: bytes) -> tuple[int, str]:
    """Return how many items of a request the server rejected, and why."""
    if body.encoding is Encoding.JSON:
        partial = json.loads(answer or b"{}").get("partialSuccess", {})
        counts = [int(v) for k, v in partial.items() if k.startswith("rejected")]
        return sum(counts), str(partial.get("errorMessage", ""))
    response = _RESPONSES[body.signal]()
    try:
        response.ParseFromString(answer)
    except DecodeError as error:
        raise BadInput("the server's answer is not OTLP", place=body.place) from error
    fields: Sequence[tuple[Any, Any]] = response.partial_success.ListFields()
    counts = [value for spec, value in fields if spec.name.startswith("rejected")]
    return sum(counts), response.partial_success.error_message


def _report(tally: Tally, *, as_json: bool) -> None:
    if as_json:
        facts = {"requests": tally.requests, "rejected": tally.rejected}
        print(json.dumps({**facts, "messages": tally.messages}))
        return
    print(f"{tally.requests} requests accepted, {tally.rejected} items rejected")
    for message in tally.messages:
        print(f"  {message}", file=sys.stderr)
