"""PagerDuty Events API v2: a group of alerts is one PagerDuty alert, a change a change event.

Its limits (https://developer.pagerduty.com/docs/events-api-v2): routing key of 32 characters,
``dedup_key`` up to 255, summary up to 1024, an event up to 512 KB. The ``dedup_key`` is the group's
and not the incident's: of two objectives in one incident the first to recover would resolve the
other's page.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import orjson

from seakeeping.decide.notify.exchange import accepted, checked, post
from seakeeping.decide.notify.failures import DeliveryFailed
from seakeeping.decide.notify.secrets import secret_of
from seakeeping.decide.notify.sender import Envelope, Surroundings
from seakeeping.decide.notify.wording import (
    alert_title,
    change_line,
    clip,
    details,
    diagnosis_lines,
    headline,
    page_of,
    plain,
    summary,
)
from seakeeping.records import (
    Alert,
    Change,
    JsonObject,
    Notification,
    NotificationTarget,
    Severity,
)
from seakeeping.records.codec import iso

URL = "https://events.pagerduty.com/v2/enqueue"
LARGEST_EVENT = 512_000
LONGEST_SUMMARY = 1024
_ROUTING_KEY_LENGTH = 32


class PagerDuty:
    """Sends events with the routing key in ``secret_env``; ``url`` where it is not the public one.

    Options: ``ca_file``.
    """

    def __init__(self, target: NotificationTarget, surroundings: Surroundings) -> None:
        self._target = target
        self._with = surroundings

    def send(self, envelope: Envelope) -> JsonObject:
        """Trigger, acknowledge or resolve, or tell of a change. Raises as ``Sender`` says."""
        routing_key = secret_of(self._target, self._with.environ) or ""
        if len(routing_key) != _ROUTING_KEY_LENGTH:
            raise DeliveryFailed(
                f"the routing key of {self._target.name} has not 32 characters",
                hint="take the integration key of an Events API v2 integration",
            )
        change = envelope.notification.change
        event = (
            change_event(change, self._with.external_url)
            if change is not None
            else alert_event(envelope, self._with.external_url)
        )
        self._post(_place(self._target.url or URL, change), {"routing_key": routing_key, **event})
        return {}

    def _post(self, url: str, event: Mapping[str, Any]) -> None:
        answer = post(
            url,
            orjson.dumps(event),
            {"Content-Type": "application/json"},
            timeout_s=self._with.timeout_s,
            ca_file=self._target.options.get("ca_file"),
        )
        accepted(answer, now=self._with.clock.now())


def _place(url: str, change: Change | None) -> str:
    """Return where events of a kind go: alerts to ``/v2/enqueue``, changes beside it."""
    if change is None:
        return url
    place = checked(url)
    path = urlsplit(url).path.removesuffix("/enqueue") + "/change/enqueue"
    return urlunsplit((place.scheme, place.netloc, path, "", ""))


def alert_event(envelope: Envelope, external_url: str) -> dict[str, Any]:
    """Return the event of a group of alerts, without its routing key, in at most 512 KB."""
    notification = envelope.notification
    event: dict[str, Any] = {
        "event_action": _action(notification),
        "dedup_key": f"seakeeping-{envelope.thread}",
    }
    if event["event_action"] != "trigger":
        return event
    page = page_of(notification, external_url)
    event |= {"client": "Seakeeping", "payload": _payload(notification)}
    if page:
        event |= {"client_url": page, "links": [{"href": page, "text": "Seakeeping"}]}
    shown = event["payload"]["custom_details"]["alerts"]
    while shown and len(orjson.dumps(event)) > LARGEST_EVENT - 1000:
        del shown[len(shown) // 2 :]
    return event


def _action(notification: Notification) -> str:
    if notification.status == "resolved":
        return "resolve"
    return "acknowledge" if notification.reason == "acknowledged" else "trigger"


def _payload(notification: Notification) -> dict[str, Any]:
    labels = {**notification.group_labels, **notification.common_labels}
    told = summary(notification)
    line = f"{headline(notification)}: {told}" if told else headline(notification)
    starts = [alert.starts_at for alert in notification.alerts]
    return {
        "summary": clip(line, LONGEST_SUMMARY),
        "source": labels.get("service") or "seakeeping",
        "severity": _severity(notification),
        "timestamp": iso(min(starts, default=notification.at)),
        "component": labels.get("slo", ""),
        "group": labels.get("service", ""),
        "class": labels.get("alertname", ""),
        "custom_details": {
            "group_key": notification.group_key,
            "incident": list(diagnosis_lines(notification)),
            "alerts": [_details(alert) for alert in notification.alerts],
            "more_alerts": notification.truncated,
        },
    }


def _severity(notification: Notification) -> str:
    is_page = any(alert.severity is Severity.PAGE for alert in notification.alerts)
    return "critical" if is_page else "warning"


def _details(alert: Alert) -> dict[str, str]:
    return {"alert": alert_title(alert), **dict(details(alert))}


def change_event(change: Change, external_url: str) -> dict[str, Any]:
    """Return the event of a change, without its routing key."""
    event: dict[str, Any] = {
        "payload": {
            "summary": clip(change_line(change), LONGEST_SUMMARY),
            "timestamp": iso(change.at),
            "source": change.target or "seakeeping",
            "custom_details": plain(change),
        },
    }
    if external_url:
        event["links"] = [{"href": external_url, "text": "Seakeeping"}]
    return event
