"""Prometheus rules from the command line: of every service where one can know them, else said."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from seakeeping.cli.main import main
from seakeeping.web.testing import (
    MemoryDecided,
    MemoryStore,
    StillClock,
    fill,
    fill_decided,
    make_room,
    served,
)
from seakeeping.web.testing.sample import HOSTILE_NAME

ONE = """\
apiVersion: openslo/v1
kind: SLO
metadata: {{name: {name}{more}}}
spec:
  service: {service}
  indicator: {{spec: {{ratioMetric: {{rawType: success, raw: {{metricSource:
    {{type: seakeeping, spec: {{signal: availability}}}}}}}}}}}}
  timeWindow: [{{duration: 30d, isRolling: true}}]
  budgetingMethod: Occurrences
  objectives: [{{target: 0.99}}]
"""
SLICED = ", annotations: {seakeeping.dev/slice-by: region}"


def slo(name: str, service: str, more: str = "") -> str:
    return ONE.format(name=name, service=service, more=more)


@pytest.fixture
def path(tmp_path: Path) -> str:
    """Return a file with an objective of every service, of one service, and a sliced one."""
    found = tmp_path / "slo.yaml"
    parts = (slo("works", '"*"'), slo("shop-works", "shop"), slo("by-region", "shop", SLICED))
    found.write_text("---\n".join(parts))
    return str(found)


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    clock = StillClock(time.time())
    store = fill(MemoryStore(), clock.now())
    room = make_room(store, tmp_path, clock, fill_decided(MemoryDecided(clock), clock.now()))
    with served(room.app, room.room.hub) as address:
        yield address
    room.close()


class Told:
    """What a command printed."""

    def __init__(self, captured: Any) -> None:
        self.out: str = captured.out
        self.left_out: list[str] = captured.err.splitlines()
        self.data = yaml.safe_load(captured.out)

    @property
    def objectives(self) -> set[tuple[str, str]]:
        """Service and name of every objective that has rules."""
        return {
            (rule["labels"]["sloth_service"], rule["labels"]["sloth_slo"])
            for group in self.data["groups"]
            for rule in group["rules"]
            if "record" in rule
        }


def told(capsys: pytest.CaptureFixture[str], *args: str) -> Told:
    assert main(["slo", "rules", *args]) == 0
    return Told(capsys.readouterr())


def test_what_is_left_out_of_a_file_is_said_with_the_reason(
    path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found = told(capsys, path)
    assert {service for service, _ in found.objectives} == {"shop"}
    assert found.left_out == [
        "seakeeping: 'works' is left out: it stands for every service; each has one of its own "
        "(name services: --service; or ask a server: --endpoint)",
        "seakeeping: 'by-region' is left out: it stands for every value of region; each has one "
        "of its own",
    ]
    assert "# works is left out: it stands for every service" in found.out
    assert "# by-region is left out" in found.out


def test_json_says_it_too_and_stays_json(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["slo", "rules", path, "--json"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["groups"]
    assert len(captured.err.splitlines()) == 2


def test_named_services_each_have_rules_of_the_objective_of_all(
    path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found = told(capsys, path, "--service", "chat", "--service", "search")
    assert {service for service, _ in found.objectives} == {"chat", "search"}
    assert found.left_out == []
    alerts = [
        rule["labels"]["slo"]
        for group in found.data["groups"]
        for rule in group["rules"]
        if "alert" in rule
    ]
    assert set(alerts) == {"chat/works", "search/works"}


def test_a_named_service_keeps_its_own_objectives(
    path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found = told(capsys, path, "--service", "shop")
    assert len(found.objectives) == 2
    assert [line.split("'")[1] for line in found.left_out] == ["by-region"]


def test_a_server_tells_which_services_there_are(
    path: str, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found = told(capsys, path, "--endpoint", url)
    services = {service for service, _ in found.objectives}
    assert {"shop", "harbour-assistant", "cargo-search", "crew-chat"} <= services
    assert "'works'" not in " ".join(found.left_out)


def test_without_a_file_the_rules_are_those_of_the_server(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found = told(capsys, "--endpoint", url)
    assert "harbour-assistant" in {service for service, _ in found.objectives}
    assert any("raw verdicts" in line for line in found.left_out)
    hostile = [line for line in found.left_out if HOSTILE_NAME[:5] in line]
    assert all(line.isprintable() for line in hostile)
    few = told(capsys, "--endpoint", url, "--service", "cargo-search")
    assert {service for service, _ in few.objectives} == {"cargo-search"}
    assert few.objectives < found.objectives


def test_a_file_that_does_not_hold_is_wrong_use(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.yaml").write_text(slo("works", '"*"').replace("0.99", "99"))
    assert main(["slo", "rules", str(tmp_path / "bad.yaml")]) == 2
    assert "seakeeping check" in capsys.readouterr().err
