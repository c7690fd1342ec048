"""Finds the command, runs it, turns what went wrong into one line and an exit code.

Exit codes: 0 fine, 1 findings, 2 wrong use or broken input. A command's module is loaded only when
it is called, so ``seakeeping check`` never pays for the server or the store.
"""

import argparse
import importlib
import json
import os
import sys
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Protocol, cast

from seakeeping import __version__
from seakeeping.errors import BadInput, SeakeepingError

COMMANDS: Mapping[str, str] = MappingProxyType(
    {
        "up": "start the control room: receivers, pipeline, store, pages",
        "check": "validate resource files",
        "send": "send OTLP or JSONL files to a running server",
        "evaluate": "score answers in a JSONL file, offline",
        "label": "say what is true of answers: through the queue, or from a file",
        "export": "write interactions and evaluations as JSONL",
        "backup": "copy store and ledger into one file",
        "restore": "bring a backup back into an empty data folder",
        "slo": "show objectives and budgets; backtest their alerts",
        "incident": "list and show incidents, prove their timelines, draft a postmortem",
        "key": "create, list and revoke API keys",
    }
)
"""Every command with the line that ``--help`` shows."""


class Command(Protocol):
    """What a command's module offers."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the command's own options."""
        ...

    def run(self, args: argparse.Namespace) -> int:
        """Do it; return the exit code."""
        ...


def run(argv: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code."""
    sys.exit(main(sys.argv[1:] if argv is None else argv))


def main(argv: Sequence[str]) -> int:
    """Run one command line; return 0, 1 or 2."""
    chosen = [word for word in argv[:1] if word in COMMANDS]
    args = parser_of(chosen or COMMANDS).parse_args(argv)
    if args.command is None:
        parser_of(COMMANDS).print_help()
        return 2
    try:
        return command(args.command).run(args)
    except SeakeepingError as error:
        _complain(error, as_json=args.json)
        return 2
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader had enough
        return 0
    except OSError as error:  # a file that cannot be read or written: 1 would mean findings
        message = error.strerror or str(error)
        _complain(BadInput(message, place=str(error.filename or "")), as_json=args.json)
        return 2
    except KeyboardInterrupt:
        return 130


def command(name: str) -> Command:
    """Load the module of a command."""
    return cast(Command, importlib.import_module(f"seakeeping.cli.{name}"))


def parser_of(names: Sequence[str] | Mapping[str, str]) -> argparse.ArgumentParser:
    """Return the parser of these commands; one that is named alone knows its own options."""
    parser = argparse.ArgumentParser(
        prog="seakeeping", description="The reliability control plane for generative-AI services."
    )
    parser.add_argument("--version", action="version", version=f"seakeeping {__version__}")
    parser.set_defaults(command=None, json=False)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name in names:
        sub = commands.add_parser(name, help=COMMANDS[name], description=COMMANDS[name])
        sub.add_argument("--json", action="store_true", help="print JSON instead of text")
        if len(names) == 1:
            command(name).add_arguments(sub)
    return parser


def _complain(error: SeakeepingError, *, as_json: bool) -> None:
    if as_json:
        body = {"code": error.code, "message": error.message, "hint": error.hint}
        print(json.dumps({"error": body}), file=sys.stderr)
        return
    place = "wrong input" if isinstance(error, BadInput) else "error"
    print(f"seakeeping: {place}: {error.message}", file=sys.stderr)
    if error.hint:
        print(f"  {error.hint}", file=sys.stderr)
