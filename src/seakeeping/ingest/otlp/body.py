"""What a request body is: its signal, its encoding, and how much of it was accepted.

A body that cannot be parsed is refused as a whole (:class:`~seakeeping.errors.BadPayload`, HTTP
400). A body that parses is accepted, save for single items that could never be told apart or drawn:
a span without usable ids, a histogram whose counts do not fit its bounds. Those are counted in an
:class:`Acceptance`, which becomes OTLP's ``partial_success``. ``check`` at the edge and
``decode_*`` behind the spool ask the same functions below, so both leave out the same items.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from seakeeping.records import Signal

LATEST_NS = 9_000_000_000_000_000_000
"""Times from here on (the year 2255) are taken for garbage."""

_NO_TRACE, _NO_SPAN = bytes(16), bytes(8)

MAX_BUCKETS = 10_000
"""Buckets (or quantiles) a metric point may have."""

ITEMS = {
    Signal.TRACES: "spans",
    Signal.LOGS: "log records",
    Signal.METRICS: "data points",
}
"""What each signal's items are called in a message to the sender."""

MAX_SCALE = 64
"""Scale of an exponential histogram; real ones lie within -10 and 20."""


class Encoding(StrEnum):
    """The two encodings of OTLP bodies."""

    PROTOBUF = "protobuf"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Acceptance:
    """How many items of a body were taken and refused; ``message`` is "" when all is fine."""

    accepted: int
    rejected: int
    message: str


def acceptance(signal: Signal, items: int, problems: Sequence[str]) -> Acceptance:
    """Return what to tell the sender of ``items`` items; each refused one has its problem."""
    if not problems:
        return Acceptance(items, 0, "")
    refused = len(problems)
    message = f"{refused} of {items} {ITEMS[signal]} refused; the first: {problems[0]}"
    return Acceptance(items - refused, refused, message)


def span_problem(trace_id: bytes, span_id: bytes, start_ns: int) -> str:
    """Return why a span cannot be kept, "" when it can."""
    if len(trace_id) != 16 or trace_id == _NO_TRACE:
        return "trace_id must be 16 bytes and not all zero"
    if len(span_id) != 8 or span_id == _NO_SPAN:
        return "span_id must be 8 bytes and not all zero"
    if start_ns >= LATEST_NS:
        return "start_time_unix_nano lies beyond the year 2255"
    return ""


def time_problem(time_ns: int) -> str:
    """Return why a log record or a number point cannot be kept, "" when it can."""
    return "time_unix_nano lies beyond the year 2255" if time_ns >= LATEST_NS else ""


def histogram_problem(time_ns: int, bounds: Sequence[float], counts: Sequence[int]) -> str:
    """Return why a histogram point cannot be kept, "" when it can."""
    if len(counts) > MAX_BUCKETS:
        return f"more than {MAX_BUCKETS} buckets"
    if (counts or bounds) and len(counts) != len(bounds) + 1:
        return f"{len(counts)} bucket_counts do not fit {len(bounds)} explicit_bounds"
    if not _increase(bounds):
        return "explicit_bounds must be finite and increase"
    return time_problem(time_ns)


def exponential_problem(
    time_ns: int, scale: int, zero_threshold: float, positive: int, negative: int
) -> str:
    """Return why an exponential histogram point of so many buckets a side cannot be kept."""
    if positive + negative > MAX_BUCKETS:
        return f"more than {MAX_BUCKETS} buckets"
    if abs(scale) > MAX_SCALE:
        return f"scale must lie within -{MAX_SCALE} and {MAX_SCALE}"
    if not 0 <= zero_threshold < math.inf:
        return "zero_threshold must be finite and not negative"
    return time_problem(time_ns)


def summary_problem(time_ns: int, quantiles: int) -> str:
    """Return why a summary point of so many quantiles cannot be kept, "" when it can."""
    if quantiles > MAX_BUCKETS:
        return f"more than {MAX_BUCKETS} quantiles"
    return time_problem(time_ns)


def _increase(bounds: Sequence[float]) -> bool:
    finite = all(map(math.isfinite, bounds))
    return finite and all(low < high for low, high in pairwise(bounds))
