"""The JSON API: one table of operations, from which routes and the OpenAPI document follow.

Records are asked for and spelt as JSON in a reader's thread: a trace of ten thousand spans must not
hold up the telemetry that arrives on the same event loop.
"""

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from seakeeping.errors import NotFound
from seakeeping.records.codec import iso, to_json
from seakeeping.web import params
from seakeeping.web.answers import JsonAnswer, listed, listed_page
from seakeeping.web.decided_api import DecidedApi
from seakeeping.web.delivery_api import DeliveryApi
from seakeeping.web.filters import (
    EVALUATIONS,
    INTERACTIONS,
    METRIC_POINTS,
    evaluation_filter,
    interaction_filter,
)
from seakeeping.web.incident_api import IncidentApi
from seakeeping.web.label_api import LabelApi
from seakeeping.web.openapi import Operation, document
from seakeeping.web.params import Param
from seakeeping.web.room import Room

_SERVICES_WINDOW = (
    Param("window", params.one_of("1h", "24h", "30d"), "How far back to look; 1h where left out.",
          {"type": "string", "enum": ["1h", "24h", "30d"]}),
)  # fmt: skip


class Api:
    """The handlers of all operations."""

    def __init__(self, room: Room, *, scopes: Callable[[Request], frozenset[str]]) -> None:
        self._room = room
        self._scopes = scopes
        self._others = (DecidedApi(room), DeliveryApi(room), IncidentApi(room), LabelApi(room))
        self.operations = self._table()
        self._document = document(self.operations)

    def routes(self) -> list[Route]:
        """Return the routes of the API."""
        return [Route(op.path, op.handler, methods=[op.method]) for op in self.operations]

    def _table(self) -> tuple[Operation, ...]:
        return (
            Operation("GET", "/api/services", self.services, "Services seen in a window: calls, "
                      "latencies, verdicts, cost.", "ServiceSummary[]", _SERVICES_WINDOW),
            Operation("GET", "/api/interactions", self.interactions, "Model calls, newest first.",
                      "Interaction[]", INTERACTIONS),
            Operation("GET", "/api/interactions/{trace_id}/{span_id}", self.interaction,
                      "One model call with its evaluations.", "ScoredInteraction"),
            Operation("GET", "/api/traces/{trace_id}", self.trace, "A trace's spans.", "Span[]"),
            Operation("GET", "/api/evaluations", self.evaluations, "Evaluations, newest first.",
                      "Evaluation[]", EVALUATIONS),
            Operation("GET", "/api/metrics", self.metric_points, "Points of a metric, by time.",
                      "MetricPoint[]", METRIC_POINTS),
            Operation("GET", "/api/names", self.names, "Names of services, evaluations, "
                      "measurements and metrics that were seen lately: what an objective can be "
                      "about.", "Names"),
            *(op for part in self._others for op in part.operations()),
            Operation("GET", "/api/events", self.events, "Server-sent events: `hello` once, `tick` "
                      "when pages should look again, `slow` every half minute.", "events"),
            Operation("DELETE", "/api/subjects/{user_id}", self.erase, "Erase what the calls of a "
                      "user hold; needs the scope admin, and is recorded.", "Erasure"),
            Operation("GET", "/api/openapi.json", self.openapi, "This document.", "object"),
        )  # fmt: skip

    async def services(self, request: Request) -> Response:
        """Answer with the services."""
        given = params.read(request.query_params, _SERVICES_WINDOW)
        window_s = {"1h": 3600, "24h": 86_400, "30d": 2_592_000}[given.get("window", "1h")]
        now = self._room.clock.now()
        store = self._room.store
        return await self._room.reader.ask(lambda: listed(store.services(now, window_s)))

    async def interactions(self, request: Request) -> Response:
        """Answer with a page of calls."""
        given = params.read(request.query_params, INTERACTIONS)
        where, (limit, cursor) = interaction_filter(given), _page(given)
        store = self._room.store
        return await self._room.reader.ask(
            lambda: listed_page(store.interactions(where, limit=limit, cursor=cursor))
        )

    async def interaction(self, request: Request) -> Response:
        """Answer with one call and its evaluations."""
        params.read(request.query_params, ())
        trace_id, span_id = request.path_params["trace_id"], request.path_params["span_id"]
        store = self._room.store

        def read() -> Response:
            call = store.interaction(trace_id, span_id)
            if call is None:
                raise NotFound(
                    f"no interaction {span_id} in trace {trace_id}",
                    hint="it may be on its way, older than retention, or erased",
                )
            scores = store.evaluations_of(trace_id, span_id)
            return JsonAnswer({**to_json(call), "evaluations": [to_json(s) for s in scores]})

        return await self._room.reader.ask(read)

    async def trace(self, request: Request) -> Response:
        """Answer with the spans of a trace, in order of start."""
        params.read(request.query_params, ())
        trace_id = request.path_params["trace_id"]
        store = self._room.store

        def read() -> Response:
            spans = store.trace(trace_id)
            if not spans:
                raise NotFound(f"no trace {trace_id}", hint="its spans may be older than retention")
            return listed(spans)

        return await self._room.reader.ask(read)

    async def evaluations(self, request: Request) -> Response:
        """Answer with a page of evaluations."""
        given = params.read(request.query_params, EVALUATIONS)
        where, (limit, cursor) = evaluation_filter(given), _page(given)
        store = self._room.store
        return await self._room.reader.ask(
            lambda: listed_page(store.evaluations(where, limit=limit, cursor=cursor))
        )

    async def metric_points(self, request: Request) -> Response:
        """Answer with metric points."""
        given = params.read(request.query_params, METRIC_POINTS)
        store, end = self._room.store, given.get("until", self._room.clock.now())
        start, limit = given.get("since", end - 3600), given.get("limit", params.DEFAULT_LIMIT)
        service, name = given["service"], given["name"]
        return await self._room.reader.ask(
            lambda: listed(store.metric_points(service, name, start, end, limit=limit))
        )

    async def names(self, request: Request) -> Response:
        """Answer with the names that were seen."""
        params.read(request.query_params, ())
        watch = self._room.watch
        return await self._room.reader.ask(lambda: JsonAnswer(to_json(watch.names())))

    async def events(self, request: Request) -> Response:
        """Answer with a stream of events."""
        params.read(request.query_params, ())
        return self._room.hub.stream({"at": iso(self._room.clock.now())})

    async def erase(self, request: Request) -> Response:
        """Erase a user's content."""
        params.read(request.query_params, ())
        user_id = request.path_params["user_id"]
        by = ",".join(sorted(self._scopes(request)))
        store, audit = self._room.store, self._room.audit

        def erase() -> int:
            audit(user_id, by, 0)  # first, so that what is on its way is dropped whatever happens
            erased = store.erase_subject(user_id)
            audit(user_id, by, erased)
            return erased

        erased = await self._room.reader.ask(erase)
        now = iso(self._room.clock.now())
        return JsonAnswer({"user_id": user_id, "interactions": erased, "at": now})

    async def openapi(self, request: Request) -> Response:
        """Answer with the description of this API."""
        return JsonAnswer(self._document)


def _page(given: dict[str, Any]) -> tuple[int, str | None]:
    return given.get("limit", params.DEFAULT_LIMIT), given.get("cursor")
