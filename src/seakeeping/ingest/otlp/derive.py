"""What a record says beyond the fields of its message, the same for every encoding.

Times come as integer nanoseconds and leave as float seconds, by one correctly rounded division, so
a record written back gives the same nanoseconds to a microsecond. The sampling weight follows the
OpenTelemetry specification of probability sampling: ``tracestate: ot=th:H`` keeps the spans whose
random number is at least H (a fraction of 2^56, trailing zeros left out), so each stands for
1 / (1 - H / 2^56).
"""

import math
import re
from collections.abc import Sequence
from itertools import chain

from seakeeping.ingest.otlp.body import LATEST_NS
from seakeeping.records import Json, JsonObject, SpanEvent

NS = 1_000_000_000

KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")
STATUSES = ("unset", "ok", "error")
_SEVERITIES = ("trace", "debug", "info", "warn", "error", "fatal")
_HTTP_STATUS = ("http.response.status_code", "http.status_code")

_ALL = 1 << 56
_DIGITS = 14
_THRESHOLD = re.compile(r"[0-9a-f]{1,14}")


def seconds(time_ns: int) -> float:
    """Return a time or a duration in seconds."""
    return time_ns / NS


def hex_id(given: bytes, length: int) -> str | None:
    """Return an id in hexadecimal; None where it is absent, all zero, or of another length."""
    return given.hex() if len(given) == length and any(given) else None


def start_ns(start: int, end: int) -> int:
    """Return when a span started; its end where no start was given."""
    return start or (end if end < LATEST_NS else 0)


def duration_s(start: int, end: int) -> float | None:
    """Return how long a span took; None where the end is missing, garbage or before the start."""
    return (end - start) / NS if start and start <= end < LATEST_NS else None


def event_at(time_ns: int, span_start_ns: int) -> float:
    """Return when an event happened, in Unix seconds; the span's start where it does not say."""
    return seconds(time_ns if 0 < time_ns < LATEST_NS else span_start_ns)


def text(value: Json) -> str | None:
    """Return a value that names something as text, None where it is empty or not a scalar."""
    if isinstance(value, str):
        return value or None
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def service_name(resource: JsonObject) -> str:
    """Return the resource's ``service.name``, or OpenTelemetry's ``unknown_service``."""
    return text(resource.get("service.name")) or "unknown_service"


def error_type(status: str, attributes: JsonObject, events: Sequence[SpanEvent]) -> str | None:
    """Return the class of error a span ended with, None without one.

    The attribute ``error.type`` counts first; then, on a span whose status is error, the exception
    it recorded last, its HTTP status, and OpenTelemetry's ``_OTHER``. An exception on a span that
    did not fail was handled.
    """
    given = text(attributes.get("error.type"))
    if given or status != "error":
        return given
    places = (*(event.attributes for event in reversed(events)), attributes)
    exceptions = (text(place.get("exception.type")) for place in places)
    codes = (text(attributes.get(key)) for key in _HTTP_STATUS)
    return next(filter(None, chain(exceptions, codes)), "_OTHER")


def sampling_weight(trace_state: str, attributes: JsonObject) -> float:
    """Return how many spans this one stands for (>= 1): tracestate ``ot=th``, or ``SampleRate``."""
    kept = _kept(trace_state) if "ot=" in trace_state else 0
    if kept:
        return _ALL / kept
    rate = attributes.get("SampleRate")
    if isinstance(rate, (int, float)) and math.isfinite(rate) and rate > 1:
        return float(rate)
    return 1.0


def threshold(weight: float) -> str:
    """Return the rejection threshold (hexadecimal) of spans that stand for ``weight`` each."""
    rejected = _ALL - max(round(_ALL / weight), 1)
    return f"{rejected:0{_DIGITS}x}".rstrip("0") or "0"


def _kept(trace_state: str) -> int:
    """Return of how many in 2^56 the sampler kept one, 0 where the tracestate does not tell."""
    for member in trace_state.split(","):
        name, _, value = member.strip().partition("=")
        if name == "ot":
            fields = dict(field.partition(":")[::2] for field in value.split(";"))
            digits = fields.get("th", "")
            held = _THRESHOLD.fullmatch(digits)
            return _ALL - int(digits.ljust(_DIGITS, "0"), 16) if held else 0
    return 0


def log_name(event_name: str, attributes: JsonObject) -> str:
    """Return a log record's event name; older SDKs put it into the attribute ``event.name``."""
    return event_name or text(attributes.get("event.name")) or ""


def severity(number: int, given: str) -> str:
    """Return a log record's severity as a lower-case word, "" where it has none."""
    if 1 <= number <= 24:
        return _SEVERITIES[(number - 1) // 4]
    return given.lower()


def severity_number(name: str) -> int:
    """Return the lowest severity number of a name that :func:`severity` gives, 0 for others."""
    return _SEVERITIES.index(name) * 4 + 1 if name in _SEVERITIES else 0
