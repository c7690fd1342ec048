"""``seakeeping evaluate``: score answers in a file with the evaluators of the server, offline."""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from rich.console import Console
from rich.progress import Progress

from seakeeping.errors import BadInput
from seakeeping.evaluate.offline import Scored, evaluate_lines
from seakeeping.evaluate.registry import load_evaluators
from seakeeping.records import EVALUATION_KINDS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``evaluate``."""
    parser.add_argument("input", type=Path, metavar="IN.jsonl", help="- for standard input")
    parser.add_argument("-o", "--output", type=Path, metavar="OUT.jsonl", help="default: stdout")
    parser.add_argument(
        "--evaluators", metavar="NAMES", help="comma-separated; default: all that are installed"
    )


def run(args: argparse.Namespace) -> int:
    """Write every line with its evaluations; 1 where an answer is bad, 2 where a line is broken."""
    names = args.evaluators.split(",") if args.evaluators else None
    evaluators = load_evaluators(names)
    tally: Counter[tuple[str, str]] = Counter()
    broken: list[BadInput] = []
    with _lines(args.input) as lines, _writer(args.output) as out:
        for scored in evaluate_lines(lines, source=str(args.input), evaluators=evaluators):
            if scored.error is not None:
                broken.append(scored.error)
                continue
            out.write(json.dumps(scored.document, ensure_ascii=False) + "\n")
            tally.update(outcomes(scored))
    _report(tally, broken, as_json=args.json)
    return 2 if broken else int(any(is_bad(*outcome) for outcome in tally))


def outcomes(scored: Scored) -> list[tuple[str, str]]:
    """Return ``(evaluation, label or reason)`` of one line."""
    evaluations: Sequence[dict[str, Any]] = scored.document["evaluations"]
    return [(e["name"], e["score_label"] or f"skipped: {e['skipped_reason']}") for e in evaluations]


def is_bad(name: str, outcome: str) -> bool:
    """Whether an outcome is the bad one of its evaluation."""
    kind = EVALUATION_KINDS.get(name)
    return kind is not None and outcome == kind.bad_label


@contextmanager
def _lines(path: Path) -> Iterator[Iterator[bytes]]:
    if str(path) == "-":
        yield iter(sys.stdin.buffer)
        return
    try:
        stream = path.open("rb")
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror}", place=str(path)) from error
    console = Console(stderr=True)
    with stream, Progress(console=console, transient=True) as progress:
        task = progress.add_task("scoring", total=path.stat().st_size)

        def told() -> Iterator[bytes]:
            for line in stream:
                progress.advance(task, len(line))
                yield line

        yield told()


@contextmanager
def _writer(path: Path | None) -> Iterator[TextIO]:
    if path is None:
        yield sys.stdout
        return
    with path.open("w", encoding="utf-8") as out:
        yield out


def _report(tally: Counter[tuple[str, str]], broken: Sequence[BadInput], *, as_json: bool) -> None:
    if as_json:
        counts: dict[str, dict[str, int]] = {}
        for (name, outcome), n in tally.items():
            counts.setdefault(name, {})[outcome] = n
        errors = [{"message": e.message, "hint": e.hint} for e in broken]
        print(json.dumps({"evaluations": counts, "errors": errors}), file=sys.stderr)
        return
    for (name, outcome), n in sorted(tally.items()):
        print(f"{n:7d}  {name}: {outcome}", file=sys.stderr)
    for error in broken:
        print(f"seakeeping: wrong input: {error}", file=sys.stderr)
