"""Records to columns and back: the only place that knows how a record lies in its table.

The answer is stored once: where ``output_messages`` say no more than ``answer_text``, their text is
left out and put back on reading.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import orjson

from seakeeping.records import (
    Document,
    Evaluation,
    Interaction,
    JsonObject,
    MetricPoint,
    Span,
    SpanEvent,
)
from seakeeping.store import native
from seakeeping.store.native import Block, Column

Row = Sequence[Any]
"""Values of one row, as the store's JSON gives them."""


class RetractedCall(Protocol):
    """What names an interaction that is taken back (``ingest.assemble.Retraction``)."""

    @property
    def trace_id(self) -> str:
        """Trace of the call."""
        ...

    @property
    def span_id(self) -> str:
        """Span of the call."""
        ...

    @property
    def service_name(self) -> str:
        """Service the call was stored under."""
        ...

    @property
    def started_at(self) -> float:
        """Start of the call, as it was stored."""
        ...

    @property
    def version(self) -> int:
        """Higher than that of what it takes back."""
        ...


def to_json(value: object) -> bytes:
    """Return a JSON text as UTF-8; also of what orjson refuses (huge integers, lone surrogates)."""
    try:
        return orjson.dumps(value, default=_plain)
    except TypeError:
        return json.dumps(value, default=_plain).encode()


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(type(value).__name__)


def from_json(text: str) -> Any:
    """Return the value of a JSON text that ``to_json`` wrote."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return json.loads(text)


_EMPTY_OBJECT, _EMPTY_LIST = b"{}", b"[]"


def _object(value: JsonObject) -> bytes:
    return to_json(value) if value else _EMPTY_OBJECT


def _optional(value: Sequence[JsonObject] | None) -> bytes:
    return b"" if value is None else to_json(value)


def spans_block(spans: Sequence[Span]) -> Block:
    """Return the spans as a block of the table ``spans``."""
    resources: dict[int, bytes] = {}  # spans of one export share their resource object
    for span in spans:
        if id(span.resource) not in resources:
            resources[id(span.resource)] = _object(span.resource)
    columns = [
        native.strings("trace_id", [s.trace_id for s in spans]),
        native.strings("span_id", [s.span_id for s in spans]),
        native.strings("parent_span_id", [s.parent_span_id for s in spans]),
        native.strings("name", [s.name for s in spans]),
        native.strings("kind", [s.kind for s in spans]),
        native.times("started_at", [s.started_at for s in spans]),
        native.optional_floats("duration_s", [s.duration_s for s in spans]),
        native.strings("status", [s.status for s in spans]),
        native.strings("status_message", [s.status_message for s in spans]),
        native.strings("error_type", [s.error_type for s in spans]),
        native.strings("service_name", [s.service_name for s in spans]),
        native.strings("scope_name", [s.scope_name for s in spans]),
        native.floats("sampling_weight", [s.sampling_weight for s in spans]),
        native.blobs("attributes", [_object(s.attributes) for s in spans]),
        native.blobs("events", [_events(s.events) for s in spans]),
        native.blobs("resource", [resources[id(s.resource)] for s in spans]),
    ]
    return native.block(len(spans), columns)


def _events(events: Sequence[SpanEvent]) -> bytes:
    if not events:
        return b""
    return to_json([[e.name, e.at, dict(e.attributes)] for e in events])


SPAN_SELECT = (
    "trace_id, span_id, parent_span_id, name, kind, toUnixTimestamp64Micro(started_at), "
    "duration_s, status, status_message, error_type, service_name, scope_name, sampling_weight, "
    "attributes, events, resource"
)


def span(row: Row) -> Span:
    """Return the span of a row of ``SPAN_SELECT``."""
    events = from_json(row[14]) if row[14] else ()
    return Span(
        trace_id=row[0],
        span_id=row[1],
        parent_span_id=row[2] or None,
        name=row[3],
        kind=row[4],
        started_at=row[5] / 1e6,
        duration_s=_maybe_float(row[6]),
        status=row[7],
        status_message=row[8] or None,
        error_type=row[9] or None,
        service_name=row[10],
        scope_name=row[11],
        sampling_weight=float(row[12]),
        attributes=from_json(row[13]) if row[13] else {},
        events=tuple(SpanEvent(name, at, attributes) for name, at, attributes in events),
        resource=from_json(row[15]) if row[15] else {},
    )


_Reader = Callable[[Any], Any]
_Writer = Callable[[str, Sequence[Any]], Column]


def _seconds(value: int) -> float:
    return value / 1e6


def _maybe_float(value: float | None) -> float | None:
    return None if value is None else float(value)  # JSON spells 1.0 as 1


def _or_none(value: str) -> str | None:
    return value or None


def _same(value: Any) -> Any:
    return value


def _maybe_bool(value: int | None) -> bool | None:
    return None if value is None else bool(value)


def _split(value: str) -> tuple[str, ...]:
    return tuple(value.split(",")) if value else ()


def _joined(name: str, values: Sequence[Sequence[str]]) -> Column:
    return native.strings(name, [",".join(v) for v in values])


def _json_objects(name: str, values: Sequence[JsonObject]) -> Column:
    return native.blobs(name, [to_json(v) if v else b"" for v in values])


def _json_object(value: str) -> Any:
    return from_json(value) if value else {}


def _unsigned(name: str, values: Sequence[int]) -> Column:
    return native.integers(name, values, "UInt64")


_FIELDS: tuple[tuple[str, _Writer, _Reader], ...] = (
    ("trace_id", native.strings, _same),
    ("span_id", native.strings, _same),
    ("parent_span_id", native.strings, _or_none),
    ("started_at", native.times, _seconds),
    ("duration_s", native.optional_floats, _maybe_float),
    ("time_to_first_token_s", native.optional_floats, _maybe_float),
    ("streaming", native.optional_flags, _maybe_bool),
    ("operation", native.strings, _same),
    ("provider", native.strings, _or_none),
    ("request_model", native.strings, _or_none),
    ("response_model", native.strings, _or_none),
    ("response_id", native.strings, _or_none),
    ("service_name", native.strings, _same),
    ("service_version", native.strings, _or_none),
    ("environment", native.strings, _or_none),
    ("is_answer", native.flags, bool),
    ("input_tokens", native.optional_integers, _same),
    ("output_tokens", native.optional_integers, _same),
    ("cache_read_tokens", native.optional_integers, _same),
    ("reasoning_tokens", native.optional_integers, _same),
    ("cost_usd", native.optional_floats, _maybe_float),
    ("finish_reasons", _joined, _split),
    ("error_type", native.strings, _or_none),
    ("conversation_id", native.strings, _or_none),
    ("user_id", native.strings, _or_none),
    ("tenant", native.strings, _or_none),
    ("route", native.strings, _or_none),
    ("region", native.strings, _or_none),
    ("prompt_name", native.strings, _or_none),
    ("prompt_version", native.strings, _or_none),
    ("release", native.strings, _or_none),
    ("traffic", native.strings, _same),
    ("sampling_weight", native.floats, float),
    ("groups", _json_objects, _json_object),
    ("version", _unsigned, _same),
)


def _selected(name: str) -> str:
    return f"toUnixTimestamp64Micro({name})" if name == "started_at" else name


INTERACTION_SELECT = ", ".join(_selected(name) for name, _, _ in _FIELDS)
_READERS = tuple((name, read) for name, _, read in _FIELDS)


def interactions_block(interactions: Sequence[Interaction]) -> Block:
    """Return the interactions, without their text, as a block of the table ``interactions``."""
    columns = [write(name, [getattr(i, name) for i in interactions]) for name, write, _ in _FIELDS]
    columns.append(native.flags("has_content", [has_content(i) for i in interactions]))
    return native.block(len(interactions), columns)


def has_content(interaction: Interaction) -> bool:
    """Return whether the telemetry carried what was asked or answered."""
    return bool(
        interaction.answer_text or interaction.output_messages or interaction.input_messages
    )


def retractions_block(retractions: Sequence[RetractedCall]) -> Block:
    """Return tombstones as a block of the table ``interactions``."""
    return native.block(
        len(retractions),
        [
            native.strings("trace_id", [r.trace_id for r in retractions]),
            native.strings("span_id", [r.span_id for r in retractions]),
            native.times("started_at", [r.started_at for r in retractions]),
            native.strings("service_name", [r.service_name for r in retractions]),
            _unsigned("version", [r.version for r in retractions]),
            native.flags("retracted", [True] * len(retractions)),
        ],
    )


def texts_block(interactions: Sequence[Interaction]) -> Block:
    """Return the interactions' text as a block of the table ``interaction_texts``."""
    columns = [
        native.strings("trace_id", [i.trace_id for i in interactions]),
        native.strings("span_id", [i.span_id for i in interactions]),
        native.times("started_at", [i.started_at for i in interactions]),
        native.strings("service_name", [i.service_name for i in interactions]),
        native.strings("system_instructions", [i.system_instructions for i in interactions]),
        native.blobs("input_messages", [_optional(i.input_messages) for i in interactions]),
        native.blobs("output_messages", [_folded_output(i) for i in interactions]),
        native.strings("answer_text", [i.answer_text for i in interactions]),
        native.blobs("tool_definitions", [_optional(i.tool_definitions) for i in interactions]),
        native.blobs("documents", [_documents(i.documents) for i in interactions]),
        native.blobs(
            "attributes", [to_json(i.attributes) if i.attributes else b"" for i in interactions]
        ),
        _unsigned("version", [i.version for i in interactions]),
    ]
    return native.block(len(interactions), columns)


def blanks_block(retractions: Sequence[RetractedCall]) -> Block:
    """Return empty texts as a block of the table ``interaction_texts``, replacing what is there."""
    return native.block(
        len(retractions),
        [
            native.strings("trace_id", [r.trace_id for r in retractions]),
            native.strings("span_id", [r.span_id for r in retractions]),
            native.times("started_at", [r.started_at for r in retractions]),
            native.strings("service_name", [r.service_name for r in retractions]),
            _unsigned("version", [r.version for r in retractions]),
        ],
    )


TEXT_SELECT = (
    "system_instructions, input_messages, output_messages, answer_text, tool_definitions, "
    "documents, attributes"
)


def _documents(documents: Sequence[Document]) -> bytes:
    if not documents:
        return b""
    return to_json([[d.id, d.content, d.score, dict(d.metadata)] for d in documents])


def _folded_output(interaction: Interaction) -> bytes:
    """Return the output messages, without the text that ``answer_text`` holds already."""
    messages, answer = interaction.output_messages, interaction.answer_text
    if messages is None:
        return b""
    if answer and messages and _answer_part(messages[0], answer) is not None:
        first = messages[0]
        at = _answer_part(first, answer)
        parts = list(_parts(first))
        parts[at or 0] = {k: v for k, v in parts[at or 0].items() if k != "content"}
        messages = ({**first, "parts": parts}, *messages[1:])
    return to_json(messages)


def _parts(message: JsonObject) -> Sequence[Any]:
    parts = message.get("parts")
    return parts if isinstance(parts, Sequence) and not isinstance(parts, str) else ()


def _answer_part(message: JsonObject, answer: str) -> int | None:
    """Return the index of the one text part that is the whole answer, else None."""
    parts = _parts(message)
    texts = [n for n, p in enumerate(parts) if isinstance(p, Mapping) and p.get("type") == "text"]
    if len(texts) == 1 and parts[texts[0]].get("content") == answer:
        return texts[0]
    return None


def _unfolded_output(text: str, answer: str | None) -> tuple[JsonObject, ...] | None:
    if not text:
        return None
    messages = from_json(text)
    for part in _parts(messages[0]) if messages else ():
        if (
            isinstance(part, dict)
            and part.get("type") == "text"
            and "content" not in part
            and answer
        ):
            part["content"] = answer
    return tuple(messages)


def interaction(row: Row, text: Row | None) -> Interaction:
    """Return the interaction of a row of ``INTERACTION_SELECT`` and one of ``TEXT_SELECT``.

    Where the text is gone (retention, content policy) the content fields are None.
    """
    values = {name: read(value) for (name, read), value in zip(_READERS, row, strict=False)}
    system, inputs, outputs, answer, tools, documents, attributes = text or ("",) * 7
    return Interaction(
        **values,
        system_instructions=system or None,
        input_messages=tuple(from_json(inputs)) if inputs else None,
        output_messages=_unfolded_output(outputs, answer),
        answer_text=answer or None,
        tool_definitions=tuple(from_json(tools)) if tools else None,
        documents=tuple(Document(*d) for d in from_json(documents)) if documents else (),
        attributes=from_json(attributes) if attributes else {},
    )


def evaluations_block(rows: Sequence[tuple[Evaluation, Interaction | None]]) -> Block:
    """Return evaluations as a block of the table ``evaluations``.

    They lie where their interaction lies; one without is kept under no service at its own time.
    """
    made = [evaluation for evaluation, _ in rows]
    columns = [
        native.strings("trace_id", [e.trace_id for e in made]),
        native.strings("span_id", [e.span_id for e in made]),
        native.times("started_at", [i.started_at if i else e.evaluated_at for e, i in rows]),
        native.strings("service_name", [i.service_name if i else "" for _, i in rows]),
        native.strings("name", [e.name for e in made]),
        native.strings("evaluator", [e.evaluator for e in made]),
        native.strings("evaluator_version", [e.evaluator_version for e in made]),
        native.optional_floats("score_value", [e.score_value for e in made]),
        native.strings("score_label", [e.score_label for e in made]),
        native.strings("explanation", [e.explanation for e in made]),
        native.blobs("evidence", [to_json(e.evidence) if e.evidence else b"" for e in made]),
        native.times("evaluated_at", [e.evaluated_at for e in made]),
        native.optional_floats("duration_s", [e.duration_s for e in made]),
        native.optional_floats("cost_usd", [e.cost_usd for e in made]),
        native.strings("skipped_reason", [e.skipped_reason for e in made]),
        _unsigned("version", [native.micros(e.evaluated_at) for e in made]),
    ]
    return native.block(len(made), columns)


def index_block(entries: Sequence[tuple[str, str, int]]) -> Block:
    """Return (trace_id, service_name, bucket) entries as a block of the table ``trace_index``."""
    return native.block(
        len(entries),
        [
            native.strings("trace_id", [trace_id for trace_id, _, _ in entries]),
            native.strings("service_name", [service for _, service, _ in entries]),
            native.seconds("bucket", [bucket for _, _, bucket in entries]),
        ],
    )


EVALUATION_SELECT = (
    "trace_id, span_id, name, score_value, score_label, explanation, evidence, evaluator, "
    "evaluator_version, toUnixTimestamp64Micro(evaluated_at), duration_s, cost_usd, skipped_reason"
)


def evaluation(row: Row) -> Evaluation:
    """Return the evaluation of a row of ``EVALUATION_SELECT``."""
    return Evaluation(
        trace_id=row[0],
        span_id=row[1],
        name=row[2],
        score_value=_maybe_float(row[3]),
        score_label=row[4] or None,
        explanation=row[5] or None,
        evidence=tuple(from_json(row[6])) if row[6] else (),
        evaluator=row[7],
        evaluator_version=row[8],
        evaluated_at=row[9] / 1e6,
        duration_s=_maybe_float(row[10]),
        cost_usd=_maybe_float(row[11]),
        skipped_reason=row[12] or None,
    )


def metric_points_block(points: Sequence[MetricPoint]) -> Block:
    """Return metric points as a block of the table ``metric_points``."""
    columns = [
        native.strings("service_name", [p.service_name for p in points]),
        native.strings("name", [p.name for p in points]),
        native.strings("unit", [p.unit for p in points]),
        native.strings("kind", [p.kind for p in points]),
        native.times("at", [p.at for p in points]),
        native.blobs("resource", [_object(p.resource) for p in points]),
        native.blobs("attributes", [_object(p.attributes) for p in points]),
        native.optional_floats("value", [p.value for p in points]),
        native.optional_integers("count", [p.count for p in points]),
        native.float_lists("bounds", [[b for b, _ in p.buckets] for p in points]),
        native.float_lists("counts", [[c for _, c in p.buckets] for p in points]),
        native.strings("temporality", [p.temporality for p in points]),
    ]
    return native.block(len(points), columns)


METRIC_SELECT = (
    "name, unit, kind, toUnixTimestamp64Micro(at), service_name, resource, attributes, value, "
    "count, arrayMap(x -> toString(x), bounds), counts, temporality"
)


def metric_point(row: Row) -> MetricPoint:
    """Return the point of a row of ``METRIC_SELECT``; bounds come as text, JSON has no infinity."""
    return MetricPoint(
        name=row[0],
        unit=row[1],
        kind=row[2],
        at=row[3] / 1e6,
        service_name=row[4],
        resource=_json_object(row[5]),
        attributes=_json_object(row[6]),
        value=_maybe_float(row[7]),
        count=row[8],
        buckets=tuple(
            (float(bound), float(count)) for bound, count in zip(row[9], row[10], strict=True)
        ),
        temporality=row[11] or None,
    )


def lines(body: bytes) -> Iterator[Row]:
    """Yield the rows of a ``JSONCompactEachRow`` body."""
    for line in body.splitlines():
        yield orjson.loads(line)
