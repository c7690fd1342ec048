"""The API of what is decided: objectives, budgets, alerts, silences, incidents, changes, labels.

What changes something may be sent twice: the second time finds it done and answers the same. Each
change is audited with the name of the key that asked for it.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from seakeeping.decide.changes import changes_from_body
from seakeeping.decide.notify.received import alerts_from_webhook
from seakeeping.decide.postmortem import draft
from seakeeping.errors import BadInput, NotFound
from seakeeping.observe.rules import prometheus_rules_yaml
from seakeeping.records import AlertState, Incident, Label, LabelKind, Silence
from seakeeping.records.codec import to_json
from seakeeping.store.labels import LabelFilter
from seakeeping.store.measurements import MeasurementFilter
from seakeeping.web import alert_page, params, review
from seakeeping.web.answers import JsonAnswer, listed, listed_page
from seakeeping.web.bodies import LabelBody, LabelsBody, ReasonBody, SilenceBody
from seakeeping.web.decided import IncidentFilter
from seakeeping.web.filters import PAGE, SPAN_OF_TIME
from seakeeping.web.forms import body_of, json_of, record_of
from seakeeping.web.openapi import Operation
from seakeeping.web.params import Param
from seakeeping.web.room import Room

Answer = TypeVar("Answer")

MOST_LABELS = 1000
_ALERTMANAGER_BYTES = 16 << 20
_DAY_S = 86_400.0

_SERVICE = Param("service", params.text, "Only this service.")
_NAME = Param("name", params.text, "Only of this evaluation, e.g. `faithfulness`.")
_KINDS = tuple(kind.value for kind in LabelKind)
_STATES = tuple(state.value for state in AlertState)

_ALERTS = (
    Param("state", params.one_of(*_STATES), "Only alerts in this state.",
          {"type": "string", "enum": list(_STATES)}),
    _SERVICE,
    Param("objective", params.text, "Only alerts of this objective."),
)  # fmt: skip
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
_LABELS = (
    Param("trace_id", params.text, "Only labels of this trace's answers."),
    Param("span_id", params.text, "Only labels of this call's answer."),
    _NAME,
    Param("by", params.one_of(*_KINDS), "Only labels of people, judges or users.",
          {"type": "string", "enum": list(_KINDS)}),
    Param("author", params.text, "Only labels of this author."),
    *SPAN_OF_TIME,
    *PAGE,
)  # fmt: skip
_QUEUE = (_SERVICE, _NAME, PAGE[0])
_MEASUREMENTS = (
    _SERVICE,
    Param("name", params.text, "Only measurements of this name."),
    *SPAN_OF_TIME,
    *PAGE,
)


class DecidedApi:
    """The handlers."""

    def __init__(self, room: Room) -> None:
        self._room = room

    def operations(self) -> tuple[Operation, ...]:
        """Return the operations, in the order of the document."""
        return (*self._of_objectives(), *self._of_alerts(), *self._of_incidents(),
                *self._of_labels())  # fmt: skip

    def _of_objectives(self) -> tuple[Operation, ...]:
        name = "/api/objectives/{name:path}"
        return (
            Operation("GET", "/api/objectives", self.objectives, "What every service is held to, "
                      "each service and slice with an objective of its own.", "Objective[]",
                      (_SERVICE,)),
            Operation("PUT", name, self.put_objective, "Create or replace an objective that the "
                      "API owns; the body is an OpenSLO v1 document of that name.", "Objective[]",
                      body="ObjectiveDocument"),
            Operation("DELETE", name, self.delete_objective, "Remove an objective that the API "
                      "owns; those of files are read-only here.", "Accepted"),
            Operation("GET", "/api/budgets", self.budgets, "Every objective, as last measured.",
                      "Budget[]", (_SERVICE,)),
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

    def _of_incidents(self) -> tuple[Operation, ...]:
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
            Operation("GET", "/api/changes", self.changes, "Changes, newest first.", "Change[]",
                      _CHANGES),
            Operation("POST", "/api/changes", self.tell_changes, "Tell changes: our JSON, one or a "
                      "list, or CloudEvents; telling one twice is telling it once.", "Change[]",
                      body="object"),
        )  # fmt: skip

    def _of_labels(self) -> tuple[Operation, ...]:
        return (
            Operation("GET", "/api/labels", self.labels, "Labels, newest first.", "Label[]",
                      _LABELS),
            Operation("POST", "/api/labels", self.give_labels, "Keep labels; a newer one of the "
                      "same author on the same answer replaces the older.", "Label[]",
                      body="LabelsBody"),
            Operation("GET", "/api/labels/queue", self.queue, "Answers that ask for a label, the "
                      "most useful first.", "LabelRequest[]", _QUEUE),
            Operation("GET", "/api/measurements", self.measurements, "Measurements, the newest "
                      "window first.", "Measurement[]", _MEASUREMENTS),
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
        return await self._ask(lambda: listed(decided.put_objective(name, document, by)))

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

    # incidents

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
        """Answer with the changes of a time, of the last day where none is given."""
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

    # labels

    async def labels(self, request: Request) -> Response:
        """Answer with a page of labels."""
        given = params.read(request.query_params, _LABELS)
        by = given.get("by")
        where = LabelFilter(
            start=given.get("since"), end=given.get("until"), trace_id=given.get("trace_id"),
            span_id=given.get("span_id"), name=given.get("name"),
            by=None if by is None else LabelKind(by), author=given.get("author"),
        )  # fmt: skip
        limit, cursor, store = _limit(given), given.get("cursor"), self._room.store
        return await self._room.reader.ask(
            lambda: listed_page(store.labels(where, limit=limit, cursor=cursor))
        )

    async def give_labels(self, request: Request) -> Response:
        """Keep labels; answer with them as they are kept."""
        params.read(request.query_params, ())
        given = (await record_of(request, LabelsBody)).labels
        if not 0 < len(given) <= MOST_LABELS:
            raise BadInput(f"from 1 to {MOST_LABELS} at a time", place="labels")
        author, now = self._actor(request), self._room.clock.now()
        labels = [_label(one, author, now, f"labels[{n}]") for n, one in enumerate(given)]
        queue = self._room.queue
        return await self._room.reader.ask(lambda: listed(queue.take(labels)))

    async def queue(self, request: Request) -> Response:
        """Answer with what waits for a label of a person."""
        given = params.read(request.query_params, _QUEUE)
        service, name, limit = given.get("service"), given.get("name"), _limit(given)
        queue = self._room.queue
        return await self._ask(lambda: listed(queue.open(service=service, name=name, limit=limit)))

    async def measurements(self, request: Request) -> Response:
        """Answer with a page of measurements."""
        given = params.read(request.query_params, _MEASUREMENTS)
        where = MeasurementFilter(
            start=given.get("since"), end=given.get("until"), name=given.get("name"),
            service_name=given.get("service"),
        )  # fmt: skip
        limit, cursor, store = _limit(given), given.get("cursor"), self._room.store
        return await self._room.reader.ask(
            lambda: listed_page(store.measurements(where, limit=limit, cursor=cursor))
        )

    def _actor(self, request: Request) -> str:
        return self._room.actors.of(request)

    async def _ask(self, question: Callable[[], Answer]) -> Answer:
        return await self._room.ledger_reader.ask(question)


def _found(incident: Incident | None, incident_id: str) -> Incident:
    if incident is None:
        raise NotFound(f"no incident {incident_id!r}", hint="GET /api/incidents lists them")
    return incident


def _limit(given: dict[str, Any]) -> int:
    return int(given.get("limit", params.DEFAULT_LIMIT))


def _label(body: LabelBody, author: str, now: float, place: str) -> Label:
    if (body.value is None) == (body.label is None):
        raise BadInput("needs a value or a label, and not both", place=place)
    try:
        value = (
            body.value if body.value is not None else review.value_of(body.name, str(body.label))
        )
        return review.label_of(
            body.trace_id, body.span_id, body.name, value, by=body.by,
            author=body.author or author, at=now if body.at is None else body.at,
            comment=body.comment,
        )  # fmt: skip
    except BadInput as error:
        raise BadInput(error.message, place=place, hint=error.hint) from None
