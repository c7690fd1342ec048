"""The edge process in its tree: light, quick to say what is wrong, and polite when it ends."""

import json
import signal
import socket
import time
import urllib.error
import urllib.request
from pathlib import Path

import psutil
import pytest
from tests.e2e.conftest import Server

from seakeeping.control.ports import free_port

PSS_MB = 85
"""It was 80 until the pages on budgets brought NumPy (12); SQLAlchemy has 20, gRPC 8."""


def status_of(server: Server, path: str, method: str = "GET") -> int:
    request = urllib.request.Request(server.url + path, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_health_readiness_pages_and_api_answer(server: Server) -> None:
    assert server.get("/healthz") == {"status": "ok"}
    assert server.get("/readyz")["checks"] == {
        "spool": True, "pipeline": True, "store": True, "controller": True,
    }  # fmt: skip
    assert "No calls yet" in server.get("/", raw=True)
    assert server.get("/api/services") == {"items": [], "next": None}
    assert server.get("/api/openapi.json")["openapi"] == "3.1.0"


def test_metrics_sum_over_the_processes(server: Server) -> None:
    assert server.post("/v1/traces", b"", "application/x-protobuf")[0] == 200
    text = server.get("/metrics", raw=True)
    assert 'seakeeping_export_requests_total{status="200",transport="http"}' in text
    assert "# TYPE seakeeping_spool_commit_seconds histogram" in text


def test_metrics_tell_of_rows_stored_and_of_parts_restarted(own_server: Server) -> None:
    span = {"traceId": "a" * 32, "spanId": "b" * 16, "name": "GET /"}
    body = {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}
    status, _ = own_server.post("/v1/traces", json.dumps(body).encode(), "application/json")
    assert status == 200

    def tells(line: str) -> bool:
        return line in own_server.get("/metrics", raw=True)

    own_server.until(lambda: tells('seakeeping_stored_rows_total{table="spans"} 1.0'))
    psutil.Process(own_server.pid("pipeline")).kill()
    own_server.until(lambda: tells('seakeeping_process_restarts_total{role="pipeline"} 1.0'))


def test_the_edge_is_light(server: Server) -> None:
    for path in ("/", "/interactions", "/api/budgets", "/metrics"):
        server.get(path, raw=True)
    pss_mb = psutil.Process(server.pid("edge")).memory_full_info().pss / 2**20
    assert pss_mb <= PSS_MB, f"{pss_mb:.0f} MB"


def test_a_hung_store_is_said_within_seconds_and_telemetry_is_still_taken(
    own_server: Server,
) -> None:
    own_server.get("/api/services")
    own_server.signal("store", signal.SIGSTOP)
    try:
        began = time.monotonic()
        assert status_of(own_server, "/api/services?window=30d") == 503
        assert status_of(own_server, "/") == 503
        assert time.monotonic() - began < 12
        assert own_server.post("/v1/traces", b"", "application/x-protobuf")[0] == 200
        assert own_server.get("/healthz") == {"status": "ok"}
    finally:
        own_server.signal("store", signal.SIGCONT)
    own_server.until(lambda: status_of(own_server, "/api/services") == 200)


def test_an_open_event_stream_does_not_hold_up_the_end(own_server: Server) -> None:
    with socket.create_connection(("127.0.0.1", own_server.port or 0), timeout=20) as stream:
        stream.sendall(b"GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        heard = b""
        while b"event: hello" not in heard:
            heard += stream.recv(4096)
        began = time.monotonic()
        own_server.stop()
        assert time.monotonic() - began < 10
        while rest := stream.recv(4096):
            heard += rest
    assert b"event: hello" in heard


def test_an_admin_port_takes_pages_and_api_off_the_data_port(tmp_path: Path) -> None:
    admin = free_port()
    server = Server(tmp_path, "--admin-port", str(admin))
    server.start()
    try:
        assert status_of(server, "/") == 404
        assert status_of(server, "/api/interactions") == 404
        assert status_of(server, "/healthz") == 200
        assert server.post("/v1/traces", b"", "application/x-protobuf")[0] == 200
        server.port, data_port = admin, server.port
        assert status_of(server, "/") == 200
        assert status_of(server, "/api/interactions") == 200
        assert status_of(server, "/v1/traces", "POST") == 404
        server.port = data_port
    finally:
        server.stop()


@pytest.mark.parametrize("host", ["evil.example", "evil.example:4318"])
def test_a_foreign_name_is_refused(server: Server, host: str) -> None:
    request = urllib.request.Request(server.url + "/", headers={"Host": host})
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=10)
    with caught.value as error:
        assert error.code == 403
        assert error.headers["Content-Security-Policy"]
