"""Changes are told to whoever asks for them: one message a change and target, however often seen.

Both ways in, told by a tool and seen in the telemetry, end in the ledger, on whatever node; so who
leads looks there for what was made of late and puts it into the outbox. The message's key is the
change's own id, so a look that is taken again, after a crash, a replay or on another node, finds
the message there and makes no second one. What is older is history that somebody filled in later:
it is kept for the diagnosis and told to nobody.
"""

from collections.abc import Iterable

from seakeeping.decide.changes.told import FUTURE_S
from seakeeping.decide.notify.courier import change_targets
from seakeeping.records import Change, Notification, NotificationTarget
from seakeeping.store.ledger import Ledger
from seakeeping.store.ledger.changes import Changes
from seakeeping.store.ledger.outbox import Outbox

FRESH_S = 3_600.0
"""A change made longer ago than this, by its own ``at``, is told to nobody."""

MOST_FRESH = 5_000
"""Changes of the last hour that are told, the newest ones."""


class ChangeNews:
    """Puts the changes of the last hour into the outbox, each once a target."""

    def __init__(self, ledger: Ledger) -> None:
        self._changes = Changes(ledger)
        self._outbox = Outbox(ledger)
        self._clock = ledger.clock
        self._put: frozenset[tuple[str, str]] = frozenset()

    def tell(self, targets: Iterable[NotificationTarget]) -> int:
        """Put what is not in the outbox yet, the oldest first; return how many messages were new.

        Raises LedgerUnavailable; then the next look finds the same.
        """
        asking = change_targets(targets)
        if not asking:
            return 0
        now = self._clock.now()
        fresh = self._changes.find(start=now - FRESH_S, end=now + FUTURE_S, limit=MOST_FRESH)
        wanted = {(target.name, one.id): one for one in reversed(fresh) for target in asking}
        new = [_message(name, one) for (name, _), one in wanted.items() if self._is_new(name, one)]
        count = self._outbox.put(*new) if new else 0
        self._put = frozenset(wanted)  # spares the ledger what it would refuse anyway
        return count

    def _is_new(self, target: str, change: Change) -> bool:
        return (target, change.id) not in self._put


def _message(target: str, change: Change) -> Notification:
    return Notification(
        target=target,
        group_key=f"change/{change.id}",
        sequence=1,
        status="resolved",
        reason="change",
        at=change.at,
        group_labels={},
        common_labels={},
        common_annotations={},
        alerts=(),
        change=change,
    )
