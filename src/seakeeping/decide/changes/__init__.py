"""Changes: told by those who make them, or seen in the telemetry itself; and told on."""

from seakeeping.decide.changes.news import ChangeNews
from seakeeping.decide.changes.told import changes_from_body
from seakeeping.decide.changes.watch import ChangeWatch

__all__ = ["ChangeNews", "ChangeWatch", "changes_from_body"]
