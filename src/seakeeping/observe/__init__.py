"""Observe: counts become service-level indicators, and indicators spend error budgets."""

from seakeeping.observe.budget import LOOK_BACKS, budget, effective_rows, measure, period_start
from seakeeping.observe.objectives import standard_objectives

__all__ = [
    "LOOK_BACKS",
    "budget",
    "effective_rows",
    "measure",
    "period_start",
    "standard_objectives",
]
