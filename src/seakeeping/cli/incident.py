"""``seakeeping incident``: list and show incidents, prove their timelines, draft a postmortem."""

import argparse
import json
import os
from contextlib import closing
from pathlib import Path

from rich.console import Console
from rich.table import Table

from seakeeping.config import load_settings
from seakeeping.decide.diagnose.words import moment
from seakeeping.decide.postmortem import draft
from seakeeping.errors import BadInput, NotFound
from seakeeping.observe.snapshot import decode
from seakeeping.records import Alert, Budget, Incident, IncidentState
from seakeeping.records.codec import to_json
from seakeeping.store import Ledger, open_ledger
from seakeeping.store.ledger.alerts import Alerts
from seakeeping.store.ledger.changes import Changes
from seakeeping.store.ledger.incidents import OPEN_STATES, Incidents, Verdict
from seakeeping.store.ledger.snapshots import READINGS, Snapshots


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``incident``."""
    parser.add_argument("what", choices=("list", "show", "verify", "postmortem"))
    parser.add_argument("id", nargs="?", metavar="ID", help="the incident, as `list` shows it")
    parser.add_argument("--open", action="store_true", help="list only what is not resolved")
    parser.add_argument("--service", metavar="NAME", help="list only those of this service")
    parser.add_argument("--limit", type=int, default=50, help="list so many, the newest first")
    parser.add_argument("--settings", type=Path, metavar="FILE", help="settings file (TOML)")
    parser.add_argument("--data", type=Path, metavar="DIR", help="data folder")
    parser.add_argument("--ledger", metavar="DSN", help="sqlite:///FILE or postgresql://...")


def run(args: argparse.Namespace) -> int:
    """Read the ledger; ``verify`` returns 1 where a timeline does not hold."""
    flags = {name: getattr(args, name) for name in ("data", "ledger")}
    settings = load_settings(file=args.settings, environ=os.environ, flags=flags)
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    with closing(open_ledger(settings)) as ledger:
        match args.what:
            case "list":
                return _list(Incidents(ledger), args)
            case "verify":
                return _verify(Incidents(ledger), args.id, as_json=args.json)
            case "postmortem":
                return _postmortem(ledger, _named(ledger, args.id), as_json=args.json)
        return _show(_named(ledger, args.id), as_json=args.json)


def _named(ledger: Ledger, incident_id: str | None) -> Incident:
    hint = "`seakeeping incident list` shows the ids"
    if incident_id is None:
        raise BadInput("which incident?", place="ID", hint=hint)
    found = Incidents(ledger).get(incident_id)
    if found is None:
        raise NotFound(f"no incident {incident_id!r}", hint=hint)
    return found


def _list(incidents: Incidents, args: argparse.Namespace) -> int:
    if args.limit < 1:
        raise BadInput("must be at least 1", place="--limit")
    states = OPEN_STATES if args.open else tuple(IncidentState)
    found = incidents.find(states=states, service=args.service, limit=args.limit)
    if args.json:
        print(json.dumps({"items": [to_json(it) for it in found], "next": None}))
        return 0
    table = Table("id", "state", "severity", "service", "opened", "what")
    for it in found:
        told = it.diagnosis.causes[0].summary if it.diagnosis and it.diagnosis.causes else it.title
        table.add_row(it.id, it.state, it.severity, it.service, moment(it.opened_at), told)
    Console(markup=False).print(table)
    return 0


def _show(incident: Incident, *, as_json: bool) -> int:
    if as_json:
        print(json.dumps(to_json(incident)))
        return 0
    console = Console(markup=False, highlight=False)
    console.print(f"{incident.id}  {incident.state}  {incident.severity}  {incident.title}")
    console.print(f"{incident.service}, opened {moment(incident.opened_at)}")
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
        raise NotFound(f"no incident {incident_id!r}", hint="`seakeeping incident list`")
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


def _postmortem(ledger: Ledger, incident: Incident, *, as_json: bool) -> int:
    alerts = [it for key in incident.alerts if (it := Alerts(ledger).get(key)) is not None]
    changes = Changes(ledger).get(incident.changes)
    text = draft(incident, alerts=alerts, changes=changes, budgets=_budgets(ledger, alerts))
    print(json.dumps({"markdown": text}) if as_json else text, end="\n" if as_json else "")
    return 0


def _budgets(ledger: Ledger, alerts: list[Alert]) -> list[Budget]:
    """Return the budgets of the objectives behind some alerts, as last measured."""
    body = Snapshots(ledger).get(READINGS)
    names = {alert.objective for alert in alerts}
    readings = decode(body.body).readings if body is not None else ()
    return [it.budget for it in readings if it.budget.objective.name in names]
