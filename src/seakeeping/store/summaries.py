"""What the pages and budgets are made of: numbers of a service over a window, from the rollups."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ServiceSummary:
    """One service over a window that ends now. None where nothing is known.

    ``calls``, ``errors`` and ``answers`` are rows seen; ``served`` and ``served_errors`` add up the
    sampling weights of calls and errors: what those rows stand for; tokens and cost are of what was
    served, too. Latencies cover calls without
    error, in seconds, from log-bucket histograms (within 7 %). ``scored`` counts answers with a
    faithfulness result, ``unsupported`` those it flags. ``eligible`` are answers that should have
    been scored: the scored ones and those skipped for our own fault; ``coverage_ratio`` is scored
    of eligible. ``skipped`` counts the answers skipped for any reason. ``scoring_lag_s`` is the
    95th percentile of the time from the end of a call (from its arrival, where it was sent more
    than a minute late) to its evaluation. ``content_ratio`` is the share of calls with content.
    """

    service_name: str
    calls: int = 0
    errors: int = 0
    answers: int = 0
    latency_p50_s: float | None = None
    latency_p95_s: float | None = None
    latency_p99_s: float | None = None
    ttft_p50_s: float | None = None
    ttft_p95_s: float | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = None
    scored: int = 0
    unsupported: int = 0
    eligible: int = 0
    skipped: int = 0
    coverage_ratio: float | None = None
    scoring_lag_s: float | None = None
    content_ratio: float | None = None
    last_seen_at: float | None = None
    served: float = 0.0
    served_errors: float = 0.0


@dataclass(frozen=True, slots=True)
class SeriesPoint:
    """One step of a service's series; ``start`` is Unix seconds. None where nothing is known."""

    start: float
    calls: int = 0
    errors: int = 0
    latency_p95_s: float | None = None
    ttft_p95_s: float | None = None
    scored: int = 0
    unsupported: int = 0
    cost_usd: float | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    served: float = 0.0
    served_errors: float = 0.0
