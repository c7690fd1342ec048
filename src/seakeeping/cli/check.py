"""``seakeeping check``: are these resource files right? Says where not, and what was meant.

Errors keep a folder from being in force. Warnings are what only looks wrong from here: an alert
that is lowered because it could never fire as written, an evaluation that nobody here makes, a
verdict that no result carries, a threshold that no value can miss. Which services and metrics there
are only a server knows, so those are compared where one is named.
"""

import argparse
import json
import re
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from seakeeping.cli.client import Client
from seakeeping.config import Finding, inspect
from seakeeping.config.openslo import Written
from seakeeping.errors import BadInput
from seakeeping.evaluate.registry import evaluator_names
from seakeeping.observe.doubts import findings_of
from seakeeping.records import IndicatorSignal
from seakeeping.records.codec import from_json
from seakeeping.records.names import Names


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``check``."""
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="file or folder")
    parser.add_argument("--strict", action="store_true", help="let warnings fail too")
    parser.add_argument(
        "--endpoint", metavar="URL",
        help="compare names of services, evaluations, measurements and metrics with what reached "
        "this server",
    )  # fmt: skip
    parser.add_argument("--key", help="API key with the scope `read`")


def run(args: argparse.Namespace) -> int:
    """Print the findings; return 1 if any of them is an error, or with ``--strict`` any at all."""
    for path in args.files:
        if not path.exists():
            raise BadInput("no such file or folder", place=str(path))
    linked, findings = inspect(args.files)
    findings += findings_of(linked.written, _names(args), evaluator_names())
    findings.sort(key=_line)
    if args.json:
        names = [one.objective.name for one in linked.written]
        print(json.dumps({"findings": [asdict(f) for f in findings], "objectives": names}))
    else:
        for finding in findings:
            print(finding)
        print(summary(findings, linked.written))
        if args.endpoint is None and any(_is_of_points(one) for one in linked.written):
            print("metrics and measurements are not compared: --endpoint URL asks a server")
    return 1 if any(args.strict or not finding.is_warning for finding in findings) else 0


def _line(finding: Finding) -> tuple[str, int]:
    """Return the file and line of a finding, by which findings are told."""
    found = re.match(r"(.*?):(\d+)(?::|$)", finding.place)
    return (found[1], int(found[2])) if found else (finding.place, 0)


def _is_of_points(one: Written) -> bool:
    return one.objective.indicator.signal in _OF_POINTS


_OF_POINTS = (IndicatorSignal.METRIC, IndicatorSignal.METRIC_RATIO, IndicatorSignal.MEASUREMENT)


def _names(args: argparse.Namespace) -> Names | None:
    if args.endpoint is None:
        return None
    return from_json(Names, Client(args.endpoint, args.key).get_json("/api/names"))


def summary(findings: Sequence[Finding], written: Sequence[Written]) -> str:
    """Return the last line: how much was found, and how much is promised."""
    warnings = sum(finding.is_warning for finding in findings)
    told = [
        _count(len(findings) - warnings, "error"),
        _count(warnings, "warning"),
        _count(len(written), "objective"),
    ]
    return ", ".join(told)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
