"""``seakeeping backup``: store and ledger in one file, from a running node or a resting one."""

import argparse
import json
import os
from pathlib import Path

from rich.console import Console

from seakeeping.config import load_settings
from seakeeping.control.attach import attached
from seakeeping.store import connect, open_ledger
from seakeeping.store.backup import backup


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``backup``."""
    parser.add_argument("output", type=Path, metavar="FILE", help="the file to write")
    parser.add_argument("--settings", type=Path, metavar="FILE", help="settings file (TOML)")
    parser.add_argument("--data", type=Path, metavar="DIR", help="data folder")
    parser.add_argument("--store", metavar="DSN", help="clickhouse://user:password@host:port/db")
    parser.add_argument("--ledger", metavar="DSN", help="sqlite:///FILE or postgresql://...")


def run(args: argparse.Namespace) -> int:
    """Write the file; it appears only when it is complete."""
    flags = {name: getattr(args, name) for name in ("data", "store", "ledger")}
    settings = load_settings(file=args.settings, environ=os.environ, flags=flags)
    console = Console(stderr=True, quiet=args.json)
    with attached(settings) as ready, console.status("copying"):
        store = connect(ready.store_url or "", token=ready.store_token)
        rows = backup(store, open_ledger(ready), args.output)
    if args.json:
        print(json.dumps({"file": str(args.output), "rows": rows}))
    else:
        print(f"{args.output}: {args.output.stat().st_size:,} bytes, {rows} rows")
    return 0
