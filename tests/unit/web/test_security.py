"""Browsers: strict headers on everything, no changes from other sites' pages."""

import pytest
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from seakeeping.web.security import CONTENT_SECURITY_POLICY, BrowserSafety, is_cross_site
from seakeeping.web.testing import Client


async def fine(request: Request) -> PlainTextResponse:
    return PlainTextResponse("fine")


@pytest.fixture
def client() -> Client:
    app = Starlette(
        routes=[
            Route("/", fine, methods=["GET", "DELETE"]),
            Route("/v1/traces", fine, methods=["POST"]),
        ]
    )
    return Client(BrowserSafety(app))


def test_every_answer_carries_the_headers(client: Client) -> None:
    headers = client.get("/").headers
    assert headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"


def test_the_policy_allows_nothing_inline_and_no_frames() -> None:
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert "default-src 'self'" in CONTENT_SECURITY_POLICY
    assert "frame-ancestors 'none'" in CONTENT_SECURITY_POLICY


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
    ],
)
def test_another_sites_page_changes_nothing(client: Client, headers: dict[str, str]) -> None:
    answer = client.send("DELETE", "/", headers)
    assert answer.status == 403
    assert answer.json()["error"]["code"] == "refused"
    assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "none"},
        {"origin": "http://127.0.0.1:4318"},
    ],
)
def test_programs_and_our_own_pages_may(client: Client, headers: dict[str, str]) -> None:
    assert client.send("DELETE", "/", headers).status == 200


def test_reading_is_left_to_the_browsers_own_rules(client: Client) -> None:
    assert client.get("/", headers={"sec-fetch-site": "cross-site"}).status == 200


def test_telemetry_is_left_to_the_receivers_guard(client: Client) -> None:
    answer = client.send("POST", "/v1/traces", {"origin": "http://shop.example"})
    assert answer.status == 200


def test_the_browsers_own_word_outranks_the_origin() -> None:
    headers = Headers({"sec-fetch-site": "same-origin", "origin": "http://a", "host": "b"})
    assert not is_cross_site(headers)
