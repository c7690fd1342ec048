"""A real server for end-to-end tests: ``seakeeping up`` on free ports, killed at will."""

import json
import os
import select
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import psutil
import pytest

T = TypeVar("T")


class Server:
    """One node on a data folder; ``start`` again continues on the same ports."""

    def __init__(self, data: Path, *flags: str) -> None:
        self.data = data
        self.flags = flags
        self.port: int | None = None
        self.grpc_port: int | None = None
        self.process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, *, ready_s: float = 60.0) -> None:
        """Start and wait until it says that it is ready."""
        command = [
            sys.executable, "-m", "seakeeping", "up", "--json", "--data", str(self.data),
            "--port", str(self.port or 0), "--grpc-port", str(self.grpc_port or 0),
            "--config", str(self.data / "resources"), *self.flags,
        ]  # fmt: skip
        log = (self.data / "server.log").open("a")
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=log, text=True, cwd=self.data
        )
        log.close()
        assert self.process.stdout is not None
        said, _, _ = select.select([self.process.stdout], [], [], ready_s)
        line = self.process.stdout.readline() if said else ""
        if not line:
            self.kill()
            raise AssertionError(f"no start: {(self.data / 'server.log').read_text()[-3000:]}")
        facts = json.loads(line)
        self.port = int(facts["OTLP/HTTP"].rpartition(":")[2])
        self.grpc_port = int(facts["OTLP/gRPC"].rpartition(":")[2])
        self.until(lambda: self.is_ready() or None, ready_s)

    def stop(self) -> None:
        """End it the polite way, and whatever is left the other way."""
        if self.process is None:
            return
        tree = self.tree()
        self.process.terminate()
        _, left = psutil.wait_procs(tree, timeout=20)
        for process in left:
            process.kill()
        self._forget()

    def kill(self) -> None:
        """SIGKILL the whole tree at once."""
        for process in self.tree():
            process.kill()
        self._forget()

    def kill_supervisor(self) -> None:
        """SIGKILL only the root, and wait for its children to notice."""
        assert self.process is not None
        children = self.tree()[1:]
        self.process.kill()
        _, left = psutil.wait_procs(children, timeout=20)
        assert not left, "orphans hold locks"
        self._forget()

    def signal(self, role: str, number: signal.Signals) -> None:
        """Send a signal to one part of the tree."""
        os.kill(self.pid(role), number)

    def pid(self, role: str) -> int:
        """Return the process id of a part."""
        status = json.loads((self.data / "run" / "status.json").read_text())
        return int(status["roles"][role]["pid"])

    def tree(self) -> list[psutil.Process]:
        """Return the root and everything below it."""
        assert self.process is not None
        root = psutil.Process(self.process.pid)
        return [root, *root.children(recursive=True)]

    def is_ready(self) -> bool:
        """Whether all parts work."""
        try:
            return self.get("/readyz", raw=True) is not None
        except (urllib.error.URLError, OSError):
            return False

    def get(self, path: str, *, raw: bool = False) -> Any:
        """Return the JSON (or text) at a path."""
        with urllib.request.urlopen(self.url + path, timeout=30) as response:
            body = response.read()
        return body.decode() if raw else json.loads(body)

    def status(self, path: str) -> tuple[int, bytes]:
        """Return status and body of a GET, whatever the status."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=30) as response:
                return response.status, response.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def post(self, path: str, body: bytes, content_type: str, **headers: str) -> tuple[int, bytes]:
        """Post a body; return status and answer, whatever the status."""
        request = urllib.request.Request(self.url + path, data=body, method="POST")
        request.add_header("Content-Type", content_type)
        for name, value in headers.items():
            request.add_header(name.replace("_", "-"), value)
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return response.status, response.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def until(self, look: Callable[[], T | None], within_s: float = 20.0) -> T:
        """Return the first answer that is not None, False or empty, or fail with the log's end."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            if found := look():
                return found
            time.sleep(0.05)
        log = (self.data / "server.log").read_text()[-3000:]
        raise AssertionError(f"not within {within_s:.0f} s; log:\n{log}")

    def _forget(self) -> None:
        assert self.process is not None
        self.process.wait(20)
        if self.process.stdout:
            self.process.stdout.close()
        self.process = None


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a server that the tests of one file share."""
    running = Server(tmp_path_factory.mktemp("node"))
    running.start()
    yield running
    running.stop()


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    """Return a server of the test's own, to be killed."""
    running = Server(tmp_path)
    running.start()
    yield running
    running.stop()
