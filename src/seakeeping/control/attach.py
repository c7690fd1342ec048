"""A store for commands: a running node's, or the data folder's own engine for as long as needed."""

import fcntl
import json
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from seakeeping.config import Settings
from seakeeping.control.tree import STORE_FOLDER, STORE_MODULE, engine_settings, with_store
from seakeeping.errors import NotFound, StoreUnavailable

_START_S = 60.0


@contextmanager
def attached(settings: Settings, *, makes_folder: bool = False) -> Iterator[Settings]:
    """Yield settings whose ``store_url`` answers.

    A node that runs on the data folder lends its store; else the engine is started here and ended
    afterwards. With ``settings.store`` that server is used, running node or not.

    Raises:
        NotFound: nothing is stored in the data folder, and it is not to be made.
        StoreUnavailable: the engine does not start.
    """
    data = settings.data.resolve()
    if settings.store is None and not makes_folder and not (data / STORE_FOLDER).is_dir():
        raise NotFound(f"nothing is stored in {settings.data}", hint="--data names the data folder")
    run_dir = data / "run"
    run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    settings = replace(settings, data=data, run_dir=run_dir)
    if settings.store is not None:
        yield replace(settings, store_url=settings.store)
    elif is_running(data):
        address = json.loads((run_dir / "store.json").read_text())
        yield replace(settings, store_url=address["url"], store_token=address["token"])
    else:
        with _own_engine(with_store(settings)) as ready:
            yield ready


def is_running(data: Path) -> bool:
    """Whether a node owns the data folder now."""
    lock = data / "run" / "lock"
    if not lock.exists():
        return False
    with lock.open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


@contextmanager
def _own_engine(settings: Settings) -> Iterator[Settings]:
    engine = subprocess.Popen(
        [sys.executable, "-m", STORE_MODULE], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert engine.stdin is not None
    assert engine.stdout is not None
    try:
        engine.stdin.write(json.dumps(engine_settings(settings)).encode() + b"\n")
        engine.stdin.flush()
        _await_ready(engine)
        yield settings
    finally:
        engine.stdin.close()  # which asks the engine to end
        engine.wait()
        engine.stdout.close()


def _await_ready(engine: "subprocess.Popen[bytes]") -> None:
    assert engine.stdout is not None
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        readable, _, _ = select.select([engine.stdout], [], [], 1.0)
        if not readable:
            continue
        line = engine.stdout.readline()
        if not line:
            break
        if json.loads(line).get("ready"):
            return
    raise StoreUnavailable("the store's engine did not start", hint="see its message above")
