"""The router beside a real Alertmanager: the same alerts, the same messages in the same order."""

import json
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from tests.receivers.alertmanager import RunningAlertmanager, running_alertmanager
from tests.receivers.http import Receiver, Reply, Request
from tests.unit.decide.by_hand import alert, target

from seakeeping.decide.route import Router
from seakeeping.records import Alert, AlertState, Matcher, Routing, Severity, Silence
from seakeeping.records.codec import iso

pytestmark = pytest.mark.needs_alertmanager

CONFIG = """
route:
  receiver: back
  group_by: [service, slo]
  group_wait: 1s
  group_interval: 2s
  repeat_interval: 1h
receivers:
  - name: back
    webhook_configs:
      - url: {url}
        send_resolved: true
inhibit_rules:
  - source_matchers: ['severity="page"']
    target_matchers: ['severity="ticket"']
    equal: [service, slo]
global:
  resolve_timeout: {resolve_timeout}
"""
ROUTING = Routing(group_wait_s=1.0, group_interval_s=2.0, repeat_interval_s=3600.0)

Said = tuple[str, frozenset[str], frozenset[str]]
"""The status of a message, which alerts fire in it and which ended."""


@dataclass
class Heard(Receiver):
    said: dict[str, list[Said]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__()

    def answer(self, request: Request) -> Reply:
        body = request.json
        names = {
            state: frozenset(_name(a["labels"]) for a in body["alerts"] if a["status"] == state)
            for state in ("firing", "resolved")
        }
        told = (body["status"], names["firing"], names["resolved"])
        self.said.setdefault(body["groupLabels"]["slo"], []).append(told)
        return Reply()


def _name(labels: dict[str, str]) -> str:
    return f"{labels['alertname']}/{labels['severity']}"


class Stage:
    """Alerts as they come and go, told to both."""

    def __init__(self, alertmanager: RunningAlertmanager) -> None:
        self._url = alertmanager.url
        self._router = Router(ROUTING)
        self.alerts: dict[str, Alert] = {}
        self.silences: list[Silence] = []
        self.said: dict[str, list[Said]] = {}
        self.begun = time.time()

    def until(self, at_s: float) -> None:
        """Let the router look ten times a second."""
        while (now := time.time()) < self.begun + at_s:
            due = self._router.step(
                list(self.alerts.values()), now, targets=[target()], silences=self.silences
            )
            self._router.remember(due)
            for message in due:
                parts: dict[AlertState, set[str]] = {s: set() for s in AlertState}
                for each in message.alerts:
                    parts[each.state].add(_name(dict(each.labels)))
                told = (message.status, frozenset(parts[AlertState.FIRING]),
                        frozenset(parts[AlertState.RESOLVED]))  # fmt: skip
                self.said.setdefault(message.group_labels["slo"], []).append(told)
            time.sleep(0.1)

    def fire(self, *alerts: Alert) -> None:
        now = time.time()
        self._set([replace(each, starts_at=now) for each in alerts])

    def end(self, *alerts: Alert) -> None:
        now = time.time()
        standing = [self.alerts[each.fingerprint] for each in alerts]
        self._set([replace(a, state=AlertState.RESOLVED, ends_at=now) for a in standing])

    def silence(self, slo: str, seconds: float) -> None:
        now = time.time()
        self.silences.append(
            Silence("s", (Matcher("slo", slo),), now, now + seconds, "ann", "a test")
        )
        matcher = {"name": "slo", "value": slo, "isRegex": False, "isEqual": True}
        self._post("silences", {
            "matchers": [matcher], "startsAt": iso(now), "endsAt": iso(now + seconds),
            "createdBy": "ann", "comment": "a test",
        })  # fmt: skip

    def _set(self, alerts: Sequence[Alert]) -> None:
        self.alerts |= {each.fingerprint: each for each in alerts}
        wire: list[dict[str, Any]] = [
            {"labels": dict(a.labels), "startsAt": iso(a.starts_at),
             **({"endsAt": iso(a.ends_at)} if a.ends_at else {})}
            for a in alerts
        ]  # fmt: skip
        self._post("alerts", wire)

    def _post(self, what: str, body: object) -> None:
        request = urllib.request.Request(
            f"{self._url}/api/v2/{what}", data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )  # fmt: skip
        urllib.request.urlopen(request, timeout=10).close()


PAGE, TICKET = alert("a"), alert("a", severity=Severity.TICKET)
SECOND, OTHER, QUIET = alert("a", name="QualityEvidence"), alert("b"), alert("c")


def test_the_router_says_what_an_alertmanager_says(tmp_path: Path) -> None:
    with (
        Heard() as heard,
        running_alertmanager(tmp_path, heard.url, config_text=CONFIG) as alertmanager,
    ):
        stage = Stage(alertmanager)
        stage.silence("c", 8.0)
        stage.fire(PAGE, TICKET, OTHER, QUIET)
        stage.until(3.6)
        stage.fire(SECOND)
        stage.until(7.6)
        stage.end(PAGE)
        stage.until(11.6)
        stage.end(SECOND)  # which lets the ticket speak
        stage.until(15.6)
        stage.end(TICKET, OTHER, QUIET)
        stage.until(19.0)
    assert stage.said == heard.said
    assert [status for status, _, _ in heard.said["a"]] == ["firing"] * 4 + ["resolved"]
    assert heard.said["c"][0] == ("firing", frozenset({"ErrorBudgetBurn/page"}), frozenset())
