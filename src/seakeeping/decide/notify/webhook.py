"""Webhooks: Alertmanager's data, version 4, signed after Standard Webhooks.

What reads Alertmanager's webhooks reads these. https://prometheus.io/docs/alerting/latest/
configuration/#webhook_config; https://www.standardwebhooks.com
"""

from collections.abc import Mapping
from typing import Any

import orjson

from seakeeping.decide.notify.exchange import accepted, checked, post
from seakeeping.decide.notify.failures import DeliveryFailed, Undeliverable
from seakeeping.decide.notify.headers import credentials, own_headers, signed_headers
from seakeeping.decide.notify.secrets import is_address, secret_of
from seakeeping.decide.notify.sender import Envelope, Surroundings
from seakeeping.decide.notify.wording import objective_page
from seakeeping.records import Alert, AlertState, JsonObject, Notification, NotificationTarget
from seakeeping.records.codec import iso

NO_TIME = "0001-01-01T00:00:00Z"
"""How Alertmanager spells the end of what has not ended."""


def webhook_body(notification: Notification, external_url: str) -> dict[str, Any]:
    """Return a notification as an Alertmanager would post it (``version`` 4)."""
    return {
        "version": "4",
        "groupKey": notification.group_key,
        "truncatedAlerts": notification.truncated,
        "status": notification.status,
        "receiver": notification.target,
        "notification_reason": notification.reason,
        "groupLabels": dict(notification.group_labels),
        "commonLabels": dict(notification.common_labels),
        "commonAnnotations": dict(notification.common_annotations),
        "externalURL": external_url,
        "alerts": [_alert(alert, external_url) for alert in notification.alerts],
    }


def _alert(alert: Alert, external_url: str) -> dict[str, Any]:
    return {
        "status": "resolved" if alert.state is AlertState.RESOLVED else "firing",
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "startsAt": iso(alert.starts_at),
        "endsAt": NO_TIME if alert.ends_at is None else iso(alert.ends_at),
        "generatorURL": generator_url(alert, external_url),
        "fingerprint": alert.fingerprint,
    }


def generator_url(alert: Alert, external_url: str) -> str:
    """Return where an alert's objective can be looked at, empty where nobody knows."""
    if not external_url or alert.objective is None:
        return ""
    return objective_page(alert.objective, external_url)


class Webhook:
    """Posts to one address; ``secret_env`` holds the signing key, or the whole address.

    Options: ``auth`` (``hmac``, the default; ``bearer`` or ``basic`` send the secret instead),
    ``header.NAME``, ``ca_file``.
    """

    content_type = "application/json"

    def __init__(self, target: NotificationTarget, surroundings: Surroundings) -> None:
        self._target = target
        self._with = surroundings

    def send(self, envelope: Envelope) -> JsonObject:
        """Post a notification. Raises as ``Sender`` says."""
        body = orjson.dumps(self.body(envelope))
        secret = secret_of(self._target, self._with.environ)
        url = secret if secret and is_address(secret) else self._target.url
        if url is None:
            raise DeliveryFailed(f"the target {self._target.name} has no url")
        signing = secret if secret and not is_address(secret) else None
        self._post(url, body, self._headers(signing, envelope.key, body))
        return {}

    def body(self, envelope: Envelope) -> Mapping[str, Any]:
        """Return what is posted."""
        if envelope.notification.change is not None:
            raise Undeliverable("Alertmanager's webhook has no words for a change")
        return webhook_body(envelope.notification, self._with.external_url)

    def _headers(self, secret: str | None, key: str, body: bytes) -> dict[str, str]:
        is_signed = self._target.options.get("auth", "hmac") == "hmac"
        return {
            "Content-Type": self.content_type,
            **signed_headers(secret if is_signed else None, key, self._with.clock.now(), body),
            **credentials(self._target, secret, "hmac"),
            **own_headers(self._target.options),
        }

    def _post(self, url: str, body: bytes, headers: Mapping[str, str]) -> None:
        checked(url)
        ca_file = self._target.options.get("ca_file")
        answer = post(url, body, headers, timeout_s=self._with.timeout_s, ca_file=ca_file)
        accepted(answer, now=self._with.clock.now())
