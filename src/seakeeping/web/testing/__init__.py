"""For tests of the web room: a client without a socket, a store without an engine, sample calls."""

from seakeeping.web.testing.client import Answer, Client
from seakeeping.web.testing.decided import MemoryDecided
from seakeeping.web.testing.decided_sample import fill_decided
from seakeeping.web.testing.memory import MemoryStore
from seakeeping.web.testing.outbox_sample import fill_outbox
from seakeeping.web.testing.sample import fill
from seakeeping.web.testing.served import StillClock, TestRoom, make_room, served

__all__ = [
    "Answer",
    "Client",
    "MemoryDecided",
    "MemoryStore",
    "StillClock",
    "TestRoom",
    "fill",
    "fill_decided",
    "fill_outbox",
    "make_room",
    "served",
]
