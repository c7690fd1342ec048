"""``seakeeping label``: say what is true of answers, one by one or from a file.

Without a file it goes through the queue of answers that ask for a label, the most useful first:
question, evidence, answer, then one key. The server keeps each with the chance its answer was drawn
with; nobody can claim one here.
"""

import argparse
import getpass
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel

from seakeeping.cli.client import Client
from seakeeping.cli.tables import print_table
from seakeeping.config import Finding
from seakeeping.errors import BadInput
from seakeeping.records import EVALUATION_KINDS
from seakeeping.records.codec import near

_AT_ONCE = 100
_MOST_EVIDENCE = 4000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``label``."""
    parser.add_argument(
        "file", nargs="?", type=Path, metavar="FILE",
        help="JSONL of trace_id, span_id, name, value (or label), comment; "
        "left out: go through the queue",
    )  # fmt: skip
    parser.add_argument(
        "--endpoint", default="http://127.0.0.1:4318", help="the server (default: %(default)s)"
    )
    parser.add_argument("--key", help="API key with the scopes `read` and `act`")
    parser.add_argument("--name", default="faithfulness", help="evaluation (default: %(default)s)")
    parser.add_argument("--service", help="only answers of this service")
    parser.add_argument("--limit", type=int, default=20, help="answers at most (default: 20)")
    parser.add_argument("--list", action="store_true", help="show the queue instead of labelling")
    parser.add_argument("--author", default=getpass.getuser(), help="who says so")


def run(args: argparse.Namespace) -> int:
    """Label; return 1 where the queue asks for labels and none was given."""
    client = Client(args.endpoint, args.key)
    if args.file is not None:
        return _send_file(client, args)
    waiting = _queue(client, args)
    if args.list or args.json or not sys.stdin.isatty():
        return _show(waiting, as_json=args.json)
    return _ask_all(client, args, waiting)


def rows_of(path: Path, name: str, author: str) -> Iterator[dict[str, Any]]:
    """Yield the labels of a JSONL file as the API takes them.

    Raises:
        BadInput: a line is no label; with its place.
    """
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.strip():
            yield _row(line, f"{path}:{number}", name, author)


def _row(line: str, place: str, name: str, author: str) -> dict[str, Any]:
    try:
        given = json.loads(line)
    except ValueError as error:
        raise BadInput(f"no JSON: {error}", place=place) from error
    if not isinstance(given, dict):
        raise BadInput("no JSON object", place=place)
    known = ("trace_id", "span_id", "name", "value", "label", "comment", "author", "at")
    for key in given:
        if key not in known:
            raise BadInput(f"unknown key {key!r}", place=place, hint=near(key, known))
    for key in ("trace_id", "span_id"):
        if not isinstance(given.get(key), str):
            raise BadInput(f"{key} is missing", place=place)
    if (given.get("value") is None) == (given.get("label") is None):
        raise BadInput("needs a value or a label, and not both", place=place)
    return {"name": name, "author": author, **given}


def _send_file(client: Client, args: argparse.Namespace) -> int:
    rows = list(rows_of(args.file, args.name, args.author))
    for start in range(0, len(rows), _AT_ONCE):
        _post(client, rows[start : start + _AT_ONCE])
    print(json.dumps({"labels": len(rows)}) if args.json else f"{len(rows)} labels sent")
    return 0


def _post(client: Client, rows: Sequence[Mapping[str, Any]]) -> None:
    """Send labels; what is doubtful about them goes to standard error."""
    body = json.dumps({"labels": rows}).encode()
    answer = json.loads(client.post("/api/labels", body, {"Content-Type": "application/json"}))
    for one in answer.get("warnings", ()):
        print(f"seakeeping: {Finding(**one)}", file=sys.stderr)


def _queue(client: Client, args: argparse.Namespace) -> list[dict[str, Any]]:
    asked = {"name": args.name, "limit": args.limit}
    if args.service:
        asked["service"] = args.service
    return list(client.get_json(f"/api/labels/queue?{urlencode(asked)}")["items"])


def _show(waiting: Sequence[Mapping[str, Any]], *, as_json: bool) -> int:
    if as_json:
        print(json.dumps({"items": waiting}))
    else:
        print_table(_HEADERS, (_waiting(one) for one in waiting), whole=_HEADERS[:4])
    return 1 if waiting else 0


_HEADERS = ("service", "evaluation", "trace", "span", "score", "drawn with")


def _waiting(one: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        one["service"], one["name"], one["trace_id"], one["span_id"], f"{one['score']:.2f}",
        f"{one['probability']:.3f}",
    )  # fmt: skip


def _ask_all(client: Client, args: argparse.Namespace, waiting: Sequence[Mapping[str, Any]]) -> int:
    console, given = Console(), 0
    for one in waiting:
        place = f"{quote(one['trace_id'], safe='')}/{quote(one['span_id'], safe='')}"
        call = client.get_json(f"/api/interactions/{place}")
        value = _ask(console, call, one["name"])
        if value is None:
            break
        if value >= 0:
            row = {k: one[k] for k in ("trace_id", "span_id", "name")}
            _post(client, [{**row, "value": value, "author": args.author}])
            given += 1
    console.print(f"{given} labels given")
    return 0 if given or not waiting else 1


def _ask(console: Console, call: Mapping[str, Any], name: str) -> float | None:
    """Return the value, -1 for a skipped answer, None to end."""
    for document in call["documents"]:
        text = escape((document["content"] or "")[:_MOST_EVIDENCE])
        console.print(Panel(text, title="evidence", style="dim"))
    console.print(
        Panel(escape(call["answer_text"] or ""), title=f"answer of {call['service_name']}")
    )
    good, bad = words(name)
    while True:
        said = console.input(f"[b]g[/b] {good}  [b]b[/b] {bad}  [b]s[/b] skip  [b]q[/b] end: ")
        match said.strip().lower():
            case "g" | "b" as key:
                return value_of(name, is_good=key == "g")
            case "s":
                return -1.0
            case "q":
                return None


def words(name: str) -> tuple[str, str]:
    """Return what a good and a bad answer are called in the terms of an evaluation."""
    kind = EVALUATION_KINDS.get(name)
    return (kind.good_label, kind.bad_label) if kind else ("good", "bad")


def value_of(name: str, *, is_good: bool) -> float:
    """Return the value of a verdict on the evaluation's own scale.

    >>> value_of("faithfulness", is_good=True), value_of("toxicity", is_good=True)
    (1.0, 0.0)
    """
    kind = EVALUATION_KINDS.get(name)
    if kind is None:
        return 1.0 if is_good else 0.0
    return kind.high if is_good == kind.higher_is_better else kind.low
