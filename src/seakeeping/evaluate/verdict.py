"""How an evaluator states its verdict: a result, or the reason why there is none.

Both functions leave ``evaluated_at`` at 0 and ``duration_s`` at None; whoever runs the evaluator
stamps them (``seakeeping.evaluate.run``), so that an evaluator stays a pure function of its input.
"""

from collections.abc import Iterable
from typing import Protocol

from seakeeping.records import Evaluation, Interaction, JsonObject


class Signed(Protocol):
    """What a verdict is signed with: any evaluator has both."""

    @property
    def name(self) -> str:
        """Return the name of the evaluations it makes."""
        ...

    @property
    def version(self) -> str:
        """Return what changes whenever its results may."""
        ...


def scored(
    by: Signed,
    interaction: Interaction,
    value: float | None,
    label: str | None,
    *,
    explanation: str | None = None,
    evidence: Iterable[JsonObject] = (),
    cost_usd: float | None = None,
) -> Evaluation:
    """Return a result, named and signed by the evaluator ``by``.

    Args:
        by: the evaluator.
        interaction: the judged call.
        value: the score, in the range that the evaluation's kind states.
        label: one of the labels of the evaluation's kind.
        explanation: one sentence for a reader; may not quote content, which is redacted elsewhere.
        evidence: findings as ``Evaluation`` documents them.
        cost_usd: what the judgement cost, where it cost money.
    """
    return Evaluation(
        interaction.trace_id, interaction.span_id, by.name, value, label, explanation,
        tuple(evidence), by.name, by.version, 0.0, None, cost_usd, None,
    )  # fmt: skip


def skipped(by: Signed, interaction: Interaction, reason: str) -> Evaluation:
    """Return the absence of a result with its reason (``SkipReason``, or a word of one's own)."""
    return Evaluation(
        interaction.trace_id, interaction.span_id, by.name, None, None, None,
        (), by.name, by.version, 0.0, None, None, str(reason),
    )  # fmt: skip
