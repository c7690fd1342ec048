"""What is wrong with a resource, or doubtful: always with its place, never as an exception."""

from dataclasses import dataclass

from seakeeping.errors import BadResource


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong in a resource; ``place`` is ``file:line: key``.

    A warning is doubtful and keeps nothing from being in force.
    """

    place: str
    message: str
    hint: str = ""
    is_warning: bool = False

    def __str__(self) -> str:
        text = f"{self.place}: {'warning: ' if self.is_warning else ''}{self.message}"
        return f"{text} ({self.hint})" if self.hint else text


def findings_of(error: BadResource) -> list[Finding]:
    """Return what an error says as findings: one for each fault."""
    message = error.message.removeprefix(f"{error.place}: ")
    first = Finding(error.place, message, error.hint)
    return [first, *(finding for other in error.others for finding in findings_of(other))]


def errors_in(findings: list[Finding]) -> list[Finding]:
    """Return the findings that keep a document from being in force."""
    return [finding for finding in findings if not finding.is_warning]
