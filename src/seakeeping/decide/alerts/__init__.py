"""Alerts: which conditions an objective is watched by, whether they hold, and what stands."""

from seakeeping.decide.alerts.board import Step, Words, step
from seakeeping.decide.alerts.conditions import Condition, evaluate
from seakeeping.decide.alerts.rules import (
    Rule,
    Rulebook,
    Ruled,
    RuleKind,
    definition_of,
    looks_of,
    rules_of,
)
from seakeeping.decide.alerts.sentences import annotations

__all__ = [
    "Condition",
    "Rule",
    "RuleKind",
    "Rulebook",
    "Ruled",
    "Step",
    "Words",
    "annotations",
    "definition_of",
    "evaluate",
    "looks_of",
    "rules_of",
    "step",
]
