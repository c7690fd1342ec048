"""One OpenSLO v1 document: ``apiVersion``, ``kind``, ``metadata``, ``spec``.

What OpenSLO has no word for stands in annotations under our own prefix, so a file stays valid for
any other reader; every annotation under it that we do not know is an error, as an unknown key is.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from seakeeping.config.document import Section, Value, near
from seakeeping.errors import BadInput
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
    """A document whose outline holds; its ``spec`` is read when all documents are there."""

    kind: str
    header: Header
    spec: Section


def read_entry(document: Section) -> Entry:
    """Return the outline of a document; raises BadResource."""
    document.done("apiVersion", "kind", "metadata", "spec")
    kind = document.need("kind").choice(tuple(ANNOTATIONS))
    header = read_header(document.need("metadata"), kind)
    return Entry(kind, header, document.need("spec").section())


def read_inline(value: Value, kind: str, name: str) -> Entry:
    """Return a part that stands within another document, where it needs no name of its own."""
    part = value.section()
    part.done("apiVersion", "kind", "metadata", "spec")
    if told := part.get("kind"):
        told.choice((kind,))
    metadata = part.get("metadata")
    header = read_header(metadata, kind) if metadata else Header(name, value, None, {}, {})
    return Entry(kind, header, part.need("spec").section())


def read_header(value: Value, kind: str) -> Header:
    """Return the metadata of a document; raises BadResource."""
    metadata = value.section()
    metadata.done("name", "displayName", "labels", "annotations")
    name = metadata.need("name")
    if not _NAME.fullmatch(name.written()):
        name.fail(
            f"{name.written()!r} is not a name",
            "up to 255 letters, digits and -_.|/\\ between a letter or digit at either end",
        )
    display_name = metadata.get("displayName")
    return Header(
        name=name.written(),
        at=name,
        display_name=display_name.written() if display_name else None,
        labels=_labels(metadata.get("labels")),
        own=_own(metadata.get("annotations"), kind),
    )


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
    found: dict[str, Value] = {}
    for key, one in value.section().values.items():
        one.written()
        if not key.startswith(PREFIX):
            continue
        name = key.removeprefix(PREFIX)
        if name not in ANNOTATIONS[kind]:
            known = [f"{PREFIX}{own}" for own in ANNOTATIONS[kind]]
            one.fail(f"unknown annotation {key} of {kind}", near(key, known) if known else "")
        found[name] = one
    return found


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
