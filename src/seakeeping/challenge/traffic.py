"""A call of the story as an instrumented app would report it, through the OpenTelemetry SDK.

Each call becomes a trace: the app's workflow, the retrieval with its documents, the model call with
the GenAI attributes. Start and end times are given to the SDK, so that a history can be told;
identifiers are those of the story, so that telling it twice changes nothing; the tracestate says
how many calls a sampled one stands for (``ot=th``).
"""

import json
from collections.abc import Iterator, Mapping, Sequence

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanKind, Status, StatusCode, TraceState, set_span_in_context
from opentelemetry.util.types import Attributes, AttributeValue

from seakeeping.challenge.story import OWN_S, Call, Story

_SCOPE = "seakeeping.challenge"


def threshold(weight: int) -> str:
    """Return the sampling threshold of the tracestate for one call in ``weight`` kept.

    A trace is kept if its randomness is at least the threshold, 56 bits in hexadecimal without
    trailing zeros.

    >>> threshold(8), threshold(2048)
    ('e', 'ffe')
    """
    return f"{(1 << 56) - (1 << 56) // weight:014x}".rstrip("0")


class _StoryIds(IdGenerator):
    """Identifiers of the call at hand: of its trace, and of its spans one after the other."""

    def __init__(self) -> None:
        self._digests: Iterator[str] = iter(())

    def begin(self, story: Story, call: Call) -> None:
        """Take the identifiers of this call from now on."""
        self._digests = (story.digest(f"{call.key}/{part}") for part in range(1 << 30))

    def generate_trace_id(self) -> int:
        """Return the trace's identifier."""
        return int(next(self._digests), 16)

    def generate_span_id(self) -> int:
        """Return the next span's identifier."""
        return int(next(self._digests)[:16], 16)


class _Kept(Sampler):
    """Keeps every span that it is shown and writes down how many calls it stands for."""

    def __init__(self) -> None:
        self._state: TraceState | None = None

    def begin(self, call: Call) -> None:
        """Take the weight of this call from now on."""
        stands_for_more = call.weight > 1
        self._state = TraceState([("ot", f"th:{threshold(call.weight)}")] * stands_for_more)

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """Keep the span."""
        return SamplingResult(Decision.RECORD_AND_SAMPLE, attributes, self._state)

    def get_description(self) -> str:
        """Return the sampler's name."""
        return "StoryWeights"


class _Ended(SpanProcessor):
    """Holds the spans that have ended until they are taken."""

    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def on_end(self, span: ReadableSpan) -> None:
        """Hold the span."""
        self.spans.append(span)


class Narrator:
    """Turns calls of a story into finished spans of the SDK."""

    def __init__(self, story: Story) -> None:
        self._story = story
        self._ids = _StoryIds()
        self._kept = _Kept()
        self._ended = _Ended()
        self._tracers: dict[tuple[str, str], trace.Tracer] = {}

    def tell(self, call: Call) -> list[ReadableSpan]:
        """Return the spans of the call, children first."""
        self._ids.begin(self._story, call)
        self._kept.begin(call)
        tracer = self._tracer(call)
        workflow = _start(tracer, f"invoke_workflow {call.service.name}", call.at, _workflow(call))
        within = set_span_in_context(workflow)
        retrieval = _start(
            tracer, "retrieval pages", call.at + OWN_S, _retrieval(call),
            context=within, kind=SpanKind.CLIENT,
        )  # fmt: skip
        _end(retrieval, call.asks_model_at - OWN_S)
        chat = _start(
            tracer, f"chat {call.service.model}", call.asks_model_at, _request(call),
            context=within, kind=SpanKind.CLIENT,
        )  # fmt: skip
        chat.set_attributes(_failure(call) if call.error_type else _response(call, self._story))
        for span, at in ((chat, call.ends_at - OWN_S), (workflow, call.ends_at)):
            if call.error_type:
                span.set_status(Status(StatusCode.ERROR, call.error_type))
            _end(span, at)
        spans, self._ended.spans = self._ended.spans, []
        return spans

    def _tracer(self, call: Call) -> trace.Tracer:
        key = (call.service.name, call.release.version)
        if key not in self._tracers:
            provider = TracerProvider(
                resource=Resource.create(
                    {
                        "service.name": call.service.name,
                        "service.version": call.release.version,
                        "deployment.environment.name": "production",
                        "seakeeping.traffic": "demo",
                        "seakeeping.release": call.release.version,
                    }
                ),
                sampler=self._kept,
                id_generator=self._ids,
                shutdown_on_exit=False,
            )
            provider.add_span_processor(self._ended)
            self._tracers[key] = provider.get_tracer(_SCOPE)
        return self._tracers[key]


def _start(
    tracer: trace.Tracer,
    name: str,
    at: float,
    attributes: Mapping[str, AttributeValue],
    *,
    context: Context | None = None,
    kind: SpanKind = SpanKind.INTERNAL,
) -> trace.Span:
    # An empty context, not the current one: the story's traces have no parent.
    return tracer.start_span(
        name, context or Context(), kind=kind, attributes=attributes, start_time=_nanoseconds(at)
    )


def _end(span: trace.Span, at: float) -> None:
    span.end(end_time=_nanoseconds(at))


def _nanoseconds(seconds: float) -> int:
    return round(seconds * 1e6) * 1000


def _shared(call: Call) -> dict[str, AttributeValue]:
    return {
        "seakeeping.traffic": "demo",
        "gen_ai.conversation.id": call.conversation_id,
        "user.id": call.user_id,
    }


def _workflow(call: Call) -> dict[str, AttributeValue]:
    return _shared(call) | {
        "gen_ai.operation.name": "invoke_workflow",
        "gen_ai.workflow.name": call.service.name,
    }


def _retrieval(call: Call) -> dict[str, AttributeValue]:
    documents = [
        {"id": passage.id, "score": round(0.92 - 0.06 * rank, 2), "content": passage.text}
        for rank, passage in enumerate(call.answer.passages)
    ]
    return _shared(call) | {
        "gen_ai.operation.name": "retrieval",
        "gen_ai.data_source.id": "pages",
        "gen_ai.retrieval.top_k": len(documents),
        "gen_ai.retrieval.query.text": call.answer.turns[-1].text,
        "gen_ai.retrieval.documents": json.dumps(documents),
    }


def _request(call: Call) -> dict[str, AttributeValue]:
    service = call.service
    return _shared(call) | {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": service.provider,
        "gen_ai.request.model": service.model,
        "gen_ai.request.stream": True,
        "gen_ai.request.temperature": 0.2,
        "gen_ai.prompt.name": service.prompt_name,
        "gen_ai.prompt.version": call.release.prompt_version,
        "gen_ai.system_instructions": json.dumps([_text(service.instructions)]),
        "gen_ai.input.messages": json.dumps(_questions(call)),
    }


def _questions(call: Call) -> list[dict[str, object]]:
    return [{"role": turn.role, "parts": [_text(turn.text)]} for turn in call.answer.turns]


def _response(call: Call, story: Story) -> dict[str, AttributeValue]:
    said = {"role": "assistant", "parts": [_text(call.answer.text)], "finish_reason": "stop"}
    return {
        "gen_ai.response.id": f"resp-{story.digest(call.key)[:24]}",
        "gen_ai.response.model": call.service.model,
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.response.time_to_first_chunk": round(call.first_token_s, 6),
        "gen_ai.usage.input_tokens": call.input_tokens,
        "gen_ai.usage.output_tokens": call.output_tokens,
        "gen_ai.output.messages": json.dumps([said]),
    }


def _failure(call: Call) -> dict[str, AttributeValue]:
    return {"error.type": call.error_type or "_OTHER"}


def _text(content: str) -> dict[str, object]:
    return {"type": "text", "content": content}
