"""Observe: counts become service-level indicators, and indicators spend error budgets."""

from seakeeping.observe.budget import effective_rows, measure
from seakeeping.observe.objectives import default_objectives, expand, standard_objectives
from seakeeping.observe.windows import period_start

__all__ = [
    "default_objectives",
    "effective_rows",
    "expand",
    "measure",
    "period_start",
    "standard_objectives",
]
