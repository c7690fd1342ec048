"""For tests of the web room: a client without a socket, a store without an engine, sample calls."""

from seakeeping.web.testing.client import Answer, Client
from seakeeping.web.testing.memory import MemoryStore
from seakeeping.web.testing.sample import fill
from seakeeping.web.testing.served import StillClock, TestRoom, make_room, served

__all__ = [
    "Answer",
    "Client",
    "MemoryStore",
    "StillClock",
    "TestRoom",
    "fill",
    "make_room",
    "served",
]
