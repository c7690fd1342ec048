"""Resources: hot reload, places in complaints, and a typing error never loosens a rule."""

import os
from pathlib import Path

import pytest

from seakeeping.config import (
    EvaluatorChoice,
    Finding,
    ResourceFolder,
    ScrapeTarget,
    check_files,
    load_resources,
)
from seakeeping.config.resources import KINDS, default_files
from seakeeping.errors import BadResource

DROP = "kind: ContentPolicy\nversion: 1\ndefault: drop\n"
HASH = DROP.replace("drop", "hash")
BROKEN = DROP.replace("drop", "dorp")


def write(folder: Path, text: str, name: str = "policy.yaml") -> Path:
    """Write a file so that its time differs from that of any write before."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    before = path.stat().st_mtime_ns if path.exists() else 10**18
    path.write_text(text)
    os.utime(path, ns=(before + 10**9, before + 10**9))
    return path


def test_shipped_defaults_hold() -> None:
    assert check_files(default_files()) == []
    resources, findings = load_resources(None)
    assert findings == []
    assert resources.policy.default == "store"
    assert resources.policy.patterns
    assert resources.prices.prices
    assert resources.evaluators == EvaluatorChoice()
    assert resources.scrape == ()


def test_a_folder_that_is_not_there_is_fine(tmp_path: Path) -> None:
    assert ResourceFolder(tmp_path / "absent").current.policy.default == "store"


def test_own_documents_come_on_top(tmp_path: Path) -> None:
    write(
        tmp_path,
        "kind: PriceTable\nversion: 1\nprices:\n"
        "- {provider: openai, model: gpt-4o, input: 9, output: 9}\n"
        "- {provider: mine, model: my-model, input: 1}\n"
        "---\nkind: Evaluators\nversion: 1\nonly: [refusal, mine]\ndisabled: [mine]\n"
        "---\nkind: Scrape\nversion: 1\ntargets:\n- {url: 'http://gpu:8000/metrics'}\n"
        "- {url: 'http://b/metrics', service_name: chat}\n",
    )
    resources, findings = load_resources(tmp_path)
    assert findings == []
    assert resources.prices.cost("openai", "gpt-4o", 10**6, 0) == 9
    assert resources.prices.cost("mine", "my-model", 10**6, None) == 1
    assert resources.prices.find("openai", "gpt-4o-mini") is not None
    assert resources.evaluators.allows("refusal")
    assert not resources.evaluators.allows("mine")
    assert not resources.evaluators.allows("faithfulness")
    assert resources.scrape == (
        ScrapeTarget("http://gpu:8000/metrics"),
        ScrapeTarget("http://b/metrics", "chat"),
    )


def test_all_evaluators_run_but_the_disabled_ones() -> None:
    choice = EvaluatorChoice(disabled=("refusal",))
    assert choice.allows("faithfulness")
    assert not choice.allows("refusal")


@pytest.mark.parametrize(
    ("text", "place", "message", "hint"),
    [
        ("kind: PriceTabel\nversion: 1", "kind", "'PriceTabel' is none of", "mean PriceTable?"),
        ("version: 1", "", "has no kind", ""),
        ("kind: Scrape", "", "has no version", ""),
        ("kind: Scrape\nversion: 2\ntargets: []", "version", "version 2 of Scrape", "reads 1"),
        ("kind: Scrape\nversion: 1\ntargets: [{url: gpu}]", "targets[0].url", "no", ""),
        ("- a", "", "is not a mapping", ""),
        ("kind: PriceTable\nversion: 1\nprices: [{model: m}]", "prices[0]", "has no provider", ""),
    ],
)
def test_findings_name_their_place(
    tmp_path: Path, text: str, place: str, message: str, hint: str
) -> None:
    path = write(tmp_path, text)
    (finding,) = check_files([tmp_path])
    assert finding.place.startswith(f"{path}:")
    assert finding.place.endswith(place)
    assert message in finding.message
    assert hint in finding.hint
    assert str(finding).startswith(f"{finding.place}: {finding.message}")


def test_every_broken_document_is_found_and_the_sound_ones_checked(tmp_path: Path) -> None:
    write(tmp_path, f"{BROKEN}---\n{DROP}---\n{BROKEN}", "a.yaml")
    write(tmp_path, "a: [", "b.yml")
    write(tmp_path, "not a resource", "notes.txt")
    findings = check_files([tmp_path])
    assert [finding.place for finding in findings] == [
        f"{tmp_path / 'a.yaml'}:3: default",
        f"{tmp_path / 'a.yaml'}:11: default",
        f"{tmp_path / 'b.yml'}:1",
    ]


def test_a_file_named_but_absent_is_a_finding(tmp_path: Path) -> None:
    (finding,) = check_files([tmp_path / "absent.yaml"])
    assert "cannot be read" in finding.message


def test_a_change_is_in_force_at_the_next_look(tmp_path: Path) -> None:
    folder = ResourceFolder(tmp_path / "d")
    assert not folder.refresh()
    write(tmp_path / "d", DROP)
    assert folder.refresh()
    assert folder.current.policy.default == "drop"
    assert not folder.refresh()
    write(tmp_path / "d", HASH)
    assert folder.refresh()
    assert folder.current.policy.default == "hash"
    (tmp_path / "d" / "policy.yaml").unlink()
    assert folder.refresh()
    assert folder.current.policy.default == "store"


def test_a_broken_file_leaves_the_last_good_version_in_force(tmp_path: Path) -> None:
    write(tmp_path, DROP)
    folder = ResourceFolder(tmp_path)
    write(tmp_path, BROKEN)
    assert not folder.refresh()
    assert folder.current.policy.default == "drop"
    assert [type(finding) for finding in folder.findings] == [Finding]
    write(tmp_path, HASH)
    assert folder.refresh()
    assert folder.findings == []
    assert folder.current.policy.default == "hash"


def test_a_start_on_a_broken_file_uses_the_kept_version(tmp_path: Path) -> None:
    config, keep = tmp_path / "d", tmp_path / "kept"
    write(config, DROP)
    ResourceFolder(config, keep=keep)
    write(config, BROKEN)
    folder = ResourceFolder(config, keep=keep)
    assert folder.current.policy.default == "drop"
    assert folder.findings
    write(config, HASH)
    folder.refresh()
    (config / "policy.yaml").rename(config / "other.yaml")
    folder.refresh()
    assert sorted(path.name for path in keep.iterdir()) == ["other.yaml"]


def test_a_first_start_on_a_broken_file_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "d", BROKEN)
    with pytest.raises(BadResource, match=r"policy\.yaml:3: default"):
        ResourceFolder(tmp_path / "d", keep=tmp_path / "kept")


def test_every_kind_has_a_reader() -> None:
    assert set(KINDS) == {
        "PriceTable", "ContentPolicy", "Evaluators", "Scrape", "Judge", "DefaultObjectives",
        "AlertRouting",
    }  # fmt: skip
