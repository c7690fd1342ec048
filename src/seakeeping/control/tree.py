"""The process tree of one node: which parts run, with which settings, in which folders.

Entry points are handed in by name, so that control knows nothing of the rooms above it.
"""

import fcntl
import json
import os
import secrets
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from seakeeping.config import Settings
from seakeeping.control.ports import free_port, owner, require_free
from seakeeping.control.supervisor import Role
from seakeeping.errors import BadSetting, SeakeepingError
from seakeeping.process import ORPHAN_GRACE_S

STORE_MODULE = "seakeeping.store.engine"
PIPELINE_MODULE = "seakeeping.control.pipeline"
CONTROLLER_MODULE = "seakeeping.control.controller"
DEMO_MODULE = "seakeeping.challenge.demo"

STORE_FOLDER = "store"
"""Where the embedded store lies, within the data folder."""


@dataclass(frozen=True, slots=True)
class Node:
    """A data folder that this process owns, and the run-time settings made for its children."""

    settings: Settings
    lock: IO[str]

    @property
    def run_dir(self) -> Path:
        """Return the folder of this run: ports, status, metrics files."""
        assert self.settings.run_dir is not None
        return self.settings.run_dir

    def environment(self, base: Mapping[str, str]) -> dict[str, str]:
        """Return the children's environment: one metrics folder, one thread a library."""
        return {
            **base,
            "PROMETHEUS_MULTIPROC_DIR": str(self.run_dir / "metrics"),
            "OPENBLAS_NUM_THREADS": "1",
            "OMP_NUM_THREADS": "1",
        }


def claim(settings: Settings) -> Node:
    """Own the data folder and check the ports, or raise saying who has them.

    Raises:
        PortTaken: somebody listens where we should.
        BadSetting: the data folder cannot be made.
        SeakeepingError: another Seakeeping owns the folder.
    """
    data = settings.data.resolve()
    run_dir = data / "run"
    try:
        run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        data.chmod(0o700)
    except OSError as error:
        raise BadSetting(
            f"data folder {data}: {error.strerror}", hint="choose one with --data"
        ) from error
    lock = _lock(run_dir / "lock", data)
    settings = _with_ports(settings)
    demo_key = secrets.token_urlsafe(32) if settings.demo else None
    shutil.rmtree(run_dir / "metrics", ignore_errors=True)
    (run_dir / "metrics").mkdir(mode=0o700)
    settings = replace(settings, data=data, run_dir=run_dir, demo_key=demo_key)
    return Node(with_store(settings), lock)


def roles(node: Node, *, edge_module: str) -> list[Role]:
    """Return the children of the node, in the order of their start."""
    settings = node.settings
    document = settings.to_json()
    parts = [
        Role("edge", edge_module, document),
        Role("pipeline", PIPELINE_MODULE, document, hang_s=60.0),
        Role("controller", CONTROLLER_MODULE, document, hang_s=60.0),
    ]
    if settings.store is None:
        parts.insert(0, Role("store", STORE_MODULE, engine_settings(settings)))
    if settings.demo:
        endpoint = f"http://{_reachable(settings.host)}:{settings.port}"
        state = str(settings.data / "demo.json")
        demo = {"endpoint": endpoint, "state": state, "key": settings.demo_key}
        parts.append(Role("demo", DEMO_MODULE, demo, hang_s=120.0))
    return parts


def write_address(node: Node) -> None:
    """Leave where the store listens, for commands beside the server; owner-only."""
    path = node.run_dir / "store.json"
    path.unlink(missing_ok=True)
    body = {"url": node.settings.store_url, "token": node.settings.store_token}
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w") as out:
        json.dump(body, out)


def _with_ports(settings: Settings) -> Settings:
    """Check the ports; 0 means any free one."""
    host, admin_port = settings.host, settings.admin_port
    return replace(
        settings,
        port=_bindable(host, settings.port, "port"),
        grpc_port=_bindable(host, settings.grpc_port, "grpc-port"),
        admin_port=None if admin_port is None else _bindable(host, admin_port, "admin-port"),
    )


def _bindable(host: str, port: int, flag: str) -> int:
    """Return the port; an orphan of a killed node, about to end, is waited for."""
    if port == 0:
        return free_port(host)
    deadline = time.monotonic() + ORPHAN_GRACE_S + 2.0
    while time.monotonic() < deadline and _is_ours(owner(port)):
        time.sleep(0.1)
    require_free(host, port, setting=flag)
    return port


def _is_ours(holder: tuple[int, str] | None) -> bool:
    """Whether a child of a node holds it whose supervisor is gone."""
    if holder is None or "seakeeping." not in holder[1]:
        return False
    try:
        status = Path(f"/proc/{holder[0]}/stat").read_text()
        parent = int(status.rpartition(")")[2].split()[1])
        return b"seakeeping" not in Path(f"/proc/{parent}/cmdline").read_bytes()
    except OSError:
        return True  # one of them ended just now


def with_store(settings: Settings) -> Settings:
    """Return the settings with an address for the store."""
    if settings.store is not None:
        return replace(settings, store_url=settings.store)
    url = f"http://127.0.0.1:{free_port()}"
    return replace(settings, store_url=url, store_token=secrets.token_urlsafe(32))


def engine_settings(settings: Settings) -> dict[str, object]:
    """Return what the engine child is handed."""
    assert settings.store_url is not None
    return {
        "path": str(settings.data / STORE_FOLDER),
        "port": int(settings.store_url.rpartition(":")[2]),
        "token": settings.store_token,
        "memory_limit_mb": settings.store_memory_mb,
    }


def _reachable(host: str) -> str:
    wildcard = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}
    return wildcard.get(host, f"[{host}]" if ":" in host else host)


def _lock(path: Path, data: Path) -> IO[str]:
    lock = path.open("a")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise SeakeepingError(
            f"another Seakeeping runs on {data}", hint="stop it, or choose another --data"
        ) from error
    return lock
