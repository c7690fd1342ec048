"""Debian's Prometheus evaluating the same objectives as rules, for comparison.

It scrapes two counters an objective from a server of ours and evaluates the rules that we generate
(``observe.rules``). Its CPU is taken once with the rules and once without; the rest is scraping.
"""

import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil

from seakeeping.observe.rules import prometheus_rules_yaml
from seakeeping.observe.slo_labels import BAD_TOTAL, VALID_TOTAL, slo_labels
from seakeeping.records import Indicator, Objective

SCRAPE_S = 5
EVALUATE_S = 15


@dataclass(frozen=True, slots=True)
class PrometheusCost:
    """CPU seconds a minute with and without rules, and how many rules that are."""

    objectives: int
    rules: int
    with_rules_s: float
    without_s: float

    @property
    def round_s(self) -> float:
        """CPU seconds of one evaluation of all rules."""
        return (self.with_rules_s - self.without_s) * EVALUATE_S / 60


def objectives(count: int) -> list[Objective]:
    """Return availability objectives of so many services."""
    indicator = Indicator("availability", "calls", "good calls")
    return [
        Objective(f"service-{n}/availability", f"service-{n}", indicator, 0.999)
        for n in range(count)
    ]


def measure(count: int = 100, seconds: float = 60.0) -> PrometheusCost | None:
    """Run both; None where Prometheus is not installed."""
    if not shutil.which("prometheus"):
        return None
    some = objectives(count)
    rules = prometheus_rules_yaml(some)
    with _exporter(some) as port:
        with_rules = _cpu_a_minute(port, rules, seconds)
        without = _cpu_a_minute(port, "groups: []\n", seconds)
    number = rules.count("record:") + rules.count("alert:")
    return PrometheusCost(count, number, with_rules, without)


def _cpu_a_minute(port: int, rules: str, seconds: float) -> float:
    with tempfile.TemporaryDirectory(prefix="seakeeping-prometheus-") as folder:
        place = Path(folder)
        (place / "rules.yaml").write_text(rules)
        (place / "prometheus.yml").write_text(
            f"global: {{scrape_interval: {SCRAPE_S}s, evaluation_interval: {EVALUATE_S}s}}\n"
            "rule_files: [rules.yaml]\nscrape_configs: [{job_name: slo, static_configs: "
            f"[{{targets: ['127.0.0.1:{port}']}}]}}]\n"
        )
        with subprocess.Popen(
            ["prometheus", "--config.file=prometheus.yml", f"--storage.tsdb.path={place / 'data'}",
             "--web.listen-address=127.0.0.1:0"],
            cwd=place, stderr=subprocess.DEVNULL,
        ) as server:  # fmt: skip
            try:
                time.sleep(10)  # its start is not the question
                process = psutil.Process(server.pid)
                before = sum(process.cpu_times()[:2])
                time.sleep(seconds)
                return (sum(process.cpu_times()[:2]) - before) * 60 / seconds
            finally:
                server.terminate()


@contextmanager
def _exporter(some: list[Objective]) -> Iterator[int]:
    """Serve two growing counters for each objective."""
    began = time.monotonic()

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = _page(some, time.monotonic() - began).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


def _page(some: list[Objective], age_s: float) -> str:
    lines = []
    for n, objective in enumerate(some):
        labels = ",".join(f'{name}="{value}"' for name, value in slo_labels(objective).items())
        lines.append(f"{VALID_TOTAL}{{{labels}}} {int(age_s * 10)}")
        lines.append(f"{BAD_TOTAL}{{{labels}}} {int(age_s * (n % 7) / 100)}")
    return "\n".join(lines) + "\n"
