"""The API of incidents and changes: what goes wrong, what was changed, what people do about it."""

from collections.abc import Callable
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import Response

from seakeeping.decide.changes.told import changes_from_body
from seakeeping.decide.postmortem import draft
from seakeeping.errors import BadInput, NotFound
from seakeeping.records import Incident
from seakeeping.records.codec import to_json
from seakeeping.web import params
from seakeeping.web.answers import JsonAnswer, listed
from seakeeping.web.bodies import ReasonBody
from seakeeping.web.decided import IncidentFilter
from seakeeping.web.filters import PAGE, SPAN_OF_TIME
from seakeeping.web.forms import body_of, record_of
from seakeeping.web.openapi import Operation
from seakeeping.web.params import Param
from seakeeping.web.room import Room

Answer = TypeVar("Answer")

_DAY_S = 86_400.0
_SERVICE = Param("service", params.text, "Only this service.")
_INCIDENTS = (
    _SERVICE,
    Param("open", params.flag, "true: only those that go on; false: only resolved ones.",
          {"type": "boolean"}),
    PAGE[0],
)  # fmt: skip
_CHANGES = (
    Param("service", params.text, "Only changes of this service."),
    *SPAN_OF_TIME,
    PAGE[0],
)


class IncidentApi:
    """The handlers."""

    def __init__(self, room: Room) -> None:
        self._room = room

    def operations(self) -> tuple[Operation, ...]:
        """Return the operations, in the order of the document."""
        one = "/api/incidents/{incident_id}"
        return (
            Operation("GET", "/api/incidents", self.incidents, "Incidents, newest first, without "
                      "their timelines.", "Incident[]", _INCIDENTS),
            Operation("GET", one, self.incident, "One incident with its diagnosis and timeline.",
                      "Incident"),
            Operation("POST", f"{one}/acknowledge", self.acknowledge_incident,
                      "Note that somebody works on an incident.", "Incident", body="ReasonBody"),
            Operation("POST", f"{one}/resolve", self.resolve_incident,
                      "Close an incident by hand; needs a reason.", "Incident", body="ReasonBody"),
            Operation("GET", f"{one}/postmortem", self.postmortem, "A draft of the postmortem in "
                      "Markdown, from what was recorded.", "markdown"),
            Operation("GET", "/api/changes", self.changes, "Changes, newest first; of the last "
                      "30 days where no time is given.", "Change[]",
                      _CHANGES),
            Operation("POST", "/api/changes", self.tell_changes, "Tell changes: our JSON, one or a "
                      "list, or CloudEvents; telling one twice is telling it once.", "Change[]",
                      body="object"),
        )  # fmt: skip

    async def incidents(self, request: Request) -> Response:
        """Answer with the incidents."""
        given = params.read(request.query_params, _INCIDENTS)
        where = IncidentFilter(given.get("service"), given.get("open"))
        limit = given.get("limit", params.DEFAULT_LIMIT)
        decided = self._room.decided
        return await self._ask(lambda: listed(decided.incidents(where, limit=limit)))

    async def incident(self, request: Request) -> Response:
        """Answer with one incident."""
        params.read(request.query_params, ())
        incident_id, decided = request.path_params["incident_id"], self._room.decided

        def read() -> Response:
            return JsonAnswer(to_json(_found(decided.incident(incident_id), incident_id)))

        return await self._ask(read)

    async def acknowledge_incident(self, request: Request) -> Response:
        """Note that somebody works on it."""
        params.read(request.query_params, ())
        await record_of(request, ReasonBody)
        by, incident_id = self._actor(request), request.path_params["incident_id"]
        decided = self._room.decided
        return await self._ask(
            lambda: JsonAnswer(to_json(decided.acknowledge_incident(incident_id, by)))
        )

    async def resolve_incident(self, request: Request) -> Response:
        """Close it by hand."""
        params.read(request.query_params, ())
        reason = (await record_of(request, ReasonBody)).reason.strip()
        if not reason:
            raise BadInput("must say what makes you sure that it is over", place="reason")
        by, incident_id = self._actor(request), request.path_params["incident_id"]
        decided = self._room.decided
        return await self._ask(
            lambda: JsonAnswer(to_json(decided.resolve_incident(incident_id, by, reason)))
        )

    async def changes(self, request: Request) -> Response:
        """Answer with the changes of a time, of the last thirty days where none is given."""
        given = params.read(request.query_params, _CHANGES)
        end = given.get("until", self._room.clock.now() + _DAY_S)
        start = given.get("since", self._room.clock.now() - 30 * _DAY_S)
        decided, limit = self._room.decided, given.get("limit", params.DEFAULT_LIMIT)
        target = given.get("service")
        return await self._ask(
            lambda: listed(decided.changes(target=target, start=start, end=end, limit=limit))
        )

    async def tell_changes(self, request: Request) -> Response:
        """Take changes; answer with them as they were understood."""
        params.read(request.query_params, ())
        body, by, now = await body_of(request), self._actor(request), self._room.clock.now()
        headers = {name.lower(): value for name, value in request.headers.items()}
        decided = self._room.decided

        def take() -> Response:
            changes = changes_from_body(body, headers, now=now, by=by)
            decided.put_changes(changes, by)
            return listed(changes)

        return await self._ask(take)

    async def postmortem(self, request: Request) -> Response:
        """Answer with a draft of the postmortem."""
        params.read(request.query_params, ())
        incident_id = request.path_params["incident_id"]
        return Response(
            await self._ask(lambda: self._draft(incident_id)), media_type="text/markdown"
        )

    def _draft(self, incident_id: str) -> str:
        decided = self._room.decided
        incident = _found(decided.incident(incident_id), incident_id)
        alerts = [a for a in decided.alerts() if a.fingerprint in incident.alerts]
        burnt = {alert.objective for alert in alerts}
        budgets = [b for b in self._room.watch.budgets() if b.objective.name in burnt]
        diagnosis = incident.diagnosis
        return draft(
            incident, alerts=alerts, changes=diagnosis.changes if diagnosis else (),
            budgets=budgets,
        )  # fmt: skip

    def _actor(self, request: Request) -> str:
        return self._room.actors.of(request)

    async def _ask(self, question: Callable[[], Answer]) -> Answer:
        return await self._room.ledger_reader.ask(question)


def _found(incident: Incident | None, incident_id: str) -> Incident:
    if incident is None:
        raise NotFound(f"no incident {incident_id!r}", hint="GET /api/incidents lists them")
    return incident
