"""A fuzzer for the OTLP decoder: seeded mutations of valid bodies, for a bounded time.

Whatever the bytes, ``inflate`` and ``check`` return or raise BadPayload, within a bounded time; and
what ``check`` accepts, the decoder decodes, item for item, also without its content.
Anything else is a finding: the body is written beside its seed, and the run ends with status 1.

    python -m bench.fuzz_otlp --seconds 60 --seed 1 [capture.binpb ...]
"""

import argparse
import gzip
import random
import sys
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import zstandard

from bench.decode import batch
from seakeeping.errors import BadPayload
from seakeeping.ingest.otlp import (
    Encoding,
    check,
    decode_logs,
    decode_metrics,
    decode_traces,
    encode_logs,
    encode_traces,
    inflate,
    strip_content,
    to_json_body,
)
from seakeeping.records import LogEvent, Signal

SLOWEST_S = 5.0
"""No body may take longer."""

_LIMIT = 1 << 22
_TOKENS = (
    b"{}",
    b"[]",
    b"null",
    b"true",
    b"-1",
    b"1e999",
    b'"',
    b"\\ud800",
    b"\xff",
    b'"NaN"',
    b"18446744073709551616",
    b'{"arrayValue":{"values":[',
    b"]}}",
    b"\x00" * 8,
    b"\xff" * 10,
    b"\x0a\x00",
    b"\x4a\x00",
    b"\x2a\x02\x0a\x00",
)
_DECODERS: dict[Signal, Callable[[Encoding, bytes], Sequence[Any]]] = {
    Signal.TRACES: decode_traces,
    Signal.LOGS: decode_logs,
    Signal.METRICS: decode_metrics,
}
_PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}


def seeds(captures: Sequence[Path]) -> list[bytes]:
    """Return valid protobuf bodies to begin with: given captures, and made ones."""
    spans = decode_traces(Encoding.PROTOBUF, batch())[:3]
    log = LogEvent(None, None, "e", 1.0, {"a": [1, {"b": None}]}, {"k": 1.5}, "info", "s", {})
    return [
        encode_traces(spans),
        encode_logs([log, log]),
        *(path.read_bytes() for path in captures),
    ]


def mutated(body: bytes, chance: random.Random) -> bytes:
    """Return a body with one to three small changes."""
    found = bytearray(body)
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(found) + 1)
        match chance.randrange(7):
            case 0:
                found[at : at + 1] = chance.randbytes(1)
            case 1:
                del found[at : at + chance.randint(1, 30)]
            case 2:
                found[at:at] = chance.choice(_TOKENS)
            case 3:
                found[at:at] = found[at : at + chance.randint(1, 60)] * chance.randint(1, 40)
            case 4:
                del found[at:]
            case 5:
                found[at:at] = chance.randbytes(chance.randint(1, 10))
            case _:
                found[at : at + 8] = found[at : at + 8][::-1]
    return bytes(found)


def cases(
    bodies: Sequence[bytes], chance: random.Random
) -> Iterator[tuple[Signal, Encoding, bytes]]:
    """Yield bodies to try, without end: mutated on the wire, as JSON, or random."""
    as_json = [
        to_json_body(signal, body)
        for body in bodies
        for signal in Signal
        if _is_valid(signal, Encoding.PROTOBUF, body)
    ]
    while True:
        signal = chance.choice(list(Signal))
        if chance.random() < 0.02:
            yield signal, chance.choice(list(Encoding)), chance.randbytes(chance.randrange(300))
        elif chance.random() < 0.5:
            yield signal, Encoding.PROTOBUF, mutated(chance.choice(bodies), chance)
        else:
            yield signal, Encoding.JSON, mutated(chance.choice(as_json), chance)


def _is_valid(signal: Signal, encoding: Encoding, body: bytes) -> bool:
    try:
        return check(signal, encoding, body).accepted > 0
    except BadPayload:
        return False


def tried(signal: Signal, encoding: Encoding, body: bytes) -> str:
    """Return how a body ended; raises AssertionError or whatever else is a finding."""
    began = time.perf_counter()
    try:
        accepted = check(signal, encoding, body)
    except BadPayload:
        outcome = "refused"
    else:
        records = _DECODERS[signal](encoding, body)
        assert len(records) == accepted.accepted, "check and decode differ"
        stripped = strip_content(signal, encoding, body, lambda _: True)
        assert check(signal, encoding, stripped).accepted == len(records), "strip lost items"
        outcome = "accepted" if records else "empty"
    assert time.perf_counter() - began < SLOWEST_S, "too slow"
    return outcome


def tried_inflate(body: bytes, chance: random.Random) -> str:
    """Return how a mutated compressed body ended."""
    coding, pack = chance.choice(list(_PACKERS.items()))
    try:
        found = inflate(coding, mutated(pack(body), chance), _LIMIT)
    except BadPayload:
        return f"{coding} refused"
    assert len(found) <= _LIMIT, "over the limit"
    return f"{coding} inflated"


def run(bodies: Sequence[bytes], seed: int, seconds: float) -> Counter[str]:
    """Try bodies for ``seconds``; what is found is written down and raised."""
    chance, outcomes = random.Random(seed), Counter[str]()
    until = time.monotonic() + seconds
    for signal, encoding, body in cases(bodies, chance):
        try:
            outcomes[f"{encoding} {tried(signal, encoding, body)}"] += 1
            outcomes[tried_inflate(body, chance)] += 1
        except Exception:
            Path(f"finding-{seed}-{signal}.{encoding}").write_bytes(body)
            raise
        if time.monotonic() > until:
            return outcomes
    raise AssertionError("cases never end")


def main() -> None:
    """Fuzz, and print how many bodies ended how."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("captures", nargs="*", type=Path)
    given = parser.parse_args()
    outcomes = run(seeds(given.captures), given.seed, given.seconds)
    for outcome, many in sorted(outcomes.items()):
        print(f"{many:9,} {outcome}")
    sys.exit(0 if outcomes else 1)


if __name__ == "__main__":
    main()
