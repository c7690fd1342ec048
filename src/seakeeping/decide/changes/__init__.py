"""Changes: told by those who make them, or seen in the telemetry itself."""

from seakeeping.decide.changes.told import changes_from_body
from seakeeping.decide.changes.watch import ChangeWatch

__all__ = ["ChangeWatch", "changes_from_body"]
