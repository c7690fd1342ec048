"""Incidents: alerts that share a cause are one, and every step of one is written down."""

from seakeeping.decide.incidents.by_hand import acknowledge, resolve
from seakeeping.decide.incidents.foreign import receive
from seakeeping.decide.incidents.loop import IncidentLoop

__all__ = ["IncidentLoop", "acknowledge", "receive", "resolve"]
