"""``seakeeping slo``: objectives and their budgets, and when their alerts would have fired."""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from seakeeping.cli.actions import add_actions
from seakeeping.cli.client import Client
from seakeeping.cli.slo_backtest import backtest_files
from seakeeping.cli.slo_rules import add_arguments as add_rules
from seakeeping.cli.slo_rules import write_rules
from seakeeping.cli.tables import print_table
from seakeeping.config import Finding
from seakeeping.decide.alerts.sentences import duration, percent
from seakeeping.errors import BadInput


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the actions of ``slo``, each with its options."""
    actions = add_actions(parser, {
        "list": "list the objectives of a running server with their budgets",
        "show": "show the budgets of some objectives of a running server",
        "backtest": "when the alerts of objectives in files would have fired on what is stored",
        "rules": "objectives in files, or of a running server, as Prometheus rules",
    })  # fmt: skip
    actions["show"].add_argument("names", nargs="*", metavar="NAME", help="objectives to show")
    for name in ("list", "show"):
        _add_server(actions[name])
    _add_backtest(actions["backtest"])
    add_rules(actions["rules"])


def _add_server(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--endpoint", default="http://127.0.0.1:4318", help="the server (default: %(default)s)"
    )
    parser.add_argument("--key", help="API key with the scope `read`")
    parser.add_argument("--service", metavar="NAME", help="only objectives of this service")


def _add_backtest(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", nargs="*", metavar="FILE", help="files or folders")
    parser.add_argument("--service", metavar="NAME", help="only objectives of this service")
    parser.add_argument(
        "--since", default="30d", metavar="WINDOW", help="so far back (default: 30d)"
    )
    parser.add_argument(
        "--step", default="1m", metavar="WINDOW", help="in such steps (default: 1m)"
    )
    parser.add_argument("--settings", type=Path, metavar="FILE", help="settings file (TOML)")
    parser.add_argument("--data", type=Path, metavar="DIR", help="data folder")
    parser.add_argument("--store", metavar="DSN", help="clickhouse://user:password@host:port/db")
    parser.add_argument("--demo", action="store_true", default=None, help="count demo traffic too")


def run(args: argparse.Namespace) -> int:
    """Do it; ``show`` returns 1 where a budget is in breach."""
    match args.what:
        case "list":
            return _list(args)
        case "show":
            return _show(args)
        case "rules":
            return write_rules(args)
    return backtest_files(args)


def _budgets(args: argparse.Namespace) -> list[dict[str, Any]]:
    query = f"?{urlencode({'service': args.service})}" if args.service else ""
    found: list[dict[str, Any]] = Client(args.endpoint, args.key).get_json(f"/api/budgets{query}")[
        "items"
    ]
    return sorted(found, key=lambda b: (_left(b), b["objective"]["name"]))


def _left(budget: Mapping[str, Any]) -> float:
    left = budget["remaining_ratio"]
    return float("inf") if left is None else float(left)


def _list(args: argparse.Namespace) -> int:
    budgets = _budgets(args)
    for finding in Client(args.endpoint, args.key).get_json("/api/findings")["items"]:
        print(_held_back(finding), file=sys.stderr)
    if args.json:
        print(json.dumps({"items": budgets}))
        return 0
    print_table(
        ("objective", "target", "window", "state", "good", "budget left", "lasts"),
        (_row(budget) for budget in budgets),
        whole=("objective",),
    )
    return 0


def _row(budget: Mapping[str, Any]) -> tuple[str, ...]:
    of = budget["objective"]
    return (
        of["name"], percent(of["target_ratio"]), of["window"], budget["state"],
        _ratio(budget["estimate"]), _ratio(budget["remaining_ratio"]), _lasts(budget),
    )  # fmt: skip


def _held_back(finding: Mapping[str, Any]) -> str:
    """Return why the resource files of the server are not in force."""
    told = Finding(finding["place"], finding["message"], finding["hint"])
    return f"seakeeping: resources stay as they were: {told}"


def _show(args: argparse.Namespace) -> int:
    known = {budget["objective"]["name"]: budget for budget in _budgets(args)}
    unknown = [name for name in args.names if name not in known]
    if unknown or not args.names:
        raise BadInput(
            f"no objective {unknown[0]!r}" if unknown else "which objective?",
            place="NAME",
            hint=f"known: {', '.join(sorted(known)) or 'none'}",
        )
    chosen = [known[name] for name in args.names]
    if args.json:
        print(json.dumps({"items": chosen}))
    else:
        for budget in chosen:
            print("\n".join(_described(budget)))
    return int(any(budget["state"] == "BREACH" for budget in chosen))


def _described(budget: Mapping[str, Any]) -> list[str]:
    of = budget["objective"]
    burns = ", ".join(
        f"{look} {'-' if rate is None else format(rate, '.3g')}"
        for look, rate in budget["burn_rates"].items()
    )
    lines = [
        f"{of['name']}: {budget['state']}",
        f"  promised     {percent(of['target_ratio'])} over {of['window']}: "
        f"{of['indicator']['good']}, of {of['indicator']['valid']}",
        f"  good         {_ratio(budget['estimate'])} "
        f"({_ratio(budget['low'])} to {_ratio(budget['high'])}), {budget['method']}",
        f"  events       {budget['valid_total']:,.0f}, bad {budget['bad_total']:,.0f}",
        f"  budget left  {_ratio(budget['remaining_ratio'])}, lasts {_lasts(budget)}",
        f"  burn rates   {burns or '-'}",
    ]
    return lines + ([f"  note         {budget['note']}"] if budget["note"] else [])


def _ratio(value: float | None) -> str:
    return "-" if value is None else percent(value)


def _lasts(budget: Mapping[str, Any]) -> str:
    if _left(budget) <= 0:
        return "spent"
    seconds = budget["time_to_exhaustion_s"]
    return "-" if seconds is None else duration(seconds)
