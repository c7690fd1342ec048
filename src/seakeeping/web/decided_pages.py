"""The pages of what is decided: objectives, alerts, silences, incidents; and the buttons on them.

A button posts a form and leads back to its page, so everything works without script. Who pressed it
is whoever the key belongs to.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from seakeeping.config.openslo import document_of
from seakeeping.config.openslo.api import as_yaml
from seakeeping.errors import BadInput, NotFound, SeakeepingError
from seakeeping.records import Alert, Change, JsonObject, Reading
from seakeeping.records.codec import near
from seakeeping.web import alert_page, incident_page, objective_list, objective_page
from seakeeping.web.answers import status_of
from seakeeping.web.background import read_background
from seakeeping.web.decided import IncidentFilter
from seakeeping.web.forms import form_of
from seakeeping.web.render import Renderer
from seakeeping.web.room import Room

Answer = TypeVar("Answer")

DURATIONS = (
    ("1h", 3600.0), ("2h", 7200.0), ("6h", 21_600.0), ("1d", 86_400.0), ("3d", 259_200.0),
    ("1w", 604_800.0),
)  # fmt: skip
"""How long a silence can be made to last."""

_MOST_INCIDENTS = 200
_MOST_CHANGES = 50
_AROUND_S = 21_600.0


class DecidedPages:
    """The handlers."""

    def __init__(self, room: Room, renderer: Renderer) -> None:
        self._room = room
        self._page = renderer.page

    def routes(self) -> list[Route]:
        """Return the routes."""
        post = ["POST"]
        return [
            Route("/objectives", self.objectives),
            Route("/objectives/{name:path}", self.objective),
            Route("/alerts", self.alerts),
            Route("/alerts/{fingerprint}/acknowledge", self.acknowledge_alert, methods=post),
            Route("/silences", self.silence, methods=post),
            Route("/silences/{silence_id}/end", self.end_silence, methods=post),
            Route("/incidents", self.incidents),
            Route("/incidents/{incident_id}", self.incident),
            Route("/incidents/{incident_id}/acknowledge", self.acknowledge, methods=post),
            Route("/incidents/{incident_id}/resolve", self.resolve, methods=post),
        ]

    # objectives

    async def objectives(self, request: Request) -> Response:
        """List objectives."""
        problem: SeakeepingError | None = None
        try:
            choice = objective_list.read_choice(request.query_params.multi_items())
        except BadInput as error:
            problem, choice = error, objective_list.Choice()

        def read() -> objective_list.ObjectiveList:
            known = self._room.watch.readings()
            alerts = self._room.decided.alerts()
            return objective_list.build(known.readings, alerts, choice, known.at)

        return await self._page(
            request, "objectives.html", here="/objectives", page=await self._ask(read),
            problem=problem, findings=self._room.findings(),
            status=status_of(problem) if problem else 200,
        )  # fmt: skip

    async def objective(self, request: Request) -> Response:
        """Show one objective."""
        name = request.path_params["name"]

        def decided() -> tuple[Reading, Sequence[Alert], JsonObject | None, Sequence[Change]]:
            reading = self._reading(name)
            objective, now = reading.budget.objective, self._room.clock.now()
            changes = self._room.decided.changes(
                target=objective.service, start=now - objective.window_s, end=now,
                limit=_MOST_CHANGES,
            )  # fmt: skip
            return reading, self._alerts(), self._room.decided.document(name), changes

        reading, alerts, document, changes = await self._ask(decided)
        behind = await self._room.reader.ask(lambda: self._behind(reading, changes))
        text = as_yaml(document or document_of(reading.budget.objective))
        page = objective_page.build(reading, alerts, behind, text, is_owned=document is not None)
        return await self._page(
            request, "objective.html", here="/objectives", page=page, trouble=behind.trouble,
            doubts=behind.doubts,
            measured_at=self._room.watch.readings().at,
        )  # fmt: skip

    def _reading(self, name: str) -> Reading:
        found = self._room.watch.reading(name)
        if found is not None:
            return found
        names = [r.budget.objective.name for r in self._room.watch.readings().readings]
        raise NotFound(
            f"no objective {name!r} is measured",
            hint=near(name, names) if 0 < len(names) <= 500 else "",
        )

    def _alerts(self) -> Sequence[Alert]:
        return self._room.decided.alerts()

    def _behind(self, reading: Reading, changes: Sequence[Change]) -> objective_page.Background:
        objective = reading.budget.objective
        return self._room.watch.remembered(
            ("behind", objective.name, objective.indicator.key, objective.window),
            objective.window_s,
            lambda: read_background(self._room.store, reading, changes, self._room.clock.now()),
        )

    # alerts

    async def alerts(self, request: Request) -> Response:
        """Show alerts and silences."""
        return await self._alert_page(request, request.query_params.get("silence", ""))

    async def _alert_page(
        self, request: Request, matchers: str, comment: str = "", problem: BadInput | None = None
    ) -> Response:
        now = self._room.clock.now()
        page = await self._ask(
            lambda: alert_page.build(
                self._room.decided.alerts(), self._room.decided.silences(), now
            )
        )
        return await self._page(
            request, "alerts.html", here="/alerts", page=page, matchers=matchers, comment=comment,
            durations=[word for word, _ in DURATIONS], problem=problem,
            status=400 if problem else 200,
        )  # fmt: skip

    async def acknowledge_alert(self, request: Request) -> Response:
        """Note that somebody has seen an alert."""
        by, fingerprint = self._actor(request), request.path_params["fingerprint"]
        await self._ask(lambda: self._room.decided.acknowledge_alert(fingerprint, by))
        return _back("/alerts")

    async def silence(self, request: Request) -> Response:
        """Make a silence from the form."""
        given = await form_of(request, "matchers", "duration", "comment")
        by, now = self._actor(request), self._room.clock.now()
        try:
            matchers = alert_page.read_matchers(given["matchers"])
            lasts_s = _duration(given["duration"])
            if not given["comment"]:
                raise BadInput("a silence needs a comment: why, and until when")
        except BadInput as error:
            return await self._alert_page(request, given["matchers"], given["comment"], error)
        await self._ask(
            lambda: self._room.decided.silence(matchers, now, now + lasts_s, by, given["comment"])
        )
        return _back("/alerts#silences")

    async def end_silence(self, request: Request) -> Response:
        """End a silence."""
        by, silence_id = self._actor(request), request.path_params["silence_id"]
        await self._ask(lambda: self._room.decided.end_silence(silence_id, by))
        return _back("/alerts#silences")

    # incidents

    async def incidents(self, request: Request) -> Response:
        """List incidents."""
        shown = request.query_params.get("state", "all")
        if shown not in ("all", "open", "resolved"):
            raise BadInput(f"unknown state {shown!r}", hint="all, open or resolved")
        service = request.query_params.get("service") or None
        where = IncidentFilter(service, None if shown == "all" else shown == "open")
        now = self._room.clock.now()
        rows = await self._ask(
            lambda: incident_page.incident_rows(
                self._room.decided.incidents(where, limit=_MOST_INCIDENTS), now
            )
        )
        return await self._page(
            request, "incidents.html", here="/incidents", rows=rows, shown=shown, service=service
        )

    async def incident(self, request: Request) -> Response:
        """Show one incident."""
        incident_id = request.path_params["incident_id"]
        page = await self._ask(lambda: self._read_incident(incident_id))
        return await self._page(
            request, "incident.html", here="/incidents", page=page, chain=incident_page.chain(page)
        )

    def _read_incident(self, incident_id: str) -> incident_page.IncidentPage:
        decided, now = self._room.decided, self._room.clock.now()
        incident = decided.incident(incident_id)
        if incident is None:
            raise NotFound(f"no incident {incident_id!r}", hint="the list is at /incidents")
        diagnosis = incident.diagnosis
        onset = diagnosis.onset if diagnosis and diagnosis.onset else incident.opened_at
        around = decided.changes(
            target=incident.service, start=onset - _AROUND_S, end=onset + _AROUND_S,
            limit=_MOST_CHANGES,
        )  # fmt: skip
        known = {c.id: c for c in (*around, *(diagnosis.changes if diagnosis else ()))}
        return incident_page.build(
            incident, decided.alerts(), list(known.values()), now,
            flaws=decided.flaws(incident_id),
        )  # fmt: skip

    async def acknowledge(self, request: Request) -> Response:
        """Note that somebody works on an incident."""
        by, incident_id = self._actor(request), request.path_params["incident_id"]
        await self._ask(lambda: self._room.decided.acknowledge_incident(incident_id, by))
        return _back(f"/incidents/{incident_id}")

    async def resolve(self, request: Request) -> Response:
        """Close an incident by hand."""
        given = await form_of(request, "reason")
        by, incident_id = self._actor(request), request.path_params["incident_id"]
        reason = given["reason"]
        if not reason:
            raise BadInput(
                "resolving by hand needs a reason", hint="what makes you sure it is over"
            )
        await self._ask(lambda: self._room.decided.resolve_incident(incident_id, by, reason))
        return _back(f"/incidents/{incident_id}")

    def _actor(self, request: Request) -> str:
        return self._room.actors.of(request)

    async def _ask(self, question: Callable[[], Answer]) -> Answer:
        return await self._room.ledger_reader.ask(question)


def _duration(word: str) -> float:
    known = dict(DURATIONS)
    if word not in known:
        raise BadInput(f"unknown duration {word!r}", hint=near(word, known))
    return known[word]


def _back(url: str) -> RedirectResponse:
    """Lead back to a page, by a GET."""
    return RedirectResponse(url, 303, {"Cache-Control": "no-store"})
