"""``python -m seakeeping.web.edge``: the process that holds the ports.

One event loop serves telemetry over HTTP and gRPC, the API and the pages. It never walks
attributes, scores, or asks the store by itself: bodies go to the spool, questions to threads with
deadlines. So that telemetry is taken also while the store is away, nothing here waits for it.
"""

import asyncio
import contextlib
import itertools
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

import uvicorn
import uvloop
from starlette.requests import Request
from starlette.types import ASGIApp

from seakeeping import metrics
from seakeeping.clock import Clock, SystemClock
from seakeeping.config import ResourceFolder, Settings
from seakeeping.config.keys import Scope, hash_key
from seakeeping.errors import StoreUnavailable
from seakeeping.ingest.guard import Guard, GuardMiddleware, KeyRing
from seakeeping.ingest.receive import Receiver
from seakeeping.ingest.receive_grpc import serve_grpc
from seakeeping.ingest.receive_http import otlp_routes
from seakeeping.ingest.spool import GroupCommit, SpoolWriter
from seakeeping.observe.labelling import Candidate, LabelQueue
from seakeeping.process import BEAT_S, Child, enter, refusing
from seakeeping.records import Traffic
from seakeeping.store import Ledger, open_ledger
from seakeeping.store.counting import CountingStore, connect_counting
from seakeeping.store.ledger.label_requests import LabelRequests
from seakeeping.web.actors import Actors
from seakeeping.web.api import Api
from seakeeping.web.app import build_app, data_routes
from seakeeping.web.assets import Assets
from seakeeping.web.deliveries import Deliveries
from seakeeping.web.events import EventHub
from seakeeping.web.health import Health
from seakeeping.web.ledgered import LedgerDecided
from seakeeping.web.memory import few_arenas, give_back
from seakeeping.web.pages import Pages
from seakeeping.web.reader import Reader
from seakeeping.web.room import Place, Room
from seakeeping.web.watch import Watch

MIB = 1 << 20
QUEUE_BYTES = 64 * MIB
TICK_S = 2.0
SLOW_S = 30.0
REFRESH_S = 2.0
TRIM_EVERY = 5
DRAIN_S = 4
PING_S = 2.0


class Server(uvicorn.Server):
    """A server that leaves the signals to the process around it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take no signals."""
        yield


@dataclass(frozen=True, slots=True)
class Edge:
    """All parts of the process, before the loop runs."""

    settings: Settings
    child: Child
    clock: Clock
    ledger: Ledger
    resources: ResourceFolder
    keys: KeyRing
    guard: Guard
    store: CountingStore
    room: Room


def make_edge(settings: Settings, child: Child, clock: Clock) -> Edge:
    """Open what the process needs; asks the ledger, never the store."""
    ledger = open_ledger(settings)
    keys = KeyRing(ledger.key_scopes, _own_keys(settings))
    assert settings.run_dir is not None
    counted = (Traffic.LIVE, Traffic.DEMO) if settings.demo else (Traffic.LIVE,)
    store = connect_counting(settings.store_url or "", token=settings.store_token, counted=counted)
    reader, ledger_reader = Reader(), Reader(of="ledger")
    resources = ResourceFolder(settings.config, keep=settings.run_dir / "resources")
    decided = LedgerDecided(ledger, lambda: resources.current)
    place = Place(
        data=settings.data,
        run_dir=settings.run_dir,
        spool_limit_bytes=settings.spool_limit_mb * MIB,
        endpoint=f"http://{settings.host}:{settings.port}",
    )
    room = Room(
        store=store, reader=reader, decided=decided, ledger_reader=ledger_reader,
        deliveries=Deliveries(ledger, lambda: resources.current.targets),
        queue=label_queue(store, ledger, clock), watch=Watch(store, decided, reader, clock),
        hub=EventHub(), assets=Assets(), place=place, clock=clock, actors=Actors(ledger.key_names),
        audit=lambda user_id, by, calls: _audit_erasure(ledger, user_id, by, calls),
        findings=lambda: resources.findings,
    )  # fmt: skip
    return Edge(
        settings=settings, child=child, clock=clock, ledger=ledger,
        resources=resources, keys=keys,
        guard=Guard(keys, host=settings.host, hosts=settings.hosts), store=store, room=room,
    )  # fmt: skip


def _own_keys(settings: Settings) -> dict[str, frozenset[str]]:
    """Return the key of the demo: it goes on when somebody makes the first key meanwhile."""
    if settings.demo_key is None:
        return {}
    return {hash_key(settings.demo_key): frozenset({Scope.RECEIVE, Scope.READ, Scope.ACT})}


def label_queue(store: CountingStore, ledger: Ledger, clock: Clock) -> LabelQueue:
    """Return the queue of answers that ask for a label; the control loop fills it, not the edge."""

    def none(service: str, name: str, start: float, end: float) -> Sequence[Candidate]:
        return ()

    return LabelQueue(
        requests=LabelRequests(ledger), candidates=none, keep=store.insert_labels, clock=clock
    )


def _audit_erasure(ledger: Ledger, user_id: str, by: str, calls: int) -> None:
    ledger.erase(user_id, by=by, interactions=calls)


async def serve(edge: Edge) -> None:
    """Serve until the parent asks to end; then take no more, finish what is in hand, and close."""
    async with AsyncExitStack() as stack:
        receiver = await _receiver(edge, stack)
        servers = [Server(config) for config in _configs(edge, receiver)]
        grpc_server, _ = await serve_grpc(
            receiver, f"{edge.settings.host}:{edge.settings.grpc_port}", edge.guard
        )
        stack.push_async_callback(grpc_server.stop, DRAIN_S)
        running = [asyncio.create_task(server.serve()) for server in servers]
        while not all(server.started for server in servers):
            await asyncio.sleep(0.01)
            _raise_failed(running)
        edge.child.ready()
        await _until_asked(edge, running)
        edge.room.hub.close()
        for server in servers:
            server.should_exit = True
        await asyncio.gather(*running)


async def _receiver(edge: Edge, stack: AsyncExitStack) -> Receiver:
    limit = edge.settings.spool_limit_mb * MIB
    writer = SpoolWriter(edge.settings.data / "spool", limit_bytes=limit, clock=edge.clock)
    commit = GroupCommit(writer, queue_bytes=QUEUE_BYTES)
    stack.push_async_callback(commit.close)
    receiver = Receiver(
        commit,
        body_limit_bytes=edge.settings.body_limit_mb * MIB,
        policy=lambda: edge.resources.current.policy,
        clock=edge.clock,
    )
    stack.callback(receiver.close)
    stack.callback(edge.room.reader.close)
    stack.callback(edge.room.ledger_reader.close)
    return receiver


def _configs(edge: Edge, receiver: Receiver) -> list[uvicorn.Config]:
    settings, room = edge.settings, edge.room
    api = Api(room, scopes=_scopes)
    health = Health(
        room.place, room.reader, lambda: _ping(edge.store), edge.clock,
        lambda: room.watch.readings().readings, lambda: room.watch.readings().at,
    )  # fmt: skip
    is_shared = settings.admin_port is None
    data, admin = data_routes(
        otlp_routes(receiver), health.routes(), api.routes(), is_shared=is_shared
    )
    pages = Pages(room)

    def guarded(app: ASGIApp) -> ASGIApp:
        return GuardMiddleware(app, edge.guard)

    configs = [
        _config(
            build_app(data, pages if is_shared else None, guarded), settings.host, settings.port
        )
    ]
    if settings.admin_port is not None:
        configs.append(
            _config(build_app(admin, pages, guarded), settings.host, settings.admin_port)
        )
    return configs


def _config(app: ASGIApp, host: str, port: int) -> uvicorn.Config:
    return uvicorn.Config(
        app, host=host, port=port, loop="none", http="httptools", ws="none", lifespan="off",
        access_log=False, log_level="warning", server_header=False, date_header=False,
        timeout_keep_alive=75, timeout_graceful_shutdown=DRAIN_S, proxy_headers=False,
        backlog=2048,
    )  # fmt: skip


def _scopes(request: Request) -> frozenset[str]:
    scopes = request.scope.get("state", {}).get("scopes", frozenset())
    return frozenset(scopes)


def _ping(store: CountingStore) -> None:
    if not store.ping(PING_S):
        raise StoreUnavailable("the store does not answer")


async def _until_asked(edge: Edge, running: list[asyncio.Task[None]]) -> None:
    """Beat, tick and refresh until the parent asks to end, or a server fails."""
    chores = asyncio.create_task(_refresh(edge))
    ticks = asyncio.create_task(_tick(edge))
    beats = 0
    try:
        while not edge.child.stop.is_set():
            if beats % 5 == 0:
                edge.child.beat()
            beats += 1
            _raise_failed([*running, chores, ticks])
            await asyncio.sleep(BEAT_S / 5)
    finally:
        for task in (chores, ticks):
            task.cancel()
        await asyncio.gather(chores, ticks, return_exceptions=True)


def _raise_failed(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        if task.done():
            task.result()
            raise RuntimeError("a server ended by itself")


async def _tick(edge: Edge) -> None:
    """Tell open pages to look again; costs nothing while none is open."""
    count = 0
    while True:
        await asyncio.sleep(TICK_S)
        count += 1
        if edge.room.hub.listening:
            edge.room.hub.publish("tick", {"at": edge.clock.now()})
            if count % round(SLOW_S / TICK_S) == 0:
                edge.room.hub.publish("slow", {"at": edge.clock.now()})


async def _refresh(edge: Edge) -> None:
    """Look for keys and resources that changed, and stay small."""
    for count in itertools.count(1):
        await asyncio.sleep(REFRESH_S)
        if count % TRIM_EVERY == 0:
            await asyncio.to_thread(give_back)
        try:
            await asyncio.to_thread(_look_again, edge)
        except Exception as error:  # the ledger may be away for a while; what was read stays
            metrics.ERRORS.labels("edge", type(error).__name__).inc()


def _look_again(edge: Edge) -> None:
    edge.keys.refresh()
    edge.room.actors.refresh()
    edge.resources.refresh()


def main() -> None:
    """Run as a child of the supervisor."""
    few_arenas()
    child = enter()
    with refusing():
        edge = make_edge(Settings.from_json(child.settings), child, SystemClock())
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(edge))


if __name__ == "__main__":
    main()
