"""PagerDuty's Events API v2 as its documentation has it: what it refuses, and what it makes of it.

https://developer.pagerduty.com/docs/events-api-v2/trigger-events/
"""

import re
from typing import Any

from tests.receivers.http import Receiver, Reply, Request, json_reply

ROUTING_KEY = "R0123456789abcdefghijklmnopqrstu"
_ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)")
_TOP = {
    "routing_key", "event_action", "dedup_key", "payload", "images", "links", "client",
    "client_url",
}  # fmt: skip
_PAYLOAD = {
    "summary", "source", "severity", "timestamp", "component", "group", "class", "custom_details",
}  # fmt: skip


def utf16(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


class PagerDutyReceiver(Receiver):
    """``alerts`` has the state by dedup_key, ``opened`` how often each was opened."""

    def __init__(self) -> None:
        super().__init__()
        self.alerts: dict[str, str] = {}
        self.opened: dict[str, int] = {}
        self.events: list[dict[str, Any]] = []
        self.changes: list[dict[str, Any]] = []

    @property
    def enqueue(self) -> str:
        return f"{self.url}/v2/enqueue"

    def answer(self, request: Request) -> Reply:
        if len(request.body) > 512 * 1000:
            return json_reply(413, status="too large")
        event = request.json
        faults = (
            list(_change_faults(event))
            if request.path == "/v2/change/enqueue"
            else list(_event_faults(event))
        )
        if request.headers["content-type"] != "application/json" or faults:
            return json_reply(400, status="invalid event", message="wrong", errors=faults)
        if request.path == "/v2/change/enqueue":
            self.changes.append(event)
            return json_reply(202, status="success", message="Change event processed")
        if request.path != "/v2/enqueue":
            return Reply(404)
        self._act(event)
        return json_reply(202, status="success", dedup_key=event["dedup_key"])

    def _act(self, event: dict[str, Any]) -> None:
        key, action = event["dedup_key"], event["event_action"]
        self.events.append(event)
        is_open = self.alerts.get(key) in ("triggered", "acknowledged")
        if action == "trigger" and not is_open:
            self.alerts[key] = "triggered"
            self.opened[key] = self.opened.get(key, 0) + 1
        elif action != "trigger" and is_open:
            self.alerts[key] = "resolved" if action == "resolve" else "acknowledged"


def _event_faults(event: dict[str, Any]) -> Any:
    if event.get("routing_key") != ROUTING_KEY:
        yield "routing_key is invalid"
    if set(event) - _TOP:
        yield f"unknown: {set(event) - _TOP}"
    if event.get("event_action") not in ("trigger", "acknowledge", "resolve"):
        yield "event_action is invalid"
    if not 0 < len(event.get("dedup_key", "")) <= 255:
        yield "dedup_key is invalid"
    if any(not link.get("href", "").startswith("http") for link in event.get("links", [])):
        yield "links"
    if event.get("event_action") == "trigger":
        yield from _payload_faults(event.get("payload", {}))


def _payload_faults(payload: dict[str, Any]) -> Any:
    if set(payload) - _PAYLOAD:
        yield f"unknown: {set(payload) - _PAYLOAD}"
    if not 0 < utf16(payload.get("summary", "")) <= 1024:
        yield "summary is invalid"
    if not payload.get("source"):
        yield "source is missing"
    if payload.get("severity") not in ("critical", "error", "warning", "info"):
        yield "severity is invalid"
    if not _ISO.fullmatch(payload.get("timestamp", "")):
        yield "timestamp is invalid"


def _change_faults(event: dict[str, Any]) -> Any:
    payload = event.get("payload", {})
    if event.get("routing_key") != ROUTING_KEY:
        yield "routing_key is invalid"
    if set(event) - {"routing_key", "payload", "links", "images"}:
        yield "unknown"
    if not 0 < utf16(payload.get("summary", "")) <= 1024:
        yield "summary is invalid"
    if set(payload) - {"summary", "source", "timestamp", "custom_details"}:
        yield "unknown in payload"
    if not _ISO.fullmatch(payload.get("timestamp", "")):
        yield "timestamp is invalid"
