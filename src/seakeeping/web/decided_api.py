"""The API of what is promised and what fires: objectives, budgets, alerts, silences.

What changes something may be sent twice: the second time finds it done and answers the same. Each
change is audited with the name of the key that asked for it.
"""

from collections.abc import Callable
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import Response

from seakeeping.decide.notify.received import alerts_from_webhook
from seakeeping.errors import BadInput
from seakeeping.observe.doubts import findings_of
from seakeeping.observe.rules import prometheus_rules_yaml
from seakeeping.records import AlertState, Silence
from seakeeping.records.codec import to_json
from seakeeping.web import alert_page, params
from seakeeping.web.answers import JsonAnswer, listed, taken
from seakeeping.web.bodies import SilenceBody
from seakeeping.web.forms import body_of, json_of, record_of
from seakeeping.web.openapi import Operation
from seakeeping.web.params import Param
from seakeeping.web.room import Room

Answer = TypeVar("Answer")

_ALERTMANAGER_BYTES = 16 << 20

_SERVICE = Param("service", params.text, "Only this service.")
_STATES = tuple(state.value for state in AlertState)

_ALERTS = (
    Param("state", params.one_of(*_STATES), "Only alerts in this state.",
          {"type": "string", "enum": list(_STATES)}),
    _SERVICE,
    Param("objective", params.text, "Only alerts of this objective."),
)  # fmt: skip


class DecidedApi:
    """The handlers."""

    def __init__(self, room: Room) -> None:
        self._room = room

    def operations(self) -> tuple[Operation, ...]:
        """Return the operations, in the order of the document."""
        return (*self._of_objectives(), *self._of_alerts())

    def _of_objectives(self) -> tuple[Operation, ...]:
        name = "/api/objectives/{name:path}"
        return (
            Operation("GET", "/api/objectives", self.objectives, "What every service is held to, "
                      "each service and slice with an objective of its own.", "Objective[]",
                      (_SERVICE,)),
            Operation("PUT", name, self.put_objective, "Create or replace an objective that the "
                      "API owns; the body is an OpenSLO v1 document of that name.", "Objective[]!",
                      body="ObjectiveDocument"),
            Operation("DELETE", name, self.delete_objective, "Remove an objective that the API "
                      "owns; those of files are read-only here.", "Accepted"),
            Operation("GET", "/api/budgets", self.budgets, "Every objective, as last measured.",
                      "Budget[]", (_SERVICE,)),
            Operation("GET", "/api/findings", self.findings, "What is wrong with the resource "
                      "files as they are; while anything is, the last good version stays in "
                      "force.", "Finding[]"),
            Operation("GET", "/api/rules", self.rules, "The objectives as a Prometheus rule file, "
                      "under the names that Sloth dashboards know.", "yaml", (_SERVICE,)),
        )  # fmt: skip

    def _of_alerts(self) -> tuple[Operation, ...]:
        return (
            Operation("GET", "/api/alerts", self.alerts, "Alerts that are pending, firing, or "
                      "resolved not long ago.", "Alert[]", _ALERTS),
            Operation("POST", "/api/alerts/{fingerprint}/acknowledge", self.acknowledge_alert,
                      "Note that somebody has seen an alert; it is not told again.", "Alert"),
            Operation("GET", "/api/silences", self.silences, "Silences in force, to come, and "
                      "ended not long ago.", "Silence[]"),
            Operation("POST", "/api/silences", self.silence, "Make a silence.", "Silence",
                      body="SilenceBody"),
            Operation("DELETE", "/api/silences/{silence_id}", self.end_silence,
                      "End a silence now.", "Silence"),
            Operation("POST", "/api/alertmanager", self.alertmanager, "Take the webhook of an "
                      "Alertmanager, version 4: its alerts open or join incidents.", "Accepted",
                      body="object"),
        )  # fmt: skip

    # objectives

    async def objectives(self, request: Request) -> Response:
        """Answer with the objectives."""
        service = params.read(request.query_params, (_SERVICE,)).get("service")
        return await self._ask(
            lambda: listed([b.objective for b in self._room.watch.budgets(service)])
        )

    async def put_objective(self, request: Request) -> Response:
        """Keep a document; answer with the objectives that it holds."""
        params.read(request.query_params, ())
        name, document = request.path_params["name"], await json_of(request)
        if not isinstance(document, dict):
            raise BadInput("the body must be a JSON object: an OpenSLO document of kind SLO")
        by, decided = self._actor(request), self._room.decided
        owned = await self._ask(lambda: decided.put_objective(name, document, by))
        doubts = findings_of(owned.written, await self._room.seen_names())
        return taken(owned.objectives, [*owned.findings, *doubts])

    async def delete_objective(self, request: Request) -> Response:
        """Remove a document."""
        params.read(request.query_params, ())
        name, by, decided = request.path_params["name"], self._actor(request), self._room.decided
        await self._ask(lambda: decided.delete_objective(name, by))
        return JsonAnswer({"count": 1})

    async def budgets(self, request: Request) -> Response:
        """Answer with the budgets."""
        service = params.read(request.query_params, (_SERVICE,)).get("service")
        return await self._ask(lambda: listed(self._room.watch.budgets(service)))

    async def findings(self, request: Request) -> Response:
        """Answer with what keeps the resource files from being in force."""
        params.read(request.query_params, ())
        return listed(self._room.findings())

    async def rules(self, request: Request) -> Response:
        """Answer with Prometheus rules, as YAML."""
        service = params.read(request.query_params, (_SERVICE,)).get("service")

        def read() -> str:
            return prometheus_rules_yaml([b.objective for b in self._room.watch.budgets(service)])

        return Response(await self._ask(read), media_type="application/yaml")

    # alerts

    async def alerts(self, request: Request) -> Response:
        """Answer with the alerts, newest first."""
        given = params.read(request.query_params, _ALERTS)
        state, service, objective = (given.get(k) for k in ("state", "service", "objective"))

        def read() -> Response:
            found = [
                a
                for a in self._room.decided.alerts()
                if state in (None, a.state)
                and service in (None, a.labels.get("service"))
                and objective in (None, a.objective)
            ]
            found.sort(key=lambda a: -a.starts_at)
            return listed(found)

        return await self._ask(read)

    async def acknowledge_alert(self, request: Request) -> Response:
        """Note that an alert was seen."""
        params.read(request.query_params, ())
        by, fingerprint = self._actor(request), request.path_params["fingerprint"]
        decided = self._room.decided
        return await self._ask(
            lambda: JsonAnswer(to_json(decided.acknowledge_alert(fingerprint, by)))
        )

    async def silences(self, request: Request) -> Response:
        """Answer with the silences."""
        params.read(request.query_params, ())
        return await self._ask(lambda: listed(self._room.decided.silences()))

    async def silence(self, request: Request) -> Response:
        """Make a silence."""
        params.read(request.query_params, ())
        given, now = await record_of(request, SilenceBody), self._room.clock.now()
        starts_at = now if given.starts_at is None else given.starts_at
        alert_page.check_matchers(given.matchers)
        if given.ends_at <= max(starts_at, now):
            raise BadInput("must be later than the start and than now", place="ends_at")
        if not given.comment.strip():
            raise BadInput("must say why", place="comment")
        by, decided = given.created_by or self._actor(request), self._room.decided

        def make() -> Silence:
            return decided.silence(given.matchers, starts_at, given.ends_at, by, given.comment)

        return await self._ask(lambda: JsonAnswer(to_json(make())))

    async def end_silence(self, request: Request) -> Response:
        """End a silence."""
        params.read(request.query_params, ())
        by, silence_id = self._actor(request), request.path_params["silence_id"]
        decided = self._room.decided
        return await self._ask(lambda: JsonAnswer(to_json(decided.end_silence(silence_id, by))))

    async def alertmanager(self, request: Request) -> Response:
        """Take alerts of an Alertmanager."""
        params.read(request.query_params, ())
        body, decided = await body_of(request, _ALERTMANAGER_BYTES), self._room.decided

        def take() -> Response:
            alerts = alerts_from_webhook(body)
            decided.receive_alerts(alerts)
            return JsonAnswer({"count": len(alerts)})

        return await self._ask(take)

    def _actor(self, request: Request) -> str:
        return self._room.actors.of(request)

    async def _ask(self, question: Callable[[], Answer]) -> Answer:
        return await self._room.ledger_reader.ask(question)
