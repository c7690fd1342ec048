"""Objectives beside our own kinds: one loader, one last good version, one switch for the pack."""

import os
from pathlib import Path

import pytest
from tests.unit.config.openslo.reading import complaint, document, slo

from seakeeping.config import Choice, ResourceFolder, load_resources

SWITCH = "kind: DefaultObjectives\nversion: 1\n"
SLOTH = (
    "version: prometheus/v1\nservice: web\nslos:\n- name: works\n  objective: 99.9\n"
    "  sli: {events: {error_query: e, total_query: t}}\n  alerting: {}\n"
)


def write(folder: Path, text: str, name: str = "slo.yaml") -> None:
    """Write a file so that its time differs from that of any write before."""
    path = folder / name
    before = path.stat().st_mtime_ns if path.exists() else 10**18
    path.write_text(text)
    os.utime(path, ns=(before + 10**9, before + 10**9))


def test_all_kinds_stand_in_one_folder(tmp_path: Path) -> None:
    write(tmp_path, slo() + SWITCH + "disabled: [coverage]\n---\nkind: Evaluators\nversion: 1\n")
    write(tmp_path, SLOTH, "sloth.yml")
    resources, findings = load_resources(tmp_path)
    assert findings == []
    assert [one.name for one in resources.objectives] == ["chat-works", "web-works"]
    assert [entry.header.name for entry in resources.entries] == ["chat-works"]
    assert resources.default_objectives == Choice(disabled=("coverage",))


def test_without_a_word_the_whole_pack_applies() -> None:
    resources, _ = load_resources(None)
    assert not resources.written
    assert not resources.targets
    assert resources.default_objectives.allows("availability")


def test_the_last_word_on_the_pack_decides(tmp_path: Path) -> None:
    write(tmp_path, f"{SWITCH}only: [latency]\n---\n{SWITCH}only: [availability]\n")
    choice = load_resources(tmp_path)[0].default_objectives
    assert choice.allows("availability")
    assert not choice.allows("latency")


@pytest.mark.parametrize("key", ["only", "disabled"])
def test_a_misspelt_default_is_found(tmp_path: Path, key: str) -> None:
    text = complaint(tmp_path, f"{SWITCH}{key}: [availabilty]\n")
    assert text.startswith(f"0.yaml:3: {key}[0]: 'availabilty' is none of")
    assert text.endswith("(did you mean availability?)")


def test_a_broken_objective_keeps_the_last_good_version_of_all(tmp_path: Path) -> None:
    write(tmp_path, slo())
    folder = ResourceFolder(tmp_path)
    write(tmp_path, slo(objectives="[{target: 0.999}]"))
    assert folder.refresh()
    assert folder.current.objectives[0].target_ratio == 0.999
    write(tmp_path, slo(objectives="[{target: 7}]"))
    assert not folder.refresh()
    assert folder.current.objectives[0].target_ratio == 0.999
    (finding,) = folder.findings
    assert "7 is not within 0 and 1" in finding.message
    write(tmp_path, slo(objectives="[{target: 0.5}]"))
    assert folder.refresh()
    assert folder.findings == []


def test_a_reference_that_goes_away_keeps_the_last_good_version(tmp_path: Path) -> None:
    write(tmp_path, slo("alertPolicies: [p]"))
    write(tmp_path, document("AlertPolicy", "p", "{}"), "policy.yaml")
    folder = ResourceFolder(tmp_path)
    (tmp_path / "policy.yaml").unlink()
    assert not folder.refresh()
    assert "there is no AlertPolicy 'p'" in folder.findings[0].message
    assert len(folder.current.objectives) == 1


def test_a_warning_keeps_nothing_from_being_in_force(tmp_path: Path) -> None:
    write(tmp_path, slo() + document("Service", "chats", "{}"))
    folder = ResourceFolder(tmp_path)
    assert folder.findings == []
    assert [one.name for one in folder.current.objectives] == ["chat-works"]
    assert "there is no Service 'chat'" in folder.current.warnings[0].message


def test_a_start_on_a_broken_objective_uses_the_kept_version(tmp_path: Path) -> None:
    config, keep = tmp_path / "d", tmp_path / "kept"
    config.mkdir()
    write(config, slo())
    ResourceFolder(config, keep=keep)
    write(config, slo(objectives="[{target: 7}]"))
    folder = ResourceFolder(config, keep=keep)
    assert folder.current.objectives[0].target_ratio == 0.99
    assert len(folder.findings) == 1
