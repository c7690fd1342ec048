"""A diagnosis in sentences: what rose, since when, where, how surely, and what was changed."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from seakeeping.decide.diagnose.correlate import Compared, Suspect
from seakeeping.decide.diagnose.lattice import LEAST_EVENTS
from seakeeping.decide.diagnose.scan import Finding, Moved, Scan
from seakeeping.decide.diagnose.signals import Signal
from seakeeping.records import Cause, Change
from seakeeping.records.codec import iso

NO_CAUSE = "No cause found"

_MORE_THAN: Mapping[Compared | None, str] = MappingProxyType({
    Compared.OTHERS: "than other calls at the same time",
    Compared.RISES: "than had they risen as other calls did at the same time",
    Compared.PAST: "than before it",
})  # fmt: skip


def of_diagnosis(what: str, scan: Scan, onset: float | None, causes: Sequence[Cause]) -> str:
    """Return one sentence on what happened, and one on the first cause."""
    since = "" if onset is None else f" since {moment(onset)}"
    rose = (
        f"{what}: {ratio(scan.before_ratio)} bad before, {ratio(scan.during_ratio)}{since}."
        if scan.events[1]
        else f"{what}: no events to compare{since}."
    )
    if causes:
        return f"{rose} {causes[0].summary}"
    if 0 < scan.events[1] < LEAST_EVENTS:
        return f"{rose} {NO_CAUSE} yet: {scan.events[1]} events are too few to compare slices of."
    tested = f" among {scan.slices_tested:,} slices" if scan.slices_tested else ""
    return f"{rose} {NO_CAUSE}{tested}: no slice, change or signal stands out beyond chance."


def of_finding(finding: Finding, cause: Cause, tested: int, suspect: Suspect | None) -> str:
    """Return what a slice did, and the change behind it."""
    where = slice_(cause.slice) if cause.slice else "all calls alike"
    also = f" (the same calls: {slice_(dict(finding.also))})" if finding.also else ""
    expected = "others in its place" if cause.kind == "new" else "expected"
    return (
        f"{where}{also}: {ratio(cause.during_ratio)} bad of {finding.n1:,}, {expected} "
        f"{ratio(cause.before_ratio)}; +{points(cause.lift)} points "
        f"[{points(cause.low)}, {points(cause.high)}], {share(cause.share_explained)} of the rise, "
        f"p {p_value(cause.p_value)} after {tested:,} slices{_changed(suspect)}."
    )


def of_moved(moved: Moved, rise: float) -> str:
    """Return how traffic moved to where it always was worse."""
    name, value = moved.condition
    return (
        f"Traffic moved to {slice_({name: value})}: {share(moved.share_before)} of it before, "
        f"{share(moved.share_during)} now, usually {ratio(moved.ratio)} bad; no rate needed to "
        f"change for +{points(rise)} points."
    )


def of_change(suspect: Suspect) -> str:
    """Return what goes with a change alone."""
    how = _MORE_THAN.get(suspect.compared, "")
    return (
        f"{change(suspect.change)}: its calls are {ratio(suspect.during_ratio)} bad, "
        f"{points(suspect.lift or 0.0)} points [{points(suspect.low)}, {points(suspect.high)}] "
        f"more {how}, p {p_value(suspect.p_value)}."
    )


def of_signal(signal: Signal) -> str:
    """Return how far a signal went; that it went along is all that is known."""
    at = f" of {slice_(dict(signal.attributes))}" if signal.attributes else ""
    unit = f" {signal.unit}" if signal.unit and signal.unit != "1" else ""
    return (
        f"{signal.name}{at} went from {signal.usual:.4g} to {signal.extreme:.4g}{unit}, "
        f"{signal.score:.0f} times its usual spread; it went along, no more is known."
    )


def change(told: Change) -> str:
    """Return a change in words.

    >>> from seakeeping.records import ChangeKind
    >>> change(Change("c1", ChangeKind.DEPLOY, "chat", 0.0, before="v1", after="v2"))
    'deploy v1 to v2 of chat at 1970-01-01 00:00 UTC'
    """
    what = told.after or told.description
    if told.before and told.after:
        what = f"{told.before} to {told.after}"
    return f"{told.kind} {what} of {told.target} at {moment(told.at)}"


def slice_(values: Mapping[str, str]) -> str:
    """Return a slice in words."""
    return " and ".join(f"{name}={value or '(none)'}" for name, value in values.items())


def moment(at: float) -> str:
    """Return a moment to the minute."""
    return f"{iso(at)[:16].replace('T', ' ')} UTC"


def ratio(value: float | None) -> str:
    """Return a ratio as a percentage."""
    return "nothing known" if value is None else f"{value * 100:.3g} %"


def share(value: float) -> str:
    """Return a share as a whole percentage."""
    return f"{value * 100:.0f} %"


def points(value: float) -> str:
    """Return a difference of ratios in points."""
    return f"{value * 100:.3g}"


def p_value(value: float) -> str:
    """Return a p-value; nobody needs the digits of a tiny one."""
    return "< 1e-9" if value < 1e-9 else f"= {value:.1g}"


def _changed(suspect: Suspect | None) -> str:
    return "" if suspect is None else f"; {change(suspect.change)}"
