"""``seakeeping check``: errors fail, warnings tell, and each has its place."""

import json
from pathlib import Path

import pytest
from tests.unit.config.openslo.reading import document, inline, slo

from seakeeping.cli import main as cli

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
