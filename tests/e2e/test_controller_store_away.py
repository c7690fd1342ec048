"""The ledger or the store is away: it is said, telemetry is taken, the loop catches up."""

import json
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest
from tests.e2e import watching
from tests.e2e.conftest import Server


@contextmanager
def locked(ledger: Path) -> Iterator[None]:
    """Hold the lock that every writer of a SQLite file needs."""
    stranger = sqlite3.connect(ledger, isolation_level=None)
    stranger.execute("BEGIN EXCLUSIVE")
    yield
    stranger.rollback()
    stranger.close()


def measured_at(server: Server) -> float:
    """Return of which moment the budgets are that the API tells."""
    found = watching.budget(server)
    assert found is not None
    return datetime.fromisoformat(found["at"]).timestamp()


def checks(server: Server) -> dict[str, bool]:
    _, body = server.status("/readyz")
    found: dict[str, bool] = json.loads(body)["checks"]
    return found


def burnt_and_caught_up(server: Server, traffic: watching.Traffic) -> None:
    """See that everything that was sent is counted, and that it was noticed, once."""
    server.until(lambda: watching.counted(server) == traffic.total)
    server.until(lambda: watching.alerts(server) == {"page", "ticket"})
    server.until(lambda: watching.incidents(server))
    assert len(watching.incidents(server)) == 1
    assert server.is_ready()
    assert time.time() - measured_at(server) < 5


def test_a_locked_ledger_stops_decisions_and_nothing_else(own_server: Server) -> None:
    server = own_server
    with watching.Traffic(server) as traffic:
        server.until(lambda: watching.counted(server)[0] >= 20)
        with locked(server.data / "ledger.db"):
            locked_at = time.time()
            traffic.is_bad = True
            watching.pause(12.0)
            assert locked_at - 3 < measured_at(server) < locked_at + 3, "as of then, and it says so"
            assert watching.counted(server)[1] == 0
            assert watching.alerts(server) == set()
            silence = {"matchers": [{"name": "slo", "value": "x"}], "comment": "quiet",
                       "ends_at": "2100-01-01T00:00:00Z"}  # fmt: skip
            status, answer = server.post(
                "/api/silences", json.dumps(silence).encode(), "application/json"
            )
            assert status == 503
            assert "ledger" in json.loads(answer)["error"]["message"]
            assert "ledger_unavailable" in server.get("/metrics", raw=True)
            assert server.get("/api/services?window=1h")["items"], "the store can be read"
    burnt_and_caught_up(server, traffic)
    assert server.get("/api/silences")["items"] == []
    assert watching.role(server, "controller")["restarts"] == 0
    assert watching.role(server, "edge")["restarts"] == 0


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_store_that_dies_or_hangs_is_made_up_for(
    own_server: Server, number: signal.Signals
) -> None:
    server = own_server
    with watching.Traffic(server) as traffic:
        server.until(lambda: watching.counted(server)[0] >= 20)
        server.signal("store", number)
        traffic.is_bad = True
        if number is signal.SIGSTOP:
            server.until(lambda: not checks(server)["store"])
            stood_at = measured_at(server)
            watching.pause(6.0)
            assert measured_at(server) == stood_at
            assert watching.counted(server)[1] == 0
        server.until(lambda: watching.works_again(server, "store", 1), within_s=40)
        watching.pause(1.0)
    burnt_and_caught_up(server, traffic)
    assert watching.role(server, "controller")["restarts"] == 0
