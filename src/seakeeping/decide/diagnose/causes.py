"""From what was found to the causes that are told: slices with their changes, then what is left.

First the slices that rose, each with the change that made its calls what they are. Where no slice
rose but traffic moved to a worse one, that. Where a change shows in its own calls and no slice has
it yet, that. Last the signals that went along. Nothing that does not stand out beyond chance.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from seakeeping.decide.diagnose import words
from seakeeping.decide.diagnose.correlate import Suspect
from seakeeping.decide.diagnose.scan import ALPHA, Finding, Scan
from seakeeping.decide.diagnose.signals import Signal
from seakeeping.records import Cause
from seakeeping.stats.fisher import newcombe, p_greater

LEAST_MIX = 0.5
"""The part of the rise that moved traffic must account for to be called its cause."""

_SURE_RISE = 1e-3


def causes_of(
    scan: Scan, suspects: Sequence[Suspect], signals: Sequence[Signal]
) -> tuple[Cause, ...]:
    """Return the causes, the likeliest first."""
    found = [_of_finding(scan, finding, suspects) for finding in scan.findings]
    if not any(cause.slice for cause in found):
        found = [*_of_moved(scan), *found]
    taken = {cause.change.id for cause in found if cause.change is not None}
    if not found:
        found += list(_of_change(suspects, taken))
    return (*found, *map(_of_signal, signals))


def _of_finding(scan: Scan, finding: Finding, suspects: Sequence[Suspect]) -> Cause:
    rate = finding.x1 / finding.n1
    expected = finding.expected_ratio
    low, high = newcombe(finding.x1, finding.n1, expected * finding.worth, finding.worth)
    suspect = _behind(finding, suspects)
    cause = Cause(
        kind="new" if finding.is_new and finding.conditions else "worse",
        slice=dict(finding.conditions),
        lift=rate - expected,
        low=float(low),
        high=float(high),
        share_explained=_share(scan, finding.excess),
        p_value=finding.p_value,
        before_ratio=expected,
        during_ratio=rate,
        events=finding.n1,
        change=None if suspect is None else suspect.change,
    )
    told = words.of_finding(finding, cause, scan.slices_tested, suspect)
    return replace(cause, summary=told)


def _share(scan: Scan, excess: float) -> float:
    """Return the part of all bad events beyond the usual rate, 0..1."""
    n0, n1 = scan.events
    rise = scan.bad[1] - n1 * scan.bad[0] / n0
    return min(1.0, max(0.0, excess / rise)) if rise > 0 else 1.0


def _behind(finding: Finding, suspects: Sequence[Suspect]) -> Suspect | None:
    """Return the likeliest change that made these calls what they are.

    For all calls alike: a change of the whole service, or one that all calls are exposed to.
    """
    known = {*finding.conditions, *finding.also}
    for suspect in suspects:
        change = suspect.change
        own = (change.dimension or "", change.after or "")
        if own in known or (not finding.conditions and suspect.is_of_all):
            return suspect
    return None


def _of_moved(scan: Scan) -> Iterator[Cause]:
    rise, moved = scan.during_ratio - scan.before_ratio, scan.moved
    if moved is None or moved.effect <= 0 or rise <= 0 or scan.mix_effect < LEAST_MIX * rise:
        return
    counts = (scan.bad[1], scan.events[1], scan.bad[0], scan.events[0])
    p = p_greater(*counts)
    if p > _SURE_RISE:
        return
    low, high = newcombe(*counts)
    yield Cause(
        kind="mix",
        slice=dict([moved.condition]),
        lift=scan.mix_effect,
        low=float(low),
        high=float(high),
        share_explained=min(1.0, scan.mix_effect / rise),
        p_value=p,
        before_ratio=scan.before_ratio,
        during_ratio=scan.during_ratio,
        events=scan.events[1],
        summary=words.of_moved(moved, scan.mix_effect),
    )


def _of_change(suspects: Sequence[Suspect], taken: set[str]) -> Iterator[Cause]:
    """Yield the first change that its own calls show, compared at the same time."""
    corrected = [(it, it.p_value * len(suspects)) for it in suspects]
    for suspect, p in corrected:
        if suspect.change.id in taken or not suspect.is_concurrent or suspect.lift is None:
            continue
        if suspect.is_shown and p < ALPHA:
            change = suspect.change
            yield Cause(
                kind="worse",
                slice={change.dimension or "": change.after or ""},
                lift=suspect.lift,
                low=suspect.low,
                high=suspect.high,
                share_explained=0.0,
                p_value=p,
                before_ratio=suspect.before_ratio,
                during_ratio=suspect.during_ratio,
                events=suspect.events,
                change=change,
                summary=words.of_change(suspect),
            )
            return


def _of_signal(signal: Signal) -> Cause:
    return Cause(
        kind="metric",
        slice={"metric": signal.name, **dict(signal.attributes)},
        lift=0.0,
        low=0.0,
        high=0.0,
        share_explained=0.0,
        p_value=signal.p_value,
        events=signal.minutes,
        summary=words.of_signal(signal),
    )
