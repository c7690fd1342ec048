"""What a reader is shown: each claim with its support, its evidence, and the words without any."""

from collections.abc import Iterator, Sequence

from seakeeping.evaluate.faithfulness.checks import WORD, Span, unsupported_spans
from seakeeping.evaluate.faithfulness.claims import Claim
from seakeeping.evaluate.faithfulness.evidence import Evidence
from seakeeping.evaluate.faithfulness.features import SentenceFacts
from seakeeping.evaluate.faithfulness.model import THRESHOLD, probability
from seakeeping.records import Interaction, Json, JsonObject


def findings(
    interaction: Interaction,
    evidence: Evidence,
    claims: Sequence[Claim],
    facts: Sequence[SentenceFacts],
    logits: Sequence[float],
) -> Iterator[JsonObject]:
    """Yield one finding a claim, in the order of the answer.

    ``score`` is the probability that the claim is supported. ``reason`` names what the exact checks
    found, joined by commas, else ``words_not_in_evidence`` for an unsupported claim, else null.
    ``spans`` are the places within the claim that lack support: ``start``, ``end``, ``reason``;
    plain words are named for unsupported claims only.
    Nothing quotes the text: it is redacted after scoring, and a quotation would not be.
    """
    answer = interaction.answer_text or ""
    for claim, fact, logit in zip(claims, facts, logits, strict=True):
        is_unsupported = probability(logit) >= THRESHOLD
        spans = [
            span
            for span in unsupported_spans(answer, claim, fact, evidence)
            if is_unsupported or span.reason != WORD
        ]
        yield {
            "start": claim.sentence.start,
            "end": claim.sentence.end,
            "score": round(1 - probability(logit), 4),
            "label": "unsupported" if is_unsupported else "supported",
            "reason": _reason(spans, is_unsupported),
            **_place(fact, evidence),
            "spans": [{"start": s.start, "end": s.end, "reason": s.reason} for s in spans],
        }


def _reason(spans: Sequence[Span], is_unsupported: bool) -> str | None:
    named = dict.fromkeys(span.reason for span in spans if span.reason != WORD)
    if named:
        return ",".join(named)
    return "words_not_in_evidence" if is_unsupported else None


def _place(fact: SentenceFacts, evidence: Evidence) -> dict[str, Json]:
    """Return where the best evidence stands; ``message`` and ``part`` only for the prompt."""
    if fact.place is None:
        return {"document": None, "document_start": None, "document_end": None}
    source = evidence.sources[fact.place.source]
    place: dict[str, Json] = {
        "document": source.document,
        "document_start": source.text.sentences[fact.place.first].start,
        "document_end": source.text.sentences[fact.place.last].end,
    }
    if source.document is None:
        place |= {"message": source.message, "part": source.part}
    return place
