"""Receivers of webhooks: Standard Webhooks' signature, Alertmanager's data, CloudEvents.

Each is written after its specification, not after our sender. A message whose key was seen is
acknowledged and not acted upon again, as receivers that honour the key do.
"""

import base64
import hashlib
import hmac
import re
from typing import Any

from tests.receivers.http import Receiver, Reply, Request

RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_ALERT = {"status", "labels", "annotations", "startsAt", "endsAt", "generatorURL", "fingerprint"}
_BODY = {
    "version", "groupKey", "truncatedAlerts", "status", "receiver", "groupLabels", "commonLabels",
    "commonAnnotations", "externalURL", "alerts",
}  # fmt: skip


class WebhookReceiver(Receiver):
    """Acts once on every key; ``secret`` is what signatures are verified with."""

    def __init__(self, secret: str | None = None, now: float | None = None) -> None:
        super().__init__()
        self.acted: dict[str, Any] = {}
        self.deliveries: list[str] = []
        self._secret = secret
        self._now = now

    def answer(self, request: Request) -> Reply:
        if self._secret is not None and not self._is_signed(request):
            return Reply(401, b"bad signature")
        self.check(request)
        key = request.headers["webhook-id"]
        self.deliveries.append(key)
        self.acted.setdefault(key, request.json)
        return Reply()

    def check(self, request: Request) -> None:
        assert request.headers["content-type"] == "application/json"
        check_alertmanager_body(request.json)

    def _is_signed(self, request: Request) -> bool:
        key, at = request.headers["webhook-id"], request.headers["webhook-timestamp"]
        if self._now is not None and abs(int(at) - self._now) > 300:
            return False
        signed = f"{key}.{at}.".encode() + request.body
        secret = base64.b64decode(str(self._secret).removeprefix("whsec_"))
        wanted = base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()
        found = [part.split(",") for part in request.headers["webhook-signature"].split(" ")]
        return any(v == "v1" and hmac.compare_digest(s, wanted) for v, s in found)


class EventReceiver(WebhookReceiver):
    """Takes CloudEvents 1.0 in structured mode."""

    def check(self, request: Request) -> None:
        event = request.json
        assert request.headers["content-type"] == "application/cloudevents+json"
        assert event["specversion"] == "1.0"
        for name in ("id", "source", "type"):
            assert isinstance(event[name], str)
            assert event[name]
        assert all(re.fullmatch(r"[a-z0-9]{1,20}", name) for name in event)
        assert RFC3339.fullmatch(event["time"])
        assert event["id"] == request.headers["webhook-id"]


def check_alertmanager_body(body: Any) -> None:
    assert set(body) >= _BODY
    assert body["version"] == "4"
    assert body["status"] in ("firing", "resolved")
    assert isinstance(body["truncatedAlerts"], int)
    for texts in ("groupLabels", "commonLabels", "commonAnnotations"):
        assert all(isinstance(text, str) for pair in body[texts].items() for text in pair)
    for alert in body["alerts"]:
        assert set(alert) >= _ALERT
        assert alert["status"] in ("firing", "resolved")
        assert RFC3339.fullmatch(alert["startsAt"])
        assert RFC3339.fullmatch(alert["endsAt"])
        assert all(isinstance(text, str) for pair in alert["labels"].items() for text in pair)
