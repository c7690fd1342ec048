"""Debian's Prometheus and promtool, run by the tests on free ports of loopback."""

import json
import shutil
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.receivers.alertmanager import free_port

BINARY, PROMTOOL = shutil.which("prometheus"), shutil.which("promtool")
START_LIMIT_S = 30.0

Samples = Iterable[tuple[float, float]]
"""Unix seconds and values, in order."""


@dataclass(frozen=True)
class RunningPrometheus:
    url: str

    def get(self, path: str, **params: str) -> Any:
        query = urllib.parse.urlencode(params)
        with urllib.request.urlopen(f"{self.url}/api/v1/{path}?{query}", timeout=30) as answer:
            return json.load(answer)["data"]

    def series(self, expression: str, at: float) -> list[Any]:
        """Return what an expression is at a moment, as Prometheus tells it."""
        found: list[Any] = self.get("query", query=expression, time=f"{at:.3f}")["result"]
        return found

    def value(self, expression: str, at: float) -> float:
        """Return the one value of an expression."""
        (one,) = self.series(expression, at)
        return float(one["value"][1])

    def samples(self, selector: str, at: float) -> list[tuple[float, float]]:
        """Return the samples of the one series of a range selector."""
        (one,) = self.series(selector, at)
        return [(moment, float(value)) for moment, value in one["values"]]


@contextmanager
def running_prometheus(folder: Path, config: str) -> Iterator[RunningPrometheus]:
    """Run Prometheus over the blocks in ``folder/data`` with a configuration."""
    assert BINARY
    (folder / "prometheus.yml").write_text(config)
    url = f"http://127.0.0.1:{free_port()}"
    process = subprocess.Popen(
        [BINARY, f"--config.file={folder / 'prometheus.yml'}",
         f"--storage.tsdb.path={folder / 'data'}", "--storage.tsdb.retention.time=90d",
         f"--web.listen-address={url.removeprefix('http://')}", "--log.level=error"],
    )  # fmt: skip
    try:
        _await_ready(url)
        yield RunningPrometheus(url)
    finally:
        process.terminate()
        process.wait(timeout=30)


def _await_ready(url: str) -> None:
    end = time.monotonic() + START_LIMIT_S
    while True:
        try:
            with urllib.request.urlopen(f"{url}/-/ready", timeout=5):
                return
        except (urllib.error.URLError, ConnectionError):
            assert time.monotonic() < end, "Prometheus does not start"
            time.sleep(0.05)


def backfill(folder: Path, series: Mapping[str, Samples], kinds: Mapping[str, str]) -> None:
    """Write series (``NAME{LABELS}``) into ``folder/data`` as blocks that Prometheus can read."""
    assert PROMTOOL
    lines: list[str] = []
    for family, kind in kinds.items():
        lines.append(f"# TYPE {family} {kind}")
        for name, samples in series.items():
            if name.split("{")[0].removesuffix("_total") == family:
                told = name.replace('", ', '",')  # OpenMetrics has no spaces between labels
                lines += [f"{told} {value!r} {at:.3f}" for at, value in samples]
    source = folder / "series.om"
    source.write_text("\n".join([*lines, "# EOF", ""]))
    subprocess.run(
        [PROMTOOL, "tsdb", "create-blocks-from", "--max-block-duration=2400h", "--quiet",
         "openmetrics", str(source), str(folder / "data")],
        check=True, capture_output=True,
    )  # fmt: skip


def check_rules(path: Path) -> None:
    """Let promtool say whether a rule file is one."""
    _promtool("check", "rules", str(path))


def run_rule_tests(path: Path) -> None:
    """Let promtool run a file of rule tests."""
    _promtool("test", "rules", str(path))


def _promtool(*words: str) -> None:
    assert PROMTOOL
    done = subprocess.run([PROMTOOL, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
