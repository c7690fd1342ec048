from pathlib import Path

import pytest

from seakeeping.config.judges import JudgeChoice
from seakeeping.config.resources import check_files, load_resources

WHOLE = """
kind: Judge
version: 1
name: second
url: http://127.0.0.1:8000/v1
model: our-llama
key_env: JUDGE_KEY
evaluations: [faithfulness, refusal]
calls_per_hour: 30
usd_per_day: 2.5
input: 0.15
output: 0.6
"""
LEAST = """
kind: Judge
version: 1
name: second
url: http://127.0.0.1:8000
model: m
input: 0
output: 0
"""


def folder(tmp_path: Path, text: str) -> Path:
    (tmp_path / "judge.yaml").write_text(text)
    return tmp_path


def test_a_judge_is_read(tmp_path: Path) -> None:
    resources, findings = load_resources(folder(tmp_path, WHOLE))
    assert findings == []
    assert resources.judges == (
        JudgeChoice(
            name="second", url="http://127.0.0.1:8000/v1", model="our-llama",
            evaluations=("faithfulness", "refusal"), key_env="JUDGE_KEY", calls_per_hour=30,
            usd_per_day=2.5, input_usd=0.15, output_usd=0.6,
        ),
    )  # fmt: skip


def test_defaults_are_frugal(tmp_path: Path) -> None:
    (judge,) = load_resources(folder(tmp_path, LEAST))[0].judges
    assert (judge.calls_per_hour, judge.usd_per_day) == (60, 1.0)
    assert judge.evaluations == ("faithfulness",)
    assert judge.key_env is None


def test_there_is_none_by_default() -> None:
    assert load_resources(None)[0].judges == ()


@pytest.mark.parametrize(
    ("line", "instead", "said"),
    [
        ("input: 0", "", "has no input"),
        ("url: http://127.0.0.1:8000", "url: ftp://x", "not an http address"),
        ("model: m", "", "has no model"),
        ("output: 0", "output: -1", "not within"),
        ("output: 0", "output: 0\nevaluations: [faithfullness]", "faithfulness"),
        ("output: 0", "output: 0\nkey: sk-123", "key"),
        ("output: 0", "output: 0\ncalls_per_hour: 0", "not within"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(
    tmp_path: Path, line: str, instead: str, said: str
) -> None:
    (finding, *_) = check_files([folder(tmp_path, LEAST.replace(line, instead))])
    assert said in str(finding)
    assert "judge.yaml:" in finding.place
