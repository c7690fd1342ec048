"""Scrape Prometheus targets: inference servers such as vLLM expose metrics and do not push them.

A scrape never raises and never hangs: one time limit holds for all of it, one size limit for what
is served, and what goes wrong is counted, kept as :attr:`Scraper.error`, and visible as the point
``up`` with the value 0, as in Prometheus.
"""

import base64
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from urllib.parse import SplitResult, unquote, urlsplit

from seakeeping.clock import Clock, SystemClock
from seakeeping.errors import BadPayload, BadSetting, PayloadTooLarge
from seakeeping.ingest.exposition import parse_exposition
from seakeeping.ingest.otlp import inflate
from seakeeping.metrics import ERRORS
from seakeeping.records import JsonObject, MetricPoint

TIMEOUT_S = 5.0
LIMIT_BYTES = 16 << 20

_ACCEPT = "application/openmetrics-text;version=1.0.0;q=0.9,text/plain;version=0.0.4;q=0.8"


class Scraper:
    """One target.

    Args:
        url: of its metrics, http or https; ``user:password@`` is sent as basic authentication, and
            an empty path means ``/metrics``. Redirects are not followed.
        service_name: whose metrics they are; the target's ``host:port`` where not given.
        clock: gives the points their time.
        timeout_s: for the whole scrape.
        limit_bytes: of the exposition, inflated.

    Raises:
        BadSetting: the address is no http or https address.
    """

    def __init__(
        self,
        url: str,
        *,
        service_name: str | None = None,
        clock: Clock | None = None,
        timeout_s: float = TIMEOUT_S,
        limit_bytes: int = LIMIT_BYTES,
    ) -> None:
        self._url = _target(url)
        instance = self._url.netloc.rpartition("@")[2]
        self._service_name = service_name or instance
        self._resource: JsonObject = {
            "service.name": self._service_name,
            "service.instance.id": instance,
        }
        self._clock = clock or SystemClock()
        self._timeout_s = timeout_s
        self._limit_bytes = limit_bytes
        self.error: str | None = None
        """Why the last scrape failed, None when it did not."""

    def scrape(self) -> list[MetricPoint]:
        """Return what the target exposes now, with ``up`` and ``scrape_duration_seconds``."""
        at, began = self._clock.now(), self._clock.monotonic()
        points: list[MetricPoint] = []
        try:
            points = self._points(at)
            self.error = None
        except (OSError, HTTPException, BadPayload) as error:
            kind = type(error).__name__
            ERRORS.labels("scrape", kind).inc()
            self.error = f"{self._url.hostname}: {error or kind}"
        taken_s = self._clock.monotonic() - began
        points.append(self._gauge("up", at, float(self.error is None), ""))
        points.append(self._gauge("scrape_duration_seconds", at, taken_s, "s"))
        return points

    def _gauge(self, name: str, at: float, value: float, unit: str) -> MetricPoint:
        return MetricPoint(name, unit, "gauge", at, self._service_name, self._resource, {}, value)

    def _points(self, at: float) -> list[MetricPoint]:
        text, is_open_metrics = self._fetch()
        return parse_exposition(
            text,
            at=at,
            service_name=self._service_name,
            resource=self._resource,
            open_metrics=is_open_metrics,
        )

    def _fetch(self) -> tuple[str, bool]:
        """Return the exposition, and whether it is OpenMetrics."""
        kind = HTTPSConnection if self._url.scheme == "https" else HTTPConnection
        with closing(
            kind(self._url.hostname or "", self._url.port, timeout=self._timeout_s)
        ) as connection:
            connection.connect()
            with _abort_after(self._timeout_s, connection.sock):
                path = (
                    f"{self._url.path or '/metrics'}{'?' * bool(self._url.query)}{self._url.query}"
                )
                connection.request("GET", path, headers=_headers(self._url))
                response = connection.getresponse()
                body = self._body(response)
        is_open_metrics = "openmetrics" in response.headers.get("Content-Type", "")
        try:
            return body.decode("utf-8"), is_open_metrics
        except UnicodeDecodeError as error:
            raise BadPayload(f"the exposition is not UTF-8: {error}") from error

    def _body(self, response: HTTPResponse) -> bytes:
        if response.status != 200:
            raise BadPayload(f"answered {response.status} {response.reason}")
        body = response.read(self._limit_bytes + 1)
        if len(body) > self._limit_bytes:
            raise PayloadTooLarge(f"the exposition has more than {self._limit_bytes} bytes")
        if response.length:
            raise BadPayload(f"{response.length} bytes of the exposition are missing")
        return inflate(response.headers.get("Content-Encoding", ""), body, self._limit_bytes)


def _target(url: str) -> SplitResult:
    try:
        found = urlsplit(url)
        is_good = found.scheme in ("http", "https") and bool(found.hostname) and found.port != 0
    except ValueError as error:
        raise BadSetting(f"the scrape target {url!r} is no address: {error}") from error
    if not is_good:
        raise BadSetting(
            f"the scrape target {url!r} is no http or https address",
            hint="write it as http://host:port/metrics",
        )
    return found


def _headers(url: SplitResult) -> dict[str, str]:
    headers = {"Accept": _ACCEPT, "Accept-Encoding": "gzip", "User-Agent": "seakeeping"}
    if url.username is not None:
        secret = f"{unquote(url.username)}:{unquote(url.password or '')}".encode()
        headers["Authorization"] = f"Basic {base64.b64encode(secret).decode('ascii')}"
    return headers


@contextmanager
def _abort_after(timeout_s: float, connected: socket.socket) -> Iterator[None]:
    """Cut a connection after a time: the socket's own limit starts anew with every byte.

    Raises:
        TimeoutError: the time ran out within the block.
    """
    is_late = threading.Event()

    def abort() -> None:
        is_late.set()
        with suppress(OSError):  # it may be closed already
            socket.socket.shutdown(connected, socket.SHUT_RDWR)

    timer = threading.Timer(timeout_s, abort)
    timer.daemon = True
    timer.start()
    try:
        yield
    except (OSError, HTTPException, BadPayload) as error:
        if is_late.is_set():
            raise TimeoutError(f"took longer than {timeout_s:g} s") from error
        raise
    finally:
        timer.cancel()
    if is_late.is_set():
        raise TimeoutError(f"took longer than {timeout_s:g} s")
