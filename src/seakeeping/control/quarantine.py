"""Bodies that were acknowledged but cannot be processed: kept aside, counted, bounded.

What was acknowledged is never thrown away because of a fault of ours. The oldest files go first
when the folder is full.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from seakeeping import metrics
from seakeeping.ingest.spool import SpoolRecord

_LIMIT_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Quarantine:
    """A bounded folder of bodies with the error beside each."""

    folder: Path
    limit_bytes: int = _LIMIT_BYTES

    def keep(self, name: str, record: SpoolRecord, error: Exception) -> None:
        """Write the body and what went wrong with it; a full disk is counted, not raised."""
        metrics.ERRORS.labels("pipeline", type(error).__name__).inc()
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._make_room(len(record.body))
            self._write(f"{name}.{record.signal}.{record.encoding}", record.body)
            facts = {"error": repr(error), "received_at": record.received_at}
            self._write(f"{name}.json", json.dumps(facts).encode())
        except OSError as failure:
            metrics.ERRORS.labels("quarantine", type(failure).__name__).inc()

    def _write(self, name: str, body: bytes) -> None:
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_bytes(body)

    def _make_room(self, needed: int) -> None:
        files = sorted(self.folder.iterdir(), key=lambda p: p.stat().st_mtime)
        used = sum(p.stat().st_size for p in files)
        for path in files:
            if used + needed <= self.limit_bytes:
                return
            used -= path.stat().st_size
            path.unlink()
