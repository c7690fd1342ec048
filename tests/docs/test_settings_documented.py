"""Every setting and every kind of resource is written down, and its examples hold."""

import json
import re
from pathlib import Path

import pytest

from seakeeping.config import check_files
from seakeeping.config.keys import Scope
from seakeeping.config.patterns import BUILT_IN
from seakeeping.config.policy import POLICIES
from seakeeping.config.resources import KINDS
from seakeeping.config.settings import PREFIX, Setting, setting_table

DOCS = Path(__file__).parent.parent.parent / "docs"
SETTINGS = (DOCS / "reference" / "settings.md").read_text()
RESOURCES = (DOCS / "reference" / "resources.md").read_text()
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```$", RESOURCES, flags=re.MULTILINE | re.DOTALL)


def row(setting: Setting) -> str:
    """Return the line of the table that documents a setting."""
    default = f"`{json.dumps(setting.default)}`" if setting.kind == "bool" else "unset"
    if setting.default not in (None, ()) and setting.kind != "bool":
        default = f"`{setting.default}`"
    low, high = setting.spec.low, setting.spec.high
    bounds = f"{low:g} to {high:g}" if high is not None else f"{low:g} or more" if low else ""
    kind = setting.kind.removesuffix(" | None").replace("tuple[str, ...]", "list of str")
    return f"| `{setting.name}` | {kind} | {default} | {bounds} | {setting.spec.help} |"


@pytest.mark.parametrize(
    "setting", [s for s in setting_table().values() if not s.spec.is_runtime], ids=lambda s: s.name
)
def test_every_setting_is_documented(setting: Setting) -> None:
    assert row(setting) in SETTINGS.splitlines()


def test_no_setting_is_documented_that_is_none() -> None:
    documented = re.findall(r"^\| `(\w+)` \|", SETTINGS, flags=re.MULTILINE)
    assert set(documented) == {s.name for s in setting_table().values() if not s.spec.is_runtime}
    assert PREFIX in SETTINGS


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_resource_is_documented_with_an_example(kind: str) -> None:
    assert f"## {kind}\n" in RESOURCES
    assert any(f"kind: {kind}\n" in example for example in EXAMPLES)


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_of_a_resource_holds(example: str, tmp_path: Path) -> None:
    path = tmp_path / "example.yaml"
    path.write_text(example)
    assert check_files([path]) == []


@pytest.mark.parametrize("name", [*BUILT_IN, *POLICIES, "secrets", "pii"])
def test_every_pattern_and_policy_is_documented(name: str) -> None:
    assert f"`{name}`" in RESOURCES


@pytest.mark.parametrize("scope", list(Scope))
def test_every_scope_is_documented(scope: Scope) -> None:
    assert f"`{scope}`" in (DOCS / "how-to" / "secure.md").read_text()
