"""The evaluator ``faithfulness``: is every claim of the answer supported by its evidence?

Lexical and sentence by sentence: each claim is held against its evidence with the features of
``features``, a small monotone model gives each a probability of being unsupported, and the answer's
score follows from its sentences. Its strength is natural answers over documents; it is blind to
minimal edits and free paraphrase, as the model card says with numbers.
"""

from collections.abc import Sequence
from typing import NamedTuple

from seakeeping.evaluate.content import no_answer_reason
from seakeeping.evaluate.faithfulness.claims import Claim, claims, is_code
from seakeeping.evaluate.faithfulness.evidence import Evidence, gather
from seakeeping.evaluate.faithfulness.features import SentenceFacts, facts, meet
from seakeeping.evaluate.faithfulness.findings import findings
from seakeeping.evaluate.faithfulness.index import IndexCache
from seakeeping.evaluate.faithfulness.model import THRESHOLD, Model, load_model, probability
from seakeeping.evaluate.faithfulness.tokens import forms
from seakeeping.evaluate.reasons import SkipReason
from seakeeping.evaluate.refusal import find_refusal
from seakeeping.evaluate.verdict import scored, skipped
from seakeeping.protocols import CostClass
from seakeeping.records import Evaluation, Interaction


class Case(NamedTuple):
    """An answer made ready: its evidence, its claims, and what is known of each."""

    evidence: Evidence
    claims: list[Claim]
    facts: list[SentenceFacts]
    is_cut: bool


class Faithfulness:
    """The evaluator ``faithfulness``: 1 is supported throughout; labels supported | unsupported."""

    name = "faithfulness"
    needs = frozenset({"answer_text", "documents", "input_messages"})
    cost_class = CostClass.FIRST_STAGE

    def __init__(self, model: Model | None = None) -> None:
        self._model = model or load_model()
        self._cache = IndexCache()
        self.version = self._model.version

    def evaluate(self, interactions: Sequence[Interaction]) -> list[Evaluation]:
        """Return one evaluation a call, in order; the trees see the whole batch at once."""
        cases = [self.prepare(interaction) for interaction in interactions]
        rows = [fact.features for case in cases if isinstance(case, Case) for fact in case.facts]
        logits = self._model.logits(rows)
        evaluations, at = [], 0
        for interaction, case in zip(interactions, cases, strict=True):
            if isinstance(case, SkipReason):
                evaluations.append(skipped(self, interaction, case))
                continue
            own = logits[at : at + len(case.facts)]
            at += len(case.facts)
            evaluations.append(self._judge(interaction, case, own))
        return evaluations

    def prepare(self, interaction: Interaction) -> Case | SkipReason:
        """Return an answer made ready for the model, or why it cannot be judged."""
        reason = no_answer_reason(interaction)
        if reason is not None:
            return reason
        answer = interaction.answer_text or ""
        if find_refusal(answer) is not None:
            return SkipReason.REFUSAL
        if is_code(answer):
            return SkipReason.CODE
        evidence = gather(interaction, self._cache)
        if evidence is None:
            return SkipReason.NO_CONTEXT
        made, is_cut = claims(answer)
        known = _known(made, evidence, self._model)
        if not known:
            return SkipReason.TOO_SHORT
        kept = [claim for claim, fact in known]
        return Case(evidence, kept, [fact for claim, fact in known], is_cut)

    def _judge(self, interaction: Interaction, case: Case, logits: Sequence[float]) -> Evaluation:
        sizes = [len(claim.words.forms) for claim in case.claims]
        unsupported = probability(self._model.answer_logit(logits, sizes))
        label = "unsupported" if unsupported >= THRESHOLD else "supported"
        return scored(
            self,
            interaction,
            round(1 - unsupported, 4),
            label,
            explanation=_explanation(case, logits),
            evidence=findings(interaction, case.evidence, case.claims, case.facts, logits),
        )


def _known(
    made: Sequence[Claim], evidence: Evidence, model: Model
) -> list[tuple[Claim, SentenceFacts]]:
    meeting = meet(evidence.sources, [claim.words.forms for claim in made])
    question = frozenset(forms(evidence.question))
    known = []
    for claim in made:
        fact = facts(claim.words, meeting, model.idf, question)
        if fact is not None:
            known.append((claim, fact))
    return known


def _explanation(case: Case, logits: Sequence[float]) -> str:
    unsupported = sum(probability(logit) >= THRESHOLD for logit in logits)
    text = f"{unsupported} of {len(logits)} claims lack support"
    if case.is_cut:
        text += "; the answer was cut for its size"
    if case.evidence.cut:
        text += "; the evidence was cut for its size"
    return text
