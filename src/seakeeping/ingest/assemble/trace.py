"""What is remembered of one trace: its steps, who is whose child, and what was told so far.

Children are exported before their parents and often in another request, so a trace is never
complete; it is only what is known. Spans that are no step of an AI application leave nothing but
their place in the tree.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import count

from seakeeping.ingest.dialects import Facts, Score
from seakeeping.ingest.dialects import Step as Kind
from seakeeping.records import Interaction, JsonObject, LogEvent, Span

Key = tuple[str, str]
"""Trace id and span id."""

Basis = tuple[tuple[int, ...], bool, object]
"""What an interaction was built from: revisions of its spans, whether it answers, its documents."""

_DEEPEST = 4096


_revisions = count(1)


@dataclass(slots=True)
class Step:
    """A span that is a step of an AI application.

    ``own`` is what the span says, ``facts`` that and what log events add. ``revision`` is another
    number whenever ``facts`` are. ``traffic`` overrides what the span says of where it comes from.
    """

    span: Span
    own: Facts
    facts: Facts
    ended_at: float
    traffic: str | None = None
    is_from_logs: bool = False
    revision: int = field(default_factory=lambda: next(_revisions))

    @property
    def key(self) -> Key:
        """The identity of the span."""
        return self.span.trace_id, self.span.span_id

    @property
    def order(self) -> tuple[float, float, str]:
        """By start; what encloses comes before what it encloses."""
        return self.span.started_at, -self.ended_at, self.span.span_id


def step_of(span: Span, facts: Facts) -> Step:
    """Return the step; a span without a duration ends where it starts."""
    return Step(span, facts, facts, span.started_at + (span.duration_s or 0.0))


def add_told(step: Step, told: Facts) -> None:
    """Let log events complete what the span says."""
    step.facts = replace(step.own, extras=dict(step.own.extras))
    step.facts.fill(told)
    step.revision = next(_revisions)


@dataclass(frozen=True, slots=True)
class Opinion:
    """Somebody else's judgement of the span, or the response, that it names."""

    span_id: str | None
    response_id: str | None
    score: Score
    at: float
    by: str


@dataclass(slots=True)
class Told:
    """The newest version of an interaction that was handed on, or that it was taken back."""

    interaction: Interaction
    version: int
    basis: Basis | None = None
    is_retracted: bool = False


Verdict = tuple[tuple[int, ...], bool]
"""Whether a call is an answer, and the revisions of the calls that this followed from."""


@dataclass(slots=True)
class Trace:
    """All that is remembered of one trace."""

    trace_id: str
    parents: dict[str, str | None] = field(default_factory=dict)
    steps: dict[str, Step] = field(default_factory=dict)
    logs: dict[str, list[LogEvent]] = field(default_factory=dict)
    opinions: list[Opinion] = field(default_factory=list)
    told: dict[str, Told] = field(default_factory=dict)
    judged: dict[Opinion, Key] = field(default_factory=dict)
    labelled: dict[Opinion, Key] = field(default_factory=dict)
    recalled: dict[str, Interaction] = field(default_factory=dict)
    from_store: set[str] = field(default_factory=set)
    awaited: set[str] = field(default_factory=set)
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    queries: int = 0
    handed_on: dict[str | None, list[Step]] = field(default_factory=dict)
    needs_history: bool = False
    bytes: int = 0
    touched_at: float = 0.0

    def place(self, span_id: str, parent: str | None) -> None:
        """Note whose child a span is, and that its parent is awaited."""
        self.parents[span_id] = parent
        if parent is not None and parent not in self.parents:
            self.awaited.add(parent)

    def keep(self, step: Step) -> None:
        """Remember a step, and what it asked or handed on."""
        facts = step.facts
        self.steps[step.span.span_id] = step
        if facts.query:
            self.queries += 1
        if facts.step is Kind.WORKFLOW and facts.response_id is not None:
            self.handed_on.setdefault(step.span.parent_span_id, []).append(step)

    def answer_under(self, span_id: str) -> Key | None:
        """Return the one answer that was made below a span, None where there is none or several."""
        answers = [
            told.interaction.key
            for told in self.told.values()
            if told.interaction.is_answer
            and not told.is_retracted
            and span_id in self.ancestors(told.interaction.span_id)
        ]
        return answers[0] if len(answers) == 1 else None

    def ancestors(self, span_id: str) -> Iterator[str]:
        """Yield the ids above a span, nearest first, as far as they are known."""
        seen = {span_id}
        parent = self.parents.get(span_id)
        while parent is not None and parent not in seen and len(seen) < _DEEPEST:
            yield parent
            seen.add(parent)
            parent = self.parents.get(parent)


def weight_of(attributes: JsonObject) -> int:
    """Return about how many bytes attributes take in memory."""
    texts = sum(len(value) for value in attributes.values() if type(value) is str)
    return texts + 150 * len(attributes)
