"""How soon an answer is scored: the real OpenAI client, instrumentation and exporter, 50 answers/s.

Fresh processes throughout. For a sample of the calls the API is asked for the interaction until it
comes with a faithfulness result; the time counts from the beginning of the export request that
carried it to the answer of the API that shows it, so it includes up to one polling interval.

    python -m bench.latency.run
"""

import argparse
import json
import shutil
import subprocess
import sys
import threading
import time
import urllib.error
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench import tree
from bench.ingest import servers
from bench.ingest.ours import Seakeeping

ANSWERS_A_S = 50.0
SECONDS = 60.0
APPS = 2
ONE_IN = 10
POLL_S = 0.05
LIMIT_S = 30.0
REQUIREMENTS = (
    "openai==3.54.0",
    "opentelemetry-instrumentation-genai-openai==1.3b0",
    "opentelemetry-exporter-otlp-proto-http",
)
CAPTURE = {
    "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY",
    "OTEL_SEMCONV_STABILITY_OPT_IN": "gen_ai_latest_experimental",
    "NO_PROXY": "*",
}


def environment() -> Path:
    """Return the Python of the app's environment, making it the first time."""
    folder = servers.WORK / "openai-app"
    if not (folder / "installed").exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([folder / "bin" / "pip", "install", "-q", *REQUIREMENTS], check=True)
        (folder / "installed").touch()
    return folder / "bin" / "python"


class Watcher:
    """Asks the API for sampled calls until they are scored."""

    def __init__(self, base: str) -> None:
        self._base = base
        self._lock = threading.Lock()
        self.seconds: list[float] = []
        self.missing = 0
        self.exported = 0
        self.refused = 0
        self._threads: list[threading.Thread] = []

    def read(self, app: "subprocess.Popen[str]") -> None:
        """Take the lines of an app; watch one in ten of the calls."""
        assert app.stdout is not None
        for line in app.stdout:
            call = json.loads(line)
            with self._lock:
                self.exported += 1
                self.refused += not call["taken"]
                is_sampled = self.exported % ONE_IN == 0
            if is_sampled:
                self._threads.append(threading.Thread(target=self._watch, args=(call,)))
                self._threads[-1].start()

    def join(self) -> None:
        """Wait for all that is watched."""
        for thread in self._threads:
            thread.join()

    def _watch(self, call: dict[str, Any]) -> None:
        url = f"{self._base}/api/interactions/{call['trace_id']}/{call['span_id']}"
        while (waited := time.time() - call["began"]) < LIMIT_S:
            if _is_scored(url):
                with self._lock:
                    self.seconds.append(time.time() - call["began"])
                return
            time.sleep(POLL_S)
        with self._lock:
            self.missing += waited >= LIMIT_S


def _is_scored(url: str) -> bool:
    try:
        found = servers.get_json(url)
    except urllib.error.URLError:
        return False
    evaluations = found["evaluations"] if isinstance(found, dict) else []
    return any(one["name"] == "faithfulness" for one in evaluations)


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value that this share of them does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def run(rate: float, seconds: float) -> dict[str, Any]:
    """Return the figures."""
    python = environment()
    server = Seakeeping(servers.WORK / "data" / "latency")
    shutil.rmtree(server.folder, ignore_errors=True)
    process = servers.start(server)
    watcher = Watcher(server.base)
    try:
        arguments = [server.base, str(rate / APPS), str(seconds)]
        apps = [
            subprocess.Popen(
                [str(python), str(Path(__file__).parent / "app.py"), *arguments],
                stdout=subprocess.PIPE,
                text=True,
                env=CAPTURE,
            )
            for _ in range(APPS)
        ]
        before, start = tree.cpu_s(process.pid), time.monotonic()
        readers = [threading.Thread(target=watcher.read, args=(app,)) for app in apps]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join()
        watcher.join()
        spent = time.monotonic() - start
        cpu = tree.cpu_s(process.pid) - before
    finally:
        tree.end(process)
    return {
        "answers": watcher.exported,
        "answers_a_s": round(watcher.exported / spent, 1),
        "not_taken": watcher.refused,
        "watched": len(watcher.seconds),
        "never_scored": watcher.missing,
        "p50_s": round(quantile(watcher.seconds, 0.5), 3),
        "p95_s": round(quantile(watcher.seconds, 0.95), 3),
        "p99_s": round(quantile(watcher.seconds, 0.99), 3),
        "worst_s": round(max(watcher.seconds), 3),
        "cores_used": round(cpu / spent, 2),
    }


def main() -> None:
    """Run, print, keep."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rate", type=float, default=ANSWERS_A_S, help="answers a second")
    parser.add_argument("--seconds", type=float, default=SECONDS)
    args = parser.parse_args()
    servers.WORK.mkdir(exist_ok=True)
    figures = run(args.rate, args.seconds)
    print(json.dumps(figures, indent=2))
    stamp = time.strftime("%Y%m%d-%H%M%S")
    (servers.WORK / f"latency-{stamp}.json").write_text(json.dumps(figures, indent=2))
    raise SystemExit(figures["p99_s"] > 2.0 or figures["never_scored"] > 0)


if __name__ == "__main__":
    main()
