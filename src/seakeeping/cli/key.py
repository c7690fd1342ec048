"""``seakeeping key``: create, list and revoke API keys. A secret is shown once, when it is made."""

import argparse
import getpass
import json
import os
from contextlib import closing
from pathlib import Path

from rich.console import Console
from rich.table import Table

from seakeeping.config import load_settings
from seakeeping.config.keys import Scope
from seakeeping.errors import BadInput
from seakeeping.records.codec import iso
from seakeeping.store import Ledger, open_ledger


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``key``."""
    parser.add_argument("what", choices=("create", "list", "revoke"))
    parser.add_argument("id", nargs="?", metavar="ID", help="the key to revoke, as `list` shows it")
    parser.add_argument("--name", default="", help="what the key is for")
    parser.add_argument(
        "--scope",
        action="append",
        choices=[scope.value for scope in Scope],
        help="what the key may do; repeat for several",
    )
    parser.add_argument("--settings", type=Path, metavar="FILE", help="settings file (TOML)")
    parser.add_argument("--data", type=Path, metavar="DIR", help="data folder")
    parser.add_argument("--ledger", metavar="DSN", help="sqlite:///FILE or postgresql://...")


def run(args: argparse.Namespace) -> int:
    """Do it on the ledger; a running node takes notice within seconds."""
    flags = {name: getattr(args, name) for name in ("data", "ledger")}
    settings = load_settings(file=args.settings, environ=os.environ, flags=flags)
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    with closing(open_ledger(settings)) as ledger:
        ledger.migrate()
        match args.what:
            case "create":
                return _create(ledger, args)
            case "revoke":
                return _revoke(ledger, args)
        return _list(ledger, as_json=args.json)


def _create(ledger: Ledger, args: argparse.Namespace) -> int:
    if not args.scope:
        raise BadInput("a key needs a scope", place="--scope", hint="e.g. --scope receive")
    key, secret = ledger.create_key(args.name, args.scope, by=_me())
    if args.json:
        print(json.dumps({"id": key.id, "secret": secret, "scopes": sorted(key.scopes)}))
    else:
        print(f"{secret}\n  id {key.id}, may {', '.join(sorted(key.scopes))}; not shown again")
    return 0


def _revoke(ledger: Ledger, args: argparse.Namespace) -> int:
    if args.id is None:
        raise BadInput("which key?", place="ID", hint="`seakeeping key list` shows the ids")
    was_valid = ledger.revoke_key(args.id, by=_me())
    if args.json:
        print(json.dumps({"id": args.id, "revoked": was_valid}))
    else:
        print(f"{args.id}: {'revoked' if was_valid else 'no valid key of that id'}")
    return 0 if was_valid else 1


def _list(ledger: Ledger, *, as_json: bool) -> int:
    keys = ledger.list_keys()
    if as_json:
        rows = [
            {
                "id": key.id,
                "name": key.name,
                "scopes": sorted(key.scopes),
                "created_at": iso(key.created_at),
                "revoked_at": None if key.revoked_at is None else iso(key.revoked_at),
            }
            for key in keys
        ]
        print(json.dumps({"items": rows}))
        return 0
    table = Table("id", "name", "may", "created", "revoked")
    for key in keys:
        revoked = "" if key.revoked_at is None else iso(key.revoked_at)[:19]
        table.add_row(
            key.id, key.name, ", ".join(sorted(key.scopes)), iso(key.created_at)[:19], revoked
        )
    Console().print(table)
    return 0


def _me() -> str:
    return f"cli:{getpass.getuser()}"
