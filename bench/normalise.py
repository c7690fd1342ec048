"""CPU time of normalising: spans of model calls, and spans that are none.

Reads the captures that come with the repository (or ``../shared/otlp``), gives every copy of a
trace ids of its own, and adds batches of 512 spans to one assembler, as the pipeline does. Prints
CPU microseconds a span, the best of some rounds. Targets: 60 for a span of a model call, 8 for one
that is none.

    python bench/normalise.py [--rounds 5] [--folder DIR]
"""

import argparse
import gzip
import json
import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from seakeeping.clock import SystemClock
from seakeeping.config import PriceTable, load_resources
from seakeeping.ingest.assemble import Assembler
from seakeeping.ingest.dialects import Step, read
from seakeeping.ingest.otlp import Encoding, decode_traces
from seakeeping.records import Json, Span

ROOT = Path(__file__).parents[1]
BATCH = 512
_RESPONSE_ID = re.compile("chatcmpl-|msg_|resp_")
COPIES = 40


def captured(folder: Path) -> list[tuple[str, list[Span]]]:
    """Return the spans of each captured body of traces, with its dialect's name."""
    listed = json.loads((folder / "manifest.json").read_text())["entries"]
    found = []
    for entry in listed:
        if entry["signal"] == "traces":
            body = (folder / entry["file"]).read_bytes()
            body = gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body
            found.append((entry["convention"], decode_traces(Encoding.PROTOBUF, body)))
    return found


def is_call(span: Span) -> bool:
    """Say whether the span is one of a model call."""
    facts = read(span)
    return facts is not None and facts.step is Step.MODEL


def copied(spans: Iterable[Span], copy: int) -> list[Span]:
    """Return the spans as another trace, with other response ids."""
    return [
        replace(
            span,
            trace_id=f"{copy:08x}{span.trace_id[8:]}",
            attributes={key: _renamed(value, copy) for key, value in span.attributes.items()},
        )
        for span in spans
    ]


def _renamed(value: Json, copy: int) -> Json:
    if not isinstance(value, str):
        return value
    return _RESPONSE_ID.sub(rf"\g<0>{copy:x}x", value)


def plain(copy: int) -> list[Span]:
    """Return spans of a web request that an AI library had no part in."""
    web = {
        "http.request.method": "POST", "http.route": "/v1/ask", "url.path": "/v1/ask",
        "server.address": "app.example.org", "server.port": 443, "url.scheme": "https",
        "http.response.status_code": 200, "user_agent.original": "curl/8.5.0", "thread.id": 1,
        "code.function": "ask", "code.filepath": "app/views.py", "thread.name": "MainThread",
    }  # fmt: skip
    trace_id = f"{copy:032x}"
    return [
        Span(trace_id, f"{copy:08x}{index:08x}", f"{copy:08x}{index - 1:08x}" if index else None,
             "POST /v1/ask", "server", 1e9 + index, 0.1, "unset", None, "app", web)
        for index in range(8)
    ]  # fmt: skip


def prices() -> PriceTable:
    """Return the shipped price table."""
    return load_resources(None)[0].prices


def cpu_us_a_span(spans: Sequence[Span], rounds: int) -> float:
    """Return the least CPU microseconds a span over some rounds, each with a fresh assembler."""
    best = float("inf")
    for _ in range(rounds):
        assembler = Assembler(prices=prices(), clock=SystemClock())
        start = time.process_time()
        for index in range(0, len(spans), BATCH):
            assembler.add(spans[index : index + BATCH], ())
        best = min(best, (time.process_time() - start) / len(spans) * 1e6)
    return best


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    shared = ROOT.parent / "shared" / "otlp"
    own = ROOT / "tests" / "data" / "otlp-captures"
    parser.add_argument("--folder", type=Path, default=shared if shared.is_dir() else own)
    args = parser.parse_args()
    bodies = captured(args.folder)
    print(f"{'spans of':42}{'spans':>8}{'CPU us a span':>15}")
    for convention in sorted({name for name, _ in bodies}):
        groups = [spans for name, spans in bodies if name == convention]
        calls = [[span for span in spans if is_call(span)] for spans in groups]
        many = [s for copy in range(COPIES) for spans in calls for s in copied(spans, copy)]
        if many:
            print(
                f"{convention + ', calls':42}{len(many):8}{cpu_us_a_span(many, args.rounds):15.1f}"
            )
    calls = [[span for span in spans if is_call(span)] for _, spans in bodies]
    many = [s for copy in range(COPIES) for spans in calls for s in copied(spans, copy)]
    print(f"{'all calls':42}{len(many):8}{cpu_us_a_span(many, args.rounds):15.1f}")
    mixed = [s for copy in range(COPIES) for _, spans in bodies for s in copied(spans, copy)]
    print(f"{'all captured spans':42}{len(mixed):8}{cpu_us_a_span(mixed, args.rounds):15.1f}")
    web = [span for copy in range(2000) for span in plain(copy)]
    print(f"{'no step of an AI application':42}{len(web):8}{cpu_us_a_span(web, args.rounds):15.1f}")


if __name__ == "__main__":
    main()
