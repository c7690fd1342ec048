"""``seakeeping slo rules``: objectives as Prometheus rules, of files or of a running server.

An objective of every service has no rules of its own: each service has. Which services there are
only traffic tells, so a file alone cannot: they are named (``--service``), or a server is asked
(``--endpoint``). Without a file the rules are those of the server, with every service and slice.
What is left out, and why, is said on standard error, so that nobody loads a rule file that watches
less than it seems to; the file says it, too.
"""

import argparse
import json
import sys
from collections.abc import Sequence

from seakeeping.cli.client import Client
from seakeeping.cli.slo_backtest import written_in
from seakeeping.observe.objectives import EVERY_SERVICE, expand
from seakeeping.observe.rules import prometheus_rules, prometheus_rules_yaml, why_no_rules
from seakeeping.records import Objective
from seakeeping.records.codec import from_json

DEFAULT_ENDPOINT = "http://127.0.0.1:4318"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``slo rules``."""
    parser.add_argument(
        "names", nargs="*", metavar="FILE",
        help="files or folders; none: what a running server holds its services to",
    )  # fmt: skip
    parser.add_argument(
        "--service", action="append", metavar="NAME",
        help="rules of this service, also from objectives of every service; may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--endpoint", metavar="URL",
        help="the server whose services objectives of every service stand for; without FILE "
        f"{DEFAULT_ENDPOINT} where left out",
    )  # fmt: skip
    parser.add_argument("--key", help="API key with the scope `read`")


def write_rules(args: argparse.Namespace) -> int:
    """Print the rule file; say on standard error what is left out of it."""
    objectives = _of_files(args) if args.names else _of_server(args)
    if args.service:
        objectives = [one for one in objectives if one.service in args.service]
    for told in left_out(objectives):
        print(f"seakeeping: {told}", file=sys.stderr)
    if args.json:
        print(json.dumps(prometheus_rules(objectives)))
    else:
        print(prometheus_rules_yaml(objectives), end="")
    return 0


def left_out(objectives: Sequence[Objective]) -> list[str]:
    """Return a line for every objective without rules, and what helps where something does."""
    found = []
    for objective in objectives:
        if (why := why_no_rules(objective)) is None:
            continue
        can_be_named = objective.service == EVERY_SERVICE
        hint = " (name services: --service; or ask a server: --endpoint)" if can_be_named else ""
        found.append(f"{objective.name!r} is left out: {why}{hint}")
    return found


def _of_files(args: argparse.Namespace) -> list[Objective]:
    written = written_in(args.names)
    if args.service:
        return expand(written, args.service)
    if args.endpoint is None:
        return written
    seen = Client(args.endpoint, args.key).get_json("/api/services?window=30d")["items"]
    return expand(written, [one["service_name"] for one in seen])


def _of_server(args: argparse.Namespace) -> list[Objective]:
    client = Client(args.endpoint or DEFAULT_ENDPOINT, args.key)
    items = client.get_json("/api/objectives")["items"]
    return [from_json(Objective, one) for one in items]
