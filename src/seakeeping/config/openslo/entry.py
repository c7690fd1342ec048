"""One OpenSLO v1 document: ``apiVersion``, ``kind``, ``metadata``, ``spec``.

What OpenSLO has no word for stands in annotations under our own prefix, so a file stays valid for
any other reader; every annotation under it that we do not know is an error, as an unknown key is.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from seakeeping.config.document import Problems, Section, Value, each, near
from seakeeping.config.finding import Finding
from seakeeping.errors import BadInput, BadResource
from seakeeping.records.objective import window_seconds

API_VERSION = "openslo/v1"
PREFIX = "seakeeping.dev/"
MOST_DESCRIPTION = 1050
"""Characters of a description (OpenSLO)."""

ANNOTATIONS: Mapping[str, tuple[str, ...]] = {
    "DataSource": (),
    "Service": ("service-name",),
    "SLI": (),
    "SLO": (
        "name", "service-name", "owner", "slice-by", "min-events", "evidence", "absent-after",
        "alerts", "alert-name", "alert-labels", "alert-annotations",
    ),
    "AlertPolicy": ("severity", "absent-after"),
    "AlertCondition": ("severity", "short-window"),
    "AlertNotificationTarget": ("url", "secret-env", "options"),
}  # fmt: skip
"""The kinds of OpenSLO, and our annotations that each of them knows."""

MOST_NAME = 63
"""Characters of a name that every reader takes (RFC 1123)."""

_PORTABLE = re.compile(r"[a-z0-9](?:[a-z0-9.|/\\-]*[a-z0-9])?", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9](?:[\w.|/\\-]{0,253}[A-Za-z0-9])?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Header:
    """The metadata of a document; ``own`` are our annotations without their prefix."""

    name: str
    at: Value
    display_name: str | None
    labels: Mapping[str, str]
    own: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Entry:
    """A document; its ``spec`` is read when all documents are there.

    ``faults`` are what is wrong around the spec, which keeps the document out of force; ``notes``
    what is doubtful there.
    """

    kind: str
    header: Header
    spec: Section
    faults: tuple[BadResource, ...] = ()
    notes: tuple[Finding, ...] = ()


def read_entry(document: Section) -> Entry:
    """Return the outline of a document; raises BadResource where there is no spec to be read."""
    problems = Problems()
    problems.tried(lambda: document.done("apiVersion", "kind", "metadata", "spec"), None)
    none = Header("", document.whole, None, {}, {})
    kind = problems.tried(lambda: document.need("kind").choice(tuple(ANNOTATIONS)), "")
    if not kind:  # what belongs into the rest is not known
        problems.end()
    header = problems.tried(lambda: read_header(document.need("metadata"), kind, problems), none)
    spec = problems.tried(lambda: document.need("spec").section(), None)
    if spec is None:
        problems.end()
    assert spec is not None
    notes = name_notes(header.at, header.name, f"{PREFIX}name") if header.name else []
    return Entry(kind, header, spec, tuple(problems.found), tuple(notes))


def name_notes(at: Value, name: str, annotation: str) -> list[Finding]:
    """Return a warning where other readers of OpenSLO may not take a name that is taken here."""
    if _PORTABLE.fullmatch(name) and len(name) <= MOST_NAME:
        return []
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower())[:MOST_NAME].strip("-")
    hint = f"e.g. {plain}, and {name} as the annotation {annotation}"
    message = f"{name!r} is no name by RFC 1123, which OpenSLO asks for"
    return [Finding(str(at.place), message, hint, is_warning=True)]


def read_inline(value: Value, kind: str, name: str) -> Entry:
    """Return a part that stands within another document, where it needs no name of its own."""
    part = value.section()
    part.done("apiVersion", "kind", "metadata", "spec")
    if told := part.get("kind"):
        told.choice((kind,))
    metadata = part.get("metadata")
    header, problems = Header(name, value, None, {}, {}), Problems()
    if metadata is not None:
        header = read_header(metadata, kind, problems)
    problems.end()
    return Entry(kind, header, part.need("spec").section())


def read_header(value: Value, kind: str, problems: Problems) -> Header:
    """Return the metadata of a document as far as it holds, its faults told to ``problems``."""
    metadata = value.section()
    problems.tried(lambda: metadata.done("name", "displayName", "labels", "annotations"), None)
    display_name = metadata.get("displayName")
    return Header(
        name=problems.tried(lambda: _name(metadata.need("name")), ""),
        at=metadata.get("name") or value,
        display_name=problems.tried(display_name.written, None) if display_name else None,
        labels=problems.tried(lambda: _labels(metadata.get("labels")), {}),
        own=problems.tried(lambda: _own(metadata.get("annotations"), kind), {}),
    )


def _name(value: Value) -> str:
    name = value.written()
    if not _NAME.fullmatch(name):
        value.fail(
            f"{name!r} is not a name",
            "up to 255 letters, digits and -_.|/\\ between a letter or digit at either end",
        )
    return name


def _labels(value: Value | None) -> dict[str, str]:
    """Return labels; several values of one are joined by commas."""
    if value is None:
        return {}
    return {key: ",".join(words(one)) for key, one in value.section().values.items()}


def words(value: Value) -> tuple[str, ...]:
    """Return a list of plain values as they are written; one value stands for a list of one."""
    if value.is_plain():
        return (value.written(),)
    return tuple(item.written() for item in value.items())


def _own(value: Value | None, kind: str) -> dict[str, Value]:
    if value is None:
        return {}
    values = value.section().values
    each(values.values(), Value.written)
    ours = {key: one for key, one in values.items() if key.startswith(PREFIX)}
    known = [f"{PREFIX}{own}" for own in ANNOTATIONS[kind]]
    problems = Problems()
    for key, one in ours.items():
        if key not in known:
            hint = near(key, known) if known else ""
            problems.tried(partial(one.fail, f"unknown annotation {key} of {kind}", hint), None)
    problems.end()
    return {key.removeprefix(PREFIX): one for key, one in ours.items()}


def describe(spec: Section) -> str:
    """Return the description of a spec, empty where it has none."""
    value = spec.get("description")
    if value is None:
        return ""
    text = value.written()
    if len(text) > MOST_DESCRIPTION:
        value.fail(f"has {len(text)} characters", f"OpenSLO allows {MOST_DESCRIPTION}")
    return text


def window(value: Value) -> str:
    """Return a duration as OpenSLO spells it (``30d``); raises BadResource."""
    text = value.written()
    try:
        window_seconds(text)
    except BadInput as error:
        value.fail(error.message, error.hint)
    return text


def seconds(value: Value, *, low: float = 0.0) -> float:
    """Return a duration in seconds; ``0m`` is one, and seconds may be written too (``90s``)."""
    text = value.written()
    if re.fullmatch(r"0+[smhdwMQY]", text):
        length = 0.0
    elif re.fullmatch(r"\d{1,9}s", text, re.ASCII):
        length = float(text[:-1])
    else:
        length = float(window_seconds(window(value)))
    if length < low:
        value.fail(f"{text} is less than {low:g} s")
    return length


def number(value: Value, low: float, high: float) -> float:
    """Return the number that an annotation holds as text."""
    try:
        found = float(value.written())
    except ValueError:
        value.fail(f"{value.written()!r} is not a number")
    if not low <= found <= high:
        value.fail(f"{found:g} is not within {low:g} and {high:g}")
    return found


def chosen(value: Value, choices: Sequence[str]) -> str:
    """Return one of the choices, whatever the case."""
    word = value.written().lower()
    if word not in choices:
        value.fail(f"{value.written()!r} is none of {', '.join(choices)}", near(word, choices))
    return word


def is_true(value: Value) -> bool:
    """Return the truth that an annotation holds as text."""
    return chosen(value, ("true", "false")) == "true"
