"""Objectives that came through the API: the documents of the ledger.

They have the shape of the files, as JSON, so whatever is written to a file can be sent and the
other way round. They may refer to documents of files (an SLI, a target), not to be referred to by
them, and a file's objective keeps its name.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

import yaml

from seakeeping.config.document import parse_documents
from seakeeping.config.finding import Finding, findings_of
from seakeeping.config.openslo.entry import API_VERSION, Entry, read_entry
from seakeeping.config.openslo.link import link
from seakeeping.config.openslo.slo import Written
from seakeeping.errors import BadResource
from seakeeping.records import JsonObject, NotificationTarget, Objective

SOURCE = "api"


@dataclass(frozen=True, slots=True)
class Owned:
    """What documents of the API hold; findings that are no warnings keep theirs out of force."""

    written: tuple[Written, ...]
    targets: tuple[NotificationTarget, ...]
    findings: tuple[Finding, ...]

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """The objectives without their places."""
        return tuple(one.objective for one in self.written)


def objectives_of(
    documents: Iterable[JsonObject], *, beside: Iterable[Entry] = (), taken: Collection[str] = ()
) -> Owned:
    """Return the objectives of API-owned documents; every fault is a finding, none is raised.

    Args:
        documents: OpenSLO v1 documents as JSON; the place of a finding is ``api/KIND/NAME:LINE:
            KEY``, its line counted in the document written as YAML.
        beside: documents of files that may be referred to (``Resources.entries``).
        taken: names of objectives that files own.
    """
    entries: list[Entry] = []
    findings: list[Finding] = []
    for document in documents:
        try:
            entries.append(_read(document))
        except BadResource as error:
            findings += findings_of(error)
    linked = link(entries, beside=beside)
    written = [one for one in linked.written if one.objective.name not in taken]
    findings += [_taken(one) for one in linked.written if one.objective.name in taken]
    return Owned(
        tuple(_owned(one) for one in written), linked.targets, (*findings, *linked.findings)
    )


class _Dumper(yaml.SafeDumper):
    """Writes a part that occurs twice twice: aliases are not read."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def as_yaml(document: JsonObject) -> str:
    """Return a document as YAML, its keys in their order."""
    return str(yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True))


def _read(document: JsonObject) -> Entry:
    place = _place(document)
    try:
        text = as_yaml(document)
    except yaml.YAMLError as error:
        raise BadResource(f"cannot be written: {error}", place=place) from error
    values = list(parse_documents(text, place))
    if len(values) != 1:
        raise BadResource("is no document", place=place)
    section = values[0].section()
    section.need("apiVersion").choice((API_VERSION,))
    return read_entry(section)


def _place(document: JsonObject) -> str:
    metadata = document.get("metadata")
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    return f"{SOURCE}/{document.get('kind', '?')}/{name or '?'}"


def _owned(one: Written) -> Written:
    return replace(one, objective=replace(one.objective, source=SOURCE))


def _taken(one: Written) -> Finding:
    return Finding(
        one.place, f"an objective {one.objective.name!r} is owned by a file", "choose another name"
    )
