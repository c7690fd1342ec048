"""Notify: what was decided reaches people and machines, at least once, and secrets stay secret.

Messages wait in the ledger's outbox; the courier carries each target's in a lane of its own; a
sender speaks each kind's language; alerts of an Alertmanager come in by the same data.
"""

from seakeeping.decide.notify.courier import Courier, change_targets
from seakeeping.decide.notify.failures import DeliveryFailed, Undeliverable
from seakeeping.decide.notify.lane import Tally
from seakeeping.decide.notify.received import alerts_from_webhook
from seakeeping.decide.notify.sender import Envelope, Live, Sender, Surroundings
from seakeeping.decide.notify.senders import SENDERS, sender_of

__all__ = [
    "SENDERS",
    "Courier",
    "DeliveryFailed",
    "Envelope",
    "Live",
    "Sender",
    "Surroundings",
    "Tally",
    "Undeliverable",
    "alerts_from_webhook",
    "change_targets",
    "sender_of",
]
