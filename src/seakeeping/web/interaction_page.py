"""Everything the page of one model call shows, so that the template only prints."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import orjson

from seakeeping.records import EVALUATION_KINDS, Evaluation, Interaction, Json, Span
from seakeeping.web import spell
from seakeeping.web.conversation import Turn, other_output, prompt_turns, room_for
from seakeeping.web.findings import (
    Finding,
    answer_pieces,
    claim_text,
    findings,
    source_pieces,
    unsupported_words,
)
from seakeeping.web.marks import Piece
from seakeeping.web.wall import Fact
from seakeeping.web.waterfall import Waterfall, waterfall

MOST_SPANS = 500
"""Rows of the waterfall."""

MOST_DOCUMENTS = 200
"""Documents shown, the first ones."""


@dataclass(frozen=True, slots=True)
class DocumentView:
    """A document, its cited passages marked; ``cited`` is how many."""

    id: str | None
    score: float | None
    pieces: tuple[Piece, ...]
    cited: int
    is_open: bool


@dataclass(frozen=True, slots=True)
class FindingView:
    """An objection of a scorer: the claim, why, and the words."""

    number: int
    claim: str
    reason: str
    evaluation: str
    score: float | None
    words: tuple[str, ...]
    has_source: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """A result as a sign: look and words."""

    css: str
    label: str


@dataclass(frozen=True, slots=True)
class ScoreView:
    """One evaluation: a result, or why there is none."""

    name: str
    css: str
    label: str
    value: str
    explanation: str | None
    skipped: str | None
    evaluator: str
    version: str
    lag: str


@dataclass(frozen=True, slots=True)
class InteractionView:
    """The page."""

    interaction: Interaction
    tags: tuple[str, ...]
    error_text: str
    numbers: tuple[Fact, ...]
    answer: tuple[Piece, ...]
    other_output: tuple[Turn, ...]
    prompt: tuple[Turn, ...]
    findings: tuple[FindingView, ...]
    documents: tuple[DocumentView, ...]
    scores: tuple[ScoreView, ...]
    identity: tuple[tuple[str, str], ...]
    attributes: tuple[tuple[str, str], ...]
    trace: Waterfall

    @property
    def unsupported(self) -> int:
        """How many objections there are."""
        return len(self.findings)

    @property
    def is_scored(self) -> bool:
        """Whether faithfulness was judged."""
        return any(s.name == "faithfulness" and s.skipped is None for s in self.scores)

    @property
    def has_content(self) -> bool:
        """Whether there is anything to read."""
        call = self.interaction
        return bool(call.answer_text or call.input_messages or call.output_messages
                    or call.system_instructions or call.documents)  # fmt: skip


def interaction_view(
    interaction: Interaction, evaluations: Sequence[Evaluation], spans: Sequence[Span]
) -> InteractionView:
    """Return the page of a call, its evaluations, and its trace."""
    found = findings(evaluations)
    return InteractionView(
        interaction=interaction,
        tags=tuple(_tags(interaction)),
        error_text=_error_text(interaction, spans),
        numbers=tuple(_numbers(interaction)),
        answer=tuple(answer_pieces(interaction.answer_text or "", found)),
        other_output=tuple(other_output(interaction)),
        prompt=tuple(prompt_turns(interaction, found)),
        findings=tuple(_objections(interaction, found)),
        documents=tuple(_documents(interaction, found)),
        scores=tuple(score_view(interaction, e) for e in sorted(evaluations, key=lambda e: e.name)),
        identity=tuple(_identity(interaction)),
        attributes=tuple((k, _shown(v)) for k, v in sorted(interaction.attributes.items())),
        trace=waterfall(spans, limit=MOST_SPANS),
    )


def verdict(evaluation: Evaluation) -> Verdict | None:
    """Return the sign of a result; None for a skip, and for a label that says all is well."""
    if evaluation.skipped_reason is not None:
        return None
    look = _look(evaluation)
    return None if look == "ok" else Verdict(look, evaluation.score_label or evaluation.name)


def score_view(interaction: Interaction, evaluation: Evaluation) -> ScoreView:
    """Return one line of the table of scores."""
    value = evaluation.score_value
    return ScoreView(
        name=evaluation.name,
        css=_look(evaluation),
        label=evaluation.score_label or "scored",
        value=spell.MISSING if value is None else f"{value:.3g}",
        explanation=evaluation.explanation,
        skipped=_skip(evaluation.skipped_reason),
        evaluator=evaluation.evaluator,
        version=evaluation.evaluator_version,
        lag=_lag(interaction, evaluation),
    )


def _look(evaluation: Evaluation) -> str:
    """Return ok, breach, or nodata where the direction of a foreign evaluation is unknown."""
    kind = EVALUATION_KINDS.get(evaluation.name)
    if kind is None or evaluation.score_label is None:
        return "nodata"
    return {kind.good_label: "ok", kind.bad_label: "breach"}.get(evaluation.score_label, "nodata")


def _skip(reason: str | None) -> str | None:
    return None if reason is None else reason.replace("_", " ")


def _lag(interaction: Interaction, evaluation: Evaluation) -> str:
    ended = interaction.started_at + (interaction.duration_s or 0.0)
    lag_s = evaluation.evaluated_at - ended
    return f"{spell.seconds(lag_s)} after the answer" if 0 <= lag_s < 3600 else ""


def _tags(call: Interaction) -> Iterable[str]:
    yield call.traffic
    yield from (word for word in (call.environment, call.provider, call.release) if word)
    if call.streaming:
        yield "streamed"
    if call.sampling_weight != 1:
        yield f"stands for {spell.count(call.sampling_weight)} calls"


def _error_text(call: Interaction, spans: Iterable[Span]) -> str:
    own = next((s for s in spans if s.span_id == call.span_id), None)
    return (own.status_message or "") if own else ""


def _numbers(call: Interaction) -> Iterable[Fact]:
    yield Fact("Took", spell.seconds(call.duration_s))
    yield Fact("Time to first token", spell.seconds(call.time_to_first_token_s), _pace(call))
    yield Fact(
        "Input tokens", spell.count(call.input_tokens), _within(call.cache_read_tokens, "cached")
    )
    yield Fact(
        "Output tokens",
        spell.count(call.output_tokens),
        _within(call.reasoning_tokens, "reasoning"),
    )
    yield Fact(
        "Cost", spell.usd(call.cost_usd), "" if call.cost_usd is not None else "no price known"
    )
    yield Fact("Finished", ", ".join(call.finish_reasons) or spell.MISSING)


def _within(part: int | None, word: str) -> str:
    return "" if part is None else f"{spell.count(part)} {word}"


def _pace(call: Interaction) -> str:
    """Return the output tokens a second after the first one."""
    first, whole, tokens = call.time_to_first_token_s, call.duration_s, call.output_tokens
    if first is None or whole is None or tokens is None or tokens < 2 or whole <= first:
        return ""
    return f"then {spell.rate((tokens - 1) / (whole - first))} tokens/s"


def _objections(call: Interaction, found: Iterable[Finding]) -> Iterable[FindingView]:
    for finding in found:
        if finding.is_unsupported:
            yield FindingView(
                number=finding.number,
                claim=claim_text(finding, call),
                reason=finding.reason,
                evaluation=finding.evaluation,
                score=finding.score,
                words=tuple(unsupported_words(finding, call)[:8]),
                has_source=finding.source is not None,
            )


def _documents(call: Interaction, found: Sequence[Finding]) -> Iterable[DocumentView]:
    shown = call.documents[:MOST_DOCUMENTS]
    room = room_for(len(shown))
    for index, document in enumerate(shown):
        cited = [f for f in found if f.source == ("document", index, 0)]
        pieces = source_pieces((document.content or "")[:room], ("document", index, 0), found)
        is_open = index == 0 or any(f.is_unsupported for f in cited)
        yield DocumentView(document.id, document.score, tuple(pieces), len(cited), is_open)


def _identity(call: Interaction) -> Iterable[tuple[str, str]]:
    prompt = " ".join(word for word in (call.prompt_name, call.prompt_version) if word)
    pairs = {
        "trace": call.trace_id, "span": call.span_id, "response": call.response_id,
        "requested": call.request_model, "answered by": call.response_model,
        "provider": call.provider, "version": call.service_version, "release": call.release,
        "prompt": prompt or None, "conversation": call.conversation_id, "user": call.user_id,
        "tenant": call.tenant, "route": call.route, "region": call.region,
    }  # fmt: skip
    yield from ((name, value) for name, value in pairs.items() if value)
    yield from ((f"group {name}", value) for name, value in call.groups.items())


def _shown(value: Json) -> str:
    if isinstance(value, str):
        return value if len(value) <= 2000 else value[:2000] + "…"
    text = orjson.dumps(value, default=_plain).decode()
    return text if len(text) <= 2000 else text[:2000] + "…"


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(type(value).__name__)
