"""Why an incident is: the slice, the change or the signal behind it, or that none was found."""

from seakeeping.decide.diagnose.diagnostician import Diagnostician
from seakeeping.decide.diagnose.scan import Scan, scan

__all__ = ["Diagnostician", "Scan", "scan"]
