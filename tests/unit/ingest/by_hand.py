"""Spans and events written by hand, and an assembler to put them through."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count

from seakeeping.ingest.assemble import Assembled, Assembler, TraceHistory
from seakeeping.records import Interaction, Json, LogEvent, Span, SpanEvent

TRACE = "0af7651916cd43dd8448eb211c80319c"
START = 1_800_000_000.0
_numbers = count(1)


def new_id() -> str:
    """Return a span id that no other span has."""
    return f"{next(_numbers):016x}"


def span(
    attributes: Mapping[str, Json] | None = None,
    *,
    at: float = 0.0,
    lasts: float | None = 1.0,
    under: Span | str | None = None,
    name: str = "step",
    trace: str = TRACE,
    span_id: str | None = None,
    events: Sequence[tuple[str, float, Mapping[str, Json]]] = (),
    status: str = "unset",
    message: str | None = None,
    scope: str = "scope",
    service: str = "app",
    resource: Mapping[str, Json] | None = None,
    weight: float = 1.0,
) -> Span:
    """Return a span that starts ``at`` seconds into the story."""
    return Span(
        trace_id=trace,
        span_id=span_id or new_id(),
        parent_span_id=under.span_id if isinstance(under, Span) else under,
        name=name,
        kind="client",
        started_at=START + at,
        duration_s=lasts,
        status=status,
        error_type=None,
        service_name=service,
        attributes=dict(attributes or {}),
        events=tuple(SpanEvent(n, START + t, dict(a)) for n, t, a in events),
        resource=dict(resource or {}),
        scope_name=scope,
        status_message=message,
        sampling_weight=weight,
    )


def said(role: str, text: str) -> dict[str, Json]:
    """Return a message of one text in normal form."""
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def chat(
    asked: str | Sequence[Mapping[str, Json]] | None = None,
    answered: str | None = None,
    *,
    more: Mapping[str, Json] | None = None,
    at: float = 0.0,
    lasts: float | None = 1.0,
    under: Span | str | None = None,
    trace: str = TRACE,
    scope: str = "scope",
    service: str = "app",
    span_id: str | None = None,
    status: str = "unset",
) -> Span:
    """Return an OpenTelemetry model call, with a user message and an answer if given."""
    attributes: dict[str, Json] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o",
    }
    if asked is not None:
        turns = [said("user", asked)] if isinstance(asked, str) else list(asked)
        attributes["gen_ai.input.messages"] = json.dumps(turns)
    if answered is not None:
        attributes["gen_ai.output.messages"] = json.dumps([said("assistant", answered)])
    return span(
        {**attributes, **(more or {})},
        at=at, lasts=lasts, under=under, trace=trace, scope=scope, service=service,
        span_id=span_id, status=status, name="chat gpt-4o",
    )  # fmt: skip


def retrieval(
    *texts: str,
    query: str | None = None,
    at: float = 0.0,
    lasts: float = 0.1,
    under: Span | str | None = None,
    trace: str = TRACE,
    operation: str = "retrieval",
) -> Span:
    """Return a retrieval that found these texts."""
    documents = [{"id": f"d-{text}", "content": text} for text in texts]
    attributes: dict[str, Json] = {
        "gen_ai.operation.name": operation,
        "gen_ai.retrieval.documents": json.dumps(documents),
    }
    if query is not None:
        attributes["gen_ai.retrieval.query.text"] = query
    return span(attributes, at=at, lasts=lasts, under=under, trace=trace, name=operation)


def event(
    name: str,
    body: Json = None,
    *,
    of: Span | None = None,
    attributes: Mapping[str, Json] | None = None,
    at: float = 0.5,
    trace: str | None = None,
    span_id: str | None = None,
) -> LogEvent:
    """Return a log event of a span."""
    return LogEvent(
        trace_id=of.trace_id if of is not None else trace,
        span_id=of.span_id if of is not None else span_id,
        name=name,
        at=START + at,
        body=body,
        attributes=dict(attributes or {}),
        severity="info",
        service_name="app",
    )


@dataclass
class SetClock:
    """A clock that stands where it was put."""

    time: float = START + 1_000_000.0

    def now(self) -> float:
        """Return the time."""
        return self.time

    def monotonic(self) -> float:
        """Return the time."""
        return self.time


class NoPrices:
    """A price table without prices."""

    def cost(
        self,
        provider: str | None,
        model: str | None,
        input_tokens: int | None,
        output_tokens: int | None,
        cache_read_tokens: int | None = None,
        cache_write_tokens: int | None = None,
    ) -> float | None:
        """Return None."""
        return None


@dataclass
class Bench:
    """An assembler, and what a store would hold of what it told."""

    clock: SetClock = field(default_factory=SetClock)
    history: TraceHistory | None = None
    max_traces: int = 1000
    max_bytes: int = 1 << 24

    def __post_init__(self) -> None:
        self.assembler = Assembler(
            prices=NoPrices(), clock=self.clock, history=self.history,
            max_traces=self.max_traces, max_bytes=self.max_bytes,
        )  # fmt: skip
        self.rows: dict[tuple[str, str, float], tuple[int, Interaction | None]] = {}

    def add(self, *given: Span | LogEvent, traffic: str | None = None) -> Assembled:
        """Add spans and events together."""
        spans = [item for item in given if isinstance(item, Span)]
        logs = [item for item in given if isinstance(item, LogEvent)]
        found = self.assembler.add(spans, logs, traffic_override=traffic)
        for i in found.interactions:
            self._put((i.trace_id, i.span_id, i.started_at), i.version, i)
        for r in found.retractions:
            self._put((r.trace_id, r.span_id, r.started_at), r.version, None)
        return found

    def _put(self, key: tuple[str, str, float], version: int, row: Interaction | None) -> None:
        before = self.rows.get(key)
        assert before is None or version > before[0]
        self.rows[key] = version, row

    def final(self) -> list[Interaction]:
        """Return the highest versions, by start, without their version."""
        rows = [replace(row, version=0) for _, row in self.rows.values() if row is not None]
        return sorted(rows, key=lambda i: (i.started_at, i.span_id))

    def by_id(self) -> dict[str, Interaction]:
        """Return the highest versions by span id."""
        return {row.span_id: row for row in self.final()}


def interactions(*given: Span | LogEvent) -> list[Interaction]:
    """Return what spans and events together become, by start."""
    bench = Bench()
    bench.add(*given)
    return bench.final()


def one(*given: Span | LogEvent) -> Interaction:
    """Return the only interaction of these spans and events."""
    (found,) = interactions(*given)
    return found
