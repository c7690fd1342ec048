"""From single spans to interactions: remember traces, and say what each new span changes.

What is known of a trace always gives the same interactions, whatever the order its spans, events
and documents came in; so each addition works out the touched traces anew, compares with what was
told before, and hands on only what is new or different, as a higher version. What turns out to be a
twin or no call is taken back.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from seakeeping.clock import Clock
from seakeeping.errors import StoreUnavailable
from seakeeping.ingest.assemble.answers import answers_among
from seakeeping.ingest.assemble.building import build, completed, merged_facts, stored_span
from seakeeping.ingest.assemble.grounding import Grounds, grounds_of, retrievals_of
from seakeeping.ingest.assemble.logs import span_of, told_by
from seakeeping.ingest.assemble.memory import Memory
from seakeeping.ingest.assemble.opinions import (
    evaluation_of,
    labels_in,
    opinion_in,
    opinions_on,
)
from seakeeping.ingest.assemble.recall import complete, recall
from seakeeping.ingest.assemble.records import Assembled, Prices, Retraction, TraceHistory
from seakeeping.ingest.assemble.sharing import Sharing
from seakeeping.ingest.assemble.trace import (
    Key,
    Opinion,
    Step,
    Told,
    Trace,
    add_told,
    step_of,
    weight_of,
)
from seakeeping.ingest.assemble.twins import Call, calls_of
from seakeeping.ingest.dialects import Facts, read
from seakeeping.ingest.dialects import Step as Kind
from seakeeping.ingest.dialects.otel_genai import CONTENT_EVENTS
from seakeeping.ingest.dialects.terms import provider_of
from seakeeping.metrics import ERRORS
from seakeeping.records import Evaluation, Interaction, Label, LogEvent, Span

_CLOCK_SLACK_S = 5.0
_MOST_UNPLACED = 10_000
_MICROSECONDS = 1_000_000
_ROUNDING_S = 2e-6
"""How far the store may round a time: a call that moved by less did not move."""


@dataclass(slots=True)
class _Changes:
    """What one addition brought: touched traces, spans first seen now, what to hand on."""

    touched: dict[str, Trace] = field(default_factory=dict)
    fresh: set[Key] = field(default_factory=set)
    spans: list[Span] = field(default_factory=list)
    interactions: list[Interaction] = field(default_factory=list)
    retractions: list[Retraction] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of one call."""

    facts: Facts
    grounds: Grounds
    is_answer: bool


class Assembler:
    """Makes interactions of spans and log events.

    Args:
        prices: gives a call its cost where its span has none.
        clock: the time, for versions and for forgetting.
        history: what is stored of traces that memory does not hold; None: nothing.
        memory_s: how long after its last span a trace is remembered.
        max_traces: how many traces are remembered.
        max_bytes: about how many bytes of attributes are remembered.
    """

    def __init__(
        self,
        *,
        prices: Prices,
        clock: Clock,
        history: TraceHistory | None = None,
        memory_s: float = 900.0,
        max_traces: int = 20_000,
        max_bytes: int = 96 << 20,
    ) -> None:
        self.prices = prices
        self._clock, self._history = clock, history
        self._memory = Memory(
            memory_s=memory_s,
            max_traces=max_traces,
            max_bytes=max_bytes,
            max_forgotten=10 * max_traces,
        )
        self._sharing = Sharing()
        self._unplaced: dict[str, list[Opinion]] = {}
        self._born_at = clock.now()

    @property
    def remembered(self) -> int:
        """How many traces are remembered."""
        return len(self._memory)

    @property
    def responses(self) -> int:
        """How many response ids are remembered."""
        return len(self._sharing)

    def add(
        self,
        spans: Sequence[Span],
        logs: Sequence[LogEvent],
        *,
        traffic_override: str | None = None,
    ) -> Assembled:
        """Take in telemetry in any order; return what it made new or different.

        Args:
            spans: decoded spans; one that was added before changes nothing.
            logs: decoded log events; content and evaluation events count.
            traffic_override: where these calls come from, whatever their spans say.
        """
        now = self._clock.now()
        changes = _Changes()
        self._recall(spans, logs, now)
        for span in spans:
            self._add_span(span, changes, now, traffic_override)
        for event in logs:
            self._add_log(event, changes, now)
        evaluations, labels = self._assemble(changes)
        for trace in self._memory.forget(now):
            self._sharing.forget(trace)
        told = changes.interactions, evaluations, changes.retractions, changes.spans
        return Assembled(*told, labels)

    def _recall(self, spans: Sequence[Span], logs: Sequence[LogEvent], now: float) -> None:
        """Fetch what is stored of traces that are older than memory."""
        if self._history is None:
            return
        wanted: dict[str, None] = {}
        for span in spans:
            if self._is_older(span.trace_id, span.started_at):
                wanted[span.trace_id] = None
        for event in logs:
            if event.trace_id is not None and self._is_older(event.trace_id, event.at):
                wanted[event.trace_id] = None
        if wanted:
            self._fetch(self._history, list(wanted), now)

    def _is_older(self, trace_id: str, at: float) -> bool:
        trace = self._memory.get(trace_id)
        if trace is not None:
            return trace.needs_history
        return at < self._born_at + _CLOCK_SLACK_S or self._memory.is_forgotten(trace_id)

    def _fetch(self, history: TraceHistory, trace_ids: list[str], now: float) -> None:
        traces = {trace_id: self._memory.touch(trace_id, now) for trace_id in trace_ids}
        try:
            spans = history.spans(trace_ids)
            interactions = history.interactions(trace_ids)
        except StoreUnavailable as error:
            ERRORS.labels("ingest.assemble", error.code).inc()
            for trace in traces.values():
                trace.needs_history = True
            return
        for trace_id, trace in traces.items():
            recall(
                trace,
                [span for span in spans if span.trace_id == trace_id],
                [found for found in interactions if found.trace_id == trace_id],
            )
            for step in trace.steps.values():
                self._memory.grow(trace, weight_of(step.span.attributes))
                self._sharing.note(step)

    def _add_span(self, span: Span, changes: _Changes, now: float, traffic: str | None) -> None:
        trace = self._memory.touch(span.trace_id, now)
        is_known = span.span_id in trace.parents and span.span_id not in trace.from_store
        if is_known and not _tells_more(span, trace.steps.get(span.span_id)):
            return
        trace.from_store.discard(span.span_id)
        trace.place(span.span_id, span.parent_span_id)
        facts = read(span)
        if facts is None:
            changes.spans.append(span)
            self._memory.grow(trace, 120)
            if span.span_id in trace.awaited and trace.steps:
                changes.touched[trace.trace_id] = trace
            return
        self._add_step(trace, span, facts, changes, traffic)

    def _add_step(
        self, trace: Trace, span: Span, facts: Facts, changes: _Changes, traffic: str | None
    ) -> None:
        kept = stored_span(span, facts) if facts.step is Kind.MODEL else span
        step = step_of(kept, facts)
        step.traffic = traffic
        trace.keep(step)
        if span.span_id in trace.recalled and facts.step is Kind.MODEL:
            complete(step, trace.recalled[span.span_id])
        if span.span_id in trace.logs:
            add_told(step, told_by(trace.logs[span.span_id]))
        trace.opinions.extend(opinions_on(span, facts))
        self._memory.grow(trace, weight_of(span.attributes) + 1000)
        self._sharing.note(step)
        changes.spans.append(kept)
        changes.fresh.add(step.key)
        changes.touched[trace.trace_id] = trace

    def _add_log(self, event: LogEvent, changes: _Changes, now: float) -> None:
        opinion = opinion_in(event)
        if opinion is not None:
            self._add_opinion(opinion, event.trace_id, changes, now)
        elif event.name in CONTENT_EVENTS and event.trace_id and event.span_id:
            trace = self._memory.touch(event.trace_id, now)
            events = trace.logs.setdefault(event.span_id, [])
            if event not in events:
                events.append(event)
                self._memory.grow(trace, weight_of(event.attributes) + 1000)
                self._hear(trace, event.span_id, changes)

    def _hear(self, trace: Trace, span_id: str, changes: _Changes) -> None:
        """Let the events of a span complete it, or stand for it until it comes."""
        events = trace.logs[span_id]
        told = told_by(events)
        step = trace.steps.get(span_id)
        if step is None or step.is_from_logs:
            step = step_of(span_of(events), told)
            step.is_from_logs = True
            trace.steps[span_id] = step
        else:
            add_told(step, told)
        self._sharing.note(step)
        changes.touched[trace.trace_id] = trace

    def _add_opinion(
        self, opinion: Opinion, trace_id: str | None, changes: _Changes, now: float
    ) -> None:
        if trace_id is not None:
            trace = self._memory.touch(trace_id, now)
            if opinion not in trace.opinions:
                trace.opinions.append(opinion)
                self._memory.grow(trace, 500)
                changes.touched[trace_id] = trace
            return
        response_id = opinion.response_id
        if response_id is None:
            ERRORS.labels("ingest.assemble", "evaluation_of_nothing").inc()
            return
        for holder in self._sharing.traces_of(response_id):
            found = self._memory.get(holder)
            if found is not None:
                self._add_opinion(opinion, holder, changes, now)
                return
        if len(self._unplaced) < _MOST_UNPLACED:
            self._unplaced.setdefault(response_id, []).append(opinion)

    def _assemble(self, changes: _Changes) -> tuple[list[Evaluation], list[Label]]:
        evaluations: list[Evaluation] = []
        labels: list[Label] = []
        done: set[str] = set()
        for trace_id in changes.touched:
            if trace_id in done:
                continue
            linked = self._linked(trace_id)
            done.update(trace.trace_id for trace in linked)
            calls = calls_of(linked)
            for trace in linked:
                own = [c for c in calls if c.head.span.trace_id == trace.trace_id]
                self._tell(trace, own, changes)
            evaluations.extend(self._judge(linked, calls))
            labels.extend(label for trace in linked for label in labels_in(trace))
        return evaluations, labels

    def _linked(self, trace_id: str) -> list[Trace]:
        """Return the trace and those that speak of the same responses."""
        found = {trace_id: self._memory.get(trace_id)}
        queue = [trace_id]
        while queue:
            for other in self._sharing.linked(found[queue.pop()]):
                if other not in found:
                    found[other] = self._memory.get(other)
                    queue.append(other)
        return [trace for trace in found.values() if trace is not None]

    def _tell(self, trace: Trace, calls: list[Call], changes: _Changes) -> None:
        facts = [completed(trace, call, merged_facts(call)) for call in calls]
        answers = answers_among(trace, calls, facts)
        ends = sorted(
            call.head.ended_at for call, is_answer in zip(calls, answers, strict=True) if is_answer
        )
        levels = retrievals_of(trace)
        for call, told, is_answer in zip(calls, facts, answers, strict=True):
            grounds = grounds_of(call, trace, levels, ends)
            if not grounds.documents and call.head.span.span_id in trace.recalled:
                grounds = Grounds(trace.recalled[call.head.span.span_id].documents)
            self._tell_call(trace, call, _Known(told, grounds, is_answer), changes)
        self._take_back(trace, {call.head.span.span_id for call in calls}, changes)

    def _tell_call(self, trace: Trace, call: Call, known: _Known, changes: _Changes) -> None:
        revisions = *_borrowed(known.facts), *(step.revision for step in call.steps)
        basis = revisions, known.is_answer, known.grounds
        before = trace.told.get(call.head.span.span_id)
        is_fresh = any(step.key in changes.fresh for step in call.steps)
        if not is_fresh and before is not None and before.basis == basis:
            return
        version = before.version if before is not None else self._version(0)
        built = build(
            call,
            known.facts,
            known.grounds,
            is_answer=known.is_answer,
            cost_usd=self._cost(known.facts),
            version=version,
        )
        if before is None:
            trace.told[built.span_id] = Told(built, version, basis)
            changes.interactions.append(built)
        elif is_fresh or before.is_retracted or before.interaction != built:
            self._tell_again(trace, before, built, changes)
            trace.told[built.span_id].basis = basis
        else:
            before.basis = basis

    def _cost(self, facts: Facts) -> float | None:
        """Return what the call cost: as its span tells, else by the price table."""
        usage = facts.usage
        if facts.cost_usd is not None or usage.input is None:
            return facts.cost_usd
        provider = provider_of(facts.provider)
        for model in dict.fromkeys((facts.response_model, facts.request_model)):
            cost = self.prices.cost(
                provider, model, usage.input, usage.output, usage.cache_read, usage.cache_write
            )
            if cost is not None:
                return cost
        return None

    def _tell_again(self, trace: Trace, before: Told, now: Interaction, changes: _Changes) -> None:
        if not before.is_retracted:
            self._take_back_moved(before, now, changes)
        told = replace(now, version=self._version(before.version))
        trace.told[now.span_id] = Told(told, told.version)
        changes.interactions.append(told)

    def _take_back_moved(self, before: Told, now: Interaction, changes: _Changes) -> None:
        """Take back the old row of a call whose time or service was told anew."""
        old = before.interaction
        is_later = abs(old.started_at - now.started_at) > _ROUNDING_S
        if is_later or old.service_name != now.service_name:
            changes.retractions.append(self._retraction(before))

    def _take_back(self, trace: Trace, speaking: set[str], changes: _Changes) -> None:
        for span_id, told in trace.told.items():
            if span_id not in speaking and not told.is_retracted:
                changes.retractions.append(self._retraction(told))
                told.is_retracted = True

    def _retraction(self, told: Told) -> Retraction:
        told.version = self._version(told.version)
        old = told.interaction
        return Retraction(old.trace_id, old.span_id, old.service_name, old.started_at, told.version)

    def _version(self, before: int) -> int:
        return max(int(self._clock.now() * _MICROSECONDS), before + 1)

    def _judge(self, traces: Sequence[Trace], calls: Sequence[Call]) -> Iterable[Evaluation]:
        """Yield foreign judgements that are new, or whose call is known better now."""
        heads = {step.key: call.head.key for call in calls for step in call.steps}
        responses = {
            step.facts.response_id: call.head.key
            for call in calls
            for step in call.steps
            if step.facts.response_id is not None
        }
        for response_id, key in responses.items():
            for opinion in self._unplaced.pop(response_id, ()):
                trace = self._memory.get(key[0])
                if trace is not None:
                    trace.opinions.append(opinion)
        for trace in traces:
            for opinion in trace.opinions:
                target = self._judged(trace, opinion, heads, responses)
                if target is not None and trace.judged.get(opinion) != target:
                    trace.judged[opinion] = target
                    yield evaluation_of(opinion, target)

    def _judged(
        self,
        trace: Trace,
        opinion: Opinion,
        heads: dict[Key, Key],
        responses: dict[str, Key],
    ) -> Key | None:
        """Return the interaction that is judged; a span that is none keeps its judgement."""
        if opinion.span_id is not None:
            own = trace.trace_id, opinion.span_id
            if own in heads:
                return heads[own]
        if opinion.response_id is not None and opinion.response_id in responses:
            return responses[opinion.response_id]
        return (trace.trace_id, opinion.span_id) if opinion.span_id is not None else None


def _borrowed(facts: Facts) -> Iterator[int]:
    """Yield which of the fields are told that other spans of the trace may tell."""
    for value in (
        facts.input_messages,
        facts.response_id,
        facts.user_id,
        facts.session_id,
        facts.conversation_id,
    ):
        yield int(value is not None)


def _tells_more(span: Span, known: Step | None) -> bool:
    """Say whether a span that came before is told better now: longer, or with more attributes."""
    if known is None:
        return False
    if known.is_from_logs:
        return True
    end = span.started_at + (span.duration_s or 0.0)
    before = len(known.span.attributes) + len(known.span.events)
    return end > known.ended_at + 1e-6 and len(span.attributes) + len(span.events) >= before
