"""CloudEvents 1.0 in structured JSON (https://github.com/cloudevents/spec): one event a message.

``source`` and ``id`` together are the identity: a repeated delivery has the same. ``data`` is
Alertmanager's webhook data with the incident, or the change.
"""

from collections.abc import Mapping
from typing import Any

from seakeeping.decide.notify.sender import Envelope
from seakeeping.decide.notify.webhook import Webhook, webhook_body
from seakeeping.decide.notify.wording import page_of, plain
from seakeeping.records import Notification
from seakeeping.records.codec import iso

SOURCE = "urn:seakeeping"
"""The source where nobody said under which address the pages are found."""


class CloudEvents(Webhook):
    """Posts events to one address; signed, and with the options of a webhook."""

    content_type = "application/cloudevents+json"

    def body(self, envelope: Envelope) -> Mapping[str, Any]:
        """Return the event."""
        notification = envelope.notification
        return {
            "specversion": "1.0",
            "id": envelope.key,
            "source": self._with.external_url or SOURCE,
            "type": event_type(notification),
            "subject": notification.group_key or "-",
            "time": iso(notification.at),
            "datacontenttype": "application/json",
            "data": self._data(notification),
        }

    def _data(self, notification: Notification) -> Mapping[str, Any]:
        if notification.change is not None:
            return dict(plain(notification.change))
        incident = notification.incident
        return {
            **webhook_body(notification, self._with.external_url),
            "incident": None if incident is None else plain(incident),
            "url": page_of(notification, self._with.external_url),
        }


def event_type(notification: Notification) -> str:
    """Return the type of an event: ``dev.seakeeping.alert.firing``, ``...change.deploy``."""
    if notification.change is not None:
        return f"dev.seakeeping.change.{notification.change.kind.value}"
    return f"dev.seakeeping.alert.{notification.status}"
