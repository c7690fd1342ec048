"""Resources: what users write in ``seakeeping.d/*.yaml`` while we run.

Each document has a ``kind`` and a ``version``. The files are read anew when one of them changed;
if any document does not hold, all findings are kept for the page to show and the last good version
stays in force as a whole, so a typing error never switches redaction off. Shipped defaults are the
same documents, read first.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import cast

from seakeeping.config.document import Section, Value, each, near, parse_documents, read_text
from seakeeping.config.finding import Finding, errors_in, findings_of
from seakeeping.config.judges import JudgeChoice, read_judge
from seakeeping.config.openslo import entry as openslo
from seakeeping.config.openslo import pyrra, sloth
from seakeeping.config.openslo.entry import Entry
from seakeeping.config.openslo.link import Imported, Linked, link
from seakeeping.config.openslo.slo import Written
from seakeeping.config.policy import ContentPolicy, PolicyPart, combine_policies, read_policy
from seakeeping.config.prices import Price, PriceTable, read_price_table
from seakeeping.config.routing import RoutingChoice, read_routing, routing_doubts
from seakeeping.config.settings import is_http_address
from seakeeping.errors import BadResource
from seakeeping.metrics import ERRORS
from seakeeping.records import NotificationTarget, Objective, Routing

VERSION = 1
SUFFIXES = (".yaml", ".yml")


DEFAULT_OBJECTIVES = (
    "availability", "latency", "time-to-first-token", "faithfulness", "response-validity",
    "coverage", "scoring-lag", "seakeeping/spool", "seakeeping/store", "seakeeping/pipeline-lag",
    "seakeeping/controller-lag",
)  # fmt: skip
"""Names of the shipped objectives, for whoever switches one off."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which of some named things apply; None for ``only``: all there are, but for ``disabled``."""

    only: tuple[str, ...] | None = None
    disabled: tuple[str, ...] = ()

    def allows(self, name: str) -> bool:
        """Return whether the thing of that name applies."""
        return name not in self.disabled and (self.only is None or name in self.only)


class EvaluatorChoice(Choice):
    """Which evaluators run."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class ScrapeTarget:
    """A Prometheus ``/metrics`` address and the service that its points belong to."""

    url: str
    service_name: str | None = None


@dataclass(frozen=True, slots=True)
class Resources:
    """All resources in force.

    ``written`` are the objectives of files with their places, ``entries`` the OpenSLO documents
    that those of the API may refer to, ``warnings`` what is doubtful and in force all the same.
    """

    prices: PriceTable
    policy: ContentPolicy
    evaluators: EvaluatorChoice
    scrape: tuple[ScrapeTarget, ...]
    default_objectives: Choice = Choice()
    routing: Routing = field(default_factory=Routing)
    written: tuple[Written, ...] = ()
    targets: tuple[NotificationTarget, ...] = ()
    entries: tuple[Entry, ...] = ()
    warnings: tuple[Finding, ...] = ()

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """The objectives of files; the shipped ones come on top of them."""
        return tuple(one.objective for one in self.written)

    judges: tuple[JudgeChoice, ...] = ()


def read_evaluators(document: Section) -> EvaluatorChoice:
    """Return what an ``Evaluators`` document says; raises BadResource."""
    document.done("kind", "version", "name", "only", "disabled")
    only, disabled = document.get("only"), document.get("disabled")
    return EvaluatorChoice(
        only=only.texts() if only else None, disabled=disabled.texts() if disabled else ()
    )


def read_default_objectives(document: Section) -> Choice:
    """Return what a ``DefaultObjectives`` document says; raises BadResource."""
    document.done("kind", "version", "name", "only", "disabled")
    only, disabled = document.get("only"), document.get("disabled")
    return Choice(
        only=_default_names(only) if only else None,
        disabled=_default_names(disabled) if disabled else (),
    )


def _default_names(value: Value) -> tuple[str, ...]:
    return tuple(each(value.items(), lambda item: item.choice(DEFAULT_OBJECTIVES)))


def read_scrape(document: Section) -> tuple[ScrapeTarget, ...]:
    """Return the targets of a ``Scrape`` document; raises BadResource."""
    document.done("kind", "version", "name", "targets")
    return tuple(each(document.need("targets").items(), _read_target))


def _read_target(value: Value) -> ScrapeTarget:
    row = value.section()
    row.done("url", "service_name")
    url, service = row.need("url"), row.get("service_name")
    if not is_http_address(url.text()):
        url.fail(f"{url.text()!r} is not an http address")
    return ScrapeTarget(url.text(), service.text() if service else None)


KINDS: Mapping[str, Callable[[Section], object]] = {
    "PriceTable": read_price_table,
    "ContentPolicy": read_policy,
    "Evaluators": read_evaluators,
    "Scrape": read_scrape,
    "Judge": read_judge,
    "DefaultObjectives": read_default_objectives,
    "AlertRouting": read_routing,
}
"""Every kind of our own and what reads it."""

FOREIGN: Mapping[str, Callable[[Section], object]] = {
    openslo.API_VERSION: openslo.read_entry,
    pyrra.API_VERSION: pyrra.read_pyrra,
}
"""Every ``apiVersion`` of others that is read, and by what."""

_NOT_READ: Mapping[str, str] = {
    "openslo/v1alpha": f"write it as {openslo.API_VERSION}",
    "openslo/v1beta1": f"write it as {openslo.API_VERSION}",
    "openslo/v2alpha": f"write it as {openslo.API_VERSION}",
    "sloth.slok.dev/v1": f"write its spec as `version: {sloth.VERSION}`",
}


@dataclass(frozen=True, slots=True)
class Document:
    """A document that holds: its kind, and what its reader made of it."""

    kind: str
    content: object


def read_file(path: Path) -> tuple[list[Document], list[Finding]]:
    """Return the sound documents of a file and what is wrong with the others."""
    documents: list[Document] = []
    findings: list[Finding] = []
    try:
        for value in parse_documents(read_text(path), str(path)):
            try:
                documents.append(_read_document(value))
            except BadResource as error:
                findings += findings_of(error)
    except BadResource as error:
        findings += findings_of(error)
    return documents, findings


def _read_document(value: Value) -> Document:
    section = value.section()
    if foreign := section.get("apiVersion"):
        return _read_foreign(section, foreign)
    if (version := section.get("version")) and version.scalar() == sloth.VERSION:
        return Document(sloth.VERSION, sloth.read_sloth(section))
    kind = section.need("kind").choice(tuple(KINDS))
    version = section.need("version")
    if version.number() != VERSION:
        version.fail(
            f"version {version.scalar()} of {kind} is unknown", f"this one reads {VERSION}"
        )
    return Document(kind, KINDS[kind](section))


def _read_foreign(section: Section, version: Value) -> Document:
    name = version.written()
    if name not in FOREIGN:
        version.fail(f"{name} is not read", _NOT_READ.get(name) or near(name, tuple(FOREIGN)))
    return Document(name, FOREIGN[name](section))


def resource_files(paths: Iterable[Path]) -> list[Path]:
    """Return the files themselves, and of folders the resource files in them, by name."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(p for p in path.iterdir() if p.suffix in SUFFIXES and p.is_file())
        else:
            found.append(path)
    return found


def check_files(paths: Sequence[Path]) -> list[Finding]:
    """Return everything that is wrong or doubtful in these files and folders together."""
    return inspect(paths)[1]


def inspect(paths: Sequence[Path]) -> tuple[Linked, list[Finding]]:
    """Return the objectives of these files and folders, and everything wrong or doubtful there."""
    documents, findings = _read_all(resource_files(paths))
    linked = link_all(documents)
    return linked, findings + list(linked.findings) + _doubts(documents, linked)


def _doubts(documents: Iterable[Document], linked: Linked) -> list[Finding]:
    choices = [d.content for d in documents if isinstance(d.content, RoutingChoice)]
    return list(routing_doubts(choices, [one.objective for one in linked.written]))


def _read_all(paths: Iterable[Path]) -> tuple[list[Document], list[Finding]]:
    documents: list[Document] = []
    findings: list[Finding] = []
    for path in paths:
        read, wrong = read_file(path)
        documents += read
        findings += wrong
    return documents, findings


def default_files() -> list[Path]:
    """Return the shipped resource files."""
    folder = files("seakeeping.config") / "defaults"
    return resource_files([Path(str(folder))])


def load_resources(folder: Path | None) -> tuple[Resources, list[Finding]]:
    """Return the shipped resources with those of a folder on top, and what is wrong in it."""
    own = [folder] if folder is not None and folder.is_dir() else []
    documents, findings = _read_all(default_files() + resource_files(own))
    linked = link_all(documents)
    resources = combine(documents, linked)
    return resources, findings + list(linked.findings)


def link_all(documents: Sequence[Document]) -> Linked:
    """Return what the documents about objectives say together."""
    contents = [document.content for document in documents]
    return link(
        [content for content in contents if isinstance(content, Entry)],
        [content for content in contents if isinstance(content, Imported)],
    )


def combine(documents: Sequence[Document], linked: Linked) -> Resources:
    """Return the resources that documents make together; in doubt the later one decides."""

    def contents(kind: str) -> list[object]:
        return [document.content for document in documents if document.kind == kind]

    tables = cast(list[tuple[Price, ...]], contents("PriceTable"))
    targets = cast(list[tuple[ScrapeTarget, ...]], contents("Scrape"))
    choices = cast(list[EvaluatorChoice], contents("Evaluators"))
    judges = cast(list[JudgeChoice], contents("Judge"))
    defaults = cast(list[Choice], contents("DefaultObjectives"))
    routings = cast(list[RoutingChoice], contents("AlertRouting"))
    return Resources(
        prices=PriceTable.of(price for table in tables for price in table),
        policy=combine_policies(cast(list[PolicyPart], contents("ContentPolicy"))),
        evaluators=choices[-1] if choices else EvaluatorChoice(),
        scrape=tuple(target for part in targets for target in part),
        judges=tuple({judge.name: judge for judge in judges}.values()),
        default_objectives=defaults[-1] if defaults else Choice(),
        routing=routings[-1].routing if routings else Routing(),
        written=linked.written,
        targets=linked.targets,
        entries=tuple(d.content for d in documents if isinstance(d.content, Entry)),
        warnings=tuple(finding for finding in linked.findings if finding.is_warning),
    )


class ResourceFolder:
    """The resources in force, read anew when a file of the folder changes.

    Args:
        folder: where the user's documents lie; it need not exist.
        keep: where a copy of the last good version is kept, so that a process that starts while a
            file is broken still has it; None: nowhere.

    Raises:
        BadResource: a document does not hold, and no good version is kept.
    """

    def __init__(self, folder: Path, *, keep: Path | None = None) -> None:
        self._folder = folder
        self._keep = keep
        self._seen = _signature(folder)
        self._current, findings = load_resources(folder)
        self._findings = errors_in(findings)
        if self._findings:
            self._current = self._last_good()
        else:
            self._remember()

    @property
    def current(self) -> Resources:
        """The last good version."""
        return self._current

    @property
    def findings(self) -> list[Finding]:
        """What is wrong with the files as they are now, and keeps them from being in force."""
        return self._findings

    def refresh(self) -> bool:
        """Look at the folder, a few system calls, and return whether a new version is in force."""
        seen = _signature(self._folder)
        if seen == self._seen:
            return False
        self._seen = seen
        resources, findings = load_resources(self._folder)
        self._findings = errors_in(findings)
        if self._findings:
            ERRORS.labels("resources", "bad_resource").inc()
            return False
        self._current = resources
        self._remember()
        return True

    def _last_good(self) -> Resources:
        if self._keep is not None and self._keep.is_dir():
            resources, findings = load_resources(self._keep)
            if not errors_in(findings):
                ERRORS.labels("resources", "bad_resource").inc()
                return resources
        first = self._findings[0]
        raise BadResource(first.message, place=first.place, hint=first.hint)

    def _remember(self) -> None:
        if self._keep is None:
            return
        own = resource_files([self._folder]) if self._folder.is_dir() else []
        self._keep.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in own:
            scratch = self._keep / f"{path.name}.{os.getpid()}"
            scratch.write_bytes(path.read_bytes())
            scratch.replace(self._keep / path.name)
        for path in resource_files([self._keep]):
            if path.name not in {kept.name for kept in own}:
                path.unlink(missing_ok=True)


def _signature(folder: Path) -> tuple[tuple[str, int, int, int], ...]:
    """Return what changes whenever a file is written, added, renamed or removed."""
    found = []
    for path in resource_files([folder]) if folder.is_dir() else []:
        try:
            stat = path.stat()
        except FileNotFoundError:  # removed since it was listed
            continue
        found.append((path.name, stat.st_mtime_ns, stat.st_size, stat.st_ino))
    return tuple(found)
