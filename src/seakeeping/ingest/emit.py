"""Our scores for other tools: ``gen_ai.evaluation.result`` log events to any OTLP/HTTP endpoint.

The emitter is a courtesy to others and never holds up the pipeline: ``submit`` only enqueues. Its
queue is bounded, the oldest events give way, and what is given up is counted. Retries follow the
OTLP specification: 429, 502, 503, 504 and broken connections, with ``Retry-After`` honoured.
"""

import gzip
import random
import threading
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import NamedTuple
from urllib.error import HTTPError
from urllib.parse import urlsplit, urlunsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse

from seakeeping.clock import Clock, SystemClock
from seakeeping.errors import BadSetting
from seakeeping.ingest.otlp import encode_logs
from seakeeping.metrics import ERRORS
from seakeeping.records import Evaluation, Interaction, Json, LogEvent

EVENT_NAME = "gen_ai.evaluation.result"
SCOPE_NAME = "seakeeping.evaluate"

_RETRYABLE = frozenset({429, 502, 503, 504})
_LONGEST_WAIT_S = 60.0
_LONGEST_ANSWER = 1 << 20


def evaluation_events(
    evaluations: Iterable[Evaluation], interactions: Iterable[Interaction]
) -> list[LogEvent]:
    """Return an event for every evaluation with a result; what was skipped has none.

    Events carry the trace and span of the evaluated call and the resource of its service; an
    evaluation whose interaction is not among ``interactions`` comes from service ``seakeeping``.
    """
    calls = {interaction.key: interaction for interaction in interactions}
    return [
        _event(evaluation, calls.get((evaluation.trace_id, evaluation.span_id)))
        for evaluation in evaluations
        if evaluation.skipped_reason is None
    ]


def _event(evaluation: Evaluation, call: Interaction | None) -> LogEvent:
    given: dict[str, Json] = {
        "gen_ai.evaluation.name": evaluation.name,
        "gen_ai.evaluation.score.value": evaluation.score_value,
        "gen_ai.evaluation.score.label": evaluation.score_label,
        "gen_ai.evaluation.explanation": evaluation.explanation,
        "gen_ai.response.id": call.response_id if call else None,
        "seakeeping.evaluator.name": evaluation.evaluator,
        "seakeeping.evaluator.version": evaluation.evaluator_version,
    }
    resource: dict[str, Json] = {
        "service.name": call.service_name if call else "seakeeping",
        "service.version": call.service_version if call else None,
        "deployment.environment.name": call.environment if call else None,
    }
    return LogEvent(
        trace_id=evaluation.trace_id,
        span_id=evaluation.span_id,
        name=EVENT_NAME,
        at=evaluation.evaluated_at,
        body=None,
        attributes=_present(given),
        severity="info",
        service_name=str(resource["service.name"]),
        resource=_present(resource),
    )


def _present(given: Mapping[str, Json]) -> dict[str, Json]:
    return {key: value for key, value in given.items() if value is not None}


class Reply(NamedTuple):
    """How an endpoint answered; status 0 means that it did not."""

    status: int
    retry_after_s: float | None
    rejected: int = 0

    @property
    def is_success(self) -> bool:
        """Whether the events arrived, or most of them: a partial success is not sent again."""
        return 200 <= self.status < 300

    @property
    def may_pass(self) -> bool:
        """Whether trying again can help."""
        return self.status == 0 or self.status in _RETRYABLE


@dataclass(frozen=True, slots=True)
class Patience:
    """When to give up and what to hold meanwhile.

    Args:
        tries: attempts for one batch.
        first_wait_s: before the second attempt; doubles with each.
        timeout_s: of one attempt.
        linger_s: how long a batch that is not full waits for company.
        queue_events: that may wait; beyond, the oldest give way.
        batch_events: in one request.
    """

    tries: int = 6
    first_wait_s: float = 1.0
    timeout_s: float = 10.0
    linger_s: float = 1.0
    queue_events: int = 20_000
    batch_events: int = 512


class Emitter:
    """Sends evaluations from a thread of its own.

    Args:
        endpoint: of OTLP/HTTP, e.g. ``http://collector:4318``; ``/v1/logs`` is added where missing.
        headers: sent with every request, e.g. an API key.
        patience: limits.
        clock: tells how far away a ``Retry-After`` date is.
        chance: spreads retries.

    Raises:
        BadSetting: the endpoint is no http or https address.
    """

    def __init__(
        self,
        endpoint: str,
        *,
        headers: Mapping[str, str] | None = None,
        patience: Patience | None = None,
        clock: Clock | None = None,
        chance: random.Random | None = None,
    ) -> None:
        self._url = logs_url(endpoint)
        self._headers = dict(headers or {})
        self._patience = patience or Patience()
        self._clock = clock or SystemClock()
        self._chance = chance or random.Random()
        self._queue: deque[LogEvent] = deque()
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="emit", daemon=True)
        self._thread.start()

    def submit(
        self, evaluations: Sequence[Evaluation], interactions: Sequence[Interaction]
    ) -> None:
        """Enqueue the results among ``evaluations``; returns at once."""
        events = evaluation_events(evaluations, interactions)
        with self._changed:
            self._queue.extend(events)
            over = len(self._queue) - self._patience.queue_events
            for _ in range(over):
                self._queue.popleft()
            self._changed.notify()
        if over > 0:
            _given_up("queue_full", over)

    def close(self, timeout_s: float = 5.0) -> None:
        """Send what is queued, each batch once, for at most ``timeout_s``; then stop."""
        with self._changed:
            self._closing.set()
            self._changed.notify()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while batch := self._next_batch():
            self._deliver(batch)

    def _next_batch(self) -> list[LogEvent]:
        """Return the next events to send; [] when closing and nothing is left."""
        full = self._patience.batch_events
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._closing.is_set())
            self._changed.wait_for(
                lambda: len(self._queue) >= full or self._closing.is_set(),
                self._patience.linger_s,
            )
            return [self._queue.popleft() for _ in range(min(full, len(self._queue)))]

    def _deliver(self, batch: Sequence[LogEvent]) -> None:
        body = gzip.compress(encode_logs(batch, scope_name=SCOPE_NAME), 1)
        for tried in range(self._patience.tries):
            reply = self._post(body)
            if reply.is_success:
                if reply.rejected:
                    _given_up("partial_success", reply.rejected)
                return
            if not reply.may_pass or self._closing.wait(self._wait_s(reply, tried)):
                break
        _given_up(f"http_{reply.status}" if reply.status else "unreachable", len(batch))

    def _wait_s(self, reply: Reply, tried: int) -> float:
        """Return how long to wait after so many failures, 0 after the last."""
        if tried + 1 == self._patience.tries:
            return 0.0
        wait_s = self._patience.first_wait_s * float(2**tried) * self._chance.uniform(0.8, 1.2)
        return min(max(wait_s, reply.retry_after_s or 0.0), _LONGEST_WAIT_S)

    def _post(self, body: bytes) -> Reply:
        headers = {
            "Content-Type": "application/x-protobuf",
            "Content-Encoding": "gzip",
            "User-Agent": "seakeeping",
            **self._headers,
        }
        try:
            with _OPENER.open(
                Request(self._url, body, headers), timeout=self._patience.timeout_s
            ) as answer:
                return Reply(answer.status, None, _rejected(answer.read(_LONGEST_ANSWER)))
        except HTTPError as error:
            with error:
                after = retry_after_s(error.headers.get("Retry-After"), self._clock.now())
                return Reply(error.code, after)
        except (OSError, HTTPException) as error:
            ERRORS.labels("emit", type(error).__name__).inc()
            return Reply(0, None)


class _NoRedirect(HTTPRedirectHandler):
    """A redirected POST would become a GET and lose its body."""

    def redirect_request(self, *_: object) -> None:
        """Return no request: the redirect is an error like others."""


_OPENER = build_opener(_NoRedirect)


def logs_url(endpoint: str) -> str:
    """Return where an OTLP/HTTP endpoint takes logs; raises BadSetting for no http address."""
    try:
        found = urlsplit(endpoint)
        is_good = found.scheme in ("http", "https") and bool(found.hostname) and found.port != 0
    except ValueError:
        is_good = False
    if not is_good:
        raise BadSetting(
            f"the emit endpoint {endpoint!r} is no http or https address",
            hint="write it as http://host:4318",
        )
    path = found.path.rstrip("/")
    return urlunsplit(found._replace(path=path if path.endswith("/v1/logs") else f"{path}/v1/logs"))


def retry_after_s(header: str | None, now: float) -> float | None:
    """Return what a ``Retry-After`` header asks for, in seconds; None if it cannot be read."""
    if not header:
        return None
    if header.strip().isdecimal():
        return float(header)
    try:
        return max(parsedate_to_datetime(header).timestamp() - now, 0.0)
    except ValueError:
        return None


def _rejected(answer: bytes) -> int:
    """Return how many events an answer refused; an answer that cannot be read refuses none."""
    try:
        return ExportLogsServiceResponse.FromString(answer).partial_success.rejected_log_records
    except DecodeError:
        ERRORS.labels("emit", "DecodeError").inc()
        return 0


def _given_up(why: str, events: int) -> None:
    ERRORS.labels("emit", why).inc(events)
