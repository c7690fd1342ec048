"""A judgement of one answer, ours or somebody else's, and what each name means.

One table gives each evaluation its direction, range and labels in the field's sense. A foreign
evaluation keeps its value; its direction is unknown until configured.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from seakeeping.records.values import JsonObject


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One score of one answer (OpenTelemetry ``gen_ai.evaluation.result``).

    There is either a result (``score_value`` or ``score_label``) or a ``skipped_reason``.
    ``evidence`` is a list of findings; a finding about text has ``start`` and ``end`` (code points
    into ``answer_text``), ``score``, ``label``, ``reason``, and where there is evidence
    ``document`` (index into the interaction's documents, or None for the prompt) with
    ``document_start`` and ``document_end``; then ``message`` and ``part`` say where in the
    prompt. ``spans`` within it (``start``, ``end``, ``reason``) lack support themselves.
    """

    trace_id: str
    span_id: str
    name: str
    score_value: float | None
    score_label: str | None
    explanation: str | None
    evidence: tuple[JsonObject, ...]
    evaluator: str
    evaluator_version: str
    evaluated_at: float
    duration_s: float | None
    cost_usd: float | None
    skipped_reason: str | None

    @property
    def key(self) -> tuple[str, str, str, str]:
        """The identity of the judgement: a newer one of the same key replaces it."""
        return self.trace_id, self.span_id, self.name, self.evaluator


@dataclass(frozen=True, slots=True)
class EvaluationKind:
    """What an evaluation's number and labels mean."""

    name: str
    low: float
    high: float
    higher_is_better: bool
    good_label: str
    bad_label: str
    meaning: str


_KINDS = (
    EvaluationKind(
        "faithfulness", 0.0, 1.0, True, "supported", "unsupported",
        "1: every claim of the answer is supported by the documents or prompt it was given",
    ),
    EvaluationKind(
        "refusal", 0.0, 1.0, False, "answered", "refused",
        "1: the answer declines or says that it does not know",
    ),
    EvaluationKind(
        "response_validity", 0.0, 1.0, True, "valid", "invalid",
        "0: the response is empty, cut off, or holds broken JSON or a broken tool call",
    ),
    EvaluationKind(
        "toxicity", 0.0, 1.0, False, "not_toxic", "toxic", "1: the answer is toxic",
    ),
)  # fmt: skip

EVALUATION_KINDS: Mapping[str, EvaluationKind] = MappingProxyType({k.name: k for k in _KINDS})
"""Known evaluations by name."""
