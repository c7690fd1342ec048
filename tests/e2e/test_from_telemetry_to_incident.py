"""The whole tree: a bad release comes in as telemetry, and leaves as one message about it.

Nothing here is made by hand but the calls: OTLP in, then scores, budgets, alerts, one incident, its
diagnosis and the webhook, by the processes that ``seakeeping up`` starts.
"""

import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.e2e import watching
from tests.e2e.conftest import Server
from tests.e2e.test_server_survives import call, retrieval
from tests.receivers.webhooks import WebhookReceiver

from seakeeping.records import Span

ROUTING = "kind: AlertRouting\nversion: 1\ngroup_by: [service]\ngroup_wait: 2s\n"
"""What goes wrong with one service within two seconds is one message."""

SWIFT = """
apiVersion: openslo/v1
kind: SLO
metadata: {name: swift}
spec:
  service: shop
  indicator:
    metadata: {name: latency}
    spec:
      thresholdMetric:
        metricSource: {type: seakeeping, spec: {signal: latency}}
  budgetingMethod: Occurrences
  objectives: [{target: 0.99, op: lte, value: 10}]
"""
"""An objective that somebody wrote, in the place of the shipped one on latency."""

OLD, NEW = "1.4.0", "1.5.0"
TENANTS = ("acme", "globex", "initech")
POLICY = (
    "Refund policy. A refund takes five days after the parcel has come back. "
    "It costs 12 euros, paid by the customer. Parcels go to the harbour in Rotterdam."
)
FIRST_RETRIEVAL = 1_000_000
GOOD = "The refund takes five days. It costs 12 euros."
INVENTED = "The refund takes ninety days. It costs 480 dollars, and parcels go to Singapore."


@pytest.fixture
def receiver() -> Iterator[WebhookReceiver]:
    with WebhookReceiver() as receiver:
        yield receiver


@pytest.fixture
def server(tmp_path: Path, receiver: WebhookReceiver) -> Iterator[Server]:
    running = Server(tmp_path)
    watching.resource(running, watching.webhook_at(receiver.url))
    watching.resource(running, ROUTING, "routing.yaml")
    watching.resource(running, SWIFT, "swift.yaml")
    running.start()
    yield running
    running.stop()


def with_document(calls: Iterable[Span]) -> Iterator[Span]:
    """Yield calls, each after the retrieval of what its answer is to be held against."""
    for one in calls:
        number = FIRST_RETRIEVAL + int(one.trace_id, 16)
        found = retrieval(number, one.trace_id, one.started_at - 0.2, POLICY)
        yield replace(found, service_name=one.service_name, resource=one.resource)
        yield one


def calls(numbers: Iterable[int], since: float, until: float, version: str) -> Iterator[Span]:
    """Yield good calls of one version by three tenants, evenly over a time."""
    known = list(numbers)
    for place, number in enumerate(known):
        one = call(number, at=since + (until - since) * place / len(known), answer=GOOD)
        yield replace(
            one,
            service_name="shop",
            resource={"service.name": "shop", "service.version": version},
            attributes={
                **one.attributes,
                "seakeeping.tenant": TENANTS[number % len(TENANTS)],
            },
        )


def failed(one: Span) -> Span:
    attributes = {**one.attributes, "error.type": "timeout"}
    return replace(one, status="error", error_type="timeout", attributes=attributes)


def slow(one: Span) -> Span:
    return replace(one, duration_s=25.0)


def invented(one: Span) -> Span:
    told = str(one.attributes["gen_ai.output.messages"]).replace(GOOD, INVENTED)
    return replace(one, attributes={**one.attributes, "gen_ai.output.messages": told})


def rolled_out(
    first: int, count: int, since: float, until: float, spoilt: Iterable[Any]
) -> list[Span]:
    """Return as many calls of the old version, good ones, as of the new, each spoilt in turn."""
    ways = list(spoilt)
    news = calls(range(first + count, first + 2 * count), since, until, NEW)
    return [
        *calls(range(first, first + count), since, until, OLD),
        *(ways[place % len(ways)](one) for place, one in enumerate(news)),
    ]


def the_only_incident(server: Server) -> dict[str, Any] | None:
    """Return the incident once it has causes; there must never be another."""
    found = watching.incidents(server)
    assert len(found) <= 1
    if not found or not (found[0]["diagnosis"] or {}).get("causes"):
        return None
    return found[0]


def test_a_release_that_fails_and_is_slow_becomes_one_incident_and_one_message(
    server: Server, receiver: WebhookReceiver
) -> None:
    began = time.monotonic()
    now = time.time()
    watching.send(server, calls(range(1, 601), now - 3 * 3600, now - 300, OLD))
    server.until(lambda: watching.counted(server) == (600, 0))
    assert watching.alerts(server) == set()
    assert watching.incidents(server) == []

    watching.send(server, rolled_out(1001, 150, now - 240, now - 30, (failed, slow)))
    server.until(lambda: watching.counted(server) == (900, 75))
    server.until(lambda: "page" in watching.alerts(server))
    server.until(lambda: "page" in watching.alerts(server, "swift"))
    incident = server.until(lambda: the_only_incident(server))
    server.until(lambda: receiver.acted)
    told_after = time.monotonic() - began

    cause = incident["diagnosis"]["causes"][0]
    assert cause["slice"] == {"service_version": NEW}
    assert NEW in incident["diagnosis"]["summary"]
    assert incident["service"] == "shop"
    assert incident["severity"] == "page"

    watching.pause(4.0)
    (message,) = receiver.acted.values()
    assert {one["labels"]["slo"] for one in message["alerts"]} == {
        "shop/availability",
        "swift",
    }
    assert {one["labels"]["severity"] for one in message["alerts"]} == {"page"}
    assert message["groupLabels"] == {"service": "shop"}
    assert len(receiver.deliveries) == 1
    (still,) = watching.incidents(server)
    assert still["id"] == incident["id"]
    assert NEW in server.get(f"/incidents/{incident['id']}", raw=True)
    assert watching.role(server, "controller")["restarts"] == 0
    assert told_after < 60


def label_as_supported(server: Server, numbers: Iterable[int]) -> None:
    labels = [
        {
            "trace_id": f"{n:032x}",
            "span_id": f"{n:016x}",
            "name": "faithfulness",
            "label": "supported",
        }
        for n in numbers
    ]
    body = json.dumps({"labels": labels}).encode()
    status, answer = server.post("/api/labels", body, "application/json")
    assert status == 200, answer


def test_a_release_that_invents_becomes_one_incident_and_one_message(
    server: Server, receiver: WebhookReceiver
) -> None:
    now, slo = time.time(), "shop/faithfulness"
    past = calls(range(1, 601), now - 27 * 3600, now - 300, OLD)
    watching.send(server, with_document(past))
    server.until(lambda: watching.counted(server, slo) == (600, 0))
    label_as_supported(server, range(1, 6))  # what is usual here is worked out with new labels
    watching.pause(3.0)
    assert watching.alerts(server, slo) == set()

    release = [
        *calls(range(1001, 1061), now - 240, now - 30, OLD),
        *map(invented, calls(range(2001, 2241), now - 240, now - 30, NEW)),
    ]
    watching.send(server, with_document(release))
    server.until(lambda: watching.counted(server, slo)[0] == 900)
    server.until(lambda: "page" in watching.alerts(server, slo))
    incident = server.until(lambda: the_only_incident(server))
    server.until(lambda: receiver.acted)

    assert incident["diagnosis"]["objective"] == slo
    assert incident["diagnosis"]["causes"][0]["slice"] == {"service_version": NEW}
    budget = watching.budget(server, slo)
    assert budget is not None
    assert budget["state"] == "UNCERTAIN", "five labels do not say how good the detector is"
    watching.pause(4.0)
    (message,) = receiver.acted.values()
    assert {one["labels"]["slo"] for one in message["alerts"]} == {slo}
    assert len(receiver.deliveries) == len(watching.incidents(server)) == 1
