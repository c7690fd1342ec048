"""Objectives as code: OpenSLO v1 in full, and the SLO files of Sloth and Pyrra.

Documents of all files are read together (`link`), because they refer to each other; what is wrong
becomes a finding with its place, never an exception.
"""

from seakeeping.config.openslo.api import Owned, objectives_of
from seakeeping.config.openslo.document_of import document_of
from seakeeping.config.openslo.entry import Entry
from seakeeping.config.openslo.link import Imported, Linked, link
from seakeeping.config.openslo.slo import Written

__all__ = [
    "Entry",
    "Imported",
    "Linked",
    "Owned",
    "Written",
    "document_of",
    "link",
    "objectives_of",
]
