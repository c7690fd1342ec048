"""``python -m bench.diagnose.run [--incidents 600] [--nulls 1000]``: who finds what broke.

Prints for each size and rise how often the first cause named is exactly the planted slice (in
brackets: by its depth), and the F1 of its values; how often nothing is named; the CPU seconds of a
scan; how often a null incident is blamed on a slice. Adtributor stands beside it, and sliceline
where it is installed (it is not pinned here; on ``--peers`` incidents, for it takes seconds for
each). Other seeds are other incidents: ``--seed``.
"""

import argparse
import importlib
import importlib.util
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

os.environ |= dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), "1")  # as `up` runs it

import numpy as np

from bench.diagnose import adtributor
from bench.diagnose.incidents import DEPTH, Incident, Shape, Slice, make
from seakeeping.decide.diagnose.scan import scan

Locate = Callable[[Incident], Slice]
ROWS = (Shape(lift=0.15), Shape(lift=0.30), Shape(calls=100_000, lift=0.10))


@dataclass(frozen=True, slots=True)
class Outcome:
    """One incident and what was said of it."""

    planted: Slice
    named: Slice
    cpu_s: float

    @property
    def is_exact(self) -> bool:
        """Whether it was named to the value."""
        return self.named == self.planted

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall over values."""
        hits = len(set(self.planted) & set(self.named))
        return 2 * hits / (len(self.planted) + len(self.named)) if hits else 0.0


def ours(incident: Incident) -> Slice:
    """Return the first slice that the scan names."""
    found = [each.conditions for each in scan(incident.before, incident.during).findings]
    return tuple(sorted(next((each for each in found if each), ())))


def theirs(incident: Incident) -> Slice:
    """Return what Adtributor names."""
    return tuple(sorted(adtributor.locate(incident.before, incident.during)))


def sliceline(incident: Incident) -> Slice:
    """Return the top slice of sliceline; it knows no window before, so it sees the incident."""
    finder: Any = importlib.import_module("sliceline.slicefinder").Slicefinder(
        alpha=0.95, k=1, max_l=DEPTH, min_sup=30, verbose=False
    )
    during = incident.during
    finder.fit(during.codes + 1, during.bad)
    top = finder.top_slices_[0] if len(finder.top_slices_) else []
    named = zip(during.dimensions, during.values, top, strict=True)
    return tuple(
        sorted((name, values[int(code) - 1]) for name, values, code in named if code is not None)
    )


def outcomes(locate: Locate, shape: Shape, seeds: range) -> list[Outcome]:
    """Let somebody locate the causes of these incidents."""
    found = []
    for seed in seeds:
        incident = make(seed, shape)
        began = time.process_time()
        named = locate(incident)
        found.append(Outcome(incident.planted, named, time.process_time() - began))
    return found


def print_row(who: str, shape: Shape, found: list[Outcome]) -> None:
    """Print one line of the table."""
    depths = [[it.is_exact for it in found if len(it.planted) == d] for d in range(1, DEPTH + 1)]
    by_depth = " ".join(f"{np.mean(each):.2f}" if each else "-" for each in depths)
    print(
        f"{who:12} {shape.calls:7} +{shape.lift:.2f} {len(found):5}"
        f"  exact {np.mean([it.is_exact for it in found]):.3f} ({by_depth})"
        f"  F1 {np.mean([it.f1 for it in found]):.3f}"
        f"  none {np.mean([not it.named for it in found]):.3f}"
        f"  CPU s {statistics.median(it.cpu_s for it in found):.3f}"
        f" (max {max(it.cpu_s for it in found):.3f})",
        flush=True,
    )


def main() -> None:
    """Make incidents, scan, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--incidents", type=int, default=600)
    parser.add_argument("--nulls", type=int, default=1000)
    parser.add_argument("--peers", type=int, default=20)
    parser.add_argument("--seed", type=int, default=100_000)
    args = parser.parse_args()
    ours(make(0, Shape()))  # imports, caches
    for shape in ROWS:
        many = args.incidents if shape.calls <= 20_000 else args.incidents // 3
        seeds = range(args.seed, args.seed + many)
        print_row("seakeeping", shape, outcomes(ours, shape, seeds))
        print_row("adtributor", shape, outcomes(theirs, shape, seeds))
    if importlib.util.find_spec("sliceline"):
        some = range(args.seed, args.seed + args.peers)
        for shape in ROWS[:2]:
            print_row("seakeeping", shape, outcomes(ours, shape, some))
            print_row("sliceline", shape, outcomes(sliceline, shape, some))
    large = Shape(calls=200_000)
    print_row("seakeeping", large, outcomes(ours, large, range(args.seed, args.seed + 10)))
    print_nulls(args.seed, args.nulls)


def print_nulls(seed: int, nulls: int) -> None:
    """Print how often an incident without a slice at fault is blamed on one."""
    for words, shape in (
        ("null", Shape(lift=0.0)),
        ("null, stronger effects", Shape(lift=0.0, effect=0.6)),
        ("null, 5 pairs that always were apart", Shape(lift=0.0, apart=5)),
        ("null, 20 pairs that always were apart", Shape(lift=0.0, apart=20)),
        ("all calls alike, odds 1.6", Shape(lift=0.0, odds=1.6)),
        ("all calls alike, odds 2.5", Shape(lift=0.0, odds=2.5)),
    ):
        many = nulls if words == "null" else nulls // 2
        found = outcomes(ours, shape, range(seed, seed + many))
        blamed = np.mean([bool(it.named) for it in found])
        print(f"{words}: {len(found)} incidents, {blamed:.4f} of them blamed on a slice")


if __name__ == "__main__":
    main()
