"""The demo's sender: tells the story to a running server, then goes on for ever.

It is an ordinary client: the OpenTelemetry SDK makes the spans, its OTLP/HTTP exporter sends them,
and a server that is busy (429, 503) is waited for. The history comes newest first, so that the page
is of use at once, beside live calls. When the story was first told stands in a small file: after a
restart the same calls carry the same identifiers, and once all is told it only goes on.

Run as a child: ``python -m seakeeping.challenge.demo`` with the settings ``endpoint`` (the server's
base URL), ``state`` (path of the file; without one each start tells a new story), ``key`` (a key
with the scopes receive, read and act, where the server wants one) and ``seed``.
"""

import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import Any, Protocol

from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from seakeeping import metrics
from seakeeping.challenge.answers import load_answers
from seakeeping.challenge.reviewer import Reviewer
from seakeeping.challenge.story import Call, Story
from seakeeping.challenge.traffic import Narrator
from seakeeping.clock import Clock, SystemClock
from seakeeping.process import BEAT_S, Child, enter

TICK_S = 0.5
HISTORY_CALLS_A_TICK = 60
"""So that a core which scores 120 answers a second keeps up, and live calls do not wait behind."""

REVIEW_TICKS, REVIEWED_AT_ONCE = 10, 12
"""Every so many ticks the reviewer looks at so many answers."""

_EXPORT_TIMEOUT_S = 8.0
_LONGEST_PAUSE_S = 16.0
_TOO_LATE_S = 60.0
"""A live call that could not be sent for so long is dropped, as the SDK's own queue would do."""


class Wait(Protocol):
    """Waits that many seconds; says whether to end."""

    def __call__(self, seconds: float) -> bool:
        """Return True where the process was asked to end."""
        ...


@dataclass(frozen=True, slots=True)
class Progress:
    """When the story was first told (Unix seconds), and whether all its history has been."""

    told_at: float
    is_history_told: bool = False


def read_progress(state: Path | None) -> Progress | None:
    """Return what the file says; None where there is none, or none that can be read."""
    if state is None or not state.exists():
        return None
    try:
        kept = json.loads(state.read_text())
        return Progress(float(kept["told_at"]), bool(kept["is_history_told"]))
    except (ValueError, KeyError, TypeError, OSError) as error:
        metrics.ERRORS.labels("challenge.demo.state", type(error).__name__).inc()
        return None


def write_progress(state: Path | None, progress: Progress) -> None:
    """Replace the file as a whole, so that a crash leaves the old one or the new one."""
    if state is None:
        return
    draft = state.with_suffix(".new")
    draft.write_text(
        json.dumps({"told_at": progress.told_at, "is_history_told": progress.is_history_told})
    )
    os.replace(draft, state)


class Sender:
    """Exports spans until the server takes them, slower while it does not."""

    def __init__(self, exporter: SpanExporter, wait: Wait) -> None:
        self._exporter = exporter
        self._wait = wait
        self._pause_s = TICK_S

    def send(self, spans: Sequence[ReadableSpan]) -> bool:
        """Return True once the server has taken the spans, False where asked to end before."""
        while spans:
            if self._exporter.export(spans) is SpanExportResult.SUCCESS:
                self._pause_s = max(TICK_S, self._pause_s / 2)
                break
            metrics.ERRORS.labels("challenge.demo.export", "SpanExportResult.FAILURE").inc()
            if self._wait(self._pause_s):
                return False
            self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)
        return True


class Live:
    """Live calls, handed out once they have ended."""

    def __init__(self, calls: Iterator[Call]) -> None:
        self._coming = calls
        self._next = next(calls)
        self._open: list[Call] = []

    def ended(self, now: float) -> list[Call]:
        """Return the calls that ended since the last time, but for those that are too late."""
        while self._next.at <= now:
            self._open.append(self._next)
            self._next = next(self._coming)
        done = [call for call in self._open if call.ends_at <= now]
        self._open = [call for call in self._open if call.ends_at > now]
        return [call for call in done if call.ends_at > now - _TOO_LATE_S]


@dataclass(frozen=True, slots=True)
class Telling:
    """All that telling a story needs; ``state`` is where the progress is kept.

    ``review`` labels at most so many answers, once the history is told.
    """

    story: Story
    sender: Sender
    wait: Wait
    clock: Clock
    state: Path | None = None
    review: Callable[[int], int] = lambda limit: 0


def tell(telling: Telling, progress: Progress) -> None:
    """Send history and live calls, tick by tick, until asked to end."""
    narrator = Narrator(telling.story)
    live = Live(telling.story.live(telling.clock.now()))
    history = iter(()) if progress.is_history_told else telling.story.history()
    for tick in count():
        past = list(islice(history, HISTORY_CALLS_A_TICK))
        calls = live.ended(telling.clock.now()) + past
        if not telling.sender.send([span for call in calls for span in narrator.tell(call)]):
            return
        if not past and not progress.is_history_told:
            progress = Progress(progress.told_at, is_history_told=True)
            write_progress(telling.state, progress)
        if not past and tick % REVIEW_TICKS == 0:
            telling.review(REVIEWED_AT_ONCE)
        if telling.wait(TICK_S):
            return


def waiting(child: Child) -> Wait:
    """Return a wait that beats meanwhile, and ends when the child is to end."""

    def wait(seconds: float) -> bool:
        child.beat()
        while seconds > BEAT_S and not child.stop.wait(BEAT_S):
            seconds -= BEAT_S
            child.beat()
        return child.stop.wait(min(seconds, BEAT_S))

    return wait


def begin(settings: Mapping[str, Any], wait: Wait, clock: Clock) -> tuple[Telling, Progress]:
    """Return what the settings ask for, and how far it had come."""
    state = Path(settings["state"]) if settings.get("state") else None
    progress = read_progress(state)
    if progress is None:
        progress = Progress(told_at=clock.now())
        write_progress(state, progress)
    answers = load_answers()
    story = Story(answers, progress.told_at, int(settings.get("seed", 0)))
    sender = Sender(_exporter(settings), wait)
    reviewer = Reviewer(settings["endpoint"], settings.get("key"), answers)
    return Telling(story, sender, wait, clock, state, reviewer.review), progress


def _exporter(settings: Mapping[str, Any]) -> OTLPSpanExporter:
    key = settings.get("key")
    return OTLPSpanExporter(
        endpoint=f"{settings['endpoint']}/v1/traces",
        headers={"authorization": f"Bearer {key}"} if key else {},
        timeout=_EXPORT_TIMEOUT_S,
        compression=Compression.Gzip,
    )


def main() -> None:
    """Run as a child of the supervisor."""
    child = enter()
    os.environ["NO_PROXY"] = "*"  # the server is ours and near: no proxy stands between
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)  # refusals are waited for
    wait = waiting(child)
    telling, progress = begin(child.settings, wait, SystemClock())
    child.ready()
    tell(telling, progress)


if __name__ == "__main__":
    main()
