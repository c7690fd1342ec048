"""Every example of README and quickstart that is marked ``runs`` does run, as it is printed.

``bash runs`` and ``python runs`` blocks run in an empty folder; ``with-server`` ones beside a real
server whose port takes the place of 4318.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
FENCE = re.compile(r"^```(\w+)((?: [\w-]+)*)\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)
START_LIMIT_S = 60.0


@dataclass(frozen=True)
class Example:
    page: str
    language: str
    marks: frozenset[str]
    code: str


def examples() -> list[Example]:
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    found = [
        Example(str(page.relative_to(ROOT)), language, frozenset(marks.split()), code)
        for page in pages
        for language, marks, code in FENCE.findall(page.read_text())
    ]
    return [example for example in found if "runs" in example.marks]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment() -> dict[str, str]:
    return os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}


def is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as reply:
            return bool(reply.status == 200)
    except (urllib.error.URLError, OSError):
        return False


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder = tmp_path_factory.mktemp("server")
    port = free_port()
    arguments = ["--data", str(folder / "data"), "--port", str(port)]
    arguments += ["--grpc-port", str(free_port())]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            ["seakeeping", "up", *arguments], env=environment(), cwd=folder, stderr=log, stdout=log
        )
    deadline = time.monotonic() + START_LIMIT_S
    while not is_ready(port) and time.monotonic() < deadline and server.poll() is None:
        time.sleep(0.1)
    if server.poll() is not None:
        pytest.fail((folder / "log").read_text())
    yield port
    server.terminate()
    server.wait(timeout=30)


def run_example(example: Example, code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    if "curl" in code and not shutil.which("curl"):
        pytest.skip("curl is not installed: make system-packages")
    programs = {"bash": ["bash", "-euo", "pipefail", "-c"], "python": [sys.executable, "-c"]}
    return subprocess.run(
        [*programs[example.language], code],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    "example",
    [one for one in examples() if "with-server" not in one.marks],
    ids=lambda one: one.page,
)
def test_example_runs(example: Example, tmp_path: Path) -> None:
    done = run_example(example, example.code, tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "example", [one for one in examples() if "with-server" in one.marks], ids=lambda one: one.page
)
def test_example_runs_beside_a_server(example: Example, tmp_path: Path, port: int) -> None:
    done = run_example(example, example.code.replace("4318", str(port)), tmp_path)
    assert done.returncode == 0, done.stderr


def test_unsupported_answer_of_the_readme_is_found(tmp_path: Path) -> None:
    (example,) = [one for one in examples() if "scored.jsonl" in one.code]
    run_example(example, example.code, tmp_path)
    rows = [json.loads(line) for line in (tmp_path / "scored.jsonl").read_text().splitlines()]
    labels = {
        row["id"]: {one["name"]: one["score_label"] for one in row["evaluations"]} for row in rows
    }
    assert labels["1"]["faithfulness"] == "supported"
    assert labels["2"]["faithfulness"] == "unsupported"


def test_both_front_pages_have_examples_that_run() -> None:
    assert {"README.md", "docs/quickstart.md"} <= {one.page for one in examples()}


def test_the_two_commands_of_the_readme_start_the_demo() -> None:
    assert (
        "```bash\ngit clone <this repository> seakeeping && cd seakeeping\nmake demo\n```"
        in (ROOT / "README.md").read_text()
    )
    recipe = re.search(r"^demo:.*\n\t(.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert recipe is not None
    assert recipe[1] == "$(BIN)/seakeeping up --demo"
