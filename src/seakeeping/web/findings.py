"""Findings: which words of an answer a scorer objects to, and the passage it held them against.

A finding stands on two sides. In the answer it is a claim with a start and an end; its evidence is
a passage of a document, or of a part of the prompt. Both sides carry the finding's number, which is
all that the page needs to link them. Findings come from anybody's evaluator, so a finding without
usable offsets is listed but marks nothing.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from seakeeping.records import EVALUATION_KINDS, Evaluation, Interaction
from seakeeping.web.marks import Mark, Piece, cut

UNSUPPORTED, SUPPORTED = "unsupported", "supported"

Source = tuple[str, int | None, int]
"""A text that evidence stands in: ("document", index, 0) or ("message", index | None, part)."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One claim of the answer and its evidence; offsets are code points, ``end`` exclusive."""

    number: int
    kind: str
    start: int | None
    end: int | None
    score: float | None
    reason: str
    evaluation: str
    source: Source | None
    source_start: int
    source_end: int
    words: tuple[tuple[int, int], ...]

    @property
    def is_unsupported(self) -> bool:
        """Whether the scorer objects."""
        return self.kind == UNSUPPORTED


def findings(evaluations: Iterable[Evaluation]) -> list[Finding]:
    """Return the findings of all evaluations, those with an objection first, numbered from 1."""
    found = [
        (evaluation, item)
        for evaluation in evaluations
        for item in evaluation.evidence
        if isinstance(item, Mapping) and ("start" in item or "reason" in item)
    ]
    found.sort(key=lambda pair: (_kind(*pair) != UNSUPPORTED, _whole(pair[1].get("start")) or 0))
    return [_finding(n, *pair) for n, pair in enumerate(found, start=1)]


def answer_pieces(text: str, found: Sequence[Finding]) -> list[Piece]:
    """Return the answer, cut where claims begin and end."""
    marks = [
        Mark(f.number, f.start, f.end, f.kind)
        for f in found
        if f.start is not None and f.end is not None
    ]
    words = [Mark(0, *word, "") for f in found if f.is_unsupported for word in f.words]
    return cut(text, [*marks, *words], worst=(UNSUPPORTED,))


def source_pieces(text: str, source: Source, found: Sequence[Finding]) -> list[Piece]:
    """Return an evidence text, cut where the passages of findings begin and end."""
    marks = [
        Mark(f.number, f.source_start, f.source_end, "passage") for f in found if f.source == source
    ]
    return cut(text, marks)


def claim_text(finding: Finding, interaction: Interaction) -> str:
    """Return the words of the answer that the finding is about, "" where it names none."""
    if interaction.answer_text is None or finding.start is None or finding.end is None:
        return ""
    return interaction.answer_text[max(0, finding.start) : max(0, finding.end)].strip()


def unsupported_words(finding: Finding, interaction: Interaction) -> list[str]:
    """Return the words within the claim that lack support, in order and once each."""
    text = interaction.answer_text or ""
    words = (text[start:end].strip() for start, end in finding.words if 0 <= start < end)
    return [word for word in dict.fromkeys(words) if word]


def _finding(number: int, evaluation: Evaluation, item: Mapping[str, object]) -> Finding:
    score = item.get("score")
    return Finding(
        number=number,
        kind=_kind(evaluation, item),
        start=_whole(item.get("start")),
        end=_whole(item.get("end")),
        score=float(score) if isinstance(score, (int, float)) else None,
        reason=_reason(item.get("reason")),
        evaluation=evaluation.name,
        source=_source(item),
        source_start=_whole(item.get("document_start")) or 0,
        source_end=_whole(item.get("document_end")) or 0,
        words=tuple(_spans(item.get("spans"))),
    )


def _kind(evaluation: Evaluation, item: Mapping[str, object]) -> str:
    """Return whether the finding is an objection: by its own label, else by its evaluation's."""
    known = EVALUATION_KINDS.get(evaluation.name)
    label = item.get("label") or evaluation.score_label
    is_bad = label == UNSUPPORTED or (known is not None and label == known.bad_label)
    return UNSUPPORTED if is_bad else SUPPORTED


def _source(item: Mapping[str, object]) -> Source | None:
    if _whole(item.get("document_end")) is None:
        return None
    document = _whole(item.get("document"))
    if document is not None:
        return "document", document, 0
    return "message", _whole(item.get("message")), _whole(item.get("part")) or 0


def _spans(value: object) -> Iterator[tuple[int, int]]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        return
    for item in value:
        if isinstance(item, Mapping):
            start, end = _whole(item.get("start")), _whole(item.get("end"))
            if start is not None and end is not None:
                yield start, end


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _reason(value: object) -> str:
    """Return a reason as words: ``number_mismatch,words_not_in_evidence`` as a phrase."""
    if not isinstance(value, str):
        return ""
    return ", ".join(part.replace("_", " ") for part in value.split(",") if part)
