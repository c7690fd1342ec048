"""Which change it was: those made before the onset, and the calls that were exposed to them.

That a change came before is little: something always did. Where its calls can be told from others
(``dimension`` and ``after``), and others went on beside them, the two are compared *at the same
time*: whatever else happened to the service happened to both (difference in differences, with the
exposed calls' own past where they have one). Where all calls were exposed at once only before and
after remain, and the words say so.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from seakeeping.decide.diagnose.windows import Facts
from seakeeping.records import Change, ChangeKind
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


@dataclass(frozen=True, slots=True)
class Suspect:
    """A change and what the calls say about it.

    ``lift`` is the rise of the bad rate that goes with it, with its interval and exact one-sided
    ``p_value``; None where the calls do not tell. ``is_concurrent``: exposed calls were compared
    with others at the same time. ``prior`` is how usual such a change is as a cause, 0..1.
    """

    change: Change
    prior: float
    is_concurrent: bool = False
    events: int = 0
    before_ratio: float | None = None
    during_ratio: float | None = None
    lift: float | None = None
    low: float = -1.0
    high: float = 1.0
    p_value: float = 1.0


def suspects(
    changes: Iterable[Change], before: Facts, during: Facts, onset: float
) -> list[Suspect]:
    """Return the changes made around the onset, the likeliest cause first."""
    found = [
        _suspect(change, before, during, onset)
        for change in changes
        if onset - BEFORE_S <= change.at <= onset + AFTER_S
    ]
    return sorted(found, key=lambda it: (_is_weak(it), -_score(it), it.change.at, it.change.id))


def _is_weak(suspect: Suspect) -> bool:
    return suspect.lift is None or suspect.low <= 0.0


def _score(suspect: Suspect) -> float:
    evidence = -math.log(max(suspect.p_value, 1e-300)) if suspect.lift is not None else 0.0
    return math.log(suspect.prior) + evidence * (2.0 if suspect.is_concurrent else 1.0)


def _suspect(change: Change, before: Facts, during: Facts, onset: float) -> Suspect:
    prior = _USUAL[change.kind] * math.exp(-abs(onset - change.at) / _FADES_S)
    prior = max(prior, 1e-6)
    now, rest = _counts(during, change)
    was, _ = _counts(before, change)
    if now[1] < LEAST_EVENTS:
        return Suspect(change, prior)
    if rest[1] >= LEAST_EVENTS and change.dimension is not None:
        return _compared(change, prior, now, rest, own_past=was)
    every = (int(before.bad_rows.sum()), int(before.valid_rows.sum()))
    return _compared(change, prior, now, every, is_concurrent=False)


def _compared(
    change: Change,
    prior: float,
    exposed: tuple[int, int],
    others: tuple[int, int],
    *,
    own_past: tuple[int, int] = (0, 0),
    is_concurrent: bool = True,
) -> Suspect:
    if others[1] == 0:
        return Suspect(change, prior)
    if own_past[1] >= LEAST_EVENTS and own_past[0] * others[1] > others[0] * own_past[1]:
        others = own_past  # these calls were always worse than others: their past is the measure
    low, high = newcombe(*exposed, *others)
    ratios = [bad / valid for bad, valid in (others, exposed)]
    return Suspect(
        change,
        prior,
        is_concurrent,
        exposed[1],
        ratios[0],
        ratios[1],
        ratios[1] - ratios[0],
        float(low),
        float(high),
        p_greater(*exposed, *others),
    )


def _counts(facts: Facts, change: Change) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return (bad, valid) of the calls exposed to a change, and of all others."""
    is_exposed = np.ones(len(facts.valid_rows), dtype=np.bool_)
    if change.dimension is not None and change.after is not None:
        is_exposed = _has(facts, change.dimension, change.after)

    def sums(rows: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> tuple[int, int]:
        return int(facts.bad_rows[rows].sum()), int(facts.valid_rows[rows].sum())

    return sums(is_exposed), sums(~is_exposed)


def _has(facts: Facts, name: str, value: str) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    if name not in facts.dimensions:
        return np.zeros(len(facts.valid_rows), dtype=np.bool_)
    place = facts.dimensions.index(name)
    if value not in facts.values[place]:
        return np.zeros(len(facts.valid_rows), dtype=np.bool_)
    return np.asarray(facts.codes[:, place] == facts.values[place].index(value))
