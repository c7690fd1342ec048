"""The store child: ``python -m seakeeping.store.engine``, started by the supervisor.

Settings: ``path`` (data folder), ``port`` (0 for any free one), ``token``; optional
``memory_limit_mb``, ``readers``, ``threads``, ``statement_s``. It beats only when the engine has
answered, so an engine that hangs is a child that is restarted. It says its port when ready.
"""

import os
import sys
import time
from functools import partial
from pathlib import Path

from seakeeping.process import BEAT_S, Child, enter
from seakeeping.store.engine.damage import Damage, free_bytes
from seakeeping.store.engine.embedded import EngineError, load
from seakeeping.store.engine.server import Endpoint, StoreServer
from seakeeping.store.engine.sessions import EngineLimits, Sessions


class StartAnew(Exception):
    """The engine should start anew; the supervisor does that."""


def limits_of(child: Child) -> EngineLimits:
    """Return the limits named in the child's settings, defaults for the rest."""
    told = child.settings
    usual = EngineLimits()
    return EngineLimits(
        memory_mb=int(told.get("memory_limit_mb") or usual.memory_mb),
        readers=int(told.get("readers") or usual.readers),
        threads=int(told.get("threads") or usual.threads),
        statement_s=float(told.get("statement_s") or usual.statement_s),
    )


def serve(child: Child) -> None:
    """Serve the folder until asked to stop."""
    os.umask(0o077)
    sessions = Sessions(load(), Path(child.settings["path"]), limits_of(child))
    folder = Path(child.settings["path"])
    damage = Damage(partial(free_bytes, folder), time.monotonic)
    endpoint = Endpoint(sessions, child.settings["token"], note_failure=damage.note)
    server = StoreServer(int(child.settings.get("port") or 0), endpoint)
    sessions.pulse()
    server.start()
    child.ready(port=server.port)
    while not child.stop.wait(BEAT_S):
        sessions.pulse()
        child.beat()
        if reason := damage.reason_to_start_anew():
            raise StartAnew(reason)
    server.shutdown()
    sessions.close()


if __name__ == "__main__":
    status = 0
    try:
        serve(enter())
    except (EngineError, OSError, RuntimeError, StartAnew) as error:
        print(f"store: {error}", file=sys.stderr)
        status = 1
    # the engine's threads do not take part in the interpreter's shutdown
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
