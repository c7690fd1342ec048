"""``seakeeping check``: are these resource files right? Says where not, and what was meant.

Errors keep a folder from being in force. Warnings are what only looks wrong from here: an alert
that is lowered because it could never fire as written, an evaluation that nobody here makes.
"""

import argparse
import difflib
import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from seakeeping.config import Finding, inspect
from seakeeping.config.openslo import Written
from seakeeping.errors import BadInput
from seakeeping.evaluate.registry import evaluator_names
from seakeeping.records import EVALUATION_KINDS, IndicatorSignal
from seakeeping.stats.burn import alert_doubts


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``check``."""
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="file or folder")
    parser.add_argument("--strict", action="store_true", help="let warnings fail too")


def run(args: argparse.Namespace) -> int:
    """Print the findings; return 1 if any of them is an error, or with ``--strict`` any at all."""
    for path in args.files:
        if not path.exists():
            raise BadInput("no such file or folder", place=str(path))
    linked, findings = inspect(args.files)
    findings += doubts(linked.written, evaluator_names())
    if args.json:
        names = [one.objective.name for one in linked.written]
        print(json.dumps({"findings": [asdict(f) for f in findings], "objectives": names}))
    else:
        for finding in findings:
            print(finding)
        print(summary(findings, linked.written))
    return 1 if any(args.strict or not finding.is_warning for finding in findings) else 0


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


def doubts(written: Sequence[Written], installed: Collection[str]) -> list[Finding]:
    """Return warnings about objectives that hold: impossible alerts, evaluations nobody makes.

    Args:
        written: objectives with their places.
        installed: names of the evaluators that are installed here.
    """
    return [finding for one in written for finding in (*_alerts(one), *_subject(one, installed))]


def _alerts(one: Written) -> Iterator[Finding]:
    for alert, sentence in alert_doubts(one.objective):
        place = one.alert_places.get(alert, one.place) if alert else one.place
        yield Finding(place, sentence, is_warning=True)


def _subject(one: Written, installed: Collection[str]) -> Iterator[Finding]:
    indicator = one.objective.indicator
    known = {*EVALUATION_KINDS, *installed}
    if indicator.signal is not IndicatorSignal.EVALUATION or indicator.subject in known:
        return
    near = difflib.get_close_matches(indicator.subject or "", known, n=1)
    yield Finding(
        one.place,
        f"no evaluator here makes {indicator.subject}: its results have to come with the telemetry",
        f"did you mean {near[0]}?" if near else f"here are {', '.join(sorted(known))}",
        is_warning=True,
    )
