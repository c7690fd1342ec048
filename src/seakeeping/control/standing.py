"""What is in force: the objectives and targets of files, of the API and of the default pack.

Files are read when they change, documents of the API with every look. While the ledger is away the
last known stay in force: an objective must not seem deleted because nobody could read it.
"""

from collections.abc import Sequence
from typing import Protocol

from seakeeping.config import Resources
from seakeeping.config.openslo.api import Owned, objectives_of
from seakeeping.observe.objectives import default_objectives
from seakeeping.records import NotificationTarget, Objective, Routing
from seakeeping.store.ledger import Resource

OWNED_KINDS = ("SLO", "SLI", "AlertPolicy", "AlertCondition", "AlertNotificationTarget")
"""Kinds of documents that the API may own."""


class KeepsDocuments(Protocol):
    """What is asked of the ledger."""

    def resources(self, kind: str) -> Sequence[Resource]:
        """Return the documents of a kind."""
        ...


class InForce:
    """Objectives and targets, as of the last ``refresh``."""

    def __init__(self, ledger: KeepsDocuments) -> None:
        self._ledger = ledger
        self._files: Resources | None = None
        self._versions: tuple[tuple[str, str, int], ...] | None = None
        self._owned = Owned((), (), ())

    def refresh(self, files: Resources) -> bool:
        """Take in files and documents; return whether anything changed.

        Raises LedgerUnavailable; then nothing did.
        """
        found = [one for kind in OWNED_KINDS for one in self._ledger.resources(kind)]
        versions = tuple((one.kind, one.name, one.version) for one in found)
        if files is self._files and versions == self._versions:
            return False
        self._owned = objectives_of(
            [one.document for one in found],
            beside=files.entries,
            taken={objective.name for objective in files.objectives},
        )
        self._files, self._versions = files, versions
        return True

    @property
    def is_known(self) -> bool:
        """Whether there was a refresh yet."""
        return self._files is not None

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """Everything that services are held to; ``"*"`` stands for each of them."""
        if self._files is None:
            return ()
        choice = self._files.default_objectives
        shipped = [one for one in default_objectives() if choice.allows(one.name)]
        return (*shipped, *self._files.objectives, *self._owned.objectives)

    @property
    def targets(self) -> tuple[NotificationTarget, ...]:
        """Everybody who can be told."""
        files = self._files.targets if self._files else ()
        named = {target.name for target in files}
        return (*files, *(one for one in self._owned.targets if one.name not in named))

    @property
    def routing(self) -> Routing:
        """When groups of alerts are told, and what keeps quiet."""
        return self._files.routing if self._files else Routing()
