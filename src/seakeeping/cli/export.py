"""``seakeeping export``: what a running server holds, as JSON lines."""

import argparse
import json
import sys
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn

from seakeeping.cli.client import TRANSFER_S, Client

_PAGE = 200
_FILTERS = ("service", "since", "until", "label", "traffic")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``export``."""
    parser.add_argument("what", choices=("interactions", "evaluations"))
    parser.add_argument("-o", "--output", type=Path, metavar="OUT.jsonl", help="default: stdout")
    parser.add_argument(
        "--endpoint", default="http://127.0.0.1:4318", help="the server (default: %(default)s)"
    )
    parser.add_argument("--key", help="API key with the scope `read`")
    parser.add_argument("--service", metavar="NAME", help="only this service")
    parser.add_argument(
        "--since", metavar="TIME", help="began then or later, e.g. 2026-11-23T15:04Z"
    )
    parser.add_argument("--until", metavar="TIME", help="began before that")
    parser.add_argument("--label", metavar="LABEL", help="only with an evaluation so labelled")
    parser.add_argument("--traffic", metavar="KIND", help="live, demo, shadow, ...")


def run(args: argparse.Namespace) -> int:
    """Write every record, page by page, so memory does not grow with the result."""
    client = Client(args.endpoint, args.key, patience_s=TRANSFER_S)
    chosen = {name: getattr(args, name) for name in _FILTERS if getattr(args, name)}
    count = 0
    with _progress(args) as told, _writer(args.output) as out:
        for row in rows(client, args.what, chosen):
            out.write(json.dumps(_whole(client, args.what, row), ensure_ascii=False) + "\n")
            count += 1
            told(count)
    if args.json:
        print(json.dumps({"exported": count}), file=sys.stderr)
    return 0


def rows(client: Client, what: str, chosen: dict[str, str]) -> Iterator[dict[str, Any]]:
    """Yield the items of a list of the API, following its cursor."""
    cursor: str | None = None
    while True:
        query = {**chosen, "limit": str(_PAGE), **({"cursor": cursor} if cursor else {})}
        page = client.get_json(f"/api/{what}?{urllib.parse.urlencode(query)}")
        yield from page["items"]
        cursor = page["next"]
        if cursor is None:
            return


def _whole(client: Client, what: str, row: dict[str, Any]) -> dict[str, Any]:
    """Return the row with its texts, which lists of interactions leave out."""
    if what == "evaluations":
        return row
    whole: dict[str, Any] = client.get_json(f"/api/interactions/{row['trace_id']}/{row['span_id']}")
    return whole


@contextmanager
def _writer(path: Path | None) -> Iterator[TextIO]:
    if path is None:
        yield sys.stdout
        return
    with path.open("w", encoding="utf-8") as out:
        yield out


@contextmanager
def _progress(args: argparse.Namespace) -> Iterator[Any]:
    columns = (SpinnerColumn(), TextColumn("{task.completed} exported"))
    with Progress(*columns, console=Console(stderr=True), disable=args.json) as progress:
        task = progress.add_task("export", total=None)
        yield lambda count: progress.update(task, completed=count)
