"""Resources: what users write in ``seakeeping.d/*.yaml`` while we run.

Each document has a ``kind`` and a ``version``. The files are read anew when one of them changed;
if any document does not hold, all findings are kept for the page to show and the last good version
stays in force as a whole, so a typing error never switches redaction off. Shipped defaults are the
same documents, read first.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import cast

from seakeeping.config.document import Section, Value, parse_documents, read_text
from seakeeping.config.judges import JudgeChoice, read_judge
from seakeeping.config.policy import ContentPolicy, PolicyPart, combine_policies, read_policy
from seakeeping.config.prices import Price, PriceTable, read_price_table
from seakeeping.config.settings import is_http_address
from seakeeping.errors import BadResource
from seakeeping.metrics import ERRORS

VERSION = 1
SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class EvaluatorChoice:
    """Which evaluators run; None for ``only``: all that are installed, without ``disabled``."""

    only: tuple[str, ...] | None = None
    disabled: tuple[str, ...] = ()

    def allows(self, name: str) -> bool:
        """Return whether an evaluator of that name is to run."""
        return name not in self.disabled and (self.only is None or name in self.only)


@dataclass(frozen=True, slots=True)
class ScrapeTarget:
    """A Prometheus ``/metrics`` address and the service that its points belong to."""

    url: str
    service_name: str | None = None


@dataclass(frozen=True, slots=True)
class Resources:
    """All resources in force."""

    prices: PriceTable
    policy: ContentPolicy
    evaluators: EvaluatorChoice
    scrape: tuple[ScrapeTarget, ...]
    judges: tuple[JudgeChoice, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong in a resource file; ``place`` is ``file:line: key``."""

    place: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        text = f"{self.place}: {self.message}"
        return f"{text} ({self.hint})" if self.hint else text


def read_evaluators(document: Section) -> EvaluatorChoice:
    """Return what an ``Evaluators`` document says; raises BadResource."""
    document.done("kind", "version", "name", "only", "disabled")
    only, disabled = document.get("only"), document.get("disabled")
    return EvaluatorChoice(
        only=only.texts() if only else None, disabled=disabled.texts() if disabled else ()
    )


def read_scrape(document: Section) -> tuple[ScrapeTarget, ...]:
    """Return the targets of a ``Scrape`` document; raises BadResource."""
    document.done("kind", "version", "name", "targets")
    return tuple(_read_target(value) for value in document.need("targets").items())


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
}
"""Every kind of resource and what reads it."""


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
                findings.append(_finding(error))
    except BadResource as error:
        findings.append(_finding(error))
    return documents, findings


def _finding(error: BadResource) -> Finding:
    return Finding(error.place, error.message.removeprefix(f"{error.place}: "), error.hint)


def _read_document(value: Value) -> Document:
    section = value.section()
    kind = section.need("kind").choice(tuple(KINDS))
    version = section.need("version")
    if version.number() != VERSION:
        version.fail(
            f"version {version.scalar()} of {kind} is unknown", f"this one reads {VERSION}"
        )
    return Document(kind, KINDS[kind](section))


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
    """Return everything that is wrong with these files and folders; empty when all is fine."""
    return [finding for path in resource_files(paths) for finding in read_file(path)[1]]


def default_files() -> list[Path]:
    """Return the shipped resource files."""
    folder = files("seakeeping.config") / "defaults"
    return resource_files([Path(str(folder))])


def load_resources(folder: Path | None) -> tuple[Resources, list[Finding]]:
    """Return the shipped resources with those of a folder on top, and what is wrong in it."""
    documents: list[Document] = []
    findings: list[Finding] = []
    own = [folder] if folder is not None and folder.is_dir() else []
    for path in default_files() + resource_files(own):
        read, wrong = read_file(path)
        documents += read
        findings += wrong
    return combine(documents), findings


def combine(documents: Sequence[Document]) -> Resources:
    """Return the resources that documents make together; in doubt the later one decides."""

    def contents(kind: str) -> list[object]:
        return [document.content for document in documents if document.kind == kind]

    tables = cast(list[tuple[Price, ...]], contents("PriceTable"))
    targets = cast(list[tuple[ScrapeTarget, ...]], contents("Scrape"))
    choices = cast(list[EvaluatorChoice], contents("Evaluators"))
    judges = cast(list[JudgeChoice], contents("Judge"))
    return Resources(
        prices=PriceTable.of(price for table in tables for price in table),
        policy=combine_policies(cast(list[PolicyPart], contents("ContentPolicy"))),
        evaluators=choices[-1] if choices else EvaluatorChoice(),
        scrape=tuple(target for part in targets for target in part),
        judges=tuple({judge.name: judge for judge in judges}.values()),
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
        self._current, self._findings = load_resources(folder)
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
        """What is wrong with the files as they are now."""
        return self._findings

    def refresh(self) -> bool:
        """Look at the folder, a few system calls, and return whether a new version is in force."""
        seen = _signature(self._folder)
        if seen == self._seen:
            return False
        self._seen = seen
        resources, self._findings = load_resources(self._folder)
        if self._findings:
            ERRORS.labels("resources", "bad_resource").inc()
            return False
        self._current = resources
        self._remember()
        return True

    def _last_good(self) -> Resources:
        if self._keep is not None and self._keep.is_dir():
            resources, findings = load_resources(self._keep)
            if not findings:
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
