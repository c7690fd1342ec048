"""Examples: the bad events that show a failure best, worst first."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Example:
    """One bad event of an indicator, by the call behind it.

    ``value`` is what the indicator compares (seconds, US dollars, a score), None where nothing is
    compared. ``score``, ``label`` and ``explanation`` are the evaluation's, where there is one.
    """

    trace_id: str
    span_id: str
    service_name: str
    started_at: float
    value: float | None = None
    score: float | None = None
    label: str | None = None
    explanation: str | None = None
    model: str | None = None
    error_type: str | None = None
    duration_s: float | None = None
    release: str | None = None
    prompt_version: str | None = None
