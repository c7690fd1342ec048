"""The API of labels and measurements: what people say of answers, and figures over windows."""

import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from seakeeping.config.finding import Finding
from seakeeping.errors import BadInput
from seakeeping.records import EVALUATION_KINDS, Label, LabelKind
from seakeeping.records.codec import near
from seakeeping.records.names import Names
from seakeeping.store.labels import LabelFilter
from seakeeping.store.measurements import MeasurementFilter
from seakeeping.web import params, review
from seakeeping.web.answers import listed, listed_page, taken
from seakeeping.web.bodies import LabelBody, LabelsBody
from seakeeping.web.filters import PAGE, SPAN_OF_TIME
from seakeeping.web.forms import record_of
from seakeeping.web.openapi import Operation
from seakeeping.web.params import Param
from seakeeping.web.room import Room

MOST_LABELS = 1000

_SERVICE = Param("service", params.text, "Only this service.")
_NAME = Param("name", params.text, "Only of this evaluation, e.g. `faithfulness`.")
_KINDS = tuple(kind.value for kind in LabelKind)
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


class LabelApi:
    """The handlers."""

    def __init__(self, room: Room) -> None:
        self._room = room

    def operations(self) -> tuple[Operation, ...]:
        """Return the operations, in the order of the document."""
        return (
            Operation("GET", "/api/labels", self.labels, "Labels, newest first.", "Label[]",
                      _LABELS),
            Operation("POST", "/api/labels", self.give_labels, "Keep labels; a newer one of the "
                      "same author on the same answer replaces the older.", "Label[]!",
                      body="LabelsBody"),
            Operation("GET", "/api/labels/queue", self.queue, "Answers that ask for a label, the "
                      "most useful first.", "LabelRequest[]", _QUEUE),
            Operation("GET", "/api/measurements", self.measurements, "Measurements, the newest "
                      "window first.", "Measurement[]", _MEASUREMENTS),
        )  # fmt: skip

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
        author, now = self._room.actors.of(request), self._room.clock.now()
        labels = [_label(one, author, now, f"labels[{n}]") for n, one in enumerate(given)]
        queue, store = self._room.queue, self._room.store

        def take() -> tuple[Sequence[Label], Collection[tuple[str, str]]]:
            stored = store.known_calls([(one.trace_id, one.span_id) for one in labels])
            return queue.take(labels), stored

        kept, stored = await self._room.reader.ask(take)
        return taken(kept, list(_doubts(kept, stored, await self._room.seen_names())))

    async def queue(self, request: Request) -> Response:
        """Answer with what waits for a label of a person."""
        given = params.read(request.query_params, _QUEUE)
        service, name, limit = given.get("service"), given.get("name"), _limit(given)
        queue = self._room.queue
        return await self._room.ledger_reader.ask(
            lambda: listed(queue.open(service=service, name=name, limit=limit))
        )

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


def _limit(given: dict[str, Any]) -> int:
    return int(given.get("limit", params.DEFAULT_LIMIT))


def _doubts(
    labels: Sequence[Label], stored: Collection[tuple[str, str]], names: Names | None
) -> Iterator[Finding]:
    """Yield why a label may correct nothing: its answer or its evaluation is not known here."""
    known = {*EVALUATION_KINDS, *(names.evaluations if names else ())}
    for number, one in enumerate(labels):
        if (one.trace_id, one.span_id) not in stored:
            yield Finding(
                f"labels[{number}]", f"no answer {one.span_id} of trace {one.trace_id} is stored",
                "it may be on its way, older than retention, or erased; the label waits for it",
                is_warning=True,
            )  # fmt: skip
        if names is not None and one.name not in known:
            yield Finding(
                f"labels[{number}].name", f"no answer is evaluated for {one.name}",
                near(one.name, known), is_warning=True,
            )  # fmt: skip


_IDS = (("trace_id", 32), ("span_id", 16))


def _check_ids(body: LabelBody, place: str) -> None:
    """Raise BadInput for an id that no telemetry can have."""
    for name, digits in _IDS:
        value = getattr(body, name)
        if not re.fullmatch(f"[0-9a-f]{{{digits}}}", value):
            hint = f"{digits} hexadecimal digits in lower case, as GET /api/interactions tells it"
            raise BadInput(f"{value[:80]!r} is no {name}", place=f"{place}.{name}", hint=hint)


def _label(body: LabelBody, author: str, now: float, place: str) -> Label:
    if (body.value is None) == (body.label is None):
        raise BadInput("needs a value or a label, and not both", place=place)
    _check_ids(body, place)
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
