"""Is the process alive, is the service ready, and the numbers it counts about itself.

``/healthz`` answers as long as this process does. ``/readyz`` is for load balancers and tests: the
spool can be written (then telemetry is safe), the pipeline works and the store answers (then it is
seen). ``/metrics`` sums what every process of the tree counted.
"""

import os
from collections.abc import Callable

from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from seakeeping.clock import Clock
from seakeeping.errors import Unavailable
from seakeeping.web import status
from seakeeping.web.answers import JsonAnswer
from seakeeping.web.reader import Reader
from seakeeping.web.room import Place


class Health:
    """The handlers of health, readiness and metrics.

    ``ping`` asks the store and raises StoreUnavailable when it does not answer.
    """

    def __init__(
        self, place: Place, reader: Reader, ping: Callable[[], None], clock: Clock
    ) -> None:
        self._place = place
        self._reader = reader
        self._ping = ping
        self._clock = clock

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/healthz", self.healthz),
            Route("/readyz", self.readyz),
            Route("/metrics", self.metrics),
        ]

    async def healthz(self, request: Request) -> Response:
        """Answer that the process lives."""
        return JsonAnswer({"status": "ok"})

    async def readyz(self, request: Request) -> Response:
        """Answer whether telemetry is taken, worked on and readable; if not, what is missing."""
        parts = status.read_parts(self._place.run_dir / "status.json", self._clock.now())
        running = {part.name: part.is_running for part in parts}
        checks = {
            "spool": status.is_writable(self._place.data / "spool"),
            "pipeline": running.get("pipeline", False),
            "store": await self._store_answers(),
        }
        ready = all(checks.values())
        return JsonAnswer({"ready": ready, "checks": checks}, 200 if ready else 503)

    async def _store_answers(self) -> bool:
        try:
            await self._reader.ask(self._ping)
        except Unavailable:
            return False
        return True

    async def metrics(self, request: Request) -> Response:
        """Answer with the metrics of all processes, in Prometheus' text or OpenMetrics."""
        encode, media_type = choose_encoder(request.headers.get("accept", ""))
        body = await self._reader.ask(lambda: encode(registry()))
        return Response(body, media_type=media_type)


def registry() -> CollectorRegistry:
    """Return what all processes counted; outside of a tree, what this one did."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    summed = CollectorRegistry()
    MultiProcessCollector(summed)  # type: ignore[no-untyped-call]
    return summed
