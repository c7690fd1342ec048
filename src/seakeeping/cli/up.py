"""``seakeeping up``: one command, one port, everything on it."""

import argparse
import asyncio
import json
import os
import sys
from pathlib import Path

from rich.console import Console

from seakeeping import metrics
from seakeeping.config import ResourceFolder, Settings, load_settings
from seakeeping.control.exposure import require_keys
from seakeeping.control.supervisor import Supervisor
from seakeeping.control.tree import Node, claim, roles, write_address

EDGE_MODULE = "seakeeping.web.edge"

_FLAGS = ("data", "host", "port", "grpc_port", "admin_port", "store", "ledger", "config", "demo")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``up``; every other setting comes from file or environment."""
    parser.add_argument("--settings", type=Path, metavar="FILE", help="settings file (TOML)")
    parser.add_argument("--data", type=Path, metavar="DIR", help="data folder")
    parser.add_argument("--host", metavar="H", help="address to listen on")
    parser.add_argument("--port", type=int, help="port of OTLP/HTTP, API and pages")
    parser.add_argument("--grpc-port", type=int, metavar="P", help="port of OTLP/gRPC")
    parser.add_argument("--admin-port", type=int, metavar="P", help="own port for API and pages")
    parser.add_argument("--store", metavar="DSN", help="clickhouse://user:password@host:port/db")
    parser.add_argument("--ledger", metavar="DSN", help="sqlite:///FILE or postgresql://...")
    parser.add_argument("--config", type=Path, metavar="DIR", help="folder of resources")
    parser.add_argument("--demo", action="store_true", default=None, help="replay demo traffic")


def run(args: argparse.Namespace) -> int:
    """Start the tree and stay until told to stop."""
    flags = {name: getattr(args, name) for name in _FLAGS}
    settings = load_settings(file=args.settings, environ=os.environ, flags=flags)
    node = claim(settings)
    require_keys(node.settings)
    resources = ResourceFolder(node.settings.config, keep=node.run_dir / "resources")
    for finding in resources.findings:
        print(f"seakeeping: resources stay as they last were: {finding}", file=sys.stderr)
    write_address(node)
    metrics.count_into(node.run_dir / "metrics")
    return asyncio.run(_serve(node, as_json=args.json))


async def _serve(node: Node, *, as_json: bool) -> int:
    parts = roles(node, edge_module=EDGE_MODULE)
    supervisor = Supervisor(parts, node.run_dir, node.environment(os.environ))
    ready = asyncio.Event()
    announcer = asyncio.create_task(_announce(node.settings, ready, as_json=as_json))
    await supervisor.run(ready)
    announcer.cancel()
    return 2 if supervisor.refused else 0


async def _announce(settings: Settings, ready: asyncio.Event, *, as_json: bool) -> None:
    if as_json:
        await ready.wait()
        print(json.dumps({"ready": True, **_addresses(settings)}), flush=True)
        return
    console = Console(file=sys.stderr)
    with console.status("starting"):
        await ready.wait()
    for what, where in _addresses(settings).items():
        console.print(f"  [bold]{what:<10}[/bold] {where}")
    console.print("Ctrl-C stops it.")


def _addresses(settings: Settings) -> dict[str, str]:
    pages = settings.admin_port or settings.port
    return {
        "pages": f"http://{settings.host}:{pages}/",
        "OTLP/HTTP": f"http://{settings.host}:{settings.port}",
        "OTLP/gRPC": f"{settings.host}:{settings.grpc_port}",
        "data": str(settings.data),
    }
