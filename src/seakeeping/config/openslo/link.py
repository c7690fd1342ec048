"""All documents together: references followed, doubles found, objectives made.

OpenSLO splits what belongs together over documents and files (an SLO names an SLI, a policy, a
target), so nothing can be said about one file alone. Every document is read, also one that nobody
refers to; what is wrong with one keeps none of the others from being read.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from seakeeping.config.document import Value
from seakeeping.config.finding import Finding, findings_of
from seakeeping.config.openslo.alerting import (
    inline_targets,
    read_condition,
    read_policy,
    read_target,
)
from seakeeping.config.openslo.entry import Entry, describe, read_inline
from seakeeping.config.openslo.indicator import read_indicator
from seakeeping.config.openslo.shelf import Shelf
from seakeeping.config.openslo.slo import Written, read_slo
from seakeeping.errors import BadResource
from seakeeping.records import NotificationTarget


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file of another tool says, and what is doubtful about it."""

    written: tuple[Written, ...]
    notes: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Linked:
    """Everything that documents say together."""

    written: tuple[Written, ...]
    targets: tuple[NotificationTarget, ...]
    findings: tuple[Finding, ...]


def link(
    entries: Sequence[Entry], imported: Iterable[Imported] = (), beside: Iterable[Entry] = ()
) -> Linked:
    """Return the objectives and targets of documents, and what is wrong or doubtful.

    Args:
        entries: OpenSLO documents, in the order of their files.
        imported: objectives of other tools' files.
        beside: OpenSLO documents that may be referred to; they are not read themselves.
    """
    shelf = Shelf(entries, beside)
    reading = _Reading(shelf)
    for entry in entries:
        reading.take(entry)
    for one in imported:
        reading.written += one.written
        reading.findings += one.notes
    reading.findings += shelf.doubles
    return Linked(
        tuple(reading.distinct()),
        tuple(reading.targets.values()),
        tuple(dict.fromkeys(reading.findings)),
    )


class _Reading:
    """What was read so far."""

    def __init__(self, shelf: Shelf) -> None:
        self.written: list[Written] = []
        self.targets: dict[str, NotificationTarget] = {}
        self.findings: list[Finding] = []
        self._shelf = shelf

    def take(self, entry: Entry) -> None:
        """Read a document; one that does not hold is read for its faults and then left out."""
        written, targets = list(self.written), dict(self.targets)
        self.findings += entry.notes
        self.findings += [one for error in entry.faults for one in findings_of(error)]
        try:
            self._read(entry)
        except BadResource as error:
            self.findings += findings_of(error)
        if entry.faults:
            self.written, self.targets = written, targets

    def distinct(self) -> list[Written]:
        """Return the objectives without those whose name is taken, which become findings."""
        first: dict[str, Written] = {}
        for one in self.written:
            name = one.objective.name
            if name in first:
                self.findings.append(_double(one, first[name]))
            first.setdefault(name, one)
        return list(first.values())

    def _read(self, entry: Entry) -> None:
        match entry.kind:
            case "SLO":
                self.written += read_slo(entry, self._shelf, self.findings)
            case "SLI":
                read_indicator(entry, self._shelf, None)
            case "AlertPolicy":
                read_policy(entry, self._shelf)
                self._hold(inline_targets(entry))
            case "AlertCondition":
                read_condition(entry)
            case "AlertNotificationTarget":
                self._hold([read_target(entry)])
            case "Service":
                _read_service(entry)
            case _:
                _read_data_source(entry)
        if entry.kind == "SLO":
            self._hold_inline(entry)

    def _hold(self, targets: Iterable[NotificationTarget]) -> None:
        for target in targets:
            self.targets.setdefault(target.name, target)

    def _hold_inline(self, entry: Entry) -> None:
        """Keep the targets of policies that stand within an SLO."""
        value = entry.spec.get("alertPolicies")
        for item in value.items() if value else []:
            for policy in _inline_policy(item, entry.header.name):
                self._hold(inline_targets(policy))


def _inline_policy(item: Value, slo: str) -> list[Entry]:
    if item.is_plain() or item.section().get("alertPolicyRef"):
        return []
    return [read_inline(item, "AlertPolicy", slo)]


def _read_service(entry: Entry) -> None:
    entry.spec.done("description")
    describe(entry.spec)


def _read_data_source(entry: Entry) -> None:
    entry.spec.done("description", "type", "connectionDetails")
    describe(entry.spec)
    entry.spec.need("type").text()


def _double(second: Written, first: Written) -> Finding:
    return Finding(
        second.place,
        f"an objective {second.objective.name!r} is written already",
        f"first at {first.place}",
    )
