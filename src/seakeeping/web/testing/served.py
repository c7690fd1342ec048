"""The control room over a store of one's own: as an application, or served on a free port."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from seakeeping.clock import Clock, SystemClock
from seakeeping.observe.labelling import LabelQueue
from seakeeping.store.ledger import Ledger, open_at
from seakeeping.store.ledger.label_requests import LabelRequests
from seakeeping.store.ledger.outbox import Outbox
from seakeeping.web.actors import Actors
from seakeeping.web.api import Api
from seakeeping.web.app import build_app
from seakeeping.web.assets import Assets
from seakeeping.web.deliveries import Deliveries
from seakeeping.web.events import EventHub
from seakeeping.web.health import Health
from seakeeping.web.pages import Pages
from seakeeping.web.reader import Reader
from seakeeping.web.room import Place, Room
from seakeeping.web.testing.decided import MemoryDecided
from seakeeping.web.testing.memory import MemoryStore
from seakeeping.web.testing.outbox_sample import TARGETS
from seakeeping.web.watch import Watch

_ASSETS = Assets()
_START_S = 20.0


@dataclass
class StillClock:
    """A clock that stands still until it is moved."""

    at: float = 1_763_910_000.0

    def now(self) -> float:
        """Return the moment."""
        return self.at

    def monotonic(self) -> float:
        """Return the moment."""
        return self.at


@dataclass
class TestRoom:
    """A control room: its stores, its parts, and what was audited."""

    __test__ = False

    store: MemoryStore
    decided: MemoryDecided
    requests: LabelRequests
    ledger: Ledger
    outbox: Outbox
    room: Room
    app: ASGIApp
    api: Api
    pages: Pages
    audited: list[tuple[str, str, int]] = field(default_factory=list)

    def close(self) -> None:
        """Let go of the threads."""
        self.room.reader.close()
        self.room.ledger_reader.close()


def make_room(
    store: MemoryStore, folder: Path, clock: Clock | None = None,
    decided: MemoryDecided | None = None,
) -> TestRoom:  # fmt: skip
    """Return a control room over a store; its folders and its ledger lie below ``folder``."""
    clock, reader, ledger_reader = clock or SystemClock(), Reader(), Reader(of="ledger")
    decided = decided or MemoryDecided(clock)
    audited: list[tuple[str, str, int]] = []
    ledger = _ledger(folder, clock)
    requests = LabelRequests(ledger)
    room = Room(
        store=store, reader=reader, decided=decided, ledger_reader=ledger_reader,
        queue=LabelQueue(requests=requests, candidates=lambda *_: (), keep=store.insert_labels,
                         clock=clock),
        deliveries=Deliveries(ledger, lambda: TARGETS),
        watch=Watch(store, decided, reader, clock), hub=EventHub(), assets=_ASSETS, clock=clock,
        actors=Actors(dict), audit=lambda *facts: audited.append(facts),
        place=Place(folder, folder / "run", 2048 << 20, "http://127.0.0.1:4318"),
    )  # fmt: skip
    api = Api(room, scopes=lambda request: frozenset({"admin"}))
    health = Health(
        room.place, reader, lambda: store.ping_or_raise(), clock,
        decided_at=lambda: room.watch.readings().at,
    )  # fmt: skip
    pages = Pages(room)
    app = build_app([*health.routes(), *api.routes()], pages, lambda inner: inner)
    return TestRoom(
        store, decided, requests, ledger, Outbox(ledger), room, app, api, pages, audited
    )


def _ledger(folder: Path, clock: Clock) -> Ledger:
    ledger = open_at(f"sqlite:///{folder / 'ledger.sqlite'}", clock)
    return ledger


@contextmanager
def served(app: ASGIApp, hub: EventHub, port: int = 0) -> Iterator[str]:
    """Serve an application on a free port of loopback; yield its address."""
    config = uvicorn.Config(
        app, host="127.0.0.1", port=port, log_level="warning", lifespan="off", ws="none"
    )
    server = uvicorn.Server(config)
    loop = asyncio.new_event_loop()

    async def run() -> None:
        ticking = asyncio.create_task(_tick(hub))
        await server.serve()
        ticking.cancel()

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()), daemon=True)
    thread.start()
    _wait_for(server)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        loop.call_soon_threadsafe(hub.close)
        server.should_exit = True
        thread.join(_START_S)
        loop.close()


async def _tick(hub: EventHub) -> None:
    while True:
        hub.publish("tick", {"at": time.time()})
        await asyncio.sleep(0.3)


def _wait_for(server: uvicorn.Server) -> None:
    deadline = time.monotonic() + _START_S
    while not server.started:
        if time.monotonic() > deadline:
            raise TimeoutError("the server did not start")
        time.sleep(0.01)
