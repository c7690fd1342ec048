"""Take the README's picture: the wall of a server that runs the demo, by Debian's Chromium.

python scripts/screenshot.py            # starts `seakeeping up --demo`, waits, writes the picture
"""

import json
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from playwright.sync_api import sync_playwright

TARGET = Path(__file__).parent.parent / "docs" / "images" / "wall.png"
TELL_S = 150.0
"""Seconds in which the whole history is told, stored and scored."""

WIDTH, HEIGHT = 1440, 680


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_told(state: Path) -> bool:
    try:
        return bool(json.loads(state.read_text())["is_history_told"])
    except (OSError, ValueError):
        return False


def _is_ready(base: str) -> bool:
    try:
        with urllib.request.urlopen(f"{base}/readyz", timeout=5) as reply:
            return bool(reply.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _photograph(base: str, target: Path) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.goto(base, wait_until="load")
        page.wait_for_timeout(2_000)
        page.screenshot(path=str(target))
        browser.close()


def main() -> None:
    """Start the demo, wait until its story is told, take the picture."""
    TARGET.parent.mkdir(exist_ok=True)
    port = _free_port()
    base = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        arguments = ["up", "--demo", "--data", str(data), "--port", str(port)]
        arguments += ["--grpc-port", str(_free_port())]
        program = Path(sys.executable).parent / "seakeeping"
        server = subprocess.Popen([program, *arguments], cwd=folder)
        try:
            deadline = time.monotonic() + TELL_S
            while time.monotonic() < deadline and not (
                _is_ready(base) and _is_told(data / "demo.json")
            ):
                time.sleep(1)
            time.sleep(20)  # the last of it is scored, and live calls have begun to show
            _photograph(base, TARGET)
        finally:
            server.terminate()
            server.wait(timeout=30)


if __name__ == "__main__":
    main()
