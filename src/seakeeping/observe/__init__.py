"""Observe: counts become service-level indicators, and indicators spend error budgets."""
