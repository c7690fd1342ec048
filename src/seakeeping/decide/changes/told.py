"""Changes as somebody tells them: our JSON, or CloudEvents as deployment tools send them.

Our own: one object, a list, or ``{"changes": [...]}`` with the fields of ``records.Change``; only
``target`` is required. CloudEvents 1.0 come structured (``application/cloudevents+json``, also
``-batch+json``) or binary (``ce-*`` headers); of a CDEvent (``dev.cdevents.service.deployed``) the
subject is read, of any other ``data`` with our field names.

Telling a change twice is telling it once: its id is the caller's, else it follows from what was
told. (CloudEvents 1.0.2, HTTP binding, section 3; CDEvents 0.4, context and subject.)
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from seakeeping.errors import BadInput
from seakeeping.records import Change, ChangeKind
from seakeeping.records.codec import moment, near

MOST_CHANGES = 1_000
"""In one body."""

LONGEST_TEXT = 2_048
FUTURE_S = 300.0
"""A change may be told as made so far in the future: clocks differ."""

_FIELDS = ("target", "before", "after", "dimension", "by", "description")
_KNOWN = ("id", "kind", "at", *_FIELDS)
_DIMENSIONS = {ChangeKind.MODEL: "model", ChangeKind.PROMPT: "prompt_version"}
_KINDS_OF_EVENTS = (
    ("service", ChangeKind.DEPLOY), ("artifact", ChangeKind.DEPLOY), ("deploy", ChangeKind.DEPLOY),
    ("release", ChangeKind.DEPLOY), ("environment", ChangeKind.CONFIG),
    ("prompt", ChangeKind.PROMPT), ("model", ChangeKind.MODEL), ("flag", ChangeKind.CONFIG),
    ("index", ChangeKind.DATA), ("data", ChangeKind.DATA), ("traffic", ChangeKind.TRAFFIC),
    ("route", ChangeKind.TRAFFIC),
)  # fmt: skip


def changes_from_body(
    body: bytes, headers: Mapping[str, str], *, now: float, by: str
) -> list[Change]:
    """Return the changes of a request, in order.

    Args:
        body: the request's body.
        headers: its headers, names in lower case.
        now: Unix seconds; the moment of a change that tells none.
        by: who told it, where it does not say.

    Raises BadInput with the place of what is wrong, e.g. ``changes[2].kind``.
    """
    media = headers.get("content-type", "").partition(";")[0].strip().lower()
    if "ce-specversion" in headers:
        event = {key[3:]: value for key, value in headers.items() if key.startswith("ce-")}
        return [_of_event({**event, "data": _json(body) if body.strip() else {}}, "", now, by)]
    given = _json(body)
    if media.startswith("application/cloudevents"):
        events = _many(given, "events")
        return [_of_event(_object(it, place), place, now, by) for it, place in events]
    if isinstance(given, Mapping) and isinstance(given.get("changes"), list):
        given = given["changes"]
    return [_of_ours(_object(it, place), place, now, by) for it, place in _many(given, "changes")]


def _json(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadInput(f"no JSON: {error}", hint='e.g. {"target": "chat", "after": "v2"}') from None


def _many(given: Any, name: str) -> Sequence[tuple[Any, str]]:
    if not isinstance(given, list):
        return [(given, "")]
    if not 0 < len(given) <= MOST_CHANGES:
        raise BadInput(f"from 1 to {MOST_CHANGES} at a time", place=name)
    return [(each, f"{name}[{place}]") for place, each in enumerate(given)]


def _of_ours(given: Mapping[str, Any], place: str, now: float, by: str) -> Change:
    for key in given:
        if key not in _KNOWN:
            raise BadInput(f"unknown key {key!r}", place=place, hint=near(key, _KNOWN))
    told = {name: _text(given, name, place) for name in (*_FIELDS, "id", "kind")}
    if not told["target"]:
        raise BadInput("target is missing", place=place, hint="the service that was changed")
    return _made(told, _kind(told["kind"], place), _at(given.get("at"), place, now), by)


def _of_event(event: Mapping[str, Any], place: str, now: float, by: str) -> Change:
    for name in ("specversion", "type", "source", "id"):
        if not isinstance(event.get(name), str) or not event[name]:
            raise BadInput(f"{name} is missing", place=place, hint="CloudEvents 1.0 requires it")
    if not event["specversion"].startswith("1."):
        raise BadInput(f"CloudEvents {event['specversion']!r} are not read", place=place)
    data = event.get("data")
    data = data if isinstance(data, Mapping) else {}
    told: dict[str, str | None] = {
        name: value for name in (*_FIELDS, "kind") if isinstance(value := data.get(name), str)
    }
    told = {**_of_cdevent(data), **told}
    told["target"] = told.get("target") or _target(event, place)
    told["id"] = f"{event['source']}/{event['id']}"
    told["by"] = told.get("by") or event["source"]
    told["description"] = told.get("description") or event["type"]
    kind = _kind(told.get("kind"), place) if told.get("kind") else _kind_of_event(event["type"])
    return _made(told, kind, _at(data.get("at") or event.get("time"), place, now), by)


def _of_cdevent(data: Mapping[str, Any]) -> dict[str, str | None]:
    """Return what a CDEvent's subject tells: the service, and the artifact that it runs now."""
    subject = data.get("subject")
    if not isinstance(subject, Mapping) or not isinstance(subject.get("id"), str):
        return {}
    content = subject.get("content")
    artifact = content.get("artifactId") if isinstance(content, Mapping) else None
    told: dict[str, str | None] = {"target": subject["id"].rpartition("/")[2]}
    if isinstance(artifact, str):
        told["after"] = artifact.partition("@")[2] or artifact
    return told


def _target(event: Mapping[str, Any], place: str) -> str:
    subject = event.get("subject")
    if isinstance(subject, str) and subject:
        return subject
    raise BadInput(
        "nothing says which service was changed", place=place, hint="data.target, or the subject"
    )


def _kind_of_event(name: str) -> ChangeKind:
    words = name.lower()
    return next((kind for word, kind in _KINDS_OF_EVENTS if word in words), ChangeKind.CONFIG)


def _kind(name: str | None, place: str) -> ChangeKind:
    if not name:
        return ChangeKind.DEPLOY
    try:
        return ChangeKind(name.lower())
    except ValueError:
        raise BadInput(
            f"unknown kind {name!r}",
            place=place,
            hint=near(name, [kind.value for kind in ChangeKind]),
        ) from None


def _at(given: Any, place: str, now: float) -> float:
    if given is None or given == "":
        return now
    if isinstance(given, int | float) and not isinstance(given, bool):
        at = float(given)
    elif isinstance(given, str):
        at = moment(given, f"{place}.at" if place else "at")
    else:
        raise BadInput("at is no moment", place=place, hint="e.g. 2026-09-01T12:00:00Z")
    if at >= now + FUTURE_S:
        raise BadInput("at lies in the future", place=place, hint="tell a change once it is made")
    if not at > 0:
        raise BadInput("at is no moment", place=place, hint="e.g. 2026-09-01T12:00:00Z")
    return at


def _made(told: Mapping[str, str | None], kind: ChangeKind, at: float, by: str) -> Change:
    after = told.get("after")
    dimension = told.get("dimension") or (_DIMENSIONS.get(kind) if after else None)
    spelt = "\xff".join([kind, *(str(told.get(name)) for name in _FIELDS), f"{at:.3f}"])
    return Change(
        id=told.get("id") or hashlib.sha256(spelt.encode()).hexdigest()[:24],
        kind=kind,
        target=told["target"] or "",
        at=at,
        before=told.get("before"),
        after=after,
        dimension=dimension,
        by=told.get("by") or by,
        description=told.get("description") or "",
    )


def _text(given: Mapping[str, Any], name: str, place: str) -> str | None:
    value = given.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > LONGEST_TEXT:
        where = f"{place}.{name}" if place else name
        raise BadInput(f"must be a text of at most {LONGEST_TEXT} characters", place=where)
    return value.replace("\0", "")


def _object(given: Any, place: str) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise BadInput("must be a JSON object", place=place)
    return given
