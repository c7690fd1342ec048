"""Labels: what people, judges and users say about answers, kept apart from what detectors say."""

from dataclasses import dataclass

from seakeeping.records import LabelKind


@dataclass(frozen=True, slots=True)
class LabelFilter:
    """Which labels; None asks for any. ``start`` and ``end`` bound the label's own time."""

    start: float | None = None
    end: float | None = None
    trace_id: str | None = None
    span_id: str | None = None
    name: str | None = None
    by: LabelKind | None = None
    author: str | None = None


@dataclass(frozen=True, slots=True)
class LabelCandidate:
    """A scored answer that nobody has labelled yet; ``score`` is on the evaluation's own scale."""

    trace_id: str
    span_id: str
    service_name: str
    started_at: float
    score: float | None
    label: str | None
    evaluator: str
