"""The spool: what was acknowledged lies here until it is stored and scored.

A folder of segments that one process appends to and another reads, with a cursor that survives
crashes of either. Design and rules: ``docs/concepts/spool.md``.
"""

from seakeeping.ingest.spool.commit import GroupCommit
from seakeeping.ingest.spool.cursor import CursorState, Range
from seakeeping.ingest.spool.format import START, Position, SpoolRecord
from seakeeping.ingest.spool.reader import Entry, SpoolReader
from seakeeping.ingest.spool.writer import SpoolWriter

__all__ = [
    "START",
    "CursorState",
    "Entry",
    "GroupCommit",
    "Position",
    "Range",
    "SpoolReader",
    "SpoolRecord",
    "SpoolWriter",
]
