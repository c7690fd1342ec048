"""YAML documents that know where each of their values stands.

A resource is read by people who have just mistyped it, so every complaint carries
``file:line: key``. PyYAML's own errors and ours come out in that one form. Keys nobody knows,
keys written twice, and aliases (which let ten lines expand to gigabytes) are errors.
"""

import difflib
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NoReturn, TypeVar, cast

import yaml
from yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from seakeeping.errors import BadResource

MOST_BYTES = 4 * 2**20
"""Largest resource file that is read."""

MOST_DEEP = 32
"""How deep lists and mappings may nest."""

T = TypeVar("T")
Else = TypeVar("Else")

Scalar = str | bool | int | float | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands; ``line`` counts from 1, ``key`` is the path to it."""

    file: str
    line: int
    key: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.key}".removesuffix(": ")


class Problems:
    """What is wrong with the parts of one thing, so that all of it is told at once.

    A part that depends on one that does not hold is not read: a consequence is no second fault.
    """

    def __init__(self) -> None:
        self.found: list[BadResource] = []

    def tried(self, read: Callable[[], T], instead: Else) -> T | Else:
        """Return what was read, or ``instead`` where it does not hold."""
        try:
            return read()
        except BadResource as error:
            self.found.append(error)
            return instead

    def end(self) -> None:
        """Raise BadResource with everything that was found, if anything was."""
        if not self.found:
            return
        first, *rest = self.found
        message = first.message.removeprefix(f"{first.place}: ")
        raise BadResource(
            message, place=first.place, hint=first.hint, others=(*first.others, *rest)
        )


def each(values: "Iterable[Value]", read: "Callable[[Value], T]") -> list[T]:
    """Return what was read of every value; raises BadResource with the faults of all."""
    problems = Problems()
    found = [problems.tried(partial(read, value), None) for value in values]
    problems.end()
    return cast(list[T], found)  # None stands only where a fault was raised


@dataclass(frozen=True, slots=True)
class Value:
    """One node of a document: read it as what it ought to be, or complain with its place."""

    node: Node
    place: Place

    def fail(self, message: str, hint: str = "") -> NoReturn:
        """Raise BadResource with the place of this value."""
        raise BadResource(message, place=str(self.place), hint=hint)

    def is_plain(self) -> bool:
        """Return whether this is one value, neither a list nor a mapping."""
        return isinstance(self.node, ScalarNode)

    def is_mapping(self) -> bool:
        """Return whether this is a mapping of keys to values."""
        return isinstance(self.node, MappingNode)

    def scalar(self) -> Scalar:
        """Return a plain value; raises BadResource for a list or a mapping."""
        if not isinstance(self.node, ScalarNode):
            self.fail("is a list or a mapping, where one value belongs")
        loader = yaml.SafeLoader("")
        try:
            value = loader.construct_object(self.node)
        except (yaml.YAMLError, ValueError) as error:
            self.fail(f"cannot be read: {error}")
        if not isinstance(value, str | bool | int | float | None):
            return str(self.node.value)  # a date, which YAML makes of 2024-08-06
        return value

    def written(self) -> str:
        """Return a plain value as it is written, whatever YAML makes of it."""
        self.scalar()
        return str(self.node.value)

    def within(self) -> "Value":
        """Return the document that this text holds, as if it stood here; raises BadResource."""
        documents = list(parse_documents(self.text(), str(self.place)))
        if len(documents) != 1:
            self.fail("holds no document")
        return Value(documents[0].node, self.place)

    def text(self) -> str:
        """Return a text that is not empty."""
        value = self.scalar()
        if not isinstance(value, str) or not value:
            self.fail(f"{value!r} is not a text", "put it in quotes")
        return value

    def number(self, low: float = -math.inf, high: float = math.inf) -> float:
        """Return a finite number within the bounds, both inclusive."""
        value = self.scalar()
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.fail(f"{value!r} is not a number")
        if not low <= value <= high or not math.isfinite(value):
            self.fail(f"{value} is not within {low:g} and {high:g}")
        return float(value)

    def truth(self) -> bool:
        """Return true or false."""
        value = self.scalar()
        if not isinstance(value, bool):
            self.fail(f"{value!r} is not true or false")
        return value

    def choice(self, choices: Sequence[str]) -> str:
        """Return one of the choices."""
        value = self.scalar()
        if not isinstance(value, str) or value not in choices:
            self.fail(f"{value!r} is none of {', '.join(choices)}", near(str(value), choices))
        return value

    def items(self) -> list["Value"]:
        """Return the items of a list."""
        if not isinstance(self.node, SequenceNode):
            self.fail("is not a list")
        return [self._child(node, f"[{i}]") for i, node in enumerate(self.node.value)]

    def texts(self) -> tuple[str, ...]:
        """Return a list of texts; a single text stands for a list of one."""
        if isinstance(self.node, ScalarNode):
            return (self.text(),)
        return tuple(each(self.items(), Value.text))

    def section(self) -> "Section":
        """Return a mapping."""
        if not isinstance(self.node, MappingNode):
            self.fail("is not a mapping of keys to values")
        found: dict[str, Value] = {}
        for key_node, node in self.node.value:
            key = str(key_node.value)
            value = self._child(node, f".{key}" if self.place.key else key, key_node)
            if key in found:
                value.fail("is written twice")
            found[key] = value
        return Section(self, found)

    def _child(self, node: Node, step: str, at: Node | None = None) -> "Value":
        line = (at or node).start_mark.line + 1
        return Value(node, Place(self.place.file, line, self.place.key + step))


@dataclass(frozen=True, slots=True)
class Section:
    """A mapping of a document: ask for every key by name, then call `done`."""

    whole: Value
    values: dict[str, Value]

    def get(self, key: str) -> Value | None:
        """Return the value of a key, or None where it is absent or null."""
        value = self.values.get(key)
        return None if value is None or _is_null(value.node) else value

    def told(
        self, key: str, problems: Problems, read: Callable[[Value], T], instead: Else
    ) -> T | Else:
        """Return what was read of a key; ``instead`` where it is absent or does not hold."""
        value = self.get(key)
        return instead if value is None else problems.tried(partial(read, value), instead)

    def need(self, key: str) -> Value:
        """Return the value of a key that must be there."""
        return self.get(key) or self.whole.fail(f"has no {key}")

    def done(self, *known: str) -> None:
        """Refuse keys that are not among the known ones."""
        problems = Problems()
        for key, value in self.values.items():
            if key not in known:
                unknown = partial(value.fail, f"unknown key {key}", near(key, known))
                problems.tried(unknown, None)
        problems.end()


def parse_documents(text: str, file: str) -> Iterator[Value]:
    """Yield the documents of a file; empty ones are left out.

    Raises:
        BadResource: it is not YAML, or uses an alias, or is too large.
    """
    if len(text) > MOST_BYTES:
        raise BadResource(f"is larger than {MOST_BYTES} bytes", place=file)
    try:
        _refuse_bombs(text, file)
        nodes = list(yaml.compose_all(text, Loader=yaml.CSafeLoader))
    except yaml.YAMLError as error:
        raise _not_yaml(error, text, file) from error
    for node in nodes:
        if not _is_null(node):
            yield Value(node, Place(file, node.start_mark.line + 1))


def read_text(path: Path) -> str:
    """Return the text of a file; raises BadResource."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadResource(f"cannot be read: {error}", place=str(path)) from error


def _not_yaml(error: yaml.YAMLError, text: str, file: str) -> BadResource:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or "it is not text"
    last = len(text.splitlines()) or 1  # a missing bracket is missed behind the end
    place = str(Place(file, min(mark.line + 1, last))) if mark else file
    return BadResource(f"is not YAML: {problem}", place=place)


def _refuse_bombs(text: str, file: str) -> None:
    """Raise for an alias, and for nesting that would exhaust the stack."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        depth += isinstance(event, CollectionStartEvent)
        depth -= isinstance(event, CollectionEndEvent)
        place = str(Place(file, event.start_mark.line + 1)) if event.start_mark else file
        if isinstance(event, AliasEvent):
            raise BadResource("aliases are not read", place=place, hint="write the value out")
        if depth > MOST_DEEP:
            raise BadResource("is nested too deep", place=place)


def _is_null(node: Node) -> bool:
    return isinstance(node, ScalarNode) and node.tag == "tag:yaml.org,2002:null"


def near(word: str, choices: Sequence[str]) -> str:
    """Return a hint that names the choice nearest to a word, or all of them."""
    found = difflib.get_close_matches(word, choices, n=1)
    return f"did you mean {found[0]}?" if found else f"one of {', '.join(choices)}"
