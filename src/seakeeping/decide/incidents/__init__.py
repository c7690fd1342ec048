"""Incidents: alerts that share a cause are one, and every step of one is written down."""
