"""What end-to-end tests of the control loop send, and how they look at what it decided."""

import json
import threading
import time
import urllib.request
from collections.abc import Iterable
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from prometheus_client.parser import text_string_to_metric_families
from tests.e2e.conftest import Server
from tests.e2e.test_server_survives import PROTOBUF, TRACES, call

from seakeeping.ingest.otlp import encode_traces
from seakeeping.observe.slo_labels import BAD_TOTAL, VALID_TOTAL
from seakeeping.records import Span

DAY = 86_400.0
AVAILABILITY = "shop/availability"
"""The shipped objective that these tests burn: 99.5 % over 30 days."""


def calls(
    numbers: Iterable[int], *, at: float | None = None, bad: bool = False, service: str = "shop"
) -> list[Span]:
    """Return calls that began at a moment (by default 5 s ago); bad ones failed."""
    return [_call(number, at, bad, service) for number in numbers]


def _call(number: int, at: float | None, bad: bool, service: str) -> Span:
    one = replace(call(number, at=at), service_name=service, resource={"service.name": service})
    if not bad:
        return one
    failed = {**one.attributes, "error.type": "timeout"}
    return replace(one, status="error", error_type="timeout", attributes=failed)


def send(server: Server, spans: Iterable[Span]) -> None:
    """Send spans in one body."""
    assert server.post(TRACES, encode_traces(list(spans)), PROTOBUF) == (200, b"")


class Traffic:
    """Five calls every tenth of a second within a ``with`` block; what was sent is counted."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.is_bad = False
        self.sent = self.bad = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()

    @property
    def total(self) -> tuple[float, float]:
        """What was sent so far, and how much of it was bad."""
        return self.sent, self.bad

    def _run(self) -> None:
        while not self._ended.wait(0.1):
            is_bad, first = self.is_bad, self.sent + 1
            send(self._server, calls(range(first, first + 5), bad=is_bad))
            self.sent += 5
            self.bad += 5 * is_bad


def budget(server: Server, name: str = AVAILABILITY) -> dict[str, Any] | None:
    """Return a budget as last measured; None where there is none."""
    items = server.get("/api/budgets")["items"]
    return next((one for one in items if one["objective"]["name"] == name), None)


def counted(server: Server, name: str = AVAILABILITY) -> tuple[float, float]:
    """Return the valid and the bad events of a budget's window."""
    found = budget(server, name)
    return (found["valid_total"], found["bad_total"]) if found else (0, 0)


def exported(server: Server, name: str = AVAILABILITY) -> tuple[float, float]:
    """Return the valid and the bad events that ``/metrics`` counts for an objective."""
    families = text_string_to_metric_families(server.get("/metrics", raw=True))
    known = {
        sample.name: sample.value
        for family in families
        for sample in family.samples
        if "/".join(sample.labels.get(part, "") for part in ("sloth_service", "sloth_slo")) == name
    }
    return known[VALID_TOTAL], known[BAD_TOTAL]


def alerts(server: Server, name: str = AVAILABILITY, *, state: str = "firing") -> set[str]:
    """Return the severities of the alerts of an objective that are in a state."""
    items = server.get(f"/api/alerts?state={state}")["items"]
    return {one["severity"] for one in items if one["objective"] == name}


def incidents(server: Server) -> list[dict[str, Any]]:
    """Return all incidents, each with its timeline."""
    return [
        server.get(f"/api/incidents/{one['id']}") for one in server.get("/api/incidents")["items"]
    ]


def ask(server: Server, method: str, path: str, body: object = None) -> Any:
    """Send JSON with a method that has no other helper; return the answer's JSON."""
    request = urllib.request.Request(server.url + path, method=method)
    request.data = None if body is None else json.dumps(body).encode()
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.loads(response.read())


def role(server: Server, name: str) -> dict[str, Any]:
    """Return what the supervisor knows of a part."""
    status = json.loads((server.data / "run" / "status.json").read_text())
    found: dict[str, Any] = status["roles"][name]
    return found


def works_again(server: Server, name: str, restarts: int) -> bool:
    """Tell whether a part runs after so many restarts."""
    found = role(server, name)
    return bool(found["state"] == "running" and found["restarts"] >= restarts)


def resource(server: Server, text: str, name: str = "mine.yaml") -> None:
    """Write a resource file of the server, at once."""
    folder = server.data / "resources"
    folder.mkdir(exist_ok=True)
    fresh = folder / f"{name}.new"
    fresh.write_text(text)
    fresh.rename(folder / name)


def webhook_at(url: str) -> str:
    """Return the document of a target."""
    return (
        "apiVersion: openslo/v1\nkind: AlertNotificationTarget\n"
        f'metadata: {{name: hook, annotations: {{seakeeping.dev/url: "{url}"}}}}\n'
        "spec: {target: webhook}\n"
    )


def pause(seconds: float) -> None:
    """Let real processes work for a moment."""
    time.sleep(seconds)
