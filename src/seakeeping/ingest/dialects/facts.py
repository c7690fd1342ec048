"""What one span says about one step of an AI application, in canonical fields.

Every dialect's reader fills the same record, so what follows (assembling traces, building
interactions) knows no dialect. A field is None where the span does not tell.
"""

from dataclasses import dataclass, field, fields
from enum import StrEnum

from seakeeping.ingest.dialects.messages import Messages
from seakeeping.ingest.dialects.usage import NO_USAGE, Usage
from seakeeping.records import Document, Json, JsonObject


class Step(StrEnum):
    """What kind of step a span is; only ``MODEL`` becomes an interaction."""

    MODEL = "model"
    RETRIEVAL = "retrieval"
    RERANK = "rerank"
    TOOL = "tool"
    AGENT = "agent"
    WORKFLOW = "workflow"
    EMBEDDING = "embedding"
    JUDGE = "judge"


@dataclass(frozen=True, slots=True)
class Score:
    """Somebody else's judgement written on a span or event; at least one of value and label.

    ``source`` is what made it, as it was spelled (``HUMAN``, ``LLM``), ``author`` who, where told.
    """

    name: str
    value: float | None
    label: str | None
    explanation: str | None
    source: str = ""
    author: str = ""


@dataclass(slots=True)
class Facts:
    """What a span tells, filled by one reader and not changed after.

    ``wire_id`` is the provider's own response id where a gateway gives another;
    ``is_loose`` says that the input was read from the arguments of a framework's call;
    ``stream_key`` is shared by the two halves of a stream that have no parent;
    ``time_to_first_token`` candidates are in seconds; ``finish_reasons`` and ``provider`` are raw
    spellings; ``query`` is what a retrieval or tool was asked; ``error_text`` all that the span
    says of its error.
    """

    dialect: str
    step: Step = Step.MODEL
    operation: str | None = None
    provider: str | None = None
    request_model: str | None = None
    response_model: str | None = None
    response_id: str | None = None
    wire_id: str | None = None
    system: str | None = None
    input_messages: Messages | None = None
    output_messages: Messages | None = None
    tool_definitions: tuple[JsonObject, ...] | None = None
    documents: tuple[Document, ...] = ()
    query: str | None = None
    usage: Usage = NO_USAGE
    cost_usd: float | None = None
    finish_reasons: tuple[str, ...] = ()
    time_to_first_token_s: float | None = None
    streaming: bool | None = None
    duration_s: float | None = None
    error_type: str | None = None
    error_text: str = ""
    http_status: int | None = None
    conversation_id: str | None = None
    session_id: str | None = None
    user_id: str | None = None
    tenant: str | None = None
    release: str | None = None
    environment: str | None = None
    prompt_name: str | None = None
    prompt_version: str | None = None
    scores: tuple[Score, ...] = ()
    continues: bool = False
    stream_key: str | None = None
    is_loose: bool = False
    truncated: tuple[str, ...] = ()
    content_keys: tuple[str, ...] = ()
    extras: dict[str, Json] = field(default_factory=dict)

    def fill(self, other: "Facts") -> None:
        """Take what ``other`` tells and this does not; never the step, dialect or operation."""
        for name in _FILLED:
            if getattr(self, name) in _NOTHING:
                setattr(self, name, getattr(other, name))
        self.usage = self.usage.completed(other.usage)
        for key, value in other.extras.items():
            self.extras.setdefault(key, value)


_NOTHING = (None, "", ())
_FILLED = tuple(
    f.name
    for f in fields(Facts)
    if f.name
    not in (
        "dialect",
        "step",
        "operation",
        "extras",
        "continues",
        "stream_key",
        "is_loose",
        "usage",
    )
)
