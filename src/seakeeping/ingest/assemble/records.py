"""What comes out of assembling: interactions, retractions, evaluations, spans to keep."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from seakeeping.records import Evaluation, Interaction, Label, Span


@dataclass(frozen=True, slots=True)
class Retraction:
    """An interaction that turned out to be a twin of another, or no call at all."""

    trace_id: str
    span_id: str
    service_name: str
    started_at: float
    version: int


@dataclass(frozen=True, slots=True)
class Assembled:
    """What one addition of telemetry made new or different.

    ``spans`` are as to be kept: content that an interaction holds in normal form is not in them
    again. ``evaluations`` are other people's, their evaluator begins with ``external:``; those
    that people made are ``labels``, too.
    """

    interactions: list[Interaction]
    evaluations: list[Evaluation]
    retractions: list[Retraction]
    spans: list[Span]
    labels: list[Label] = field(default_factory=list)


class TraceHistory(Protocol):
    """The stored past of traces that memory does not hold. May raise StoreUnavailable."""

    def spans(self, trace_ids: Sequence[str]) -> list[Span]:
        """Return the kept spans of some traces."""
        ...

    def interactions(self, trace_ids: Sequence[str]) -> list[Interaction]:
        """Return the latest interactions of some traces, without those taken back."""
        ...


class Prices(Protocol):
    """What tokens cost."""

    def cost(
        self,
        provider: str | None,
        model: str | None,
        input_tokens: int | None,
        output_tokens: int | None,
        cache_read_tokens: int | None = None,
        cache_write_tokens: int | None = None,
    ) -> float | None:
        """Return US dollars, None where the model has no price."""
        ...
