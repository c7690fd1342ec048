"""``seakeeping restore``: bring a backup back into an empty data folder."""

import argparse
import json
import os
from pathlib import Path

from rich.console import Console

from seakeeping.config import load_settings
from seakeeping.control.attach import attached, is_running
from seakeeping.errors import SeakeepingError
from seakeeping.store import connect, open_ledger
from seakeeping.store.backup import restore


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``restore``."""
    parser.add_argument("input", type=Path, metavar="FILE", help="what `backup` wrote")
    parser.add_argument("--settings", type=Path, metavar="FILE", help="settings file (TOML)")
    parser.add_argument("--data", type=Path, metavar="DIR", help="data folder, empty")
    parser.add_argument("--store", metavar="DSN", help="clickhouse://user:password@host:port/db")
    parser.add_argument("--ledger", metavar="DSN", help="sqlite:///FILE or postgresql://...")


def run(args: argparse.Namespace) -> int:
    """Restore; a store or ledger that holds something already is refused."""
    flags = {name: getattr(args, name) for name in ("data", "store", "ledger")}
    settings = load_settings(file=args.settings, environ=os.environ, flags=flags)
    if is_running(settings.data.resolve()):
        raise SeakeepingError(f"a node runs on {settings.data}", hint="stop it, then restore")
    console = Console(stderr=True, quiet=args.json)
    with attached(settings, makes_folder=True) as ready, console.status("restoring"):
        store = connect(ready.store_url or "", token=ready.store_token)
        rows = restore(args.input, store, open_ledger(ready))
    if args.json:
        print(json.dumps({"file": str(args.input), "rows": rows}))
    else:
        print(f"{rows} rows from {args.input}")
    return 0
