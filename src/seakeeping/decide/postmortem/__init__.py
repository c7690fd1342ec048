"""A draft of the postmortem: everything the ledger knows, and room for what only people know."""

from seakeeping.decide.postmortem.draft import draft

__all__ = ["draft"]
