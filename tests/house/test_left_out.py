"""What a machine cannot run is listed, with the command for it; a complete run then fails."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
SAMPLE = """
import pytest

@pytest.mark.needs_chromium
def test_browser(): pass

@pytest.mark.needs_prometheus
def test_prometheus(): pass

@pytest.mark.needs_alertmanager
def test_alertmanager(): pass

@pytest.mark.needs_clickhouse
def test_clickhouse(): pass

def test_shared(shared): pass

def test_plain(): pass
"""


def run(tmp_path: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    (tmp_path / "conftest.py").write_text((ROOT / "tests" / "conftest.py").read_text())
    (tmp_path / "test_sample.py").write_text(SAMPLE)
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\naddopts = -q\nmarkers =\n needs_chromium: x\n needs_clickhouse: x\n"
        " needs_prometheus: x\n needs_alertmanager: x\n"
    )
    unset = ("SEAKEEPING_TEST_CLICKHOUSE_URL", "SEAKEEPING_TEST_ALL", "PYTEST_ADDOPTS")
    clean = {name: value for name, value in os.environ.items() if name not in unset}
    tools = tmp_path / "no-tools"
    tools.mkdir()
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
        cwd=tmp_path,
        env=clean
        | {"PATH": str(tools), "SEAKEEPING_SHARED": str(tmp_path / "absent")}
        | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("arguments", [(), ("--numprocesses", "2")], ids=["alone", "distributed"])
def test_left_out_tests_are_listed_by_reason_with_the_command(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    done = run(tmp_path, *arguments)
    assert done.returncode == 0, done.stdout
    assert "   1  Chromium is not installed: make system-packages" in done.stdout
    assert "   1  Prometheus is not installed: make system-packages" in done.stdout
    assert "   1  Alertmanager is not installed: make system-packages" in done.stdout
    assert "   1  SEAKEEPING_TEST_CLICKHOUSE_URL names no server" in done.stdout
    assert "   1  only ../shared can feed this" in done.stdout
    assert "To bring them: make system-packages" in done.stdout
    assert "1 passed, 5 skipped" in done.stdout.splitlines()[-1]


@pytest.mark.parametrize("arguments", [(), ("--numprocesses", "2")], ids=["alone", "distributed"])
def test_complete_run_fails_if_a_command_could_have_brought_what_it_left_out(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    done = run(tmp_path, *arguments, SEAKEEPING_TEST_ALL="1")
    assert done.returncode == 1
    assert "1 passed, 5 skipped" in done.stdout.splitlines()[-1]


@pytest.mark.parametrize("name", ["browser", "prometheus", "alertmanager"])
def test_complete_run_fails_for_each_of_them_alone(tmp_path: Path, name: str) -> None:
    done = run(tmp_path, "-k", name, SEAKEEPING_TEST_ALL="1")
    assert "1 skipped" in done.stdout.splitlines()[-1]
    assert done.returncode == 1


def test_complete_run_passes_where_only_outside_data_and_servers_are_missing(
    tmp_path: Path,
) -> None:
    done = run(tmp_path, "-k", "plain or shared or clickhouse", SEAKEEPING_TEST_ALL="1")
    assert done.returncode == 0, done.stdout
    assert "make system-packages" not in done.stdout
