"""The API of deliveries: what was told to whom, and a failed message sent after all."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from seakeeping.records.codec import to_json
from seakeeping.store.ledger.outbox import DeliveryState
from seakeeping.web import params
from seakeeping.web.answers import JsonAnswer, listed_page
from seakeeping.web.deliveries import DeliveryFilter
from seakeeping.web.filters import PAGE
from seakeeping.web.openapi import Operation
from seakeeping.web.params import Param
from seakeeping.web.room import Room

Answer = TypeVar("Answer")

STATES = tuple(state.value for state in DeliveryState)
FILTERS = (
    Param("target", params.text, "Only to this target."),
    Param("state", params.one_of(*STATES), "Only those in this state.",
          {"type": "string", "enum": list(STATES)}),
)  # fmt: skip
_DELIVERIES = (*FILTERS, *PAGE)


class DeliveryApi:
    """The handlers."""

    def __init__(self, room: Room) -> None:
        self._room = room

    def operations(self) -> tuple[Operation, ...]:
        """Return the operations, in the order of the document."""
        return (
            Operation("GET", "/api/deliveries", self.deliveries, "Messages to targets, newest "
                      "first: where each stands, and why it is not there yet.", "Delivery[]",
                      _DELIVERIES),
            Operation("POST", "/api/deliveries/{delivery_id}/retry", self.retry_delivery,
                      "Send a failed message after all.", "Delivery"),
        )  # fmt: skip

    async def deliveries(self, request: Request) -> Response:
        """Answer with a page of deliveries."""
        given = params.read(request.query_params, _DELIVERIES)
        limit, cursor = given.get("limit", params.DEFAULT_LIMIT), given.get("cursor")
        deliveries = self._room.deliveries
        return await self._ask(
            lambda: listed_page(deliveries.page(filter_of(given), limit=limit, cursor=cursor))
        )

    async def retry_delivery(self, request: Request) -> Response:
        """Send a message after all."""
        params.read(request.query_params, ())
        by, delivery_id = self._room.actors.of(request), request.path_params["delivery_id"]
        deliveries = self._room.deliveries
        return await self._ask(lambda: JsonAnswer(to_json(deliveries.retry(delivery_id, by))))

    async def _ask(self, question: Callable[[], Answer]) -> Answer:
        return await self._room.ledger_reader.ask(question)


def filter_of(given: Mapping[str, Any]) -> DeliveryFilter:
    """Return the filter that parameters ask for."""
    state = given.get("state")
    return DeliveryFilter(given.get("target"), DeliveryState(state) if state else None)
