"""The servers that are compared: how each is installed, started, asked and counted.

The peers get environments of their own under ``bench/.work``, made once. Each runs as its own
documentation starts it on one machine: Phoenix as ``phoenix serve`` on SQLite, MLflow as ``mlflow
server`` on SQLite with one worker and its job runners off (its best case).
"""

import os
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import orjson

from bench import tree
from seakeeping.control import ports

WORK = Path(__file__).parent.parent / ".work"
PHOENIX = "arize-phoenix==20.26.1"
MLFLOW = "mlflow==3.17.2"
_START_LIMIT_S = 180.0


class Server(Protocol):
    """A server under test; ``folder`` is where it keeps its data."""

    name: str
    folder: Path

    @property
    def url(self) -> str:
        """Where spans are posted."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """What each request carries."""
        ...

    def command(self) -> tuple[list[str], dict[str, str]]:
        """Return the command and the environment that start it."""
        ...

    def is_ready(self) -> bool:
        """Say whether it takes spans."""
        ...

    def stored(self) -> int:
        """Return how many spans it holds, each counted once, as a query finds them."""
        ...

    def is_settled(self, spans: int, model_calls: int) -> bool:
        """Say whether all that was sent is stored and, where it scores, scored."""
        ...

    def disk_bytes(self) -> int:
        """Return what its data takes on disk."""
        ...

    def trim(self) -> None:
        """Let it do the merging and cleaning that it does sooner or later."""
        ...


def free_port() -> int:
    """Return a port of the loopback that nobody listens on."""
    return ports.free_port()


def start(server: Server) -> subprocess.Popen[bytes]:
    """Start the server and return once it takes spans."""
    server.folder.mkdir(parents=True, exist_ok=True)
    arguments, environment = server.command()
    WORK.mkdir(exist_ok=True)
    with (WORK / f"{server.name}.server.log").open("ab") as log:
        process = subprocess.Popen(
            arguments, env=os.environ | environment, stdout=log, stderr=log, cwd=server.folder
        )
    deadline = time.monotonic() + _START_LIMIT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"{server.name} ended with {process.returncode}: see {log.name}")
        if server.is_ready():
            return process
        time.sleep(0.1)
    raise RuntimeError(f"{server.name} was not ready in {_START_LIMIT_S:.0f} s")


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as reply:
            return bool(reply.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _environment(name: str, requirement: str) -> Path:
    """Return the folder of commands of the peer's environment, making it the first time."""
    folder = WORK / name
    if not (folder / "installed").exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([folder / "bin" / "pip", "install", "-q", requirement], check=True)
        (folder / "installed").touch()
    return folder / "bin"


def _count_rows(database: Path, query: str) -> int:
    if not database.exists():
        return 0
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=30)) as connection:
        try:
            return int(connection.execute(query).fetchone()[0])
        except sqlite3.OperationalError:
            return 0  # the table is not there yet


@dataclass
class Phoenix:
    """Arize Phoenix on SQLite."""

    folder: Path
    port: int = field(default_factory=free_port)
    name: str = "phoenix"

    @property
    def url(self) -> str:
        """Where spans are posted."""
        return f"http://127.0.0.1:{self.port}/v1/traces"

    @property
    def headers(self) -> Mapping[str, str]:
        """What each request carries."""
        return {}

    def command(self) -> tuple[list[str], dict[str, str]]:
        """Return the command and the environment that start it."""
        return [str(_environment("phoenix", PHOENIX) / "phoenix"), "serve"], {
            "PHOENIX_HOST": "127.0.0.1",
            "PHOENIX_PORT": str(self.port),
            "PHOENIX_GRPC_PORT": str(free_port()),
            "PHOENIX_WORKING_DIR": str(self.folder),
            "PHOENIX_TELEMETRY_ENABLED": "false",
        }

    def is_ready(self) -> bool:
        """Say whether it takes spans."""
        return _answers(f"http://127.0.0.1:{self.port}/healthz")

    def stored(self) -> int:
        """Return the rows of its span table."""
        return _count_rows(self.folder / "phoenix.db", "select count(*) from spans")

    def is_settled(self, spans: int, model_calls: int) -> bool:
        """Say whether every span is stored."""
        return self.stored() >= spans

    def disk_bytes(self) -> int:
        """Return what SQLite's files take."""
        return tree.disk_bytes(self.folder)

    def trim(self) -> None:
        """Nothing: SQLite's own files are what it takes."""


@dataclass
class MLflow:
    """MLflow's tracking server on SQLite, one worker, job runners off."""

    folder: Path
    port: int = field(default_factory=free_port)
    name: str = "mlflow"

    @property
    def url(self) -> str:
        """Where spans are posted."""
        return f"http://127.0.0.1:{self.port}/v1/traces"

    @property
    def headers(self) -> Mapping[str, str]:
        """What each request carries: the default experiment."""
        return {"x-mlflow-experiment-id": "0"}

    def command(self) -> tuple[list[str], dict[str, str]]:
        """Return the command and the environment that start it."""
        arguments = ["server", "--host", "127.0.0.1", "--port", str(self.port), "--workers", "1"]
        arguments += ["--backend-store-uri", f"sqlite:///{self.folder}/mlflow.db"]
        return [str(_environment("mlflow", MLFLOW) / "mlflow"), *arguments], {
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            "PATH": f"{WORK / 'mlflow' / 'bin'}:{os.environ['PATH']}",
        }

    def is_ready(self) -> bool:
        """Say whether it takes spans."""
        return _answers(f"http://127.0.0.1:{self.port}/health")

    def stored(self) -> int:
        """Return the rows of its span table."""
        return _count_rows(self.folder / "mlflow.db", "select count(*) from spans")

    def is_settled(self, spans: int, model_calls: int) -> bool:
        """Say whether every span is stored."""
        return self.stored() >= spans

    def disk_bytes(self) -> int:
        """Return what SQLite's files take."""
        return tree.disk_bytes(self.folder)

    def trim(self) -> None:
        """Nothing: SQLite's own files are what it takes."""


def get_json(url: str) -> object:
    """Return the JSON that the address answers."""
    with urllib.request.urlopen(url, timeout=30) as reply:
        return orjson.loads(reply.read())
