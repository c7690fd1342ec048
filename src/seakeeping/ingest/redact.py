"""What may be kept of the text: secrets and personal data masked, or only hashes, or nothing.

Scorers see the text, the store does not. A mask is as long as what it hides (in code points), so
every offset of an evaluation stays right. Under ``hash`` a text becomes a tag that only says
whether two texts are equal; under ``drop`` it is gone; offsets go with it. Ids stay readable, since
users are erased by theirs.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256

from seakeeping.config import ContentPolicy
from seakeeping.ingest.otlp.content import LONGEST_TEXT, names_content
from seakeeping.records import (
    Document,
    Evaluation,
    Interaction,
    Json,
    JsonObject,
    Label,
    Span,
    SpanEvent,
)

_BETWEEN = "\n\x00\n"
_OFFSETS = frozenset(("start", "end", "document_start", "document_end"))
_PLAIN = frozenset(("type", "role", "id", "name", "modality", "mime_type"))
_KEPT = frozenset(
    ("seakeeping.content", "seakeeping.content_hint", "seakeeping.dialect", "session.id")
)
_SHORTEST = 8

Change = Callable[[str], str | None]


def redact(interaction: Interaction, policy: ContentPolicy) -> Interaction:
    """Return the interaction as the policy of its service lets it be kept."""
    rule = policy.for_service(interaction.service_name)
    if rule != "store":
        return _without_text(interaction, hashed if rule == "hash" else _nothing, masker(policy))
    if not _has_secret(_texts_of(interaction), policy):
        return interaction
    return _masked_interaction(interaction, masker(policy))


def redact_span(span: Span, policy: ContentPolicy) -> Span:
    """Return the span as the policy of its service lets it be kept."""
    rule = policy.for_service(span.service_name)
    if rule != "store":
        return _span_without_text(span, hashed if rule == "hash" else _nothing, masker(policy))
    if not _has_secret(_texts_in_span(span), policy):
        return span
    mask = masker(policy)
    return replace(
        span,
        name=mask(span.name),
        resource=_changed_values(span.resource, mask),
        attributes=_changed_values(span.attributes, mask),
        events=tuple(_changed_event(event, mask) for event in span.events),
        status_message=mask(span.status_message) if span.status_message else None,
    )


def redact_evaluation(
    evaluation: Evaluation, interaction: Interaction | None, policy: ContentPolicy
) -> Evaluation:
    """Return the evaluation as the policy lets it be kept.

    Args:
        evaluation: its explanation and evidence may quote the text.
        interaction: what it judges, for the service's policy; None: the strictest of any service,
            for a late judgement may be of that one.
        policy: what may be kept.
    """
    rule = policy.strictest if interaction is None else policy.for_service(interaction.service_name)
    if rule != "store":
        kept = tuple(_without_offsets(finding) for finding in evaluation.evidence)
        return replace(evaluation, explanation=None, evidence=kept)
    texts = [evaluation.explanation or "", *_strings(evaluation.evidence)]
    if not _has_secret(texts, policy):
        return evaluation
    mask = masker(policy)
    return replace(
        evaluation,
        explanation=mask(evaluation.explanation) if evaluation.explanation else None,
        evidence=tuple(_changed_values(finding, mask) for finding in evaluation.evidence),
    )


def redact_label(label: Label, interaction: Interaction | None, policy: ContentPolicy) -> Label:
    """Return a label as the policy lets it be kept: its comment may quote the text."""
    if label.comment is None:
        return label
    rule = policy.strictest if interaction is None else policy.for_service(interaction.service_name)
    return replace(label, comment=masker(policy)(label.comment) if rule == "store" else None)


def masker(policy: ContentPolicy) -> Callable[[str], str]:
    """Return a function that masks a text without changing its length in code points."""

    def mask(text: str) -> str:
        hits = policy.find(text)
        if not hits:
            return text
        pieces: list[str] = []
        place = 0
        for start, end, name in hits:
            pieces.append(text[place:start])
            pieces.append(_mask(name, end - start))
            place = end
        return "".join((*pieces, text[place:]))

    return mask


def _mask(name: str, length: int) -> str:
    """Return a mask of that length, with the name of what it hides where there is room."""
    label = f"[{name}]"
    return label.ljust(length, "*") if len(label) <= length else "*" * length


def hashed(text: str) -> str:
    """Return a tag that is equal for equal texts and tells nothing else."""
    return f"sha256:{sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"


def _nothing(_: str) -> None:
    return None


def _has_secret(texts: Sequence[str], policy: ContentPolicy) -> bool:
    """Say whether any text has something to mask; one search over all of them is the cheapest."""
    return bool(policy.find(_BETWEEN.join(text for text in texts if len(text) >= _SHORTEST)))


def _strings(value: Json) -> Iterator[str]:
    """Yield every string in a JSON value, not its keys; no recursion, however deep it is."""
    queue: list[Json] = [value]
    while queue:
        found = queue.pop()
        if isinstance(found, str):
            yield found
        elif isinstance(found, Mapping):
            queue.extend(found.values())
        elif isinstance(found, Sequence):
            queue.extend(found)


def _texts_of(interaction: Interaction) -> list[str]:
    documents = [d.content for d in interaction.documents if d.content is not None]
    return [
        interaction.system_instructions or "",
        interaction.answer_text or "",
        *documents,
        *_strings(interaction.input_messages or ()),
        *_strings(interaction.output_messages or ()),
        *_strings(interaction.tool_definitions or ()),
        *_strings([document.metadata for document in interaction.documents]),
        *_strings(interaction.attributes),
    ]


def _texts_in_span(span: Span) -> list[str]:
    events = [text for event in span.events for text in _strings(event.attributes)]
    texts = [span.name, span.status_message or "", *_strings(span.resource)]
    return [*texts, *_strings(span.attributes), *events]


def _changed(value: Json, change: Change) -> Json:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return _changed_values(value, change)
    if isinstance(value, Sequence):
        return [_changed(item, change) for item in value]
    return value


def _changed_values(values: JsonObject, change: Change) -> dict[str, Json]:
    return {key: _changed(value, change) for key, value in values.items()}


def _changed_event(event: SpanEvent, change: Change) -> SpanEvent:
    return replace(event, attributes=_changed_values(event.attributes, change))


def _masked_interaction(interaction: Interaction, mask: Callable[[str], str]) -> Interaction:
    def text(value: str | None) -> str | None:
        return mask(value) if value else value

    def messages(values: tuple[JsonObject, ...] | None) -> tuple[JsonObject, ...] | None:
        return None if values is None else tuple(_changed_values(v, mask) for v in values)

    return replace(
        interaction,
        system_instructions=text(interaction.system_instructions),
        input_messages=messages(interaction.input_messages),
        output_messages=messages(interaction.output_messages),
        answer_text=text(interaction.answer_text),
        tool_definitions=messages(interaction.tool_definitions),
        documents=tuple(_changed_document(d, mask) for d in interaction.documents),
        attributes=_changed_values(interaction.attributes, mask),
    )


def _changed_document(document: Document, change: Change) -> Document:
    content = document.content
    return replace(
        document,
        content=None if content is None else change(content),
        metadata=_changed_values(document.metadata, change),
    )


def _without_text(
    interaction: Interaction, change: Change, mask: Callable[[str], str]
) -> Interaction:
    def text(value: str | None) -> str | None:
        return None if value is None else change(value)

    return replace(
        interaction,
        system_instructions=text(interaction.system_instructions),
        input_messages=_messages_without_text(interaction.input_messages, change),
        output_messages=_messages_without_text(interaction.output_messages, change),
        answer_text=text(interaction.answer_text),
        tool_definitions=None,
        documents=tuple(Document(d.id, text(d.content), d.score) for d in interaction.documents),
        attributes=_attributes_without_text(interaction.attributes, change, mask),
    )


def _messages_without_text(
    messages: tuple[JsonObject, ...] | None, change: Change
) -> tuple[JsonObject, ...] | None:
    """Return the messages with roles and kinds of parts, but no content; None under ``drop``."""
    if messages is None or change is _nothing:
        return None
    return tuple(
        {**message, "parts": [_part_without_text(part, change) for part in _parts(message)]}
        for message in messages
    )


def _parts(message: JsonObject) -> Sequence[Json]:
    parts = message.get("parts")
    return parts if isinstance(parts, Sequence) and not isinstance(parts, str) else ()


def _part_without_text(part: Json, change: Change) -> Json:
    if not isinstance(part, Mapping):
        return None
    return {k: v if k in _PLAIN else _hashed_value(v, change) for k, v in part.items()}


def _hashed_value(value: Json, change: Change) -> Json:
    return change(value) if isinstance(value, str) else change(repr(value))


def _attributes_without_text(
    attributes: JsonObject, change: Change, mask: Callable[[str], str]
) -> dict[str, Json]:
    """Return what holds no content, masked: an address of a harmless name may hold a key."""
    kept: dict[str, Json] = {}
    for key, value in attributes.items():
        if key in _KEPT:
            kept[key] = value
        elif _is_harmless(key, value):
            kept[key] = _changed(value, mask)
        elif change is not _nothing:
            kept[key] = _hashed_value(value, change)
    return kept


def _is_harmless(key: str, value: Json) -> bool:
    """Say whether an attribute holds no content: a number, or a short text of a harmless name."""
    if value is None or isinstance(value, (bool, int, float)):
        return True
    if names_content(key) or key.endswith("error.message"):
        return False
    if isinstance(value, str):
        return len(value) <= LONGEST_TEXT
    texts = value if isinstance(value, Sequence) else ()
    return bool(texts) and all(isinstance(t, str) and len(t) <= LONGEST_TEXT for t in texts)


def _span_without_text(span: Span, change: Change, mask: Callable[[str], str]) -> Span:
    events = tuple(
        replace(event, attributes=_attributes_without_text(event.attributes, change, mask))
        for event in span.events
    )
    message = span.status_message
    return replace(
        span,
        name=mask(span.name),
        resource=_changed_values(span.resource, mask),
        attributes=_attributes_without_text(span.attributes, change, mask),
        events=events,
        status_message=None if message is None else change(message),
    )


def _without_offsets(finding: JsonObject) -> JsonObject:
    """Return what a finding says without where, and without any quotation."""
    return {
        key: value
        for key, value in finding.items()
        if key not in _OFFSETS and (not isinstance(value, str) or key == "label")
    }
