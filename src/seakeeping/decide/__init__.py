"""Decide: budgets that burn become alerts, alerts become incidents, incidents get a diagnosis."""
