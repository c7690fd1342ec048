"""What arrives over OTLP, decoded but not yet understood: spans, log events, metric points.

Times are Unix seconds UTC (float64 holds a microsecond until the year 2255), durations are seconds.
Ids are lower-case hexadecimal. Resource attributes are one mapping shared by all that came with it.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from seakeeping.records.values import Json, JsonObject


class Signal(StrEnum):
    """The three OTLP signals."""

    TRACES = "traces"
    LOGS = "logs"
    METRICS = "metrics"


@dataclass(frozen=True, slots=True)
class SpanEvent:
    """Something that happened at a moment within a span (OTLP ``Span.Event``)."""

    name: str
    at: float
    attributes: JsonObject


@dataclass(frozen=True, slots=True)
class Span:
    """One OTLP span.

    ``kind`` is internal | server | client | producer | consumer | unspecified; ``status`` is
    unset | ok | error. ``duration_s`` is None where the end lies before the start or is missing.
    ``sampling_weight`` is how many spans this one stands for (tracestate ``ot=th``), at least 1.
    """

    trace_id: str
    span_id: str
    parent_span_id: str | None
    name: str
    kind: str
    started_at: float
    duration_s: float | None
    status: str
    error_type: str | None
    service_name: str
    attributes: JsonObject
    events: tuple[SpanEvent, ...] = ()
    resource: JsonObject = field(default_factory=dict)
    scope_name: str = ""
    status_message: str | None = None
    sampling_weight: float = 1.0


@dataclass(frozen=True, slots=True)
class LogEvent:
    """One OTLP log record; ``name`` is its event name ("" where it has none)."""

    trace_id: str | None
    span_id: str | None
    name: str
    at: float
    body: Json
    attributes: JsonObject
    severity: str
    service_name: str
    resource: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MetricPoint:
    """One point of one time series.

    ``kind`` is gauge | counter | histogram | summary | exponential_histogram. ``value`` is the
    number of a gauge or counter, the sum of the others. ``buckets`` are ``(upper bound, count)``
    pairs, not cumulative, the last bound ``inf``; a summary keeps ``(quantile, value)`` pairs
    there. ``temporality`` is cumulative | delta, None for a gauge.
    """

    name: str
    unit: str
    kind: str
    at: float
    service_name: str
    resource: JsonObject
    attributes: JsonObject
    value: float | None
    count: int | None = None
    buckets: tuple[tuple[float, float], ...] = ()
    temporality: str | None = None
