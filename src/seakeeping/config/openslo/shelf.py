"""All OpenSLO documents of all files, by kind and name: where references are looked up."""

from collections.abc import Iterable

from seakeeping.config.document import Value, near
from seakeeping.config.finding import Finding
from seakeeping.config.openslo.entry import Entry


class Shelf:
    """Documents by kind and name; of two with one name the first counts.

    Args:
        entries: the documents, in the order of their files.
        beside: others that may be referred to, but are not read here.
    """

    def __init__(self, entries: Iterable[Entry], beside: Iterable[Entry] = ()) -> None:
        self._entries: dict[tuple[str, str], Entry] = {
            (entry.kind, entry.header.name): entry for entry in reversed(tuple(beside))
        }
        self.doubles: list[Finding] = []
        for entry in entries:
            key = entry.kind, entry.header.name
            if not entry.header.name:  # which is a fault of its own
                continue
            if key in self._entries:
                self.doubles.append(_double(entry, self._entries[key]))
            self._entries.setdefault(key, entry)

    def find(self, kind: str, name: str) -> Entry | None:
        """Return a document, or None."""
        return self._entries.get((kind, name))

    def follow(self, reference: Value, kind: str) -> Entry:
        """Return the document that a reference names; raises BadResource."""
        name = reference.written()
        return self.find(kind, name) or reference.fail(
            f"there is no {kind} {name!r}",
            self.hint(kind, name) or f"no {kind} is written; check the whole folder",
        )

    def hint(self, kind: str, name: str) -> str:
        """Return what a misspelt name may have meant; empty where there is nothing of the kind."""
        names = self.names(kind)
        return near(name, names) if names else ""

    def names(self, kind: str) -> list[str]:
        """Return the names of a kind."""
        return sorted(name for own, name in self._entries if own == kind)


def _double(entry: Entry, first: Entry) -> Finding:
    return Finding(
        str(entry.header.at.place),
        f"{entry.kind} {entry.header.name!r} is written twice",
        f"first at {first.header.at.place}",
    )
