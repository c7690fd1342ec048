"""Commands of several actions (``slo list``, ``slo show``), each with options of its own."""

import argparse
from collections.abc import Mapping


def add_actions(
    parser: argparse.ArgumentParser, actions: Mapping[str, str]
) -> dict[str, argparse.ArgumentParser]:
    """Return a parser for each action; ``args.what`` is the one that was called.

    Names may then stand before options or behind them, and ``--help`` of an action shows no option
    of another. ``--json`` may stand behind the action too.
    """
    chosen = parser.add_subparsers(dest="what", metavar="ACTION", required=True)
    found = {}
    for name, told in actions.items():
        found[name] = chosen.add_parser(name, help=told, description=told)
        found[name].add_argument(
            "--json", action="store_true", default=argparse.SUPPRESS, help="print JSON instead"
        )
    return found
