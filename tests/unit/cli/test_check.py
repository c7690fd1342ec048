"""``seakeeping check``: errors fail, warnings tell, and each has its place."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.config.openslo.reading import document, inline, slo

from seakeeping.cli import main as cli
from seakeeping.records import MetricPoint
from seakeeping.web.testing.decided import MemoryDecided
from seakeeping.web.testing.memory import MemoryStore
from seakeeping.web.testing.served import StillClock, make_room, served

TONE = slo(f"indicator: {inline('evaluation', ', evaluation: faithfulnes, badLabels: [x]')}")


def check(folder: Path, text: str, *options: str) -> int:
    (folder / "slo.yaml").write_text(text)
    return cli.main(["check", str(folder), *options])


def test_a_sound_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(tmp_path, slo()) == 0
    assert capsys.readouterr().out == "0 errors, 0 warnings, 1 objective\n"


def test_a_page_that_can_never_fire(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = slo(objectives="[{target: 0.9}]")
    assert check(tmp_path, text) == 0
    line, summary = capsys.readouterr().out.splitlines()
    assert line.startswith(f"{tmp_path / 'slo.yaml'}:9: spec.objectives[0].target: warning: ")
    assert "this page can never fire at a burn rate of 14.4" in line
    assert "the highest possible burn rate is 10; it fires at 5 instead" in line
    assert summary == "0 errors, 1 warning, 1 objective"
    assert check(tmp_path, text, "--strict") == 1


def test_a_written_threshold_that_can_never_be_passed_is_shown_where_it_stands(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    burn = "{severity: page, condition: {threshold: 30, lookbackWindow: 1h}}"
    policy = document("AlertPolicy", "p", "{conditions: [{conditionRef: c}]}")
    text = slo("alertPolicies: [p]", objectives="[{target: 0.95}]") + policy
    assert check(tmp_path, text + document("AlertCondition", "c", burn)) == 0
    line = capsys.readouterr().out.splitlines()[0]
    assert (
        "spec.condition.threshold: warning: this page can never fire at a burn rate of 30" in line
    )


def test_an_evaluation_that_nobody_here_makes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(tmp_path, TONE) == 0
    assert "no evaluator here makes faithfulnes" in capsys.readouterr().out
    assert check(tmp_path, TONE, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["findings"][0]["hint"] == "did you mean faithfulness?"
    assert told["findings"][0]["is_warning"] is True
    assert told["objectives"] == ["chat-works"]


def test_errors_fail(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(tmp_path, slo(objectives="[{target: 2}]") + TONE.replace("works", "tone")) == 1
    assert capsys.readouterr().out.endswith("1 error, 1 warning, 1 objective\n")


def test_findings_are_told_in_the_order_of_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = slo(objectives="[{target: 9}]").replace("name: chat-works", "name: Odd_2")
    assert check(tmp_path, odd.replace("Occurrences", "Ocurrences") + slo("x: 1")) == 1
    *told, summary = capsys.readouterr().out.splitlines()
    lines = [int(line.split(".yaml:")[1].split(":")[0]) for line in told]
    assert lines == sorted(lines)
    assert summary == "3 errors, 1 warning, 0 objectives"


def test_a_misspelt_evaluation_without_labels_has_a_near_match(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(tmp_path, slo(f"indicator: {inline('evaluation', ', evaluation: faithfulnes')}"))
    assert "threshold and op; did you mean faithfulness?" in capsys.readouterr().out


ON_A_METRIC = slo(
    f"indicator: {inline('metric', ', metric: latncy_seconds, threshold: 1, op: lt')}"
)


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """Return a server that took points of one metric of the service ``web``."""
    store = MemoryStore()
    store.points.append(
        MetricPoint(
            name="latency_seconds", unit="s", kind="gauge", at=1.0, service_name="web",
            resource={}, attributes={}, value=1.0,
        )
    )  # fmt: skip
    room = make_room(store, tmp_path, StillClock(), MemoryDecided(StillClock()))
    with served(room.app, room.room.hub) as address:
        yield address
    room.close()


def test_names_are_compared_with_what_reached_a_server(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], url: str
) -> None:
    (folder := tmp_path / "d").mkdir()
    assert check(folder, ON_A_METRIC, "--endpoint", url) == 0
    service, metric, summary = capsys.readouterr().out.splitlines()
    assert "no service 'chat' has sent anything lately (there are web)" in service
    assert "no metric latncy_seconds has come lately (did you mean latency_seconds?)" in metric
    assert summary == "0 errors, 2 warnings, 1 objective"
    assert check(folder, ON_A_METRIC, "--endpoint", url, "--strict") == 1


def test_without_a_server_it_is_said_that_metrics_are_not_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(tmp_path, ON_A_METRIC, "--strict") == 0
    summary, note = capsys.readouterr().out.splitlines()
    assert summary == "0 errors, 0 warnings, 1 objective"
    assert "--endpoint URL asks a server" in note


@pytest.mark.parametrize(
    ("indicator", "message"),
    [
        (inline("latency", ", threshold: -3"), "makes every event bad"),
        (inline("evaluation", ", evaluation: faithfulness, badLabels: [unsuported]"),
         "did you mean unsupported?"),
        (inline("evaluation", ", evaluation: faithfulnes, threshold: 0.5, op: lt"),
         "did you mean faithfulness?"),
    ],
)  # fmt: skip
def test_an_objective_that_holds_and_promises_nothing_is_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], indicator: str, message: str
) -> None:
    assert check(tmp_path, slo(f"indicator: {indicator}")) == 0
    line, summary = capsys.readouterr().out.splitlines()
    assert message in line
    assert summary == "0 errors, 1 warning, 1 objective"
