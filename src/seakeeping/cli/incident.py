"""``seakeeping incident``: list and show incidents, prove their timelines, draft a postmortem.

They are read from the ledger, which needs no server and is what a proof has to look at; or of a
running server elsewhere with ``--endpoint``.
"""

import argparse
import json
import os
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Protocol
from urllib.parse import quote, urlencode

from rich.console import Console

from seakeeping.cli.actions import add_actions
from seakeeping.cli.client import Client
from seakeeping.cli.known_ledger import open_known
from seakeeping.cli.tables import print_table
from seakeeping.config import load_settings
from seakeeping.decide.diagnose.words import moment
from seakeeping.decide.postmortem import draft
from seakeeping.errors import BadInput, NotFound
from seakeeping.observe.snapshot import decode
from seakeeping.records import Alert, Budget, Incident, IncidentState
from seakeeping.records.codec import from_json, to_json
from seakeeping.store import Ledger
from seakeeping.store.ledger.alerts import Alerts
from seakeeping.store.ledger.changes import Changes
from seakeeping.store.ledger.incidents import OPEN_STATES, Incidents, Verdict
from seakeeping.store.ledger.snapshots import READINGS, Snapshots

_HINT = "`seakeeping incident list` shows the ids"
_MOST_LISTED = 1000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the actions of ``incident``, each with its options."""
    actions = add_actions(parser, {
        "list": "list incidents, the newest first",
        "show": "show one incident with its diagnosis and timeline",
        "verify": "prove that the timeline of one incident, or of all, was not changed",
        "postmortem": "draft a postmortem in Markdown",
    })  # fmt: skip
    for name in ("show", "verify", "postmortem"):
        actions[name].add_argument("id", nargs="?", metavar="ID", help="as `list` shows it")
    listing = actions["list"]
    listing.add_argument("--open", action="store_true", help="only what is not resolved")
    listing.add_argument("--service", metavar="NAME", help="only those of this service")
    listing.add_argument("--limit", type=int, default=50, help="so many (default: %(default)s)")
    for name, action in actions.items():
        if name != "verify":  # a proof that is asked of who may have changed it proves nothing
            action.add_argument(
                "--endpoint", metavar="URL", help="ask this server, not the ledger of a data folder"
            )
            action.add_argument("--key", help="API key with the scope `read`")
        action.add_argument("--settings", type=Path, metavar="FILE", help="settings file (TOML)")
        action.add_argument("--data", type=Path, metavar="DIR", help="data folder")
        action.add_argument("--ledger", metavar="DSN", help="sqlite:///FILE or postgresql://...")


def run(args: argparse.Namespace) -> int:
    """Read a server or a ledger; ``verify`` returns 1 where a timeline does not hold."""
    if args.what != "verify" and args.endpoint is not None:
        return _run(_Server(Client(args.endpoint, args.key)), args)
    flags = {name: getattr(args, name) for name in ("data", "ledger")}
    settings = load_settings(file=args.settings, environ=os.environ, flags=flags)
    with closing(open_known(settings)) as ledger:
        if args.what == "verify":
            return _verify(Incidents(ledger), args.id, as_json=args.json)
        return _run(_Kept(ledger), args)


class _Source(Protocol):
    """Where incidents are read."""

    def find(self, args: argparse.Namespace) -> Sequence[Incident]:
        """Return what ``list`` asks for."""
        ...

    def get(self, incident_id: str) -> Incident:
        """Return one incident with its timeline; raises NotFound."""
        ...

    def draft(self, incident: Incident) -> str:
        """Return a draft of its postmortem."""
        ...


class _Kept:
    """The incidents of a ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def find(self, args: argparse.Namespace) -> Sequence[Incident]:
        states = OPEN_STATES if args.open else tuple(IncidentState)
        return Incidents(self._ledger).find(states=states, service=args.service, limit=args.limit)

    def get(self, incident_id: str) -> Incident:
        found = Incidents(self._ledger).get(incident_id)
        if found is None:
            raise NotFound(f"no incident {incident_id!r}", hint=_HINT)
        return found

    def draft(self, incident: Incident) -> str:
        alerts = [
            it for key in incident.alerts if (it := Alerts(self._ledger).get(key)) is not None
        ]
        changes = Changes(self._ledger).get(incident.changes)
        budgets = _budgets(self._ledger, alerts)
        return draft(incident, alerts=alerts, changes=changes, budgets=budgets)


class _Server:
    """The incidents of a running server."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def find(self, args: argparse.Namespace) -> Sequence[Incident]:
        asked = {"limit": args.limit, "service": args.service, "open": "true" if args.open else ""}
        query = urlencode({name: value for name, value in asked.items() if value})
        found = self._client.get_json(f"/api/incidents?{query}")["items"]
        return [from_json(Incident, one) for one in found]

    def get(self, incident_id: str) -> Incident:
        return from_json(Incident, self._client.get_json(self._path(incident_id)))

    def draft(self, incident: Incident) -> str:
        return self._client.get(f"{self._path(incident.id)}/postmortem").decode()

    def _path(self, incident_id: str) -> str:
        return f"/api/incidents/{quote(incident_id, safe='')}"


def _run(source: _Source, args: argparse.Namespace) -> int:
    if args.what == "list":
        return _list(source, args)
    if args.id is None:
        raise BadInput("which incident?", place="ID", hint=_HINT)
    incident = source.get(args.id)
    if args.what == "show":
        return _show(incident, as_json=args.json)
    text = source.draft(incident)
    print(json.dumps({"markdown": text}) if args.json else text, end="\n" if args.json else "")
    return 0


def _list(source: _Source, args: argparse.Namespace) -> int:
    if not 1 <= args.limit <= _MOST_LISTED:
        raise BadInput(f"must be within 1 and {_MOST_LISTED}", place="--limit")
    found = source.find(args)
    if args.json:
        print(json.dumps({"items": [to_json(it) for it in found], "next": None}))
    else:
        print_table(_HEADERS, (_row(it) for it in found), whole=("id", "service"))
    return 0


_HEADERS = ("id", "state", "severity", "service", "opened", "what")


def _row(it: Incident) -> tuple[str, ...]:
    told = it.diagnosis.causes[0].summary if it.diagnosis and it.diagnosis.causes else it.title
    return it.id, it.state, it.severity, it.service, moment(it.opened_at), told


def _show(incident: Incident, *, as_json: bool) -> int:
    if as_json:
        print(json.dumps(to_json(incident)))
        return 0
    console = Console(markup=False, highlight=False)
    console.print(f"{incident.id}  {incident.state}  {incident.severity}  {incident.title}")
    console.print(f"{incident.service or 'no service'}, opened {moment(incident.opened_at)}")
    if incident.acknowledged_by:
        console.print(f"acknowledged by {incident.acknowledged_by}")
    if incident.diagnosis is not None:
        console.print(f"\n{incident.diagnosis.summary}")
        for cause in incident.diagnosis.causes[1:]:
            console.print(f"- {cause.summary}")
    console.print()
    for entry in incident.timeline:
        console.print(f"{moment(entry.at)}  {entry.action} by {entry.actor}: {entry.reason}")
    return 0


def _verify(incidents: Incidents, incident_id: str | None, *, as_json: bool) -> int:
    """Check one timeline, or all of them."""
    ids = incidents.ids() if incident_id is None else [incident_id]
    verdicts = [verdict for it in ids if (verdict := incidents.verify(it)) is not None]
    if incident_id is not None and not verdicts:
        raise NotFound(f"no incident {incident_id!r}", hint=_HINT)
    if as_json:
        rows = [{**to_json(it), "is_intact": it.is_intact} for it in verdicts]
        print(json.dumps({"items": rows}))
    else:
        for verdict in verdicts:
            print(_line_of(verdict))
        if not verdicts:
            print("no incidents")
    return 0 if all(it.is_intact for it in verdicts) else 1


def _line_of(verdict: Verdict) -> str:
    if verdict.is_intact:
        return f"{verdict.incident_id}: {verdict.entries} entries hold, last hash {verdict.hash}"
    return f"{verdict.incident_id}: NOT intact: {'; '.join(verdict.flaws)}"


def _budgets(ledger: Ledger, alerts: list[Alert]) -> list[Budget]:
    """Return the budgets of the objectives behind some alerts, as last measured."""
    body = Snapshots(ledger).get(READINGS)
    names = {alert.objective for alert in alerts}
    readings = decode(body.body).readings if body is not None else ()
    return [it.budget for it in readings if it.budget.objective.name in names]
