"""Route: who is told of which alerts, when, and what keeps quiet."""

from seakeeping.decide.route.inhibit import PAGE_INHIBITS_TICKET, InhibitRule, inhibited
from seakeeping.decide.route.router import Router, Routing, group_key

__all__ = [
    "PAGE_INHIBITS_TICKET",
    "InhibitRule",
    "Router",
    "Routing",
    "group_key",
    "inhibited",
]
