"""One model call may be reported by several spans; find which, and who speaks for them.

Three ways: a framework's span holds the client library's (LangChain over the OpenAI client), a
client library reports beside an instrumentation (the Anthropic SDK's own spans, nested or not, even
in another trace), and a stream is reported as a request and a later end (Logfire). The outermost
span is kept, since it saw the content; what is nearest to the wire counts tokens and times best.

A span that holds several answered calls is not a call itself but their sum, whatever it says: only
leaf calls count.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from seakeeping.ingest.assemble.trace import Key, Step, Trace
from seakeeping.ingest.dialects import Step as Kind
from seakeeping.records import Span

_BARRIERS = frozenset((Kind.TOOL, Kind.AGENT, Kind.RETRIEVAL, Kind.RERANK, Kind.JUDGE))
_LEAST_OVERLAP = 0.5


@dataclass(slots=True)
class Call:
    """One model call: the step that speaks for it, and its twins from the outside in."""

    head: Step
    twins: list[Step] = field(default_factory=list)

    @property
    def steps(self) -> list[Step]:
        """All spans of the call."""
        return [self.head, *self.twins]


def calls_of(traces: Iterable[Trace]) -> list[Call]:
    """Return the model calls of some traces, in order of their start."""
    calls = [call for trace in traces for call in _nested_calls(trace)]
    calls.sort(key=lambda call: call.head.order)
    return _with_streams(_with_lookalikes(calls))


def _nested_calls(trace: Trace) -> list[Call]:
    models = [s for s in trace.steps.values() if s.facts.step is Kind.MODEL]
    if len(models) == 1:
        return [Call(models[0])]
    inner: dict[str, list[Step]] = {}
    tops: list[Step] = []
    for step in sorted(models, key=lambda s: s.order):
        above = _call_above(trace, step)
        if above is None:
            tops.append(step)
        else:
            inner.setdefault(above, []).append(step)
    calls: list[Call] = []
    for top in tops:
        tops.extend(_settle(top, inner, calls))
    return calls


def _call_above(trace: Trace, step: Step) -> str | None:
    """Return the nearest model call that holds this one with no tool or agent between them."""
    for span_id in trace.ancestors(step.span.span_id):
        above = trace.steps.get(span_id)
        if above is None:
            continue
        if above.facts.step is Kind.MODEL:
            return span_id
        if above.facts.step in _BARRIERS:
            return None
    return None


def _settle(head: Step, inner: dict[str, list[Step]], calls: list[Call]) -> list[Step]:
    """Make the call that ``head`` speaks for; return the inner spans that are other calls."""
    if head.span.span_id not in inner:
        calls.append(Call(head))
        return []
    below = _below(head, inner)
    answered = [s for s in below if s.facts.error_type is None and not inner.get(s.span.span_id)]
    if head.facts.response_id is None and _are_several(answered):
        return inner.get(head.span.span_id, [])
    call = Call(head)
    others: list[Step] = []
    for step in below:
        same = _may_be_same(head.facts.response_id, step.facts.response_id)
        (call.twins if same else others).append(step)
    calls.append(call)
    own = {step.key for step in others}
    return [step for step in others if not _is_below_another(step, inner, own)]


def _below(head: Step, inner: dict[str, list[Step]]) -> list[Step]:
    found = list(inner.get(head.span.span_id, ()))
    for step in found:
        found.extend(inner.get(step.span.span_id, ()))
    return found


def _is_below_another(step: Step, inner: dict[str, list[Step]], own: set[Key]) -> bool:
    trace_id = step.span.trace_id
    return any(step in below and (trace_id, above) in own for above, below in inner.items())


def _are_several(answered: Sequence[Step]) -> bool:
    """Say whether answered inner calls are more than one, rather than reports of one."""
    ids = {s.facts.response_id for s in answered if s.facts.response_id}
    if len(ids) > 1:
        return True
    ordered = sorted(answered, key=lambda s: s.order)
    return not ids and any(
        later.span.started_at >= earlier.ended_at for earlier, later in pairwise(ordered)
    )


def _may_be_same(one: str | None, other: str | None) -> bool:
    return one is None or other is None or one == other


def _with_lookalikes(calls: list[Call]) -> list[Call]:
    """Join calls with one response id whose spans overlap but come from different libraries."""
    kept: list[Call] = []
    by_response: dict[str, list[Call]] = {}
    for call in calls:
        response_id = next((s.facts.response_id for s in call.steps if s.facts.response_id), None)
        if response_id is None:
            kept.append(call)
            continue
        peers = by_response.setdefault(response_id, [])
        twin = _best_twin(call, peers)
        if twin is None:
            peers.append(call)
            kept.append(call)
        else:
            twin.twins.extend(call.steps)
    return kept


def _best_twin(call: Call, peers: list[Call]) -> Call | None:
    found = [peer for peer in peers[-64:] if are_lookalikes(peer, call)]
    return min(
        found, key=lambda p: call.head.span.started_at - p.head.span.started_at, default=None
    )


def are_lookalikes(outer: Call, inner: Call) -> bool:
    """Say whether two calls of one response id are one: other libraries, most of a span shared."""
    scopes = {step.span.scope_name for step in outer.steps}
    others = {step.span.scope_name for step in inner.steps}
    one, other = outer.head, inner.head
    if scopes & others or ("" in scopes | others and one.span.trace_id != other.span.trace_id):
        return False  # across traces, who cannot name its library proves nothing
    if _are_two_instances(one.span, other.span):
        return False
    shared = min(one.ended_at, other.ended_at) - max(one.span.started_at, other.span.started_at)
    shorter = min(one.ended_at - one.span.started_at, other.ended_at - other.span.started_at)
    return shared >= _LEAST_OVERLAP * shorter and shared >= 0


def _are_two_instances(one: Span, other: Span) -> bool:
    """Say whether two processes of one service speak: each made its own call."""
    ids = {str(span.resource.get("service.instance.id") or "") for span in (one, other)}
    return one.service_name == other.service_name and "" not in ids and len(ids) > 1


def _with_streams(calls: list[Call]) -> list[Call]:
    """Give the end of a stream to the request it belongs to: the last one open beside it."""
    kept: list[Call] = []
    for call in calls:
        request = _request_of(call.head, kept) if call.head.facts.continues else None
        if request is None:
            kept.append(call)
        else:
            request.twins.extend(call.steps)
    return kept


def _request_of(end: Step, calls: list[Call]) -> Call | None:
    for call in reversed(calls):
        head = call.head
        if (
            _are_beside(head, end)
            and not head.facts.continues
            and head.facts.output_messages is None
            and not any(twin.facts.continues for twin in call.twins)
            and head.facts.request_model == end.facts.request_model
        ):
            return call
    return None


def _are_beside(head: Step, end: Step) -> bool:
    """Say whether two spans have one parent, or none and so a trace each, but one question."""
    if head.span.trace_id == end.span.trace_id:
        return head.span.parent_span_id == end.span.parent_span_id
    return head.facts.stream_key is not None and head.facts.stream_key == end.facts.stream_key
