"""Which change it was: those made before the onset, and the calls that were exposed to them.

That a change came before is little: something always did. Where its calls can be told from others
(``dimension`` and ``after``), and others went on beside them, the two are compared *at the same
time*. Calls that are new (a release that is being rolled out) are compared with the others. Calls
that were there before (a region, a model that was turned up) may always have been worse, so their
rise is compared with the others' rise: difference in differences (``stats.differences``). Whatever
else happened to the service happened to both. Where all calls were exposed at once, or nothing is
known of the others' past, only before and after remain, and the words say so.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from types import MappingProxyType

import numpy as np

from seakeeping.decide.diagnose.windows import Facts
from seakeeping.records import Change, ChangeKind
from seakeeping.stats.differences import beyond_others
from seakeeping.stats.fisher import newcombe, p_greater

BEFORE_S = 2 * 3600.0
"""How long before the onset a change may have been made to be a candidate."""

AFTER_S = 600.0
"""How long after it: the onset is an estimate, and telemetry tells a change with its first call."""

LEAST_EVENTS = 30

_USUAL: Mapping[ChangeKind, float] = MappingProxyType({
    ChangeKind.DEPLOY: 1.0, ChangeKind.MODEL: 1.0, ChangeKind.PROMPT: 1.0, ChangeKind.CONFIG: 0.7,
    ChangeKind.DATA: 0.7, ChangeKind.TRAFFIC: 0.5, ChangeKind.ACTION: 0.7,
})  # fmt: skip
_FADES_S = 1_800.0

_Pair = tuple[int, int]  # (bad, events)


_SURE = 0.025
"""One-sided, as the bounds of 95 % are."""


class Compared(Enum):
    """What the exposed calls were held against."""

    OTHERS = "others at the same time"
    RISES = "the rise of others at the same time"
    PAST = "the time before"


@dataclass(frozen=True, slots=True)
class Suspect:
    """A change and what the calls say about it.

    ``lift`` is the rise of the bad rate that goes with it, with its bounds and one-sided
    ``p_value`` (exact but where rises are compared), from ``before_ratio``: what was expected of
    the exposed calls. None where the calls do not tell. ``prior`` is how usual such a change is as
    a cause, 0..1. ``is_of_all``: hardly a call was not exposed.
    """

    change: Change
    prior: float
    is_of_all: bool = False
    compared: Compared | None = None
    events: int = 0
    before_ratio: float | None = None
    during_ratio: float | None = None
    lift: float | None = None
    low: float = -1.0
    high: float = 1.0
    p_value: float = 1.0

    @property
    def is_concurrent(self) -> bool:
        """Whether exposed calls were compared with others at the same time."""
        return self.compared in (Compared.OTHERS, Compared.RISES)

    @property
    def is_shown(self) -> bool:
        """Whether the calls show a rise beyond chance, looked at alone."""
        return self.lift is not None and self.low > 0.0 and self.p_value < _SURE


def suspects(
    changes: Iterable[Change], before: Facts, during: Facts, onset: float
) -> list[Suspect]:
    """Return the changes made around the onset, the likeliest cause first."""
    found = [
        _suspect(change, before, during, onset)
        for change in changes
        if onset - BEFORE_S <= change.at <= onset + AFTER_S
    ]
    return sorted(found, key=lambda it: (not it.is_shown, -_score(it), it.change.at, it.change.id))


def _score(suspect: Suspect) -> float:
    evidence = -math.log(max(suspect.p_value, 1e-300)) if suspect.lift is not None else 0.0
    return math.log(suspect.prior) + evidence * (2.0 if suspect.is_concurrent else 1.0)


def _suspect(change: Change, before: Facts, during: Facts, onset: float) -> Suspect:
    prior = _USUAL[change.kind] * math.exp(-abs(onset - change.at) / _FADES_S)
    now, others_now = _counts(during, change)
    known = Suspect(change, max(prior, 1e-6), others_now[1] < LEAST_EVENTS)
    was, others_before = _counts(before, change)
    has_past = was[1] >= LEAST_EVENTS
    if now[1] < LEAST_EVENTS:
        return known
    if min(others_now[1], others_before[1]) >= LEAST_EVENTS and has_past:
        return _rises(known, now, was, others_now, others_before)
    if others_now[1] >= LEAST_EVENTS and not has_past:
        return _rates(known, Compared.OTHERS, now, others_now)
    every = was[0] + others_before[0], was[1] + others_before[1]
    return _rates(known, Compared.PAST, now, was if has_past else every)


def _rises(known: Suspect, now: _Pair, was: _Pair, others: _Pair, others_before: _Pair) -> Suspect:
    found = beyond_others(now, was, others, others_before)
    return replace(
        known, compared=Compared.RISES, events=now[1], before_ratio=found.expected,
        during_ratio=now[0] / now[1], lift=found.lift, low=found.low, high=found.high,
        p_value=found.p_value,
    )  # fmt: skip


def _rates(known: Suspect, compared: Compared, now: _Pair, against: _Pair) -> Suspect:
    if against[1] == 0:
        return known
    low, high = newcombe(*now, *against)
    ratios = [bad / events for bad, events in (against, now)]
    return replace(
        known, compared=compared, events=now[1], before_ratio=ratios[0], during_ratio=ratios[1],
        lift=ratios[1] - ratios[0], low=float(low), high=float(high),
        p_value=p_greater(*now, *against),
    )  # fmt: skip


def _counts(facts: Facts, change: Change) -> tuple[_Pair, _Pair]:
    """Return (bad, valid) of the calls exposed to a change, and of all others."""
    is_exposed = np.ones(len(facts.valid_rows), dtype=np.bool_)
    if change.dimension is not None and change.after is not None:
        is_exposed = _has(facts, change.dimension, change.after)

    def sums(rows: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> _Pair:
        return int(facts.bad_rows[rows].sum()), int(facts.valid_rows[rows].sum())

    return sums(is_exposed), sums(~is_exposed)


def _has(facts: Facts, name: str, value: str) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    if name not in facts.dimensions:
        return np.zeros(len(facts.valid_rows), dtype=np.bool_)
    place = facts.dimensions.index(name)
    if value not in facts.values[place]:
        return np.zeros(len(facts.valid_rows), dtype=np.bool_)
    return np.asarray(facts.codes[:, place] == facts.values[place].index(value))
