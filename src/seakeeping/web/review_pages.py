"""The review page and its buttons: labels from people."""

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from seakeeping.errors import BadInput, NotFound
from seakeeping.records import Label, LabelKind
from seakeeping.store.labels import LabelFilter
from seakeeping.web import review
from seakeeping.web.forms import form_of
from seakeeping.web.render import Renderer
from seakeeping.web.room import Room

DEFAULT = "faithfulness"
"""The evaluation that is reviewed where none is named."""

MOST_WAITING = 500
_LONGEST_COMMENT = 2000
_SKIP = "skip"


class ReviewPages:
    """The handlers."""

    def __init__(self, room: Room, renderer: Renderer) -> None:
        self._room = room
        self._page = renderer.page

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/review", self.review),
            Route("/review", self.give, methods=["POST"]),
        ]

    async def review(self, request: Request) -> Response:
        """Show the answer that is to be labelled next, or the one that is named."""
        asked = request.query_params
        name, service = asked.get("name") or DEFAULT, asked.get("service") or ""
        named = (asked.get("trace_id", ""), asked.get("span_id", ""))
        waiting = await self._room.ledger_reader.ask(
            lambda: self._room.queue.open(service=service or None, name=name, limit=MOST_WAITING)
        )
        keys = [(one.trace_id, one.span_id) for one in waiting]
        budgets = await self._room.ledger_reader.ask(self._room.watch.budgets)
        chosen = named if all(named) else None

        def read() -> review.ReviewPage:
            store = self._room.store
            for key in [chosen] if chosen else keys:
                call = store.interaction(*key)
                if call is None and chosen:
                    raise NotFound("no such call", hint="it may be older than retention, or erased")
                if call is None:
                    continue  # erased or aged out since it was drawn
                labels = store.labels(LabelFilter(trace_id=key[0], span_id=key[1]), limit=50)
                return review.build(
                    name, service, call, store.evaluations_of(*key), store.trace(key[0]),
                    labels.items, budgets, waiting=len(keys), is_drawn=key in keys,
                )  # fmt: skip
            return review.build(name, service, None, (), (), (), budgets, waiting=0, is_drawn=False)

        page = await self._room.reader.ask(read)
        return await self._page(
            request, "review.html", here="/review", page=page, most=MOST_WAITING,
            asked_service=service,
        )  # fmt: skip

    async def give(self, request: Request) -> Response:
        """Take a verdict and lead to the next answer."""
        given = await form_of(
            request, "trace_id", "span_id", "name", "service", "verdict", "comment"
        )
        if not (given["trace_id"] and given["span_id"] and given["name"]):
            raise BadInput("trace_id, span_id and name say which answer is meant")
        if given["verdict"] == _SKIP:
            await self._room.ledger_reader.ask(lambda: self._skip(given))
        else:
            label = self._label(request, given)
            await self._room.ledger_reader.ask(lambda: self._room.queue.take([label]))
        asked = {
            "name": given["name"],
            **({"service": given["service"]} if given["service"] else {}),
        }
        return RedirectResponse(f"/review?{urlencode(asked)}", 303, {"Cache-Control": "no-store"})

    def _label(self, request: Request, given: dict[str, str]) -> Label:
        return review.label_of(
            given["trace_id"], given["span_id"], given["name"],
            review.value_of(given["name"], given["verdict"]),
            author=self._room.actors.of(request), at=self._room.clock.now(),
            comment=given["comment"][:_LONGEST_COMMENT] or None,
        )  # fmt: skip

    def _skip(self, given: dict[str, str]) -> None:
        try:
            self._room.queue.skip(
                given["trace_id"], given["span_id"], given["name"], by=LabelKind.HUMAN
            )
        except NotFound:  # somebody else labelled or skipped it in between
            return
