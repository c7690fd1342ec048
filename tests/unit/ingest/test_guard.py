"""The guard: keys open what their scopes say, and no web page opens anything."""

import asyncio
import base64
import json
from typing import Any

import pytest
from google.rpc.status_pb2 import Status
from prometheus_client import REGISTRY
from starlette.types import Message, Receive, Send
from starlette.types import Scope as Connection

from seakeeping.config.keys import PREFIX, Scope, hash_key, mint_key
from seakeeping.errors import BadSetting, Refused
from seakeeping.ingest.guard import (
    ALL_SCOPES,
    Guard,
    GuardMiddleware,
    KeyRing,
    credential,
    is_loopback,
    required_scope,
)

KEY, READ_KEY, ADMIN_KEY = mint_key(), mint_key(), mint_key()
STORED = {
    hash_key(KEY): frozenset({"receive"}),
    hash_key(READ_KEY): frozenset({"read"}),
    hash_key(ADMIN_KEY): frozenset({"admin"}),
}


def keyless(**changes: Any) -> Guard:
    return Guard(KeyRing(dict), **{"host": "127.0.0.1", **changes})


def keyed(**changes: Any) -> Guard:
    return Guard(KeyRing(lambda: STORED), **{"host": "0.0.0.0", **changes})


def refusals(reason: str) -> float:
    return REGISTRY.get_sample_value("seakeeping_refused_requests_total", {"reason": reason}) or 0.0


def basic(user: str, password: str) -> dict[str, str]:
    value = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {"authorization": f"Basic {value}"}


# Keys


def test_keys_are_long_and_never_the_same() -> None:
    assert mint_key() != mint_key()
    assert mint_key().startswith(PREFIX)
    assert len(mint_key()) >= len(PREFIX) + 43


def test_what_is_stored_does_not_tell_the_key() -> None:
    assert KEY not in hash_key(KEY)
    assert len(hash_key(KEY)) == 64


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": f"Bearer {KEY}"},
        {"authorization": f"bearer  {KEY} "},
        {"x-api-key": KEY},
        basic("pk-anything", KEY),
        basic(KEY, ""),
    ],
)
def test_a_key_is_found_wherever_clients_put_it(headers: dict[str, str]) -> None:
    assert credential(headers) == KEY
    assert keyed().admit(headers, "POST", Scope.RECEIVE) == {"receive"}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer"},
        {"authorization": "Basic !!!"},
        {"authorization": "Basic /w=="},
        {"authorization": "Digest abc"},
        basic("", ""),
        {"x-api-key": ""},
    ],
)
def test_no_key_is_none(headers: dict[str, str]) -> None:
    assert credential(headers) is None
    before = refusals("no_key")
    with pytest.raises(Refused, match="a key is needed") as caught:
        keyed().admit(headers, "POST", Scope.RECEIVE)
    assert caught.value.status == 401
    assert refusals("no_key") == before + 1


def test_an_unknown_key_is_refused() -> None:
    with pytest.raises(Refused, match="not known") as caught:
        keyed().admit({"x-api-key": KEY + "x"}, "POST", Scope.RECEIVE)
    assert caught.value.status == 401


def test_a_key_without_the_scope_is_refused() -> None:
    with pytest.raises(Refused, match="scope receive") as caught:
        keyed().admit({"x-api-key": READ_KEY}, "POST", Scope.RECEIVE)
    assert caught.value.status == 403


@pytest.mark.parametrize("scope", list(Scope))
def test_admin_opens_everything(scope: Scope) -> None:
    assert keyed().admit({"x-api-key": ADMIN_KEY}, "POST", scope) == {"admin"}


def test_health_needs_no_key() -> None:
    assert keyed().admit({}, "GET", None) == ALL_SCOPES


def test_keys_change_while_we_run() -> None:
    stored: dict[str, frozenset[str]] = {}
    ring = KeyRing(lambda: stored)
    guard = Guard(ring, host="127.0.0.1")
    assert guard.admit({"host": "localhost"}, "POST", Scope.RECEIVE) == ALL_SCOPES
    stored[hash_key(KEY)] = frozenset({"receive"})
    ring.refresh()
    with pytest.raises(Refused):
        guard.admit({"host": "localhost"}, "POST", Scope.RECEIVE)
    assert guard.admit_key(KEY, Scope.RECEIVE) == {"receive"}
    stored.clear()
    ring.refresh()
    assert guard.admit_key(None, Scope.ADMIN) == ALL_SCOPES


def test_a_key_of_the_nodes_own_makes_nobody_need_one_and_opens_once_they_do() -> None:
    stored: dict[str, frozenset[str]] = {}
    own = "of-this-run"
    ring = KeyRing(lambda: stored, {hash_key(own): frozenset({"receive", "act"})})
    guard = Guard(ring, host="127.0.0.1")
    assert not ring.has_keys
    assert guard.admit_key(None, Scope.ADMIN) == ALL_SCOPES
    stored[hash_key(KEY)] = frozenset({"receive"})
    ring.refresh()
    with pytest.raises(Refused):
        guard.admit_key(None, Scope.RECEIVE)
    assert guard.admit_key(own, Scope.ACT) == {"receive", "act"}
    with pytest.raises(Refused):
        guard.admit_key(own, Scope.ADMIN)


def test_keys_that_cannot_be_read_stay_as_they_were() -> None:
    reads = [STORED]
    ring = KeyRing(lambda: reads.pop())
    with pytest.raises(IndexError):
        ring.refresh()
    assert ring.scopes(KEY) == frozenset({"receive"})


# Where it listens


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "[::1]", "127.8.8.8"])
def test_loopback_needs_no_key(host: str) -> None:
    assert is_loopback(host)
    keyless(host=host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "example.com", ""])
def test_any_other_address_needs_one(host: str) -> None:
    with pytest.raises(BadSetting, match="no key exists"):
        keyless(host=host)
    keyed(host=host)


# Browsers


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:4318", "127.0.0.1:4318", "[::1]:4318", "LOCALHOST:1", "box:1"]
)
def test_known_names_are_answered(host: str) -> None:
    assert keyless(hosts=["box"]).admit({"host": host}, "POST", Scope.RECEIVE) == ALL_SCOPES


@pytest.mark.parametrize(
    "host", ["", "evil.example", "evil.example:4318", "localhost.evil.example", "10.0.0.1"]
)
def test_a_name_that_was_rebound_to_us_is_refused(host: str) -> None:
    before = refusals("host")
    with pytest.raises(Refused, match="not answered") as caught:
        keyless().admit({"host": host}, "GET", Scope.READ)
    assert caught.value.status == 403
    assert refusals("host") == before + 1


def test_with_keys_any_name_will_do() -> None:
    headers = {"host": "collector.internal", "x-api-key": KEY}
    assert keyed().admit(headers, "POST", Scope.RECEIVE) == {"receive"}


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://localhost:3000", "file://", "::", ""]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_foreign_page_is_refused(origin: str, method: str) -> None:
    headers = {"host": "localhost:4318", "origin": origin, "x-api-key": KEY}
    for guard in (keyless(), keyed()):
        with pytest.raises(Refused, match="may not call"):
            guard.admit(headers, method, Scope.RECEIVE)


def test_our_own_page_and_trusted_ones_may_call() -> None:
    guard = keyless(hosts=["app.example"])
    for origin in ("http://localhost:4318", "https://app.example", "http://app.example:3000"):
        headers = {"host": "localhost:4318", "origin": origin}
        assert guard.admit(headers, "POST", Scope.ACT) == ALL_SCOPES


def test_a_link_from_another_site_opens_a_page_but_posts_nothing() -> None:
    headers = {"host": "localhost", "sec-fetch-site": "cross-site"}
    assert keyless().admit(headers, "GET", Scope.READ) == ALL_SCOPES
    with pytest.raises(Refused, match="another site"):
        keyless().admit(headers, "POST", Scope.ACT)
    headers["sec-fetch-site"] = "same-origin"
    assert keyless().admit(headers, "POST", Scope.ACT) == ALL_SCOPES


# As middleware


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("POST", "/v1/traces", Scope.RECEIVE),
        ("POST", "/api/public/otel/v1/traces", Scope.RECEIVE),
        ("GET", "/healthz", None),
        ("GET", "/readyz", None),
        ("GET", "/metrics", Scope.READ),
        ("GET", "/api/interactions", Scope.READ),
        ("GET", "/", Scope.READ),
        ("POST", "/api/actions/1/approve", Scope.ACT),
        ("DELETE", "/api/subjects/u", Scope.ADMIN),
    ],
)
def test_each_request_needs_its_scope(method: str, path: str, scope: Scope | None) -> None:
    assert required_scope(method, path) is scope


def call(guard: Guard, path: str, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
    sent: list[Message] = []

    async def app(scope: Connection, receive: Receive, send: Send) -> None:
        body = json.dumps(sorted(scope["state"]["scopes"])).encode()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "headers": [(key.encode(), value.encode()) for key, value in headers.items()],
    }
    asyncio.run(GuardMiddleware(app, guard)(scope, receive, send))
    answered = {key.decode(): value.decode() for key, value in sent[0]["headers"]}
    return sent[0]["status"], answered, b"".join(m.get("body", b"") for m in sent[1:])


def test_who_is_admitted_passes_with_its_scopes() -> None:
    status, _, body = call(keyed(), "/v1/traces", {"x-api-key": KEY})
    assert (status, json.loads(body)) == (200, ["receive"])


def test_senders_of_telemetry_are_refused_in_their_encoding() -> None:
    headers = {"content-type": "application/x-protobuf"}
    status, answered, body = call(keyed(), "/v1/traces", headers)
    assert status == 401
    assert answered["content-type"] == "application/x-protobuf"
    assert "www-authenticate" in answered
    assert Status.FromString(body).code == 16
    status, _, body = call(
        keyed(), "/v1/traces", {"content-type": "application/json", "x-api-key": READ_KEY}
    )
    assert (status, json.loads(body)["code"]) == (403, 7)


def test_others_are_refused_with_our_own_error() -> None:
    status, answered, body = call(keyed(), "/api/actions/1/approve", {})
    assert status == 401
    assert answered["content-type"] == "application/json"
    assert json.loads(body)["error"]["code"] == "refused"


@pytest.mark.parametrize("kind", ["lifespan", "websocket"])
def test_only_what_cannot_be_a_request_passes_unasked(kind: str) -> None:
    seen: list[str] = []
    sent: list[str] = []

    async def app(scope: Connection, receive: Receive, send: Send) -> None:
        seen.append(scope["type"])

    async def never() -> Message:
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message["type"])

    asyncio.run(GuardMiddleware(app, keyed())({"type": kind}, never, send))
    assert (seen, sent) == ((["lifespan"], []) if kind == "lifespan" else ([], ["websocket.close"]))
