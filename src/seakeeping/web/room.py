"""What the handlers of the API and the pages share."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from seakeeping.clock import Clock
from seakeeping.web import status
from seakeeping.web.assets import Assets
from seakeeping.web.events import EventHub
from seakeeping.web.reader import Reader
from seakeeping.web.watch import Telemetry, Watch


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
    """The store and its readers, the events, the files, the clock.

    ``audit`` records an erasure in the ledger: user, by whom, how many calls; it may block.
    """

    store: Telemetry
    reader: Reader
    watch: Watch
    hub: EventHub
    assets: Assets
    place: Place
    clock: Clock
    audit: Callable[[str, str, int], None]
