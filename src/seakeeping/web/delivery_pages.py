"""The page of deliveries: what was told to whom, what waits and why, and a button to try again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from seakeeping.store.ledger.outbox import DeliveryState
from seakeeping.web import params
from seakeeping.web.deliveries import Delivery, TargetStanding
from seakeeping.web.delivery_api import FILTERS, STATES, filter_of
from seakeeping.web.filters import PAGE
from seakeeping.web.render import Renderer
from seakeeping.web.room import Room
from seakeeping.web.spell import MISSING, seconds

_LOOK: Mapping[DeliveryState, str] = {
    DeliveryState.WAITING: "uncertain", DeliveryState.SENDING: "uncertain",
    DeliveryState.DELIVERED: "ok", DeliveryState.FAILED: "breach",
    DeliveryState.SUPERSEDED: "nodata",
}  # fmt: skip
_SHOWN = 50


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """One delivery as the page shows it; ``retry_href`` is empty where nothing is to be sent."""

    delivery: Delivery
    css: str
    due: str
    incident_href: str
    retry_href: str


@dataclass(frozen=True, slots=True)
class DeliveryPage:
    """The page: the targets, some deliveries, and the address of the older ones."""

    targets: Sequence[TargetStanding]
    rows: Sequence[DeliveryRow]
    url: str
    older: str


class DeliveryPages:
    """The handlers."""

    def __init__(self, room: Room, renderer: Renderer) -> None:
        self._room = room
        self._page = renderer.page

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/deliveries", self.deliveries),
            Route("/deliveries/{delivery_id}/retry", self.retry, methods=["POST"]),
        ]

    async def deliveries(self, request: Request) -> Response:
        """List deliveries."""
        given = params.read(request.query_params, (*FILTERS, PAGE[1]))
        now, cursor = self._room.clock.now(), given.get("cursor")

        def read() -> DeliveryPage:
            held = self._room.deliveries
            page = held.page(filter_of(given), limit=_SHOWN, cursor=cursor)
            older = {**given, "cursor": page.next}
            return DeliveryPage(
                targets=held.standing(),
                rows=[_row(one, given, now) for one in page.items],
                url=_address(given),
                older=_address(older) if page.next else "",
            )

        page = await self._room.ledger_reader.ask(read)
        return await self._page(
            request, "deliveries.html", here="/alerts", page=page, states=STATES,
            asked_target=given.get("target", ""), asked_state=given.get("state", ""),
            is_first=cursor is None,
        )  # fmt: skip

    async def retry(self, request: Request) -> Response:
        """Send a failed message after all, and lead back to the same list."""
        given = params.read(request.query_params, (*FILTERS, PAGE[1]))
        by, delivery_id = self._room.actors.of(request), request.path_params["delivery_id"]
        await self._room.ledger_reader.ask(lambda: self._room.deliveries.retry(delivery_id, by))
        return RedirectResponse(_address(given), 303, {"Cache-Control": "no-store"})


def _row(delivery: Delivery, given: Mapping[str, Any], now: float) -> DeliveryRow:
    retry = f"/deliveries/{delivery.id}/retry"
    return DeliveryRow(
        delivery=delivery,
        css=_LOOK[delivery.state],
        due=due_words(delivery, now),
        incident_href=f"/incidents/{delivery.incident_id}" if delivery.incident_id else "",
        retry_href=_address(given, retry) if delivery.can_be_retried else "",
    )


def due_words(delivery: Delivery, now: float) -> str:
    """Return when a message is tried next: ``now``, ``in 2 min 3 s``; nothing once it is closed."""
    if delivery.done_at is not None:
        return MISSING
    wait_s = delivery.due_at - now
    return f"in {seconds(wait_s)}" if wait_s >= 1 else "now"


def _address(given: Mapping[str, Any], path: str = "/deliveries") -> str:
    return f"{path}?{urlencode(given)}" if given else path
