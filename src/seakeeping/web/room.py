"""What the handlers of the API and the pages share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from seakeeping import metrics
from seakeeping.clock import Clock
from seakeeping.config.finding import Finding
from seakeeping.errors import Unavailable
from seakeeping.observe.labelling import LabelQueue
from seakeeping.records.names import Names
from seakeeping.web import status
from seakeeping.web.actors import Actors
from seakeeping.web.assets import Assets
from seakeeping.web.decided import Decided
from seakeeping.web.deliveries import Deliveries
from seakeeping.web.events import EventHub
from seakeeping.web.reader import Reader
from seakeeping.web.telemetry import Telemetry
from seakeeping.web.watch import Watch


@dataclass(frozen=True, slots=True)
class Place:
    """Where things are: the folders, the spool's limit, and the address that apps send to."""

    data: Path
    run_dir: Path
    spool_limit_bytes: int
    endpoint: str

    def system(self, now: float) -> status.System:
        """Return how the process tree and the spool are doing."""
        return status.System(
            parts=status.read_parts(self.run_dir / "status.json", now),
            spool_bytes=status.folder_bytes(self.data / "spool"),
            spool_limit_bytes=self.spool_limit_bytes,
        )


@dataclass(frozen=True, slots=True)
class Room:
    """The two stores and their readers, the events, the files, the clock.

    ``store`` and ``reader`` are of the telemetry, ``decided``, ``deliveries``, ``queue`` and
    ``ledger_reader`` of the ledger: one that hangs must not take the threads of the other.
    ``audit`` records an erasure in the ledger: user, by whom, how many calls; it may block.
    ``findings`` is what is wrong with the resource files as they are, so that the last good version
    stays in force.
    """

    store: Telemetry
    reader: Reader
    decided: Decided
    deliveries: Deliveries
    ledger_reader: Reader
    queue: LabelQueue
    watch: Watch
    hub: EventHub
    assets: Assets
    place: Place
    clock: Clock
    actors: Actors
    audit: Callable[[str, str, int], None]
    findings: Callable[[], Sequence[Finding]] = tuple

    async def seen_names(self) -> Names | None:
        """Return the names that telemetry showed; None while nobody can say."""
        try:
            return await self.reader.ask(self.watch.names)
        except Unavailable as error:
            metrics.ERRORS.labels("web.names", error.code).inc()
            return None
