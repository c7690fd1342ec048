"""One port or two, and errors spelt for whoever asked."""

import os
from pathlib import Path
from typing import Any

import orjson
import pytest
from prometheus_client import values
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from seakeeping.errors import NotFound, StoreUnavailable
from seakeeping.web import health
from seakeeping.web.app import build_app, data_routes
from seakeeping.web.testing import Client, MemoryStore, StillClock, make_room
from seakeeping.web.testing.decided_sample import fill_decided

CLOCK = StillClock()


async def fine(request: Request) -> PlainTextResponse:
    return PlainTextResponse("fine")


async def failing(request: Request) -> PlainTextResponse:
    raise {"missing": NotFound("not here"), "away": StoreUnavailable("away")}.get(
        request.path_params["how"], ZeroDivisionError("a bug")
    )


def routes(*paths: str) -> list[Route]:
    return [Route(path, fine) for path in paths]


def paths(made: list[Route]) -> list[str]:
    return [route.path for route in made]


def test_one_port_serves_everything() -> None:
    data, admin = data_routes(
        routes("/v1/traces"), routes("/healthz"), routes("/api/x"), is_shared=True
    )
    assert (paths(data), paths(admin)) == (["/v1/traces", "/healthz", "/api/x"], [])


def test_an_admin_port_leaves_only_telemetry_and_health_on_the_data_port() -> None:
    data, admin = data_routes(
        routes("/v1/traces"), routes("/healthz"), routes("/api/x"), is_shared=False
    )
    assert paths(data) == ["/v1/traces", "/healthz"]
    assert paths(admin) == ["/healthz", "/api/x"]


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [("missing", 404, "not_found"), ("away", 503, "store_unavailable")],
)
def test_a_port_without_pages_answers_errors_in_json(path: str, status: int, code: str) -> None:
    app = build_app([Route("/x/{how}", failing)], None, lambda inner: inner)
    answer = Client(app).get(f"/x/{path}")
    assert answer.status == status
    assert answer.json()["error"]["code"] == code


def test_a_bug_is_a_500_that_tells_nothing(tmp_path: Path) -> None:
    made = make_room(MemoryStore(), tmp_path, CLOCK)
    for pages in (None, made.pages):
        sent: list[Any] = []
        app = build_app([Route("/x/{how}", failing)], pages, lambda inner: inner)
        with pytest.raises(ZeroDivisionError):  # for the server's log
            Client(app, sent=sent).get("/x/bug")
        assert sent[0]["status"] == 500
        assert b"a bug" not in b"".join(m.get("body", b"") for m in sent)
        names = [name for name, _ in sent[0]["headers"]]
        assert b"content-security-policy" in names
    made.close()


def test_the_guard_stands_before_every_route() -> None:
    async def closed(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("no", 401)(scope, receive, send)

    def guard(inner: ASGIApp) -> ASGIApp:
        return closed

    answer = Client(build_app(routes("/"), None, guard)).get("/")
    assert answer.status == 401
    assert "content-security-policy" in answer.headers


def ready_room(
    folder: Path, *, is_away: bool = False, state: str = "running",
    decided_s_ago: float | None = 5.0, ledger_is_away: bool = False,
) -> Any:  # fmt: skip
    (folder / "run").mkdir()
    (folder / "spool").mkdir()
    report = {"at": CLOCK.now(), "roles": {"pipeline": {"state": state}}}
    (folder / "run" / "status.json").write_bytes(orjson.dumps(report))
    store = MemoryStore()
    store.is_away = is_away
    made = make_room(store, folder, CLOCK)
    if decided_s_ago is not None:
        fill_decided(made.decided, CLOCK.now())
        made.decided.at = CLOCK.now() - decided_s_ago
    made.decided.is_away = ledger_is_away
    answer = Client(made.app).get("/readyz")
    made.close()
    return answer.status, answer.json()


def test_ready_is_when_telemetry_is_taken_worked_on_and_readable(tmp_path: Path) -> None:
    checks = {"spool": True, "pipeline": True, "store": True, "controller": True}
    assert ready_room(tmp_path) == (200, {"ready": True, "checks": checks})


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        ({"is_away": True}, "store"),
        ({"state": "restarting"}, "pipeline"),
    ],
)
def test_not_ready_names_what_is_missing(
    tmp_path: Path, change: dict[str, Any], missing: str
) -> None:
    status, body = ready_room(tmp_path, **change)
    assert (status, body["ready"]) == (503, False)
    assert [name for name, is_fine in body["checks"].items() if not is_fine] == [missing]


@pytest.mark.parametrize(
    "change", [{"decided_s_ago": 31.0}, {"decided_s_ago": None}, {"ledger_is_away": True}]
)
def test_a_controller_that_does_not_decide_is_told_and_telemetry_goes_on(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    status, body = ready_room(tmp_path, **change)
    assert (status, body["ready"], body["checks"]["controller"]) == (200, True, False)


def test_metrics_are_summed_over_the_files_of_all_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    for pid in (1, 2):
        make: Any = values.MultiProcessValue  # its typing says nothing
        value = make(lambda pid=pid: pid)(
            "counter", "sea_miles", "sea_miles_total", (), (), "Miles sailed"
        )
        value.inc(10 * pid)
    assert len(os.listdir(tmp_path)) == 2
    families = {family.name: family for family in health.registry().collect()}
    assert [sample.value for sample in families["sea_miles"].samples] == [30.0]
