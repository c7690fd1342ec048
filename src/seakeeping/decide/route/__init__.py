"""Route: who is told of which alerts, when, and what keeps quiet."""

from seakeeping.decide.route.inhibit import inhibited
from seakeeping.decide.route.router import Router, group_key

__all__ = ["Router", "group_key", "inhibited"]
