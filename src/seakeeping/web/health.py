"""Is the process alive, is the service ready, and the numbers it counts about itself.

``/healthz`` answers as long as this process does. ``/readyz`` is for load balancers and tests: the
spool can be written (then telemetry is safe), the pipeline works and the store answers (then it is
seen); it also tells whether some controller decided not long ago. ``/metrics`` sums what every
process of the tree counted, and tells the budgets that the controller measured last.
"""

from collections.abc import Callable, Sequence
from functools import partial

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.openmetrics.exposition import ALLOWUTF8, UNDERSCORES, generate_latest
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from seakeeping import metrics
from seakeeping.clock import Clock
from seakeeping.errors import Unavailable
from seakeeping.observe.exposition import ReadingsCollector
from seakeeping.records import Reading
from seakeeping.web import status
from seakeeping.web.answers import JsonAnswer
from seakeeping.web.reader import Reader
from seakeeping.web.room import Place
from seakeeping.web.standing import is_stale


class Health:
    """The handlers of health, readiness and metrics.

    ``ping`` asks the store and raises StoreUnavailable when it does not answer; ``readings``
    returns what the controller measured last, ``decided_at`` when it decided last (Unix seconds).
    All may block.
    """

    def __init__(
        self, place: Place, reader: Reader, ping: Callable[[], None], clock: Clock,
        readings: Callable[[], Sequence[Reading]] = tuple,
        decided_at: Callable[[], float | None] = lambda: None,
    ) -> None:  # fmt: skip
        self._place = place
        self._reader = reader
        self._ping = ping
        self._clock = clock
        self._readings = readings
        self._decided_at = decided_at

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
        """Answer whether telemetry is taken, worked on and readable, or what not.

        A controller that does not decide is told, but ends no readiness: a load balancer would take
        every node away, and with them the telemetry of the apps.
        """
        parts = status.read_parts(self._place.run_dir / "status.json", self._clock.now())
        running = {part.name: part.is_running for part in parts}
        checks = {
            "spool": status.is_writable(self._place.data / "spool"),
            "pipeline": running.get("pipeline", False),
            "store": await self._store_answers(),
        }
        ready = all(checks.values())
        checks["controller"] = await self._reader.ask(self._is_decided)
        return JsonAnswer({"ready": ready, "checks": checks}, 200 if ready else 503)

    async def _store_answers(self) -> bool:
        try:
            await self._reader.ask(self._ping)
        except Unavailable:
            return False
        return True

    def _is_decided(self) -> bool:
        return not is_stale(self._decided_at(), self._clock.now())

    async def metrics(self, request: Request) -> Response:
        """Answer with the metrics of all processes, in Prometheus' text or OpenMetrics."""
        encode, media_type = encoder(request.headers.get("accept", ""))
        body = await self._reader.ask(lambda: encode(registry(self._readings)))
        return Response(body, media_type=media_type)


Encode = Callable[[Collector], bytes]


def encoder(accept: str) -> tuple[Encode, str]:
    """Return what turns a registry into the format that a scraper asks for, and its media type.

    The library takes the colons out of OpenMetrics names when it escapes to underscores. None of
    our names needs escaping, so they are written as they are.
    """
    encode, media_type = choose_encoder(accept)
    asked = getattr(encode, "keywords", {})
    if getattr(encode, "func", None) is generate_latest and asked.get("escaping") == UNDERSCORES:
        encode = partial(generate_latest, escaping=ALLOWUTF8, version=asked["version"])
    return encode, media_type


def registry(readings: Callable[[], Sequence[Reading]] = tuple) -> CollectorRegistry:
    """Return what all processes counted (outside of a tree, what this one did) and the budgets."""
    summed = metrics.registry()
    summed.register(ReadingsCollector(readings))
    return summed
