"""Made incidents whose cause is known.

Two windows of as many calls over eight dimensions (4, 6, 50, 5, 8, 10, 12 and 3 values, Zipf 1.1).
Each value has an effect on the bad rate (about 4 % overall), the traffic of one dimension shifts
between the windows for no reason, and in one slice of one to three values, drawn from all with at
least 3 in 1000 calls (60 of 20,000), the rate rises by ``lift`` points. A null incident has
everything but the rise.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from seakeeping.store.facts import Facts

SIZES = (4, 6, 50, 5, 8, 10, 12, 3)
NAMES = ("model", "route", "tenant", "region", "prompt", "tool", "language", "provider")
ZIPF = 1.1
LEAST_SHARE = 0.003  # 60 of 20,000
DEPTH = 3

Codes = NDArray[np.intp]
Floats = NDArray[np.float64]
Slice = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """How incidents are made; ``effect`` is the standard deviation of effects in logits.

    ``apart`` pairs of values have an effect of their own (a standard deviation of 1.5) before and
    during: no sum of effects tells it. ``odds``: those of all calls alike rise by this factor.
    """

    calls: int = 20_000
    lift: float = 0.15
    base: float = 0.04
    effect: float = 0.3
    shift: float = 0.5
    apart: int = 0
    odds: float = 1.0


@dataclass(frozen=True, slots=True)
class Incident:
    """One made incident; ``planted`` is empty for a null one."""

    before: Facts
    during: Facts
    planted: Slice
    calls_in_slice: int


def make(seed: int, shape: Shape) -> Incident:
    """Return the incident of a seed."""
    source = np.random.default_rng(seed)
    usual = [source.permutation(_zipf(size)) for size in SIZES]
    moved = list(usual)
    at = int(source.integers(len(SIZES)))
    moved[at] = _normal(usual[at] * np.exp(source.normal(0.0, shape.shift, SIZES[at])))
    effects = [source.normal(0.0, shape.effect, size) for size in SIZES]
    before, during = (_draw(source, shape.calls, shares) for shares in (usual, moved))
    pairs = [_pair(source) for _ in range(shape.apart)]
    logits0, logits1 = (_logits(effects, each) + _apart(pairs, each) for each in (before, during))
    mean = _mean_for(shape.base, logits0)
    rate0 = _expit(mean + logits0)
    rate1 = _expit(mean + logits1 + np.log(shape.odds))
    planted, rows = _plant(source, during) if shape.lift else ((), np.zeros(shape.calls, np.bool_))
    rate1 = np.where(rows, np.minimum(1.0, rate1 + shape.lift), rate1)
    return Incident(
        facts(before, source.random(shape.calls) < rate0),
        facts(during, source.random(shape.calls) < rate1),
        tuple(sorted((NAMES[it], f"{NAMES[it]}-{code}") for it, code in planted)),
        int(rows.sum()),
    )


def facts(codes: Codes, is_bad: NDArray[np.bool_]) -> Facts:
    """Return calls as the facts of a window, one row a call."""
    one = np.ones(len(is_bad), np.int64)
    return Facts(
        NAMES,
        tuple(
            tuple(f"{name}-{it}" for it in range(size))
            for name, size in zip(NAMES, SIZES, strict=True)
        ),
        codes.astype(np.int32),
        one.astype(np.float64),
        is_bad.astype(np.float64),
        one,
        is_bad.astype(np.int64),
    )


def _plant(
    source: np.random.Generator, codes: Codes
) -> tuple[tuple[tuple[int, int], ...], NDArray[np.bool_]]:
    """Draw one of the slices of a random depth that have calls enough, each as likely."""
    depth = int(source.integers(1, DEPTH + 1))
    found: list[tuple[tuple[int, ...], int]] = []
    for chosen in combinations(range(len(SIZES)), depth):
        counts = np.bincount(_keys(codes, chosen))
        large = np.flatnonzero((counts >= LEAST_SHARE * len(codes)) & (counts < len(codes) / 2))
        found.extend((chosen, int(key)) for key in large)
    chosen, key = found[int(source.integers(len(found)))]
    rows = _keys(codes, chosen) == key
    first = codes[int(np.argmax(rows))]
    return tuple((it, int(first[it])) for it in chosen), rows


def _keys(codes: Codes, chosen: tuple[int, ...]) -> Codes:
    keys = np.zeros(len(codes), np.intp)
    for dimension in chosen:
        keys = keys * SIZES[dimension] + codes[:, dimension]
    return keys


def _zipf(size: int) -> Floats:
    return _normal(np.arange(1, size + 1, dtype=np.float64) ** -ZIPF)


def _normal(weights: Floats) -> Floats:
    return np.asarray(weights / weights.sum())


def _draw(source: np.random.Generator, calls: int, shares: list[Floats]) -> Codes:
    columns = [source.choice(len(share), calls, p=share) for share in shares]
    return np.stack(columns, axis=1)


def _logits(effects: list[Floats], codes: Codes) -> Floats:
    return np.asarray(np.sum([effect[codes[:, it]] for it, effect in enumerate(effects)], axis=0))


_Pair = tuple[tuple[int, int], tuple[int, int], float]


def _pair(source: np.random.Generator) -> _Pair:
    """Draw two values of two dimensions, and the effect that they have together."""
    one, other = (int(it) for it in source.choice(len(SIZES), 2, replace=False))
    codes = int(source.integers(SIZES[one])), int(source.integers(SIZES[other]))
    return (one, codes[0]), (other, codes[1]), float(source.normal(0.0, 1.5))


def _apart(pairs: list[_Pair], codes: Codes) -> Floats:
    total = np.zeros(len(codes))
    for (one, code), (other, second), effect in pairs:
        total += effect * ((codes[:, one] == code) & (codes[:, other] == second))
    return total


def _mean_for(base: float, logits: Floats) -> float:
    """Return the constant that makes the mean rate ``base``, by bisection."""
    low, high = -12.0, 8.0
    for _ in range(60):
        middle = (low + high) / 2
        if _expit(middle + logits).mean() < base:
            low = middle
        else:
            high = middle
    return low


def _expit(logits: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-logits)))
