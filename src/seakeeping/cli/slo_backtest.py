"""``seakeeping slo backtest``: the alerts of files, tried on what is stored."""

import argparse
import json
import os
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from seakeeping.config import load_settings
from seakeeping.config.finding import errors_in
from seakeeping.config.resources import inspect
from seakeeping.control.attach import attached
from seakeeping.decide.alerts.rules import GUARD_LOOKS
from seakeeping.decide.alerts.sentences import duration, percent
from seakeeping.decide.backtest import Fired, backtest
from seakeeping.decide.stored_history import History, read_history
from seakeeping.errors import BadInput
from seakeeping.observe.expansion import expanded
from seakeeping.observe.quality import Quality
from seakeeping.records import Objective, Traffic
from seakeeping.records.codec import iso
from seakeeping.records.objective import window_seconds
from seakeeping.store.counting import CountingStore, connect_counting


def backtest_files(args: argparse.Namespace) -> int:
    """Print when each alert would have fired, and for how long."""
    written = written_in(args.names)
    since_s, step_s = (_window(args, name) for name in ("since", "step"))
    flags = {name: getattr(args, name) for name in ("data", "store", "demo")}
    settings = load_settings(file=args.settings, environ=os.environ, flags=flags)
    counted = (Traffic.LIVE, Traffic.DEMO) if settings.demo else (Traffic.LIVE,)
    with attached(settings) as ready:
        store = connect_counting(ready.store_url or "", ready.store_token, counted=counted)
        end = time.time()
        objectives = _in_force(store, written, end, since_s, args.service)
        # the look-backs of the first step reach further back than what is told
        history = read_history(store, objectives, end - since_s - max(GUARD_LOOKS), end, step_s)
        fired = _fired(store, objectives, history, end - since_s)
    if args.json:
        print(json.dumps(_document(objectives, fired, history, end - since_s)))
    else:
        _tell(objectives, fired, history, end - since_s)
    return 0


def written_in(names: Sequence[str]) -> list[Objective]:
    """Return the objectives of files. Raises BadInput for the first that does not hold."""
    if not names:
        raise BadInput("which files?", place="FILE", hint="e.g. seakeeping.d/slo.yaml")
    linked, findings = inspect([Path(name) for name in names])
    if errors := errors_in(findings):
        raise BadInput(str(errors[0]), hint=f"`seakeeping check {' '.join(names)}` tells all")
    objectives = [one.objective for one in linked.written]
    if not objectives:
        raise BadInput("no objective in it", place=", ".join(names))
    return objectives


def _window(args: argparse.Namespace, name: str) -> int:
    try:
        return window_seconds(getattr(args, name))
    except BadInput as error:
        raise BadInput(error.message, place=f"--{name}", hint=error.hint) from None


def _in_force(
    store: CountingStore, written: Sequence[Objective], end: float, since_s: int, only: str | None
) -> list[Objective]:
    """Return one objective for each service and slice that was seen in the time."""
    services = [one.service_name for one in store.services(end, since_s)]

    def values_of(service: str, dimension: str) -> Sequence[str]:
        return store.dimension_values(service, dimension, end - since_s, end)

    found = expanded(written, services, values_of)
    return [one for one in found if only in (None, one.service)]


def _fired(
    store: CountingStore, objectives: Sequence[Objective], history: History, since: float
) -> dict[str, list[Fired]]:
    """Return what would have fired by objective, of what had not ended before ``since``.

    Where no labels say how a detector decides, the whole time is the past that is usual.
    """
    quality = Quality(store)
    quality.refresh(objectives, history.end, has_new_labels=True)
    return {
        objective.name: [
            one
            for one in backtest(
                objective, series, null_ratio=quality.null_ratio(objective, series.counts)
            )
            if one.ends_at is None or one.ends_at > since
        ]
        for objective, series in zip(objectives, history.series, strict=True)
    }


def _document(
    objectives: Sequence[Objective],
    fired: Mapping[str, Sequence[Fired]],
    history: History,
    since: float,
) -> dict[str, Any]:
    items = [
        {
            "objective": one.name,
            "events": _events(history, number, since),
            "alerts": [_alert(each) for each in fired[one.name]],
        }
        for number, one in enumerate(objectives)
    ]
    return {
        "since": iso(since), "until": iso(history.end), "step_s": history.step_s, "items": items,
    }  # fmt: skip


def _alert(fired: Fired) -> dict[str, Any]:
    return {
        "labels": dict(fired.rule.labels),
        "severity": fired.rule.severity.value,
        "starts_at": iso(fired.starts_at),
        "ends_at": None if fired.ends_at is None else iso(fired.ends_at),
    }


def _events(history: History, number: int, since: float) -> int:
    series = history.series[number]
    return round(float(series.counts[series.ends > since, 0].sum()))


def _tell(
    objectives: Sequence[Objective],
    fired: Mapping[str, Sequence[Fired]],
    history: History,
    since: float,
) -> None:
    print(f"{_minute(since)} to {_minute(history.end)} UTC, in steps of {duration(history.step_s)}")
    for number, one in enumerate(objectives):
        events, count = _events(history, number, since), len(fired[one.name])
        times = "no alert" if not count else f"{count} {'alert' if count == 1 else 'alerts'}"
        promise = f"{percent(one.target_ratio)} over {one.window}"
        print(f"{one.name} ({promise}): {events:,} events, {times}")
        for each in fired[one.name]:
            print(f"  {_line(each, history.end)}")
    if not objectives:
        print("no service was seen that they could hold")


def _line(fired: Fired, end: float) -> str:
    lasted = duration((end if fired.ends_at is None else fired.ends_at) - fired.starts_at)
    going_on = ", still firing" if fired.ends_at is None else ""
    name = fired.rule.labels["alertname"]
    return f"{_minute(fired.starts_at)}  {fired.rule.severity:6}  {name}  for {lasted}{going_on}"


def _minute(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M")
