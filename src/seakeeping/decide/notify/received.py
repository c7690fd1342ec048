"""Alerts from an Alertmanager: its webhook, version 4, read strictly.

Keys that a newer Alertmanager adds are passed over; what is known must be of its type. An alert
that began with us and comes back has the labels it was sent with, hence the same fingerprint.
"""

from collections.abc import Mapping
from typing import Any

import orjson

from seakeeping.errors import BadInput
from seakeeping.records import Alert, AlertState, Json, Severity
from seakeeping.records.codec import iso, moment

MOST_ALERTS = 10_000
"""In one body."""

LONGEST_TEXT = 16_384
"""Of a label or an annotation."""

TOLD_UNTIL = "told_until"
"""Where the evidence of an alert holds the end that it was told with."""

_PAGES = frozenset({"page", "critical", "error", "emergency", "fatal", "p1", "sev1", "high"})


def alerts_from_webhook(body: bytes | str | Mapping[str, Any]) -> list[Alert]:
    """Return the alerts of a webhook's body, in order.

    ``severity`` is page where the label says so or ``critical`` or the like, ticket where it says
    something else, page without the label: nobody sleeps through what nobody graded. Raises
    BadInput with the place of what is wrong, e.g. ``alerts[2].startsAt``.
    """
    given = _parsed(body)
    if (version := _text(given, "version", "")) != "4":
        raise BadInput(
            f"version {version[:40]!r} is not read" if version else "is missing",
            place="version",
            hint="an Alertmanager of 0.8 or later posts version 4",
        )
    alerts = given.get("alerts")
    if not isinstance(alerts, list):
        raise BadInput("must be a list", place="alerts")
    if len(alerts) > MOST_ALERTS:
        raise BadInput(f"more than {MOST_ALERTS} alerts", place="alerts", hint="set max_alerts")
    return [_alert(alert, f"alerts[{i}]") for i, alert in enumerate(alerts)]


def _parsed(body: bytes | str | Mapping[str, Any]) -> Mapping[str, Any]:
    if isinstance(body, Mapping):
        return body
    try:
        given = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadInput(
            f"no JSON: {error}", hint="post what an Alertmanager's webhook posts"
        ) from None
    if not isinstance(given, dict):
        raise BadInput("must be a JSON object")
    return given


def _alert(given: Json, place: str) -> Alert:
    if not isinstance(given, Mapping):
        raise BadInput("must be a JSON object", place=place)
    labels = _texts(given, "labels", place)
    if not labels:
        raise BadInput("an alert has at least one label", place=f"{place}.labels")
    starts_at = _moment(given, "startsAt", place)
    if starts_at is None:
        raise BadInput("startsAt is missing", place=place)
    state = _state(given, place)
    ends_at = _moment(given, "endsAt", place)
    is_over = state is AlertState.RESOLVED
    return Alert(
        labels=labels,
        annotations=_texts(given, "annotations", place),
        starts_at=starts_at,
        severity=_severity(labels),
        state=state,
        ends_at=(starts_at if ends_at is None else max(ends_at, starts_at)) if is_over else None,
        evidence={
            "source": "alertmanager",
            "generator_url": _text(given, "generatorURL", place),
            # the end that an alert which fires has, if nobody tells of it again
            TOLD_UNTIL: None if is_over or ends_at is None else iso(ends_at),
        },
    )


def _state(given: Mapping[str, Any], place: str) -> AlertState:
    match status := _text(given, "status", place):
        case "firing":
            return AlertState.FIRING
        case "resolved":
            return AlertState.RESOLVED
    raise BadInput(f"must be firing or resolved, not {status[:40]!r}", place=f"{place}.status")


def _severity(labels: Mapping[str, str]) -> Severity:
    told = labels.get("severity", "page").lower()
    return Severity.PAGE if told in _PAGES else Severity.TICKET


def _text(given: Mapping[str, Any], name: str, place: str) -> str:
    found = given.get(name, "")
    if not isinstance(found, str) or len(found) > LONGEST_TEXT:
        raise BadInput("must be a string of bounded length", place=_at(place, name))
    return found


def _texts(given: Mapping[str, Any], name: str, place: str) -> dict[str, str]:
    """Return labels or annotations; an empty value is as good as none (Prometheus' data model)."""
    found = given.get(name)
    if found is None:
        return {}
    if not isinstance(found, Mapping):
        raise BadInput("must be a JSON object", place=_at(place, name))
    return {key: text for key in found if (text := _text(found, key, _at(place, name)))}


def _moment(given: Mapping[str, Any], name: str, place: str) -> float | None:
    """Return a time, None where there is none: left out, or the year 1, as Go spells it."""
    found = _text(given, name, place)
    if not found or found.startswith("0001-"):
        return None
    return moment(found, _at(place, name))


def _at(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name
