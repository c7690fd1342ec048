"""A change told to a running server is heard by its receiver, once, whatever dies in between."""

import json
import os
import time
from pathlib import Path

import pytest
from tests.e2e.conftest import Server
from tests.receivers.pagerduty import ROUTING_KEY, PagerDutyReceiver

from seakeeping.records.codec import iso

TARGET = """\
apiVersion: openslo/v1
kind: AlertNotificationTarget
metadata:
  name: pager
  annotations: {{seakeeping.dev/url: '{url}', seakeeping.dev/secret-env: E2E_PAGER_KEY}}
spec: {{target: pagerduty}}
"""


def tell(server: Server, **fields: str) -> None:
    body = json.dumps({"target": "bot", **fields}).encode()
    status, answer = server.post("/api/changes", body, "application/json")
    assert status == 200, answer


def shown(server: Server) -> list[tuple[str, str]]:
    """Return how each message to the pager stands, as the API tells it."""
    items = server.get("/api/deliveries?target=pager")["items"]
    return [(one["kind"], one["state"]) for one in items]


def test_a_change_is_heard_once_over_a_crash_and_a_replay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "E2E_PAGER_KEY", ROUTING_KEY)
    with PagerDutyReceiver() as receiver:
        (tmp_path / "resources").mkdir()
        (tmp_path / "resources" / "pager.yaml").write_text(TARGET.format(url=receiver.enqueue))
        server = Server(tmp_path)
        server.start()
        try:
            tell(server, id="deploy-8", after="v8")
            tell(server, id="old", after="v1", at=iso(time.time() - 7200))
            server.until(lambda: receiver.changes)
            server.kill()
            server.start()
            tell(server, id="deploy-8", after="v8")
            tell(server, id="deploy-9", after="v9")
            server.until(lambda: len(receiver.changes) > 1)
            server.until(lambda: shown(server) == [("pagerduty", "delivered")] * 2)
        finally:
            server.stop()
    told = [event["payload"]["custom_details"]["id"] for event in receiver.changes]
    assert told == ["deploy-8", "deploy-9"]
