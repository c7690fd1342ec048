"""One model call, whatever dialect it was reported in.

Missing is None, never 0 and never an empty string. Times are Unix seconds UTC, durations seconds,
costs US dollars. Text offsets anywhere in Seakeeping are Unicode code points into ``answer_text``
or into a document's ``content``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from seakeeping.records.values import JsonObject


class Traffic(StrEnum):
    """Where a call comes from; SLIs count live (in demo mode also demo)."""

    LIVE = "live"
    SHADOW = "shadow"
    TWIN = "twin"
    PROBE = "probe"
    CHALLENGE = "challenge"
    DEMO = "demo"


class FinishReason(StrEnum):
    """Normal forms of why a model stopped."""

    STOP = "stop"
    TOOL = "tool"
    LENGTH = "length"
    FILTER = "filter"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Document:
    """A retrieved text that a call was given."""

    id: str | None
    content: str | None
    score: float | None = None
    metadata: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Interaction:
    """One model call (architecture, section 2).

    ``input_messages`` and ``output_messages`` are lists of ``{"role", "parts": [...]}`` in normal
    form; ``system_instructions`` is plain text. ``is_answer`` says that the text goes to a user.
    ``sampling_weight`` >= 1 is how many calls this one stands for. ``version`` grows with every
    correction of the same call; the highest one counts. ``output_messages``: one message a choice.
    """

    trace_id: str
    span_id: str
    parent_span_id: str | None
    started_at: float
    duration_s: float | None
    time_to_first_token_s: float | None
    streaming: bool | None
    operation: str
    provider: str | None
    request_model: str | None
    response_model: str | None
    response_id: str | None
    service_name: str
    service_version: str | None
    environment: str | None
    system_instructions: str | None
    input_messages: tuple[JsonObject, ...] | None
    output_messages: tuple[JsonObject, ...] | None
    answer_text: str | None
    is_answer: bool
    tool_definitions: tuple[JsonObject, ...] | None
    documents: tuple[Document, ...]
    input_tokens: int | None
    output_tokens: int | None
    cache_read_tokens: int | None
    reasoning_tokens: int | None
    cost_usd: float | None
    finish_reasons: tuple[str, ...]
    error_type: str | None
    conversation_id: str | None
    user_id: str | None
    tenant: str | None
    route: str | None
    region: str | None
    prompt_name: str | None
    prompt_version: str | None
    release: str | None
    traffic: str = Traffic.LIVE
    sampling_weight: float = 1.0
    groups: Mapping[str, str] = field(default_factory=dict)
    attributes: JsonObject = field(default_factory=dict)
    version: int = 0

    @property
    def key(self) -> tuple[str, str]:
        """The identity of the call: ``(trace_id, span_id)``."""
        return self.trace_id, self.span_id
