"""What every test shares: the fixture folder, and captures that a clone does not carry.

What a machine cannot run is skipped and listed at the end with the one command that brings it.
With ``SEAKEEPING_TEST_ALL`` set, as in continuous integration, the run fails if anything was left
out but what no command can bring: data that a clone does not carry, and servers of others.
"""

import os
import shutil
from collections import Counter
from pathlib import Path

import pytest
from _pytest.terminal import TerminalReporter
from hypothesis import settings

ROOT = Path(__file__).parent.parent

# Examples follow from the test alone and none is timed: a red run means a fault, not chance.
# SEAKEEPING_TEST_EXPLORE looks further than the last run did.
settings.register_profile(
    "steady", deadline=None, derandomize=not os.environ.get("SEAKEEPING_TEST_EXPLORE")
)
settings.load_profile("steady")
UNFED = ("needs_shared", "needs_clickhouse")
"""Markers of tests that no command of ours can feed."""


def _missing(marker: str) -> str | None:
    """Return what the machine lacks for tests of this marker, or None."""
    if marker == "needs_chromium" and not shutil.which("chromium"):
        return "Chromium is not installed: make system-packages"
    if marker == "needs_prometheus" and not _prometheus():
        return "Prometheus is not installed: make system-packages"
    if marker == "needs_alertmanager" and not _alertmanager():
        return "Alertmanager is not installed: make system-packages"
    if marker == "needs_postgres" and not _postgres():
        return "PostgreSQL is not installed: make system-packages"
    if marker == "needs_clickhouse" and not os.environ.get("SEAKEEPING_TEST_CLICKHOUSE_URL"):
        return "SEAKEEPING_TEST_CLICKHOUSE_URL names no server"
    return None


def _prometheus() -> bool:
    return all(map(shutil.which, ("prometheus", "promtool")))


def _alertmanager() -> bool:
    return any(map(shutil.which, ("prometheus-alertmanager", "alertmanager")))


def _postgres() -> bool:
    # Debian keeps the server's own commands out of PATH.
    return bool(shutil.which("initdb") or list(Path("/usr/lib/postgresql").glob("*/bin/initdb")))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what this machine cannot run."""
    for mark in item.iter_markers():
        if reason := _missing(mark.name):
            pytest.skip(reason)


def _reason(report: pytest.TestReport) -> str:
    return report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)


def _is_unfed(report: pytest.TestReport) -> bool:
    return "../shared" in _reason(report) or any(mark in report.keywords for mark in UNFED)


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """List what was left out, by reason, and the one command that brings it."""
    skipped = terminalreporter.stats.get("skipped", [])
    if not skipped:
        return
    terminalreporter.section("left out")
    for reason, tests in sorted(Counter(map(_reason, skipped)).items()):
        terminalreporter.write_line(f"{tests:4d}  {reason.removeprefix('Skipped: ')}")
    if any(not _is_unfed(report) for report in skipped):
        terminalreporter.write_line("To bring them: make system-packages")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a complete run that left out what a command could have brought."""
    reporter = session.config.pluginmanager.getplugin("terminalreporter")
    if not os.environ.get("SEAKEEPING_TEST_ALL") or not isinstance(reporter, TerminalReporter):
        return
    if any(not _is_unfed(report) for report in reporter.stats.get("skipped", [])):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session")
def data() -> Path:
    """Return the folder of fixtures that come with the repository."""
    return ROOT / "tests" / "data"


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of captures and data beside the checkout, or skip."""
    folder = Path(os.environ.get("SEAKEEPING_SHARED", ROOT.parent / "shared"))
    if not folder.is_dir():
        pytest.skip("only ../shared can feed this")
    return folder
