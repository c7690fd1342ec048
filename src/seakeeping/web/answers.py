"""Answers: JSON bodies and errors, the same for every route.

A list is ``{"items": [...], "next": cursor | null}``, an error ``{"error": {"code", "message",
"hint"}}``. Which error has which status is one table.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from seakeeping import metrics
from seakeeping.config.finding import Finding
from seakeeping.errors import (
    BadInput,
    NotFound,
    PayloadTooLarge,
    Refused,
    SeakeepingError,
    SpoolFull,
    Unavailable,
)
from seakeeping.records.codec import to_json
from seakeeping.store.filters import Page

_STATUS: Sequence[tuple[type[SeakeepingError], int]] = (
    (PayloadTooLarge, 413),
    (BadInput, 400),
    (NotFound, 404),
    (SpoolFull, 429),
    (Unavailable, 503),
)
_HTTP_CODES = {401: "refused", 403: "refused", 404: "not_found", 405: "method_not_allowed"}


class JsonAnswer(Response):
    """A JSON body; never cached, since what it tells is how things are now."""

    media_type = "application/json"

    def __init__(
        self, content: object, status_code: int = 200, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(content, status_code, {"Cache-Control": "no-store", **(headers or {})})

    def render(self, content: object) -> bytes:
        """Return the body."""
        return orjson.dumps(content, option=orjson.OPT_NON_STR_KEYS)


def listed(records: Sequence[object], cursor: str | None = None) -> JsonAnswer:
    """Return a page of records."""
    return JsonAnswer({"items": [to_json(record) for record in records], "next": cursor})


def taken(records: Sequence[object], warnings: Sequence[Finding]) -> JsonAnswer:
    """Return what was kept of what somebody sent, and what is doubtful in it."""
    told = [to_json(one) for one in warnings]
    return JsonAnswer(
        {"items": [to_json(record) for record in records], "next": None, "warnings": told}
    )


def listed_page(page: Page[Any]) -> JsonAnswer:
    """Return a page of the store."""
    return listed(page.items, page.next)


def status_of(error: SeakeepingError) -> int:
    """Return the HTTP status of an error; 500 for one that no caller can mend."""
    if isinstance(error, Refused):
        return error.status
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def error_body(code: str, message: str, hint: str = "") -> dict[str, Any]:
    """Return the body of an error."""
    return {"error": {"code": code, "message": message, "hint": hint}}


def problem(request: Request, error: Exception) -> Response:
    """Return the JSON answer to an error that a handler raised."""
    if isinstance(error, SeakeepingError):
        message = str(error.args[0]) if error.args else error.message
        return JsonAnswer(
            error_body(error.code, message, error.hint), status_of(error), _headers(error)
        )
    if isinstance(error, HTTPException):
        code = _HTTP_CODES.get(error.status_code, "bad_input")
        message = f"{error.detail}: {request.method} {request.url.path}"
        return JsonAnswer(error_body(code, message, _HINTS.get(code, "")), error.status_code)
    metrics.ERRORS.labels("web", type(error).__name__).inc()
    return JsonAnswer(error_body("error", "something went wrong here", "see the log"), 500)


_HINTS = {
    "not_found": "GET /api/openapi.json lists every route",
    "method_not_allowed": "GET /api/openapi.json lists every route with its methods",
}


def _headers(error: SeakeepingError) -> dict[str, str]:
    if isinstance(error, Unavailable):
        return {"Retry-After": str(max(1, round(error.retry_after_s)))}
    if isinstance(error, Refused) and error.status == 401:
        return {"WWW-Authenticate": 'Basic realm="Seakeeping", charset="UTF-8"'}
    return {}
