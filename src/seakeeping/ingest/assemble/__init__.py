"""Assemble traces: spans and log events in, interactions out, whatever order they come in."""

from seakeeping.ingest.assemble.assembler import Assembler
from seakeeping.ingest.assemble.records import Assembled, Prices, Retraction, TraceHistory

__all__ = ["Assembled", "Assembler", "Prices", "Retraction", "TraceHistory"]
