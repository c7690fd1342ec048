"""The control room: the wall, the services, the calls; kept live by events, usable without script.

What is decided from them (objectives, alerts, incidents, labels) has pages of its own beside these.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from seakeeping import metrics
from seakeeping.errors import BadInput, NotFound, SeakeepingError, Unavailable
from seakeeping.records import Evaluation, Interaction, Traffic
from seakeeping.records.codec import near
from seakeeping.store.filters import EvaluationFilter, Page
from seakeeping.store.telemetry import SeriesPoint
from seakeeping.web import charts, params
from seakeeping.web.answers import status_of
from seakeeping.web.decided_pages import DecidedPages
from seakeeping.web.delivery_pages import DeliveryPages
from seakeeping.web.filters import INTERACTIONS, interaction_filter
from seakeeping.web.interaction_page import InteractionView, interaction_view
from seakeeping.web.render import Renderer
from seakeeping.web.review_pages import ReviewPages
from seakeeping.web.room import Room
from seakeeping.web.rows import CallRow, call_rows
from seakeeping.web.wall import ServiceRow

_TEXT_FILTERS = (
    ("service", "Service"), ("provider", "Provider"), ("model", "Model"),
    ("release", "Release"), ("environment", "Environment"), ("operation", "Operation"),
    ("user_id", "User"), ("conversation_id", "Conversation"),
)  # fmt: skip
_CHOICE_FILTERS = (
    ("label", "Verdict", (("unsupported", "unsupported"), ("refused", "refused"),
                          ("invalid", "invalid"), ("supported", "supported"))),
    ("error", "Error", (("true", "failed"), ("false", "worked"))),
    ("traffic", "Traffic", tuple((word.value, word.value) for word in Traffic)),
)  # fmt: skip
_FLAGGED = 12
_MOST_VERDICTS = 2000


class Pages:
    """The handlers of all pages."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._renderer = Renderer(room.assets, room.clock)
        self._page = self._renderer.page
        others = (DecidedPages, DeliveryPages, ReviewPages)
        self._others = tuple(pages(room, self._renderer) for pages in others)

    def routes(self) -> list[Route]:
        """Return the routes of the pages."""
        return [
            Route("/", self.wall),
            Route("/interactions", self.interactions),
            Route("/interactions/{trace_id}/{span_id}", self.interaction),
            Route("/services/{name:path}", self.service),
            *(route for pages in self._others for route in pages.routes()),
            Route("/static/{path:path}", self._room.assets.serve),
        ]

    async def wall(self, request: Request) -> Response:
        """Show every service."""
        window = _window(request)
        wall = await self._room.watch.wall(window)
        system = self._room.place.system(wall.at)
        standing = await self._room.ledger_reader.ask(self._room.watch.standing)
        return await self._page(
            request, "wall.html", here="/", wall=wall, worst=wall.worst, window=window,
            system=system, standing=standing, wall_trouble=wall.trouble,
            endpoint=self._room.place.endpoint, findings=self._room.findings(),
            status=503 if wall.trouble else 200,
        )  # fmt: skip

    async def interactions(self, request: Request) -> Response:
        """List calls."""
        given = dict(request.query_params)
        try:
            found, rows = await self._list(params.read(request.query_params, INTERACTIONS))
            problem: SeakeepingError | None = None
        except (BadInput, Unavailable) as error:
            problem, found, rows = error, Page((), None), []
        older = urlencode({**given, "cursor": found.next}) if found.next else ""
        first = {k: v for k, v in given.items() if k != "cursor"}
        return await self._page(
            request, "interactions.html", here="/interactions", given=_Given(given), rows=rows,
            text_filters=_TEXT_FILTERS, choice_filters=_CHOICE_FILTERS, problem=problem,
            next_url=f"/interactions?{older}" if older else "",
            first_url=f"/interactions?{urlencode(first)}", is_first="cursor" not in given,
            is_live="cursor" not in given and problem is None,
            here_url=f"/interactions?{urlencode(given)}",
            status=status_of(problem) if problem else 200,
        )  # fmt: skip

    async def interaction(self, request: Request) -> Response:
        """Show one call."""
        store = self._room.store
        trace_id, span_id = request.path_params["trace_id"], request.path_params["span_id"]

        def read() -> InteractionView:
            call = store.interaction(trace_id, span_id)
            if call is None:
                raise NotFound(
                    f"no call {span_id} in trace {trace_id}",
                    hint="it may be on its way, older than retention, or erased",
                )
            evaluations = store.evaluations_of(trace_id, span_id)
            return interaction_view(call, evaluations, store.trace(trace_id))

        view = await self._room.reader.ask(read)
        return await self._page(
            request, "interaction.html", here="/interactions", view=view, here_url=request.url.path
        )

    async def service(self, request: Request) -> Response:
        """Show one service over time."""
        name, window = request.path_params["name"], _window(request)
        row: ServiceRow | None = None
        drawn: list[charts.Chart] = []
        flagged: list[CallRow] = []
        problem: SeakeepingError | None = None
        try:
            row, points = await self._room.reader.ask(lambda: self._read_service(name, window))
            _, flagged = await self._list({"service": name, "label": "unsupported"}, _FLAGGED)
            link = f"/interactions?service={quote(name, safe='')}"
            step_s, now = charts.WINDOWS[window][1], self._room.clock.now()
            drawn = [charts.chart(kind, points, step_s, now, link) for kind in charts.KINDS]
        except Unavailable as error:
            problem = error
        if row is None and problem is None:
            raise NotFound(
                f"no call of a service {name!r} in the last {window}",
                hint="" if window == "30d" else "choose a longer window: ?window=30d",
            )
        return await self._page(
            request, "service.html", here="", name=name, row=row, charts=drawn, window=window,
            flagged=flagged, problem=problem, status=503 if problem else 200,
        )  # fmt: skip

    async def problem(self, request: Request, error: Exception) -> Response:
        """Show an error as a page."""
        if isinstance(error, SeakeepingError):
            status, message, hint = status_of(error), error.message, error.hint
        elif isinstance(error, HTTPException):
            status, message, hint = error.status_code, f"Nothing is at {request.url.path}.", ""
        else:
            metrics.ERRORS.labels("web", type(error).__name__).inc()
            status, message, hint = 500, "Something went wrong here.", "The log has the details."
        title = {404: "Not found", 400: "Not understood", 503: "Not available"}.get(status, "Error")
        return await self._page(
            request,
            "problem.html",
            here="",
            is_grave=status >= 500,
            title=title,
            message=message,
            hint=hint,
            status=status,
        )

    def _read_service(
        self, name: str, window: str
    ) -> tuple[ServiceRow | None, Sequence[SeriesPoint]]:
        watch, now = self._room.watch, self._room.clock.now()
        return watch.service(name, window), watch.series(name, now, window)

    async def _list(
        self, given: Mapping[str, Any], limit: int = params.DEFAULT_LIMIT
    ) -> tuple[Page[Interaction], list[CallRow]]:
        store, where = self._room.store, interaction_filter(given)
        limit, cursor = given.get("limit", limit), given.get("cursor")

        def read() -> tuple[Page[Interaction], Sequence[Evaluation]]:
            page = store.interactions(where, limit=limit, cursor=cursor)
            if not page.items:
                return page, ()
            times = [call.started_at for call in page.items]
            about = EvaluationFilter(
                service_name=where.service_name, start=min(times), end=max(times) + 1e-3
            )
            return page, store.evaluations(about, limit=_MOST_VERDICTS).items

        page, evaluations = await self._room.reader.ask(read)
        return page, call_rows(page.items, evaluations)


class _Given(dict[str, str]):
    """The parameters as given; what was not given is empty."""

    def __missing__(self, key: str) -> str:
        return ""


def _window(request: Request) -> str:
    window = request.query_params.get("window", "1h")
    if window not in charts.WINDOWS:
        raise BadInput(f"unknown window {window!r}", hint=near(window, charts.WINDOWS))
    return window
