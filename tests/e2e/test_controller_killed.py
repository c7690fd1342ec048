"""``kill -9`` of the controller while traffic flows: nothing lost, decided or told twice."""

import random
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e import watching
from tests.e2e.conftest import Server
from tests.receivers.http import Reply, Request
from tests.receivers.webhooks import WebhookReceiver

from seakeeping.store.ledger import open_at
from seakeeping.store.ledger.incidents import Incidents

SEED = 20261123
ROUTING = "kind: AlertRouting\nversion: 1\ngroup_wait: 12s\n---\n"
"""A group is told some looks after it began: time to be killed in between."""


@pytest.fixture
def receiver() -> Iterator[WebhookReceiver]:
    with WebhookReceiver() as receiver:
        yield receiver


@pytest.fixture
def server(tmp_path: Path, receiver: WebhookReceiver) -> Iterator[Server]:
    running = Server(tmp_path)
    watching.resource(running, ROUTING + watching.webhook_at(receiver.url))
    running.start()
    yield running
    running.stop()


class Killer:
    """Kills the controller, and sees that it comes back."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.deaths = 0

    def kill(self) -> None:
        self._server.signal("controller", signal.SIGKILL)
        self.deaths += 1

    def kill_and_wait(self) -> None:
        self.kill()
        self._server.until(lambda: watching.works_again(self._server, "controller", self.deaths))

    def kill_with_the_first_message(self, request: Request) -> Reply | None:
        """Die when the receiver has the message and before it can say so."""
        if not self._has_struck:
            self._has_struck = True
            self.kill()
        return None

    _has_struck = False


def test_a_controller_killed_at_any_moment_goes_on_where_it_was(
    server: Server, receiver: WebhookReceiver
) -> None:
    chance, killer = random.Random(SEED), Killer(server)
    receiver.disturb = killer.kill_with_the_first_message
    with watching.Traffic(server) as traffic:
        server.until(lambda: watching.counted(server)[0] >= 20)
        for is_bad in (False, True):
            traffic.is_bad = is_bad
            watching.pause(chance.uniform(0.1, 2.0))
            killer.kill_and_wait()
        server.until(lambda: watching.alerts(server) == {"page", "ticket"})
        watching.pause(chance.uniform(0.1, 1.0))
        killer.kill_and_wait()
    server.until(lambda: watching.counted(server) == traffic.total)
    assert watching.exported(server) == traffic.total
    server.until(lambda: len(receiver.deliveries) == 2, within_s=45)
    server.until(lambda: watching.works_again(server, "controller", killer.deaths))

    assert len(receiver.acted) == 1, "sent again under the key that the receiver knows"
    (message,) = receiver.acted.values()
    assert {one["labels"]["severity"] for one in message["alerts"]} == {"page"}
    server.until(lambda: watching.counted(server) == traffic.total)
    assert_decided_once(server)
    assert len(receiver.deliveries) == 2
    assert watching.role(server, "controller")["restarts"] == killer.deaths == 4


def assert_decided_once(server: Server) -> None:
    (incident,) = watching.incidents(server)
    assert [step["action"] for step in incident["timeline"]].count("opened") == 1
    ledger = open_at(f"sqlite:///{server.data / 'ledger.db'}")
    try:
        verdict = Incidents(ledger).verify(incident["id"])
        assert verdict is not None
        assert verdict.is_intact, verdict.flaws
        fired = Counter(e.subject for e in ledger.audit_entries() if e.action == "alert.firing")
    finally:
        ledger.close()
    assert len(fired) == 2
    assert set(fired.values()) == {1}
