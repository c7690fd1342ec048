"""What a user can name is written down: metrics, commands, options, doors, records."""

import argparse
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from importlib.metadata import distribution, entry_points
from pathlib import Path

import pytest
from prometheus_client.metrics import MetricWrapperBase

from seakeeping import metrics, records
from seakeeping.cli.main import COMMANDS, parser_of
from seakeeping.observe import exposition

ROOT = Path(__file__).parent.parent.parent
REFERENCE = ROOT / "docs" / "reference"
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")


def documented_names(page: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", (REFERENCE / page).read_text()))


def metric_names() -> Iterator[str]:
    for metric in vars(metrics).values():
        if isinstance(metric, MetricWrapperBase):
            (family,) = metric.describe()
            yield f"{family.name}_total" if family.type == "counter" else family.name


def test_every_metric_of_budgets_is_documented() -> None:
    names = {*exposition.GAUGES, *exposition.COUNTERS, *exposition.OTHERS, *exposition.LABELS}
    assert names <= documented_names("metrics.md")


def options(parser: argparse.ArgumentParser) -> Iterator[str]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for sub in action.choices.values():
                yield from options(sub)
        elif not isinstance(action, argparse._HelpAction):
            yield from action.option_strings or [action.dest]


def test_every_metric_is_documented() -> None:
    names = set(metric_names())
    assert len(names) >= 11
    assert names <= documented_names("metrics.md")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_and_option_is_documented(command: str) -> None:
    page = (REFERENCE / "commands.md").read_text()
    assert f"## seakeeping {command}\n" in page
    preface = page.split("\n## ")[0]
    section = page.split(f"## seakeeping {command}\n")[1].split("\n## ")[0]
    assert not [name for name in options(parser_of([command])) if name not in section + preface]


def test_every_door_and_what_stands_in_it_is_documented() -> None:
    ours = distribution("seakeeping").entry_points
    groups = {point.group for point in ours if point.group.startswith("seakeeping.")}
    assert "seakeeping.evaluators" in groups
    page = (REFERENCE / "doors.md").read_text()
    for group in groups:
        assert f"Entry points `{group}`" in page
        assert all(f"| `{point.name}` |" in page for point in entry_points(group=group))


def parts(name: str) -> list[str]:
    """Return what a concept page has to name of a public record: its fields, or its members."""
    if name == "EVALUATION_KINDS":
        return list(records.EVALUATION_KINDS)
    record = getattr(records, name)
    if name == "EvaluationKind":  # a row of the table of the kinds
        return []
    return [one.name for one in fields(record)] if is_dataclass(record) else []


@pytest.mark.parametrize("name", [name for name in records.__all__ if not name.startswith("Json")])
def test_every_record_and_field_has_a_concept_page(name: str) -> None:
    concepts = "\n".join(page.read_text() for page in (ROOT / "docs" / "concepts").glob("*.md"))
    assert name in concepts or name.isupper()
    assert not [part for part in parts(name) if f"`{part}`" not in concepts]


def pages() -> list[Path]:
    return [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    targets = [link for link in LINK.findall(page.read_text()) if "://" not in link]
    assert not [target for target in targets if not (page.parent / target).exists()]


def test_decisions_are_numbered_without_a_gap() -> None:
    numbers = [int(path.name[:4]) for path in sorted((ROOT / "docs" / "decisions").glob("*.md"))]
    assert numbers == list(range(1, len(numbers) + 1))


def test_every_decision_says_context_choice_and_price() -> None:
    for page in (ROOT / "docs" / "decisions").glob("*.md"):
        text = page.read_text()
        assert all(f"**{part}.**" in text for part in ("Context", "Choice", "Price")), page.name
