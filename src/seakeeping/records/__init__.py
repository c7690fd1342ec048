"""Records: frozen, slotted, in the field's own terms. Rooms meet here."""

from seakeeping.records.evaluation import EVALUATION_KINDS, Evaluation, EvaluationKind
from seakeeping.records.interaction import Document, FinishReason, Interaction, Traffic
from seakeeping.records.objective import Budget, BudgetState, Counts, Indicator, Objective
from seakeeping.records.telemetry import LogEvent, MetricPoint, Signal, Span, SpanEvent
from seakeeping.records.values import Json, JsonObject

__all__ = [
    "EVALUATION_KINDS",
    "Budget",
    "BudgetState",
    "Counts",
    "Document",
    "Evaluation",
    "EvaluationKind",
    "FinishReason",
    "Indicator",
    "Interaction",
    "Json",
    "JsonObject",
    "LogEvent",
    "MetricPoint",
    "Objective",
    "Signal",
    "Span",
    "SpanEvent",
    "Traffic",
]
