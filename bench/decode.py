"""What decoding costs: CPU time and instructions a span, step by step.

The batch is the one of the reference measurement: 512 spans of about 4.4 KB with 25 attributes,
most of them short texts, three of them messages. Figures are CPU time, best of many rounds.

    python -m bench.decode                # microseconds a span, for every step
    python -m bench.decode --instructions # instructions a span, by `perf stat` on fresh processes
"""

import argparse
import gzip
import random
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from seakeeping.ingest.otlp import (
    Encoding,
    check,
    decode_traces,
    encode_traces,
    inflate,
    strip_content,
    to_json_body,
)
from seakeeping.records import Signal

SPANS = 512
_SHORT, _NUMBERS, _MESSAGES, _MESSAGE_WORDS = 16, 6, 3, 210
_ROUNDS = 15
_START = 1_795_424_073_000_000_000


def batch(seed: int = 7) -> bytes:
    """Return a trace request of :data:`SPANS` spans, the same for the same seed."""
    chance = random.Random(seed)
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    group.resource.attributes.append(_text("service.name", "bench"))
    members = group.scope_spans.add()
    members.scope.name = "bench.decode"
    for n in range(SPANS):
        start = _START + n * 1_000_000
        members.spans.add(
            trace_id=chance.randbytes(16),
            span_id=chance.randbytes(8),
            name="chat gpt-4o",
            start_time_unix_nano=start,
            end_time_unix_nano=start + chance.randrange(10**9),
            attributes=_attributes(chance),
        )
    return request.SerializeToString()


def _text(key: str, value: str) -> KeyValue:
    return KeyValue(key=key, value=AnyValue(string_value=value))


def _attributes(chance: random.Random) -> list[KeyValue]:
    short = [_text(f"gen_ai.request.short_{n}", f"value {n}") for n in range(_SHORT)]
    numbers = [
        KeyValue(key=f"gen_ai.usage.number_{n}", value=AnyValue(int_value=chance.randrange(5000)))
        for n in range(_NUMBERS)
    ]
    messages = [_text(f"gen_ai.messages_{n}", _words(chance)) for n in range(_MESSAGES)]
    return [*short, *numbers, *messages]


def _words(chance: random.Random) -> str:
    return " ".join(
        chance.choice(("answer", "cabin", "harbour", "of", "the")) for _ in range(_MESSAGE_WORDS)
    )


def steps(body: bytes) -> dict[str, Callable[[], object]]:
    """Return what is measured, by name."""
    as_json = to_json_body(Signal.TRACES, body)
    packed = gzip.compress(body, 6)
    spans = decode_traces(Encoding.PROTOBUF, body)
    return {
        "FromString alone": partial(ExportTraceServiceRequest.FromString, body),
        "check": partial(check, Signal.TRACES, Encoding.PROTOBUF, body),
        "decode_traces": partial(decode_traces, Encoding.PROTOBUF, body),
        "check, JSON": partial(check, Signal.TRACES, Encoding.JSON, as_json),
        "decode_traces, JSON": partial(decode_traces, Encoding.JSON, as_json),
        "inflate, gzip": partial(inflate, "gzip", packed, 1 << 26),
        "strip_content": partial(
            strip_content, Signal.TRACES, Encoding.PROTOBUF, body, lambda _: True
        ),
        "encode_traces": partial(encode_traces, spans),
    }


def cpu_us(step: Callable[[], object], rounds: int = _ROUNDS) -> float:
    """Return the CPU time of a step in microseconds a span, best of ``rounds``."""
    best = float("inf")
    for _ in range(rounds):
        began = time.process_time()
        step()
        best = min(best, time.process_time() - began)
    return best / SPANS * 1e6


def instructions(name: str) -> float:
    """Return the user instructions of a step a span: the difference of 21 rounds and 1 round."""
    return (_counted(name, 21) - _counted(name, 1)) / 20 / SPANS


def _counted(name: str, rounds: int) -> int:
    command = ["perf", "stat", "-x,", "-e", "instructions:u", sys.executable, "-m", "bench.decode"]
    done = subprocess.run(
        [*command, "--step", name, "--rounds", str(rounds)],
        capture_output=True,
        text=True,
        check=True,
    )
    counted = done.stderr.splitlines()[-1].split(",")[0]
    if not counted.isdecimal():
        sys.exit(f"this machine does not count instructions: {counted}")
    return int(counted)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instructions", action="store_true")
    parser.add_argument("--step")
    parser.add_argument("--rounds", type=int, default=_ROUNDS)
    given = parser.parse_args()
    body = batch()
    found = steps(body)
    if given.step:
        cpu_us(found[given.step], given.rounds)
        return
    print(f"{SPANS} spans, {len(body) / SPANS:.0f} bytes a span")
    for name, step in found.items():
        print(f"{name:22} {cpu_us(step, given.rounds):7.1f} us/span", end="")
        print(f" {instructions(name):10,.0f} instructions" if given.instructions else "")


if __name__ == "__main__":
    main()
