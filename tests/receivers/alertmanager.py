"""Debian's Alertmanager itself, started by the tests on free ports of loopback."""

import json
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

BINARY = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
START_LIMIT_S = 30.0

Found = TypeVar("Found")

CONFIG = """
route:
  receiver: back
  group_by: [service, slo]
  group_wait: 0s
  group_interval: 1s
  repeat_interval: 1h
receivers:
  - name: back
    webhook_configs:
      - url: {url}
        send_resolved: true
global:
  resolve_timeout: {resolve_timeout}
"""


@dataclass(frozen=True)
class RunningAlertmanager:
    url: str

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(f"{self.url}/api/v2/{path}", timeout=10) as answer:
            return json.load(answer)

    def alerts(self) -> dict[str, Any]:
        """Return the alerts that it holds for firing, by their ``slo``."""
        return {alert["labels"]["slo"]: alert for alert in self.get("alerts")}

    def silence(self, *matchers: str) -> None:
        subprocess.run(
            ["amtool", f"--alertmanager.url={self.url}", "silence", "add", "--comment=test",
             "--author=ann", *matchers],
            check=True, capture_output=True,
        )  # fmt: skip


@contextmanager
def running_alertmanager(
    folder: Path, webhook: str, *, resolve_timeout: str = "5m", config_text: str = CONFIG
) -> Iterator[RunningAlertmanager]:
    assert BINARY is not None
    config = folder / "alertmanager.yml"
    config.write_text(config_text.format(url=webhook, resolve_timeout=resolve_timeout))
    port = free_port()
    with (folder / "alertmanager.log").open("wb") as log:
        server = subprocess.Popen(
            [BINARY, f"--config.file={config}", f"--storage.path={folder / 'data'}",
             f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address="],
            stdout=log, stderr=log,
        )  # fmt: skip
    try:
        running = RunningAlertmanager(f"http://127.0.0.1:{port}")
        eventually(lambda: _is_up(running, server), START_LIMIT_S)
        yield running
    finally:
        server.terminate()
        server.wait(20)


def _is_up(running: RunningAlertmanager, server: subprocess.Popen[bytes]) -> bool:
    assert server.poll() is None, "Alertmanager ended"
    try:
        return bool(running.get("status"))
    except OSError:
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def eventually(look: Callable[[], Found | None], limit_s: float = 20.0) -> Found:
    """Return what ``look`` finds as soon as it finds something; a poll with a deadline."""
    deadline = time.monotonic() + limit_s
    while not (found := look()):
        assert time.monotonic() < deadline, "nothing was found in time"
        time.sleep(0.05)
    return found
