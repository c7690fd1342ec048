"""Replay labelled traffic of many seeds through the whole loop: who gets an incident, and why.

    python -m bench.loop.run [--seeds 50] [--first 0] [--at-once 10] [--minutes-before 60]

For every seed there are two services with the same calls; one of them ships a bad release for
twenty minutes. All of it goes through a real store and a real ledger and the controller's own
parts, on a clock that is moved by hand. Asked: each service with the bad release gets exactly one
incident, whose first cause is that release; each without it gets none.
"""

import argparse
import heapq
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from rich.progress import Progress

from bench.loop.traffic import Scores, Told, service_name, traffic
from seakeeping.challenge.answers import load_answers
from seakeeping.config.resources import load_resources
from seakeeping.control.deciding import Deciding, Parts
from seakeeping.control.standing import InForce
from seakeeping.decide.changes.watch import ChangeWatch
from seakeeping.decide.incidents.loop import IncidentLoop
from seakeeping.decide.loop import AlertLoop
from seakeeping.observe.book import Book
from seakeeping.records import Incident
from seakeeping.store.counting import CountingStore
from seakeeping.store.ledger import Ledger, open_at
from seakeeping.store.ledger.incidents import Incidents
from seakeeping.store.ledger.snapshots import Snapshots
from seakeeping.store.testing import running_store

END = 1_795_000_000.0
"""The moment that the story is told from; the bad release ships five minutes later."""

STEP_S = 20.0
AFTER_S = 35 * 60.0


class HandClock:
    """A clock that is moved by hand."""

    def __init__(self, at: float) -> None:
        self.at = at

    def now(self) -> float:
        """Return Unix seconds."""
        return self.at

    def monotonic(self) -> float:
        """Return the same."""
        return self.at


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one service got."""

    service: str
    incidents: tuple[Incident, ...]

    @property
    def verdict(self) -> str:
        """``right``, or what is wrong."""
        wanted = 1 if self.service.startswith("bad") else 0
        if len(self.incidents) != wanted:
            return f"{len(self.incidents)} incidents"
        return "right" if all(map(self._names_release, self.incidents)) else "another cause"

    def _names_release(self, incident: Incident) -> bool:
        causes = incident.diagnosis.causes if incident.diagnosis else ()
        seed = int(self.service.rpartition("-")[2])
        bad = f"2.0-{seed}"
        if not causes:
            return False
        first = causes[0]
        return bad in first.slice.values() or (
            first.change is not None and first.change.after in (bad, "2")
        )


class Replay:
    """The loop's parts around one store and one ledger."""

    def __init__(self, store: CountingStore, ledger: Ledger, clock: HandClock) -> None:
        self._store, self._ledger, self._clock = store, ledger, clock
        in_force = InForce(ledger)
        in_force.refresh(load_resources(None)[0])
        self._incidents = IncidentLoop(ledger, store, clock)
        self._changes = ChangeWatch(store, ledger, clock)
        self._deciding = Deciding(
            Parts(
                book=Book(store, clock), in_force=in_force, alerts=AlertLoop(ledger, events=store),
                incidents=self._incidents, snapshots=Snapshots(ledger), clock=clock,
            )
        )  # fmt: skip
        self._deciding.begin()

    def step(self, told: list[Told], number: int) -> None:
        """Store what became known, and look."""
        calls = [one.call for one in told]
        by_call = [(one.evaluation, one.call) for one in told if one.evaluation]
        self._store.insert_interactions(calls, f"i{number}")
        self._store.insert_evaluations(by_call, f"e{number}")
        labels = [one.label for one in told if one.label]
        if labels:
            self._store.insert_labels(labels, f"l{number}")
        self._store.refresh_rollups({(c.service_name, c.started_at // 300 * 300) for c in calls})
        if number % 3 == 0:
            self._changes.look()
        self._deciding.tick()
        self._incidents.diagnose_due()

    def outcomes(self, services: list[str]) -> list[Outcome]:
        """Return what every service got."""
        found = Incidents(self._ledger).find(limit=100_000)
        return [Outcome(name, tuple(i for i in found if i.service == name)) for name in services]


def batches(streams: list[Iterator[Told]], begin: float, end: float) -> Iterator[list[Told]]:
    """Yield what became known in each step."""
    merged = heapq.merge(*streams, key=lambda one: one.at)
    waiting = next(merged)
    at = begin
    while at < end:
        at += STEP_S
        batch = []
        while waiting.at <= at:
            batch.append(waiting)
            waiting = next(merged)
        yield batch


def main() -> None:
    """Replay some seeds at a time, and print how many services got what they should."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--at-once", type=int, default=10)
    parser.add_argument("--minutes-before", type=float, default=60.0)
    parser.add_argument("--verbose", action="store_true")
    args = parser.parse_args()
    scores = Scores(load_answers())
    began = time.process_time()
    outcomes: list[Outcome] = []
    for first in range(args.first, args.first + args.seeds, args.at_once):
        last = min(first + args.at_once, args.first + args.seeds)
        outcomes += replayed(scores, range(first, last), args.minutes_before)
        right = sum(one.verdict == "right" for one in outcomes)
        print(f"seeds up to {last - 1}: {right} of {len(outcomes)} services right", flush=True)
    report(outcomes, time.process_time() - began, verbose=args.verbose)


def replayed(scores: Scores, seeds: range, minutes_before: float) -> list[Outcome]:
    """Return what the services of some seeds got, all in one store and one ledger."""
    begin, end = END - 60 * minutes_before, END + AFTER_S
    pairs = [(seed, bad) for seed in seeds for bad in (True, False)]
    streams = [traffic(scores, seed, begin, END, is_bad=bad) for seed, bad in pairs]
    clock = HandClock(begin)
    with (
        tempfile.TemporaryDirectory() as folder,
        running_store() as store,
        closing(open_at(f"sqlite:///{Path(folder) / 'ledger.db'}", clock)) as ledger,
        Progress(transient=True) as progress,
    ):
        ledger.migrate()
        replay = Replay(store, ledger, clock)
        task = progress.add_task("replaying", total=int((end - begin) / STEP_S))
        for number, batch in enumerate(batches(streams, begin, end)):
            clock.at += STEP_S
            replay.step(batch, number)
            progress.advance(task)
        return replay.outcomes([service_name(seed, is_bad=bad) for seed, bad in pairs])


def report(outcomes: list[Outcome], cpu_s: float, *, verbose: bool) -> None:
    """Print the verdicts."""
    for kind in ("bad", "good"):
        some = [one for one in outcomes if one.service.startswith(kind)]
        verdicts = Counter(one.verdict for one in some)
        said = ", ".join(f"{count} {verdict}" for verdict, count in verdicts.most_common())
        print(
            f"{len(some)} services {'with' if kind == 'bad' else 'without'} a bad release: {said}"
        )
    for one in outcomes:
        if verbose or one.verdict != "right":
            for incident in one.incidents:
                summary = incident.diagnosis.summary if incident.diagnosis else "no diagnosis"
                print(f"  {one.service}: {one.verdict}: {incident.title}: {summary}")
            if not one.incidents:
                print(f"  {one.service}: {one.verdict}")
    print(f"{cpu_s:.0f} CPU s in this process")


if __name__ == "__main__":
    main()
