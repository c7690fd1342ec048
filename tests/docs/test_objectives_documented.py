"""Objectives as code are written down: every signal, annotation and key; every example holds."""

import re
from pathlib import Path

import pytest
from tests.unit.observe.test_prometheus_rules import SLO

from seakeeping.config import check_files
from seakeeping.config.openslo.alerting import SEVERITIES
from seakeeping.config.openslo.entry import ANNOTATIONS, PREFIX
from seakeeping.config.openslo.source import _KEYS
from seakeeping.config.resources import DEFAULT_OBJECTIVES, FOREIGN, KINDS
from seakeeping.observe.objectives import default_objectives
from seakeeping.observe.rules import prometheus_rules
from seakeeping.records import DIMENSIONS, IndicatorSignal, TargetKind

DOCS = Path(__file__).parent.parent.parent / "docs"
PAGE = (DOCS / "reference" / "objectives.md").read_text()
RESOURCES = (DOCS / "reference" / "resources.md").read_text()
BLOCK = re.compile(r"^```yaml\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)


def blocks(page: str) -> list[str]:
    return BLOCK.findall(page)


@pytest.mark.parametrize("text", blocks(PAGE) + blocks(RESOURCES))
def test_every_example_holds(text: str, tmp_path: Path) -> None:
    (tmp_path / "example.yaml").write_text(text)
    assert [f for f in check_files([tmp_path]) if not f.is_warning] == []


def test_all_examples_hold_together(tmp_path: Path) -> None:
    (tmp_path / "example.yaml").write_text("---\n".join(blocks(PAGE)))
    assert [f for f in check_files([tmp_path]) if not f.is_warning] == []


@pytest.mark.parametrize(
    "names",
    [
        [signal.value for signal in IndicatorSignal],
        [f"{PREFIX}{own}" for owns in ANNOTATIONS.values() for own in owns],
        list(DIMENSIONS),
        [kind.value for kind in TargetKind],
        [word for word in SEVERITIES if word not in ("sev3", "p3")],
        list(DEFAULT_OBJECTIVES),
    ],
    ids=["signals", "annotations", "dimensions", "targets", "severities", "shipped"],
)
def test_every_word_is_documented(names: list[str]) -> None:
    assert [name for name in names if f"`{name}`" not in PAGE] == []


def test_every_kind_and_key_is_documented() -> None:
    assert [kind for kind in KINDS if f"\n## {kind}\n" not in RESOURCES] == []
    assert [kind for kind in ANNOTATIONS if kind not in PAGE] == []
    assert [
        version for version in FOREIGN if version not in PAGE and "openslo" not in version
    ] == []
    assert [key for key in _KEYS if f"`{key}`" not in PAGE and f"`{key}:" not in PAGE] == []


def test_the_recorded_names_are_documented() -> None:
    rules = [one for group in prometheus_rules([SLO])["groups"] for one in group["rules"]]
    names = {one["record"] for one in rules if "record" in one}
    ratios = {name for name in names if name.startswith("slo:sli_error:")}
    assert [name for name in names - ratios if f"`{name}`" not in PAGE] == []
    assert "`slo:sli_error:ratio_rate5m` to `3d`" in PAGE


def test_the_pack_and_its_switch_name_the_same_objectives() -> None:
    assert [one.name for one in default_objectives()] == list(DEFAULT_OBJECTIVES)


def test_the_targets_of_the_pack_are_those_written_down() -> None:
    section = PAGE.split("\n## Shipped objectives\n")[1].split("\n## ")[0]
    for one in default_objectives():
        (row,) = [line for line in section.splitlines() if line.startswith(f"| `{one.name}` |")]
        assert row.endswith(f"| {one.target_ratio * 100:.3g} % |"), row
