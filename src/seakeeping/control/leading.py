"""Who works: of all controllers of one ledger, the one that holds the lease.

A lease names its holder and when it ends, by the holder's clock. Clocks jump and differ, so a lease
is also over when it has stood unchanged for its whole length by our own steady clock: who lives
renews it. And a controller that was killed need not be waited for by the one that the supervisor
starts in its place: on the same data folder the name of the last holder is kept, and where its
process is gone, so is its right.
"""

import os
import secrets
import socket
from contextlib import suppress
from pathlib import Path

from seakeeping import metrics
from seakeeping.clock import Clock
from seakeeping.store.ledger import Ledger
from seakeeping.store.ledger.records import Lease

LEASE = "controller"
LEASE_S = 15.0
RENEW_S = 5.0


class Leadership:
    """The lease as one process sees it.

    Args:
        ledger: holds the lease.
        kept: file where the holder's name is left for whoever comes after it on this node.
        clock: its steady side, for renewing and for watching.
    """

    def __init__(self, ledger: Ledger, kept: Path, clock: Clock) -> None:
        self._ledger, self._kept, self._clock = ledger, kept, clock
        self._holder = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._is_heir = False
        self._is_held = False
        self._renewed_at = float("-inf")
        self._seen: Lease | None = None
        self._seen_at = float("-inf")

    def take(self) -> bool:
        """Take the lease, or renew it when that is due; return whether it is held.

        Raises LedgerUnavailable; whether it is held is then as it was.
        """
        now = self._clock.monotonic()
        if self._is_held and 0 <= now - self._renewed_at < RENEW_S:
            return True
        if not self._is_heir:
            self._inherit()
        self._is_held = self._acquired() or (self._is_abandoned(now) and self._acquired())
        self._renewed_at = now
        return self._is_held

    def release(self) -> None:
        """Give it back. Raises LedgerUnavailable; then it runs out by itself."""
        if self._is_held:
            self._ledger.release(LEASE, self._holder)
            self._is_held = False

    def _acquired(self) -> bool:
        return self._ledger.acquire(LEASE, self._holder, LEASE_S) is not None

    def _inherit(self) -> None:
        """End the lease of the controller before this one on this node, if that is dead."""
        before = _read(self._kept)
        if _is_dead(before):
            self._ledger.release(LEASE, before)
        try:
            self._kept.write_text(self._holder)
        except OSError as error:  # then who comes after us waits until the lease has run out
            metrics.ERRORS.labels("controller.leading", type(error).__name__).inc()
        self._is_heir = True

    def _is_abandoned(self, now: float) -> bool:
        """End a lease that nobody renewed while we watched for as long as it lasts."""
        found = self._ledger.lease(LEASE)
        if found is None or found != self._seen:
            self._seen, self._seen_at = found, now
        if found is None or now - self._seen_at < LEASE_S:
            return False
        self._ledger.release(LEASE, found.holder)
        return True


def _read(path: Path) -> str:
    with suppress(FileNotFoundError, UnicodeDecodeError):
        return path.read_text()
    return ""


def _is_dead(holder: str) -> bool:
    """Whether a holder was a process of this machine that is gone."""
    host, _, rest = holder.partition(":")
    pid = rest.partition(":")[0]
    if host != socket.gethostname() or not pid.isdecimal():
        return False
    if int(pid) == os.getpid():  # a container begins anew with the same numbers
        return True
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False
