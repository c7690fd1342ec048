"""The application: telemetry in, API and pages out, on one port or on two.

The browser rules stand outermost, then the guard, which decides who may ask, then the routes. With
an admin port, the data port takes telemetry only, so that it may be opened wider than the rest.
"""

from collections.abc import Callable, Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from seakeeping.errors import SeakeepingError
from seakeeping.web.answers import problem
from seakeeping.web.pages import Pages
from seakeeping.web.security import BrowserSafety

_JSON_PATHS = ("/api/", "/v1/", "/healthz", "/readyz", "/metrics")


def build_app(
    routes: Sequence[BaseRoute], pages: Pages | None, guard: Callable[[ASGIApp], ASGIApp]
) -> ASGIApp:
    """Return the application of one port.

    Args:
        routes: of telemetry, API, health; whatever this port serves beside pages.
        pages: the control room, None on a port without it.
        guard: wraps an application so that only who may reaches it.
    """
    own = pages.routes() if pages else []

    async def on_error(request: Request, error: Exception) -> Response:
        if pages is None or request.url.path.startswith(_JSON_PATHS):
            return problem(request, error)
        return await pages.problem(request, error)

    handlers = {SeakeepingError: on_error, HTTPException: on_error, Exception: on_error}
    inner = Starlette(routes=[*routes, *own], exception_handlers=handlers)
    inner.router.redirect_slashes = False  # a redirect would repeat whatever Host was sent
    return BrowserSafety(guard(inner))


def data_routes(
    otlp: Sequence[Route], health: Sequence[Route], others: Sequence[Route], *, is_shared: bool
) -> tuple[list[Route], list[Route]]:
    """Return the routes of the data port, and those of the admin port (none when it is shared)."""
    if is_shared:
        return [*otlp, *health, *others], []
    return [*otlp, *health], [*health, *others]
