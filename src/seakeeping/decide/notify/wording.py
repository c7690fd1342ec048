"""A notification in words, and texts made fit for where they go.

What an alert says may hold what a model or a user wrote: any character, any length. So every text
is cleaned (no control characters, no halves of surrogate pairs), clipped, and escaped by the kind
that has a markup. Lengths are counted in UTF-16 units, the strictest reading of "characters".
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from seakeeping.records import Alert, AlertState, Change, Notification
from seakeeping.records.codec import to_json

LONGEST_TEXT = 4000
"""Of an annotation; what is longer belongs on a page."""

LARGEST = 1_000_000
"""Characters of all alerts of one message, before the last that still fits is cut."""

MOST_ALERTS = 100
"""In one message."""

_MOST_NAMES = 64
_FIRST = ("summary", "description")


_UNFIT = dict.fromkeys(
    [*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)], " "
)
"""Control characters, and those that turn the direction of the text around them."""

for _kept in "\n\t":
    del _UNFIT[ord(_kept)]


def clean(text: str) -> str:
    r"""Return text without control characters (but newline and tab) and half surrogates.

    >>> clean("a\x00b\ud800")
    'a b�'
    """
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return whole.translate(_UNFIT)


def one_line(text: str) -> str:
    """Return text with every run of white space as one space, clipped to ``LONGEST_TEXT``."""
    return " ".join(_fit(text, LONGEST_TEXT).split())


def length(text: str) -> int:
    """Return the length in UTF-16 units, as JavaScript and Java count characters."""
    return len(text) + sum(c > "\uffff" for c in text)


def clip(text: str, limit: int, escape: Callable[[str], str] = str) -> str:
    """Return the escaped text in at most ``limit`` UTF-16 units; an ellipsis ends what was cut.

    >>> clip("abcdef", 4)
    'abc…'
    """
    whole = escape(text[: limit + 1])
    if length(whole) <= limit and len(text) <= limit:
        return whole
    room, kept = limit - 1, []
    for character in text:
        spelt = escape(character)
        room -= length(spelt)
        if room < 0:
            break
        kept.append(spelt)
    return "".join(kept) + "…"


def bounded(notification: Notification) -> Notification:
    """Return the notification with its texts cleaned and clipped.

    At most ``MOST_ALERTS`` alerts are kept, fewer where they are large; the rest are counted.
    """
    alerts = list(_fitting(notification.alerts[:MOST_ALERTS]))
    return replace(
        notification,
        group_key=_fit(notification.group_key, LONGEST_TEXT),
        group_labels=_cleaned(notification.group_labels),
        common_labels=_cleaned(notification.common_labels),
        common_annotations=_cleaned(notification.common_annotations),
        alerts=tuple(alerts),
        truncated=notification.truncated + len(notification.alerts) - len(alerts),
    )


def _fitting(alerts: Iterable[Alert]) -> Iterator[Alert]:
    room = LARGEST
    for alert in alerts:
        fit = bounded_alert(alert)
        yield fit
        room -= sum(map(len, [*fit.annotations.values(), *fit.labels.values()]))
        if room < 0:
            return


def plain(record: object) -> Any:
    """Return a record as JSON with its texts cleaned and clipped."""
    return _plain(to_json(record))


def _plain(value: Any) -> Any:
    match value:
        case str():
            return _fit(value, LONGEST_TEXT)
        case Mapping():
            return {_fit(name, 200): _plain(one) for name, one in value.items()}
        case list():
            return [_plain(one) for one in value]
    return value


def bounded_alert(alert: Alert) -> Alert:
    """Return the alert with its texts cleaned and clipped."""
    return replace(alert, labels=_cleaned(alert.labels), annotations=_cleaned(alert.annotations))


def _cleaned(texts: Mapping[str, str]) -> dict[str, str]:
    kept = list(texts.items())[:_MOST_NAMES]
    return {_fit(name, 200): _fit(text, LONGEST_TEXT) for name, text in kept}


def _fit(text: str, limit: int) -> str:
    return clip(clean(text[: limit + 1]), limit)  # cut first: cleaning megabytes takes its time


def headline(notification: Notification) -> str:
    """Return one line that says what it is about.

    ``[FIRING 2] ErrorBudgetBurn: bot / availability (page)``
    """
    if notification.change is not None:
        return f"[CHANGE] {change_line(notification.change)}"
    labels = {**notification.group_labels, **notification.common_labels}
    names = [labels[name] for name in ("service", "slo") if labels.get(name)]
    about = " / ".join(names) or notification.group_key
    what = labels.get("alertname") or "Alerts"
    severity = f" ({labels['severity']})" if labels.get("severity") else ""
    return one_line(f"[{_standing(notification)}] {what}: {about}{severity}")


def _standing(notification: Notification) -> str:
    if notification.status == "resolved":
        return "RESOLVED"
    firing = sum(a.state is AlertState.FIRING for a in notification.alerts)
    word = "ACKNOWLEDGED" if notification.reason == "acknowledged" else "FIRING"
    return f"{word} {firing + notification.truncated}"


def change_line(change: Change) -> str:
    """Return a change in one line."""
    told = f"{change.kind.value} of {change.target}"
    if change.before or change.after:
        told += f": {change.before or '?'} -> {change.after or '?'}"
    return one_line(f"{told} by {change.by}" if change.by else told)


def summary(notification: Notification) -> str:
    """Return the one sentence that says what it means, or an empty string."""
    if notification.change is not None:
        return one_line(notification.change.description)
    texts = [notification.common_annotations, *(a.annotations for a in notification.alerts)]
    return next((one_line(found["summary"]) for found in texts if found.get("summary")), "")


def details(alert: Alert) -> Iterator[tuple[str, str]]:
    """Yield the annotations of an alert as (name, text): what it means first."""
    for name in _FIRST:
        if text := alert.annotations.get(name):
            yield name, text
    for name, text in sorted(alert.annotations.items()):
        if name not in _FIRST and text:
            yield name, text


def alert_title(alert: Alert) -> str:
    """Return one line that names an alert and how long it lasts."""
    name = alert.labels.get("alertname", "alert")
    rest = ", ".join(
        f"{key}={text}"
        for key, text in sorted(alert.labels.items())
        if key not in ("alertname", "service", "slo", "severity")
    )
    until = f" until {spoken(alert.ends_at)}" if alert.ends_at is not None else ""
    told = f"{name} ({alert.severity.value}) since {spoken(alert.starts_at)}{until}"
    return one_line(f"{told}: {rest}" if rest else told)


def diagnosis_lines(notification: Notification) -> Iterator[str]:
    """Yield what is known of the cause: the diagnosis' summary and its causes."""
    incident = notification.incident
    if incident is None:
        return
    yield one_line(f"Incident {incident.id}: {incident.title} ({incident.state.value})")
    if incident.diagnosis is not None:
        yield one_line(incident.diagnosis.summary)
        yield from (one_line(c.summary) for c in incident.diagnosis.causes[:5] if c.summary)


def body(notification: Notification, external_url: str) -> str:
    """Return all of it as plain text."""
    lines = [headline(notification)]
    if told := summary(notification):
        lines += ["", told]
    lines += ["", *found] if (found := list(diagnosis_lines(notification))) else []
    for alert in notification.alerts:
        lines += ["", alert_title(alert)]
        lines += [f"  {name}: {text}" for name, text in details(alert)]
    if notification.truncated:
        lines += ["", f"and {notification.truncated} more"]
    if address := page_of(notification, external_url):
        lines += ["", address]
    return clean("\n".join(lines))


def spoken(at: float) -> str:
    """Return a moment as people write it, UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def page_of(notification: Notification, external_url: str) -> str:
    """Return the address of the page about it, empty where no ``external_url`` is known."""
    if not external_url:
        return ""
    base = external_url.rstrip("/")
    if notification.incident is not None:
        return f"{base}/incidents/{quote(clean(notification.incident.id), safe='')}"
    objective = next((a.objective for a in notification.alerts if a.objective), None)
    return objective_page(objective, base) if objective else f"{base}/alerts"


def objective_page(name: str, external_url: str) -> str:
    """Return the address of the page about an objective."""
    return f"{external_url.rstrip('/')}/objectives/{quote(clean(name))}"
