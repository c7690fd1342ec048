"""Errors: every kind has its status, its code and what to do next."""

import orjson
import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request

from seakeeping import metrics
from seakeeping.errors import (
    BadInput,
    BadPayload,
    NotFound,
    PayloadTooLarge,
    Refused,
    SeakeepingError,
    SpoolFull,
    StoreTooNew,
    StoreUnavailable,
)
from seakeeping.records import Document
from seakeeping.web.answers import JsonAnswer, listed, problem, status_of

REQUEST = Request(
    {
        "type": "http", "method": "GET", "path": "/api/x", "headers": [], "query_string": b"",
        "server": ("127.0.0.1", 1),
    }
)  # fmt: skip


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (BadInput("x"), 400),
        (BadPayload("x"), 400),
        (PayloadTooLarge("x"), 413),
        (NotFound("x"), 404),
        (Refused("x"), 403),
        (Refused("x", status=401), 401),
        (SpoolFull("x"), 429),
        (StoreUnavailable("x"), 503),
        (StoreTooNew("x"), 500),
        (SeakeepingError("x"), 500),
    ],
)
def test_every_error_has_its_status(error: SeakeepingError, status: int) -> None:
    assert status_of(error) == status


def test_an_error_carries_code_message_and_hint() -> None:
    answer = problem(REQUEST, BadInput("unknown parameter 'x'", hint="did you mean 'y'?"))
    assert orjson.loads(answer.body) == {
        "error": {
            "code": "bad_input",
            "message": "unknown parameter 'x'",
            "hint": "did you mean 'y'?",
        }
    }


def test_an_unavailable_store_says_when_to_come_back() -> None:
    answer = problem(REQUEST, StoreUnavailable("away", retry_after_s=2.4))
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "2"


def test_a_missing_key_is_asked_for() -> None:
    answer = problem(REQUEST, Refused("no key", status=401))
    assert answer.headers["www-authenticate"].startswith("Basic ")


def test_a_wrong_route_points_to_the_list_of_routes() -> None:
    answer = problem(REQUEST, HTTPException(404, "Not Found"))
    body = orjson.loads(answer.body)["error"]
    assert (answer.status_code, body["code"]) == (404, "not_found")
    assert "/api/x" in body["message"]
    assert "openapi.json" in body["hint"]


def test_a_bug_tells_nothing_but_is_counted() -> None:
    counter = metrics.ERRORS.labels("web", "ZeroDivisionError")
    before = counter._value.get()
    answer = problem(REQUEST, ZeroDivisionError("secret"))
    assert answer.status_code == 500
    assert b"secret" not in answer.body
    assert counter._value.get() == before + 1


def test_a_list_has_items_and_the_next_cursor() -> None:
    answer = listed([Document(id="d", content=None)], "c2")
    assert orjson.loads(answer.body) == {
        "items": [{"id": "d", "content": None, "score": None, "metadata": {}}],
        "next": "c2",
    }


def test_no_answer_is_cached() -> None:
    assert JsonAnswer({}).headers["cache-control"] == "no-store"
