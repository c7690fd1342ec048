"""Write the pages of docs/reference that follow from the code: metrics, commands, doors.

    make docs

A test fails when something is missing from these pages; this brings it.
"""

import argparse
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

from prometheus_client.metrics import MetricWrapperBase

from seakeeping import metrics, protocols
from seakeeping.cli.main import COMMANDS, parser_of
from seakeeping.observe import exposition

TARGET = Path(__file__).parent.parent / "docs" / "reference"
MADE = "<!-- made by `make docs` from the code; edit the code -->"
GROUPS = ("seakeeping.evaluators",)


def metrics_page() -> str:
    """Return the table of our own metrics."""
    lines = ["# Metrics", "", MADE, "", "What `GET /metrics` tells about Seakeeping itself.", ""]
    lines += ["| metric | type | labels | meaning |", "| --- | --- | --- | --- |"]
    for metric in vars(metrics).values():
        if isinstance(metric, MetricWrapperBase):
            (family,) = metric.describe()
            total = "_total" if family.type == "counter" else ""
            labels = ", ".join(f"`{name}`" for name in metric._labelnames)
            name = f"`{family.name}{total}`"
            lines.append(f"| {name} | {family.type} | {labels} | {family.documentation} |")
    return "\n".join([*lines, *_budget_metrics()]) + "\n"


def _budget_metrics() -> Iterator[str]:
    """Yield the part on budgets, which the controller measures and `/metrics` tells."""
    labels = ", ".join(f"`{name}`" for name in exposition.LABELS)
    yield from ("", "## Budgets", "")
    yield f"One series an objective, labelled {labels}. What is not known is absent, never 0."
    yield "Names that begin with `slo:` are those that Sloth records, for its dashboards."
    yield from ("", "| metric | type | meaning |", "| --- | --- | --- |")
    told = {name: ("gauge", meaning) for name, (meaning, _) in exposition.GAUGES.items()}
    told |= {name: ("counter", meaning) for name, meaning in exposition.COUNTERS.items()}
    told |= exposition.OTHERS
    for name, (kind, meaning) in told.items():
        yield f"| `{name}` | {kind} | {meaning} |"


def commands_page() -> str:
    """Return the help of every command."""
    lines = ["# Commands", "", MADE, ""]
    lines += ["Exit code 0: fine. 1: findings. 2: wrong use or broken input.", ""]
    lines += ["`seakeeping --version` says which one it is, `--help` what there is.", ""]
    for name, summary in COMMANDS.items():
        lines += [f"## seakeeping {name}", "", f"{summary[0].upper()}{summary[1:]}.", ""]
        lines += ["| option | meaning |", "| --- | --- |"]
        lines += [f"| `{option}` | {meaning} |" for option, meaning in _options(name)]
        lines.append("")
    return "\n".join(lines)


def _options(name: str) -> Iterator[tuple[str, str]]:
    yield from _walk(_sub_parsers(parser_of([name]))[name])


def _walk(parser: argparse.ArgumentParser, prefix: str = "") -> Iterator[tuple[str, str]]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, sub in action.choices.items():
                yield from _walk(sub, f"{prefix}{name} ")
        elif not isinstance(action, argparse._HelpAction):
            spelled = ", ".join(action.option_strings) or action.dest
            value = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
            takes_value = action.nargs != 0 and action.option_strings
            choices = ", ".join(f"`{one}`" for one in action.choices or ())
            meaning = ". ".join(filter(None, [action.help, choices and f"One of {choices}"]))
            yield f"{prefix}{spelled}{f' {value}' if takes_value else ''}", meaning


def _sub_parsers(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    (found,) = (one for one in parser._actions if isinstance(one, argparse._SubParsersAction))
    return dict(found.choices)


def doors_page() -> str:
    """Return how other people's code gets in."""
    lines = ["# Doors", "", MADE, "", "Where your code gets in. Ours uses the same doors.", ""]
    for group in GROUPS:
        lines += [f"## Entry points `{group}`", ""]
        lines += ["| name | object |", "| --- | --- |"]
        points = sorted(entry_points(group=group), key=lambda point: point.name)
        lines += [f"| `{point.name}` | `{point.value}` |" for point in points]
        lines.append("")
    lines += ["## Evaluator", "", _unindented(protocols.Evaluator.__doc__ or ""), ""]
    lines += ["Cost classes:", _unindented(protocols.CostClass.__doc__ or ""), ""]
    lines += ["Register yours in your own package, and run the contract suite on it:", ""]
    lines += ["```toml", '[project.entry-points."seakeeping.evaluators"]']
    lines += ['politeness = "my_package:Politeness"', "```", ""]
    lines += ["`seakeeping.evaluate.contract` holds the suite that every evaluator must pass.", ""]
    return "\n".join(lines)


def _unindented(docstring: str) -> str:
    lines = (line.removeprefix("    ").rstrip() for line in docstring.split("\n"))
    return "\n".join(lines).replace("``", "`").strip()


def main() -> None:
    """Write the pages."""
    TARGET.mkdir(exist_ok=True)
    pages = {"metrics": metrics_page, "commands": commands_page, "doors": doors_page}
    for name, page in pages.items():
        (TARGET / f"{name}.md").write_text(page())


if __name__ == "__main__":
    main()
