"""A raw OTLP/HTTP sender: keep-alive connections, retries as the specification says, no SDK."""

import http.client
import itertools
import queue
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from bench.corpus import Body

_RETRYABLE = frozenset({429, 502, 503, 504})


@dataclass
class Sent:
    """What a run of the sender came to."""

    spans: int = 0
    model_calls: int = 0
    payload_bytes: int = 0
    requests: int = 0
    refused: int = 0
    ack_s: list[float] = field(default_factory=list)
    seconds: float = 0.0
    gave_up: int = 0


class _Connection:
    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        parts = urlsplit(url)
        self._where = (parts.hostname or "", parts.port or 80)
        self._path = parts.path
        self._headers = {"content-type": "application/x-protobuf", **headers}
        self._http: http.client.HTTPConnection | None = None

    def post(self, payload: bytes) -> tuple[int, float]:
        """Return the status (0 where the connection failed) and how long to wait before a retry."""
        try:
            if self._http is None:
                self._http = http.client.HTTPConnection(*self._where, timeout=60)
            self._http.request("POST", self._path, payload, self._headers)
            reply = self._http.getresponse()
            reply.read()
            return reply.status, float(reply.headers.get("retry-after", "1"))
        except (OSError, http.client.HTTPException):
            self.close()
            return 0, 0.2

    def close(self) -> None:
        """Close the connection; the next post opens a new one."""
        if self._http is not None:
            self._http.close()
        self._http = None


def send(
    bodies: Iterable[Body],
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    senders: int = 2,
    attempts: int = 1_000,
    stop: threading.Event | None = None,
) -> Sent:
    """Post every body, each until it is acknowledged; return what was acknowledged."""
    waiting: queue.Queue[Body | None] = queue.Queue(maxsize=4 * senders)
    sent, lock = Sent(), threading.Lock()
    asked_to_stop = stop or threading.Event()

    def work() -> None:
        connection = _Connection(url, headers or {})
        while (body := waiting.get()) is not None:
            if not asked_to_stop.is_set():
                _deliver(connection, body, sent, lock, attempts, asked_to_stop)
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(senders)]
    start = time.monotonic()
    for thread in threads:
        thread.start()
    for body in itertools.chain(bodies, [None] * senders):
        waiting.put(body)
    for thread in threads:
        thread.join()
    sent.seconds = time.monotonic() - start
    return sent


def _deliver(
    connection: _Connection,
    body: Body,
    sent: Sent,
    lock: threading.Lock,
    attempts: int,
    stop: threading.Event,
) -> None:
    for _ in range(attempts):
        start = time.monotonic()
        status, wait_s = connection.post(body.payload)
        if status == 200:
            with lock:
                sent.spans += body.spans
                sent.model_calls += body.model_calls
                sent.payload_bytes += len(body.payload)
                sent.requests += 1
                sent.ack_s.append(time.monotonic() - start)
            return
        if status and status not in _RETRYABLE:
            raise RuntimeError(f"the server answered {status}")
        with lock:
            sent.refused += 1
        if stop.wait(wait_s):
            break
    with lock:
        sent.gave_up += 1
