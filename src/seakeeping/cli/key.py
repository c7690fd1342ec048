"""``seakeeping key``: create, list and revoke API keys. A secret is shown once, when it is made."""

import argparse
import getpass
import json
import os
from contextlib import closing
from pathlib import Path

from seakeeping.cli.actions import add_actions
from seakeeping.cli.known_ledger import open_known
from seakeeping.cli.tables import print_table
from seakeeping.config import load_settings
from seakeeping.config.keys import Scope
from seakeeping.errors import BadInput
from seakeeping.records.codec import iso
from seakeeping.store import Ledger, open_ledger
from seakeeping.store.ledger.records import Key


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the actions of ``key``, each with its options."""
    actions = add_actions(parser, {
        "create": "make a key and show its secret, once",
        "list": "list the keys, without their secrets",
        "revoke": "let a key open nothing any more",
    })  # fmt: skip
    _add_creation(actions["create"])
    actions["revoke"].add_argument("id", nargs="?", metavar="ID", help="as `list` shows it")
    for action in actions.values():
        action.add_argument("--settings", type=Path, metavar="FILE", help="settings file (TOML)")
        action.add_argument("--data", type=Path, metavar="DIR", help="data folder")
        action.add_argument("--ledger", metavar="DSN", help="sqlite:///FILE or postgresql://...")


def _add_creation(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--name", default="", help="what the key is for")
    parser.add_argument(
        "--scope",
        action="append",
        choices=[scope.value for scope in Scope],
        help="what the key may do; repeat for several",
    )


def run(args: argparse.Namespace) -> int:
    """Do it on the ledger; a running node takes notice within seconds."""
    flags = {name: getattr(args, name) for name in ("data", "ledger")}
    settings = load_settings(file=args.settings, environ=os.environ, flags=flags)
    if args.what == "create":  # before the first start there is no ledger yet
        settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    opened = open_ledger if args.what == "create" else open_known
    with closing(opened(settings)) as ledger:
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
    print_table(_HEADERS, (_row(key) for key in keys), whole=("id",))
    return 0


_HEADERS = ("id", "name", "may", "created", "revoked")


def _row(key: Key) -> tuple[str, ...]:
    revoked = "" if key.revoked_at is None else iso(key.revoked_at)[:19]
    return key.id, key.name, ", ".join(sorted(key.scopes)), iso(key.created_at)[:19], revoked


def _me() -> str:
    return f"cli:{getpass.getuser()}"
